//! Where the tone mark stands: `hòa` or `hoà`, which are different letters in NFC.

use std::borrow::Cow;

use super::{
    letter::{LEVEL, Letter, apart, is_shaped, is_vowel, together},
    syllable,
};

/// The two ways of placing a tone mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TonePlacement {
    /// `hòa`, `khỏe`, `thủy`: as in the official names of wards.
    Traditional,
    /// `hoà`, `khoẻ`, `thuỷ`: as in school books.
    Modern,
}

/// The text, in NFC, with each tone mark where the style puts it. A word that is no syllable of
/// Vietnamese is left as it is.
#[must_use]
pub fn place_tones(text: &str, style: TonePlacement) -> Cow<'_, str> {
    let text = super::nfc(text);
    if text.is_ascii() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut word = Vec::new();
    let mut rest = &*text;
    while let Some(letter) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if run.is_empty() {
            out.push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            continue;
        }
        word.clear();
        word.extend(run.chars().map(apart));
        match replaced(&mut word, style) {
            true => out.extend(word.iter().map(|letter| together(*letter))),
            false => out.push_str(run),
        }
        rest = after;
    }
    if out == *text { text } else { Cow::Owned(out) }
}

/// Moves the tone of a syllable; false when nothing has to move.
fn replaced(word: &mut [Letter], style: TonePlacement) -> bool {
    let Some(from) = word.iter().position(|letter| letter.tone != LEVEL) else { return false };
    let Some(rhyme) = syllable::rhyme_at(word) else { return false };
    let to = rhyme + place(word.get(rhyme..).unwrap_or_default(), style);
    if from == to {
        return false;
    }
    let tone =
        word.get_mut(from).map_or(LEVEL, |letter| std::mem::replace(&mut letter.tone, LEVEL));
    if let Some(letter) = word.get_mut(to) {
        letter.tone = tone;
    }
    true
}

/// Which letter of a rhyme bears the tone. The u of `qu` and the i of `gi` belong to the onset and
/// are not here.
fn place(rhyme: &[Letter], style: TonePlacement) -> usize {
    if let Some(at) = rhyme.iter().rposition(|letter| is_shaped(letter.base)) {
        return at;
    }
    let vowels = rhyme.iter().take_while(|letter| is_vowel(letter.base)).count();
    let is_open = vowels == rhyme.len();
    match (vowels, is_open, style) {
        (2, true, TonePlacement::Modern) => {
            let pair = (rhyme.first().map(|l| l.base), rhyme.get(1).map(|l| l.base));
            let glides = [('o', 'a'), ('o', 'e'), ('u', 'y')];
            usize::from(glides.iter().any(|(a, b)| pair == (Some(*a), Some(*b))))
        }
        (2, true, TonePlacement::Traditional) => 0,
        (2.., _, _) => 1,
        _ => 0,
    }
}
