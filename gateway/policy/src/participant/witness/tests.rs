use super::*;
use crate::fixture::{Files, PROVIDER, WARD};

fn key(prefix: &[u8]) -> String {
    STANDARD.encode([prefix, &[7; POINT]].concat())
}

fn with(file: &str, id: &str, spki: &str) -> Files {
    let text = format!("witness_keys: [{{id: {id}, spki: \"{spki}\"}}]\nstatus:");
    Files::new().edit(file, "status:", &text)
}

#[test]
fn refuses_what_is_no_key_of_p256() {
    let mut other = P256_SPKI.to_vec();
    other[22] = 0x22;
    for spki in ["", "no base64", &key(&other), &key(&P256_SPKI[1..])] {
        with(WARD, "key-2026", spki).refused(&["`spki` must be a P-256 public key"]);
    }
    with(WARD, "Khoá", &key(P256_SPKI)).refused(&["is not a kebab-case id"]);
}

#[test]
fn refuses_the_key_of_another_participant() {
    let text = format!("witness_keys: [{{id: a, spki: \"{}\"}}]\nstatus:", key(P256_SPKI));
    with(WARD, "a", &key(P256_SPKI)).edit(PROVIDER, "status:", &text).refused(&["is used twice"]);
}

#[test]
fn reads_a_key() {
    let set = with(WARD, "key-2026", &key(P256_SPKI)).set();
    let keys = &set.participants["H29.40"].witness_keys;
    assert_eq!((keys.len(), keys[0].spki.len()), (1, 91));
}
