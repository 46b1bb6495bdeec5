//! The connection sheet of a participant that comes as a present client of the city's LGSP.
//!
//! Takes the `lgsp` block of a participant file; gives an [`LgspClient`]. The block says who the
//! client is and whom it acts as; it opens nothing, which only agreements do.

use std::collections::BTreeSet;

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{MapReader, Node},
    id::ParticipantId,
    sensitive::Sensitive,
};

use super::secret::SecretHash;
use crate::{
    hash,
    read::{known, place_of},
};

/// Longest text of a connection sheet, in bytes.
pub const MAX_SHEET_TEXT: usize = 256;

/// What a present LGSP client must show for a token.
#[derive(Debug, Clone, PartialEq)]
pub struct LgspClient {
    /// `AppName` of the sheet.
    pub app_name: String,
    /// `PartnerCode` of the sheet.
    pub partner_code: String,
    /// `PartnerCodeCus` of the sheet; may be empty.
    pub partner_code_customer: String,
    /// `AccessKey` of the sheet; no two participants share one.
    pub access_key: Sensitive<String>,
    /// What `SecretKey` of the sheet hashes to.
    pub secret: SecretHash,
    /// The subsystem that the client asks as.
    pub subsystem: String,
}

impl LgspClient {
    /// A hash over everything that makes this client, the secret included: a token that was given
    /// before any of it changed is told by it.
    #[must_use]
    pub fn fingerprint(&self, participant: &ParticipantId) -> [u8; 32] {
        let parts = [
            participant.as_str(),
            &self.app_name,
            &self.partner_code,
            &self.partner_code_customer,
            self.access_key.expose(),
            self.secret.expose(),
            &self.subsystem,
        ];
        hash::sha256("lgsp client", parts)
    }

    /// What stands for the access key wherever it must be told apart and not be shown.
    pub(super) fn access_key_mark(&self) -> String {
        let hash = hash::to_hex(&hash::sha256("access key", [self.access_key.expose().as_str()]));
        format!("sha256:{}", hash.get(..16).unwrap_or_default())
    }
}

const KEYS: &[&str] =
    &["app_name", "partner_code", "partner_code_customer", "access_key", "secret", "subsystem"];

/// Reads the `lgsp` block; gives it with the place of the access key.
pub(super) fn read<'a>(
    file: &'a str,
    node: &'a Node,
    subsystems: &BTreeSet<String>,
    found: &mut Diagnostics,
) -> Option<(LgspClient, Position)> {
    let mut map = MapReader::new(file, node, "an LGSP client", KEYS, found)?;
    let app_name = sheet_text(&mut map, "app_name", 1);
    let partner_code = sheet_text(&mut map, "partner_code", 1);
    let partner_code_customer = sheet_text(&mut map, "partner_code_customer", 0);
    let access_key = sheet_text(&mut map, "access_key", 1);
    let secret = read_secret(&mut map);
    let subsystem = read_subsystem(&mut map, subsystems);
    let at = place_of(&map, "access_key");
    let client = LgspClient {
        app_name: app_name?,
        partner_code: partner_code?,
        partner_code_customer: partner_code_customer?,
        access_key: Sensitive::new(access_key?),
        secret: secret?,
        subsystem: subsystem?,
    };
    Some((client, at))
}

fn sheet_text(map: &mut MapReader<'_, '_>, key: &str, shortest: usize) -> Option<String> {
    let text = map.text(key)?;
    if (shortest..=MAX_SHEET_TEXT).contains(&text.len()) && !text.contains(char::is_control) {
        return Some(text.to_owned());
    }
    let (file, at) = (map.file(), place_of(map, key));
    let message = format!("`{key}` must have {shortest} to {MAX_SHEET_TEXT} bytes of plain text");
    map.found().add(file, at, message);
    None
}

/// SECURITY: whatever stands there may be the secret itself, so no message repeats it.
fn read_secret(map: &mut MapReader<'_, '_>) -> Option<SecretHash> {
    let text = map.text("secret")?;
    match text.parse() {
        Ok(secret) => Some(secret),
        Err(error) => {
            let (file, at) = (map.file(), place_of(map, "secret"));
            let help = "write the block with `lienthong participant import SHEET.json --into FILE`";
            map.found().add_with_help(file, at, format!("`secret` {error}"), help);
            None
        }
    }
}

/// The subsystem that is named, or the only one there is.
fn read_subsystem(map: &mut MapReader<'_, '_>, subsystems: &BTreeSet<String>) -> Option<String> {
    let (file, at) = (map.file(), place_of(map, "subsystem"));
    if map.optional("subsystem").is_some() {
        let name = map.text("subsystem")?;
        let names = subsystems.iter().map(String::as_str);
        return known((file, at), "subsystem", name, names, map.found()).then(|| name.to_owned());
    }
    if let (1, Some(only)) = (subsystems.len(), subsystems.first()) {
        return Some(only.clone());
    }
    let message = "an LGSP client needs `subsystem` unless the participant has exactly one";
    map.found().add(file, at, message);
    None
}

#[cfg(test)]
mod tests;
