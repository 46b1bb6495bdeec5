//! Ids of keys: the same for the same key, and nothing that helps to find it.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};

use super::Purpose;

/// The id of a key of 32 random bytes: a keyed digest of its purpose, under the key itself.
pub(super) fn of_secret(purpose: Purpose, key: &[u8; 32]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let text = format!("lienthong key id v1\n{purpose}");
    text_of(hmac::sign(&key, text.as_bytes()).as_ref())
}

/// The id of a key pair: the digest of its public half, as certificates have it.
pub(super) fn of_public(spki: &[u8]) -> String {
    text_of(digest(&SHA256, spki).as_ref())
}

/// The id of a key pair by its certificate: the SHA-256 of that, as others pin it.
pub(super) fn of_certificate(der: &[u8]) -> String {
    digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first eight bytes, in groups, so that no long number stands in an id.
fn text_of(digest: &[u8]) -> String {
    let groups = digest.chunks_exact(2).take(4);
    let groups: Vec<String> =
        groups.map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    groups.join("-")
}
