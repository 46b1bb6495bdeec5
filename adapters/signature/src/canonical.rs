//! The one form of a JSON document over which a signature is made (RFC 8785), so that a gateway
//! which writes white space or the order of members anew does not break it.
//!
//! In: a value, or JSON text. Out: its canonical bytes. Must never round: a whole number that not
//! every reader keeps is refused, and so is a document that names a member twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The largest whole number that every reader of JSON keeps, 2^53 - 1.
const MAX_WHOLE: u64 = (1 << 53) - 1;
/// From here on a whole number is written with an exponent.
const WITH_EXPONENT: f64 = 1e21;

/// Why a document has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// It is longer than was permitted.
    #[error("the document is too large")]
    TooLarge,
    /// It is not JSON, or nested too deeply, or names a member twice.
    #[error("the document is not JSON, is nested too deeply, or names a member twice")]
    NotJson,
    /// A number would be rounded by some readers.
    #[error("the document holds a whole number beyond 2^53 - 1; write it as a text")]
    Number,
}

/// The canonical form of a value.
///
/// # Errors
///
/// If a number has none.
pub fn json(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    if !keeps_numbers(value) {
        return Err(CanonicalError::Number);
    }
    serde_json_canonicalizer::to_vec(value).map_err(|_| CanonicalError::NotJson)
}

/// The canonical form of a JSON text.
///
/// # Errors
///
/// If it is no JSON, names a member twice, or a number has no canonical form.
pub fn json_text(text: &[u8], limit: usize) -> Result<Vec<u8>, CanonicalError> {
    if text.len() > limit {
        return Err(CanonicalError::TooLarge);
    }
    let value = strict(text)?;
    if !keeps_literals(text) {
        return Err(CanonicalError::Number);
    }
    json(&value)
}

/// A JSON text in which no member is named twice.
pub(crate) fn strict(text: &[u8]) -> Result<Value, CanonicalError> {
    serde_json::from_slice(text).map(|Strict(value)| value).map_err(|_| CanonicalError::NotJson)
}

/// Whether every whole number is one that readers keep.
fn keeps_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => is_kept(number),
        Value::Array(items) => items.iter().all(keeps_numbers),
        Value::Object(members) => members.values().all(keeps_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn is_kept(number: &Number) -> bool {
    if let Some(whole) = number.as_i64() {
        return whole.unsigned_abs() <= MAX_WHOLE;
    }
    match number.as_f64() {
        Some(_) if number.is_u64() => false,
        // What is below 1e21 is written as a whole number, and would not be read again as it was.
        Some(float) => {
            float.fract() != 0.0 || float.abs() < 2_f64.powi(53) || float.abs() >= WITH_EXPONENT
        }
        None => false,
    }
}

/// Whether every whole number of a JSON text is one that readers keep. A number of many digits
/// reaches [`Value`] rounded already.
fn keeps_literals(text: &[u8]) -> bool {
    let mut rest = text.iter().copied().peekable();
    let (mut in_text, mut digits, mut is_whole) = (false, Vec::new(), true);
    let mut kept = true;
    let mut close = |digits: &mut Vec<u8>, is_whole: &mut bool| {
        let read = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        kept &= !*is_whole || digits.is_empty() || read.is_some_and(|whole| whole <= MAX_WHOLE);
        digits.clear();
        *is_whole = true;
    };
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' if in_text => drop(rest.next()),
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'0'..=b'9' => digits.push(byte),
            b'.' | b'e' | b'E' if !digits.is_empty() => is_whole = false,
            b'-' | b'+' => {}
            _ => close(&mut digits, &mut is_whole),
        }
    }
    close(&mut digits, &mut is_whole);
    kept
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Once).map(Self)
    }
}

/// Reads a value in which every member is named once.
struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON in which no member is named twice")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, _>()? {
            if read.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests;
