//! TCVN3, one byte a letter.

use super::super::letter::VOWELS;

/// The byte of each vowel of [`VOWELS`], in its order; 0 where the letter is ASCII.
const BYTES: [[u8; 6]; 12] = [
    [0x00, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9],
    [0xa8, 0xbb, 0xbc, 0xbd, 0xbe, 0xc6],
    [0xa9, 0xc7, 0xc8, 0xc9, 0xca, 0xcb],
    [0x00, 0xcc, 0xce, 0xcf, 0xd0, 0xd1],
    [0xaa, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6],
    [0x00, 0xd7, 0xd8, 0xdc, 0xdd, 0xde],
    [0x00, 0xdf, 0xe1, 0xe2, 0xe3, 0xe4],
    [0xab, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9],
    [0xac, 0xea, 0xeb, 0xec, 0xed, 0xee],
    [0x00, 0xef, 0xf1, 0xf2, 0xf3, 0xf4],
    [0xad, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9],
    [0x00, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe],
];

/// The letters that have no tone: the only capitals of their own.
const OTHERS: [(u8, char); 8] = [
    (0xa1, 'Ă'),
    (0xa2, 'Â'),
    (0xa3, 'Ê'),
    (0xa4, 'Ô'),
    (0xa5, 'Ơ'),
    (0xa6, 'Ư'),
    (0xa7, 'Đ'),
    (0xae, 'đ'),
];

/// The letter of a byte beyond ASCII.
pub(super) fn letter(byte: u8) -> Option<char> {
    let other = OTHERS.iter().find(|(code, _)| *code == byte).map(|(_, letter)| *letter);
    let pairs = || BYTES.iter().flatten().zip(VOWELS.iter().flatten());
    other.or_else(|| pairs().find(|(code, _)| **code == byte).map(|(_, letter)| *letter))
}

/// Decodes a text that was taken for Windows-1252.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match u8::try_from(u32::from(c)) {
            Ok(0..=0x7f) => out.push(c),
            Ok(0xa0) => out.push(' '),
            Ok(byte) => out.push(letter(byte)?),
            Err(_) if super::is_letter(c) => return None,
            Err(_) => out.push(c),
        }
    }
    Some(if is_in_capitals(&out) { out.to_uppercase() } else { out })
}

/// Whether a font of capitals (`.VnTimeH`) showed the text: it has the codes of small letters among
/// capitals. A single capital in a word tells nothing, for names begin with one.
fn is_in_capitals(text: &str) -> bool {
    let has_small = text.bytes().any(|b| b.is_ascii_lowercase());
    let capitals = |word: &str| word.bytes().filter(u8::is_ascii_uppercase).count();
    !has_small && text.split_whitespace().any(|word| capitals(word) > 1)
}
