//! The settings of the dialect of present LGSP clients.

use std::path::PathBuf;

use jiff::SignedDuration;
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
};

use super::{Reader, small};
use crate::path;

/// How present LGSP clients get tokens. Without it there is no token path, and no token counts.
#[derive(Debug, Clone)]
pub struct LgspSettings {
    /// Segments of the path at which tokens are given.
    pub token_path: Vec<String>,
    /// File of the key that seals tokens: 32 bytes in hexadecimal, readable by its owner only.
    pub key_file: PathBuf,
    /// File of the key before it, whose tokens still count.
    pub previous_key_file: Option<PathBuf>,
    /// How long a token lives.
    pub lifetime: SignedDuration,
    /// How far ahead the clock of another node may be.
    pub skew: SignedDuration,
    /// Tries of one participant, right and wrong, in a minute.
    pub tokens_per_minute: u32,
    /// Secrets held against their hash at once.
    pub checks_at_once: usize,
}

impl Reader<'_> {
    pub(super) fn lgsp(&self, node: &Node, found: &mut Diagnostics) -> Option<LgspSettings> {
        let keys = [
            "token_path",
            "key_file",
            "previous_key_file",
            "token_seconds",
            "skew_seconds",
            "tokens_per_minute",
            "checks_at_once",
        ];
        let mut map = MapReader::new(self.file, node, "`lgsp`", &keys, found)?;
        let key_file = self.path(&mut map, "key_file");
        let previous_key_file = self.optional_path(&mut map, "previous_key_file");
        let token_path = self.token_path(&mut map);
        let lifetime = map.integer("token_seconds", 60..=86_400, 1_800);
        let skew = map.integer("skew_seconds", 0..=300, 60);
        let per_minute = small(&mut map, "tokens_per_minute", 1..=6_000, 60);
        let checks_at_once = small(&mut map, "checks_at_once", 1..=64, 1);
        Some(LgspSettings {
            token_path: token_path?,
            key_file: key_file?,
            previous_key_file,
            lifetime: SignedDuration::from_secs(lifetime),
            skew: SignedDuration::from_secs(skew),
            tokens_per_minute: u32::try_from(per_minute).unwrap_or(1),
            checks_at_once,
        })
    }

    fn token_path(&self, map: &mut MapReader<'_, '_>) -> Option<Vec<String>> {
        let text = match map.optional("token_path") {
            Some(_) => map.text("token_path")?,
            None => "/token",
        };
        let segments = path::segments(text).ok();
        let own = |segments: &Vec<String>| {
            !matches!(segments.first().map(String::as_str), Some("r1" | "listClients"))
        };
        let segments = segments.filter(own);
        if segments.is_none() {
            let at = map.optional("token_path").map_or_else(|| map.at(), |node| node.at);
            let message =
                "`token_path` must be a path such as `/token`, outside the X-Road dialect";
            map.found().add(self.file, at, message);
        }
        segments
    }
}

#[cfg(test)]
mod tests;
