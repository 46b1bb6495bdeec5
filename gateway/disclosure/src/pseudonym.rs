//! Keyed pseudonyms: the same value of the same type is the same text for one consumer in one key
//! period, and tells nothing across consumers, types or periods.

use std::fmt;

use aws_lc_rs::hmac;
use lienthong_model::{id::ParticipantId, sensitive::Sensitive};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Bytes of a pseudonym: 128 bits.
const LENGTH: usize = 16;
const DOMAIN: &[u8] = b"lienthong pseudonym v1";

/// Makes the pseudonyms of one consumer in one key period.
#[derive(Clone)]
pub struct Pseudonymiser(hmac::Key);

impl fmt::Debug for Pseudonymiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonymiser([redacted])")
    }
}

impl Pseudonymiser {
    /// A pseudonymiser of one consumer and key period.
    #[must_use]
    pub fn new(key: Sensitive<[u8; 32]>, consumer: &ParticipantId, period: &str) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
        let derived = sign(&master, &[DOMAIN, consumer.as_str().as_bytes(), period.as_bytes()]);
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// Writes the pseudonym of `value` (lower-case hexadecimal) to `out`.
    pub(crate) fn write(&self, field_type: &str, value: &str, out: &mut String) {
        // One name typed on two keyboards is one value.
        let normal: Option<String> = (!is_nfc(value)).then(|| value.nfc().collect());
        let value = normal.as_deref().unwrap_or(value);
        let tag = sign(&self.0, &[field_type.as_bytes(), value.as_bytes()]);
        for byte in tag.as_ref().iter().take(LENGTH) {
            for nibble in [byte >> 4, byte & 0xf] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
    }
}

/// The tag over the parts, each behind its length so that no two lists collide.
fn sign(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign()
}

#[cfg(test)]
mod tests;
