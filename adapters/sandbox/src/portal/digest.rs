//! Digests of records: the same for the same content, in whichever order its members stand.
//!
//! The portal keeps them in place of the records, so that a hundred thousand cases fit into memory.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

/// Half of a SHA-256.
pub(crate) type Digest = u128;

/// The digest of a record.
pub(crate) fn of(value: &Value) -> Digest {
    let mut context = Context::new(&SHA256);
    feed(&mut context, value);
    let bytes = context.finish();
    bytes.as_ref().iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&SHA256, bytes);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        text
    })
}

fn feed(context: &mut Context, value: &Value) {
    match value {
        Value::Null => context.update(b"n"),
        Value::Bool(true) => context.update(b"t"),
        Value::Bool(false) => context.update(b"f"),
        Value::Number(number) => text(context, b"#", &number.to_string()),
        Value::String(string) => text(context, b"\"", string),
        Value::Array(items) => {
            context.update(b"[");
            context.update(&items.len().to_le_bytes());
            items.iter().for_each(|item| feed(context, item));
        }
        Value::Object(map) => {
            context.update(b"{");
            context.update(&map.len().to_le_bytes());
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in members {
                text(context, b":", name);
                feed(context, value);
            }
        }
    }
}

fn text(context: &mut Context, mark: &[u8], text: &str) {
    context.update(mark);
    context.update(&text.len().to_le_bytes());
    context.update(text.as_bytes());
}

#[cfg(test)]
mod tests;
