//! VNI-Windows: a vowel, and a mark after it that stands for shape and tone together.

use super::super::letter::{VOWELS, upper};

/// Marks of a plain vowel: huyền, hỏi, ngã, sắc, nặng, in small letters as all of these.
const TONES: [char; 5] = ['ø', 'û', 'õ', 'ù', 'ï'];
/// The circumflex without a tone and with each.
const CIRCUMFLEX: [char; 6] = ['â', 'à', 'å', 'ã', 'á', 'ä'];
/// The breve without a tone and with each.
const BREVE: [char; 6] = ['ê', 'è', 'ú', 'ü', 'é', 'ë'];

/// Letters that stand alone, and whether a mark may follow.
const ALONE: [(char, char); 9] = [
    ('ñ', 'đ'),
    ('í', 'í'),
    ('ì', 'ì'),
    ('æ', 'ỉ'),
    ('ó', 'ĩ'),
    ('ò', 'ị'),
    ('î', 'ỵ'),
    ('ô', 'ơ'),
    ('ö', 'ư'),
];

/// Decodes a text that was taken for Windows-1252.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let Some((base, is_upper)) = base(c)? else {
            out.push(if c == '\u{a0}' { ' ' } else { c });
            continue;
        };
        let marked = letters.peek().and_then(|mark| marked(base, small(*mark)));
        if marked.is_some() {
            letters.next();
        }
        let letter = marked.unwrap_or(base);
        out.push(if is_upper { upper(letter) } else { letter });
    }
    Some(out)
}

/// The letter before a possible mark, in lower case; nothing for what is no letter of the alphabet.
/// The outer `None`: the encoding does not have it, or a mark stands where none can.
fn base(c: char) -> Option<Option<(char, bool)>> {
    let small = small(c);
    let is_upper = small != c;
    if c.is_ascii() {
        return Some(c.is_ascii_alphabetic().then_some((small, is_upper)));
    }
    if let Some((_, letter)) = ALONE.iter().find(|(code, _)| *code == small) {
        return Some(Some((*letter, is_upper)));
    }
    let passes = c == '\u{a0}' || (c > '\u{ff}' && !super::is_letter(c));
    passes.then_some(None)
}

/// The vowel that a base and a mark make.
fn marked(base: char, mark: char) -> Option<char> {
    let place = |marks: &[char]| marks.iter().position(|m| *m == mark);
    let (vowel, tone) = match base {
        'a' | 'e' | 'o' | 'u' | 'y' | 'ơ' | 'ư' if place(&TONES).is_some() => {
            (base, place(&TONES)? + 1)
        }
        'a' if place(&BREVE).is_some() => ('ă', place(&BREVE)?),
        'a' => ('â', place(&CIRCUMFLEX)?),
        'e' => ('ê', place(&CIRCUMFLEX)?),
        'o' => ('ô', place(&CIRCUMFLEX)?),
        _ => return None,
    };
    let row = VOWELS.iter().find(|row| row.first() == Some(&vowel))?;
    row.get(tone).copied()
}

/// The small letter of a code, which the capitals' bytes stand 0x20 below.
fn small(c: char) -> char {
    match c {
        'À'..='Þ' if c != '×' => char::from_u32(u32::from(c) + 0x20).unwrap_or(c),
        _ if c.is_ascii() => c.to_ascii_lowercase(),
        _ => c,
    }
}
