//! Vietnamese text: one form for what can be written in several.
//!
//! Everything is NFC with the real letter đ; tone marks can be put in one place, texts compared by a
//! fold key, and texts of the old fonts recognised and converted. Nothing here knows a person's name
//! better than its bearer: what is not surely Vietnamese is left as it is.

mod legacy;
mod letter;
mod syllable;
mod tone;

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

pub use legacy::{
    Conversion, ConversionError, Converted, Detected, LegacyEncoding, Raw, TextEncoding, decode,
    decode_bytes, detect, detect_bytes, to_unicode,
};
pub use tone::{TonePlacement, place_tones};

/// The text in NFC, with look-alikes of đ (ð, ɖ and their capitals) as đ, which has no
/// decomposition that could do it.
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_settled) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().map(real_d).collect())
}

/// Whether a letter is in NFC whatever stands beside it, and no look-alike: almost all there is.
fn is_settled(letter: char) -> bool {
    matches!(letter, '\0'..='\u{2ff}' | '\u{1ea0}'..='\u{1ef9}') && real_d(letter) == letter
}

fn real_d(letter: char) -> char {
    match letter {
        '\u{d0}' | '\u{189}' => 'Đ',
        '\u{f0}' | '\u{256}' => 'đ',
        other => other,
    }
}

/// The text without what cannot be seen: runs of white space become one space, those at the ends and
/// zero-width characters go, full-width letters and digits become plain ones.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let is_plain = |text: &str| {
        let is_seen = |b: u8| (b'!'..=b'~').contains(&b) || b == b' ';
        text.bytes().all(is_seen)
            && !text.contains("  ")
            && !text.starts_with(' ')
            && !text.ends_with(' ')
    };
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => {}
            // Full-width forms stand in the order of ASCII.
            '\u{ff01}'..='\u{ff5e}' => {
                out.extend(char::from_u32(u32::from(letter) - 0xff01 + 0x21));
            }
            c if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end_matches(' ').len());
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// The text in capitals, all of Unicode, as the population database compares names.
#[must_use]
pub fn upper(text: &str) -> String {
    nfc(&text.to_uppercase()).into_owned()
}

/// The key by which names are compared when accents, case, spaces and signs do not count.
#[must_use]
pub fn fold(text: &str) -> String {
    let bare = |letter: char| match letter {
        'đ' | '\u{f0}' | '\u{256}' => 'd',
        other => other,
    };
    let folded = |text: &str| -> String {
        text.to_lowercase()
            .nfd()
            .filter(|letter| !is_combining_mark(*letter))
            .map(bare)
            .filter(|letter| letter.is_alphanumeric())
            .collect()
    };
    let once = folded(text);
    // A few signs are letters with a lower case only after the marks have gone.
    if once.is_ascii() { once } else { folded(&once) }
}

/// A second key, under which `Lý` and `Lí` are the same too. Names keep their spelling: this finds
/// candidates and never decides.
#[must_use]
pub fn fold_i_and_y(text: &str) -> String {
    fold(text).replace('y', "i")
}

#[cfg(test)]
mod tests;
