//! Witness keys: under which a participant vouches for a consent that is in another's favour.
//!
//! A consent that a collector hands in for its own participant needs the word of someone else. The
//! form of each key is checked here; whether its point lies on the curve, where it is used.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{MapReader, Node},
};

use crate::{
    hash::{bytes_sha256, to_hex},
    read::{kebab_key, place_of},
};

/// Most keys of one participant: one in use, one to come, and a few places.
const MAX_KEYS: usize = 8;

/// A SubjectPublicKeyInfo of P-256 (RFC 5480) up to its point, which is not compressed.
const P256_SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// Two coordinates of 32 bytes.
const POINT: usize = 64;

/// A public key of P-256 for signatures in ES256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    /// Its id, unique within the participant.
    pub id: String,
    /// Its SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
}

impl WitnessKey {
    /// What tells it from every other key.
    pub(super) fn fingerprint(&self) -> String {
        to_hex(&bytes_sha256(&self.spki))
    }
}

/// Reads `witness_keys`, each with its place; none when the key is left out.
pub(super) fn read(map: &mut MapReader<'_, '_>) -> Vec<(WitnessKey, Position)> {
    let file = map.file();
    let nodes = map.list("witness_keys");
    if nodes.len() > MAX_KEYS {
        let at = place_of(map, "witness_keys");
        map.found().add(file, at, format!("a participant has at most {MAX_KEYS} witness keys"));
    }
    let mut keys: Vec<(WitnessKey, Position)> = Vec::new();
    for node in nodes.iter().take(MAX_KEYS) {
        let Some((key, at)) = read_one(file, node, map.found()) else { continue };
        if keys.iter().any(|(other, _)| other.id == key.id) {
            map.found().add(file, node.at, format!("witness key `{}` stands twice", key.id));
        }
        keys.push((key, at));
    }
    keys
}

fn read_one(file: &str, node: &Node, found: &mut Diagnostics) -> Option<(WitnessKey, Position)> {
    let mut map = MapReader::new(file, node, "a witness key", &["id", "spki"], found)?;
    let id = kebab_key(&mut map, "id");
    let text = map.text("spki")?;
    let at = place_of(&map, "spki");
    let spki = STANDARD
        .decode(text)
        .ok()
        .filter(|der| der.len() == P256_SPKI.len() + POINT && der.starts_with(P256_SPKI));
    if spki.is_none() {
        let message = "`spki` must be a P-256 public key (SubjectPublicKeyInfo, DER) in base64";
        map.found().add(file, at, message);
    }
    Some((WitnessKey { id: id?, spki: spki? }, at))
}

#[cfg(test)]
mod tests;
