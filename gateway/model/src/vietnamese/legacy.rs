//! Texts of the fonts before Unicode: TCVN3 (`.VnTime`, `ABC`) and VNI-Windows.
//!
//! Both put Vietnamese letters where Windows-1252 has others, so that an export reads `NguyÔn` or
//! `Nguyeãn`. A text tells which it is only by what it would say: it is read each way, and a reading
//! counts when every word with a letter beyond ASCII is a syllable of Vietnamese. Two readings that
//! count are ambiguous, and then nothing is converted.

mod convert;
mod tcvn3;
mod vni;

pub use convert::{Conversion, ConversionError, Converted, Raw, TextEncoding, to_unicode};

use super::{letter::apart, syllable};

/// An encoding before Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyEncoding {
    /// TCVN 5712:1993 VN3: one byte a letter; capitals with a tone only by a font of capitals.
    Tcvn3,
    /// VNI-Windows: a letter and a mark after it.
    Vni,
}

/// What a text seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    /// ASCII or Unicode.
    Unicode,
    /// Surely this.
    Legacy(LegacyEncoding),
    /// More than one reading makes sense, as with `Lê`, which TCVN3 would read as `Lờ`.
    Ambiguous,
    /// No reading makes sense as Vietnamese, and as it stands it could be a foreign name.
    Foreign,
    /// No reading makes sense, and nobody writes it as it stands.
    Garbled,
}

/// What a text seems to be that was decoded as Windows-1252 or Latin-1 on its way.
#[must_use]
pub fn detect(text: &str) -> Detected {
    if is_surely_unicode(text) { Detected::Unicode } else { among(makes_sense(text, true), text) }
}

/// Whether the text has a letter that those encodings do not have, or needs none of them.
fn is_surely_unicode(text: &str) -> bool {
    text.is_ascii() || text.chars().any(|c| c > '\u{ff}' && is_letter(c))
}

/// Whether the text makes sense in Unicode, whatever else it could be.
fn reads_as_it_stands(text: &str) -> bool {
    is_surely_unicode(text) || makes_sense(text, true)
}

/// What bytes seem to be.
#[must_use]
pub fn detect_bytes(bytes: &[u8]) -> Detected {
    match std::str::from_utf8(bytes) {
        Ok(text) => detect(text),
        Err(_) => match windows_1252(bytes).map(|text| among(false, &text)) {
            Some(Detected::Foreign) | None => Detected::Garbled,
            Some(detected) => detected,
        },
    }
}

fn among(is_unicode: bool, text: &str) -> Detected {
    let reads = |encoding| decode(encoding, text).is_some_and(|text| makes_sense(&text, false));
    let (tcvn3, vni) = (reads(LegacyEncoding::Tcvn3), reads(LegacyEncoding::Vni));
    match (is_unicode, tcvn3, vni) {
        (true, false, false) => Detected::Unicode,
        (false, true, false) => Detected::Legacy(LegacyEncoding::Tcvn3),
        (false, false, true) => Detected::Legacy(LegacyEncoding::Vni),
        (false, false, false) if has_sign_in_word(text) => Detected::Garbled,
        (false, false, false) => Detected::Foreign,
        _ => Detected::Ambiguous,
    }
}

/// The text in Unicode. `None` when it holds what the encoding does not have.
#[must_use]
pub fn decode(encoding: LegacyEncoding, text: &str) -> Option<String> {
    match encoding {
        LegacyEncoding::Tcvn3 => tcvn3::decode(text),
        LegacyEncoding::Vni => vni::decode(text),
    }
}

/// The bytes in Unicode. `None` when they hold what the encoding does not have.
#[must_use]
pub fn decode_bytes(encoding: LegacyEncoding, bytes: &[u8]) -> Option<String> {
    decode(encoding, &windows_1252(bytes)?)
}

/// Bytes as the letters of Windows-1252. `None` for control characters that no export holds.
fn windows_1252(bytes: &[u8]) -> Option<String> {
    let letter = |byte: &u8| match byte {
        0x00..=0x7f | 0xa0..=0xff => Some(char::from(*byte)),
        0x85 => Some('…'),
        0x91 => Some('‘'),
        0x92 => Some('’'),
        0x93 => Some('“'),
        0x94 => Some('”'),
        0x95 => Some('•'),
        0x96 => Some('–'),
        0x97 => Some('—'),
        _ => None,
    };
    bytes.iter().map(letter).collect()
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || unicode_normalization::char::is_combining_mark(c)
}

/// Whether every word beyond ASCII is a syllable. In a text that is taken as it stands, a sign that
/// touches a letter speaks against it: `V¨n` is nothing that people write.
fn makes_sense(text: &str, is_as_it_stands: bool) -> bool {
    if is_as_it_stands && has_sign_in_word(text) {
        return false;
    }
    let mut letters = Vec::new();
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_ascii()).all(|word| {
        letters.clear();
        letters.extend(word.chars().map(apart));
        syllable::is_syllable(&letters)
    })
}

fn has_sign_in_word(text: &str) -> bool {
    let is_quoted = text.contains('«') && text.contains('»');
    let is_sign = |c: char| {
        // Powers and degrees follow a letter, quotes stand on both sides of one.
        let is_usual = matches!(c, '²' | '³' | '¹' | '°') || (is_quoted && matches!(c, '«' | '»'));
        ('\u{a1}'..='\u{ff}').contains(&c) && !c.is_alphabetic() && !is_usual
    };
    let nexts = text.chars().skip(1).map(Some).chain([None]);
    let mut before = None;
    for (c, after) in text.chars().zip(nexts) {
        let touches = |other: Option<char>| other.is_some_and(char::is_alphabetic);
        // `4m×20m` is a measure, `B×nh` is not.
        let holds = match c {
            '×' | '÷' => touches(before) && touches(after),
            _ => is_sign(c) && (touches(before) || touches(after)),
        };
        if holds {
            return true;
        }
        before = Some(c);
    }
    false
}

#[cfg(test)]
mod tests;
