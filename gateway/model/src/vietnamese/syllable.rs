//! Syllables: whether a word can be one, and where its rhyme begins.

use super::letter::{LEVEL, Letter, NANG, SAC};

/// What a syllable can begin with, besides nothing; the longer before the shorter.
const ONSETS: &[&str] = &[
    "ngh", "ng", "gh", "gi", "kh", "nh", "ph", "qu", "th", "tr", "ch", "b", "c", "d", "đ", "g",
    "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "x",
];

/// What it can go on with, without its tone. Sorted.
const RHYMES: &[&str] = &[
    "a", "ac", "ach", "ai", "am", "an", "ang", "anh", "ao", "ap", "at", "au", "ay", "e", "ec",
    "em", "en", "eng", "eo", "ep", "et", "i", "ia", "ich", "im", "in", "inh", "ip", "it", "iu",
    "iêc", "iêm", "iên", "iêng", "iêp", "iêt", "iêu", "o", "oa", "oac", "oach", "oai", "oam",
    "oan", "oang", "oanh", "oao", "oap", "oat", "oay", "oc", "oe", "oem", "oen", "oeo", "oet",
    "oi", "om", "on", "ong", "ooc", "oong", "op", "ot", "oăc", "oăm", "oăn", "oăng", "oăt", "u",
    "ua", "uc", "ui", "um", "un", "ung", "up", "ut", "uy", "uya", "uych", "uyn", "uynh", "uyp",
    "uyt", "uyu", "uyên", "uyêt", "uân", "uâng", "uât", "uây", "uê", "uêch", "uênh", "uêu", "uôc",
    "uôi", "uôm", "uôn", "uông", "uôt", "uơ", "y", "ya", "ych", "yn", "ynh", "yt", "yêm", "yên",
    "yêng", "yêt", "yêu", "âc", "âm", "ân", "âng", "âp", "ât", "âu", "ây", "ê", "êch", "êm", "ên",
    "ênh", "êp", "êt", "êu", "ô", "ôc", "ôi", "ôm", "ôn", "ông", "ôp", "ôt", "ăc", "ăm", "ăn",
    "ăng", "ăp", "ăt", "ơ", "ơi", "ơm", "ơn", "ơp", "ơt", "ư", "ưa", "ưc", "ưi", "ưm", "ưn", "ưng",
    "ưt", "ưu", "ươc", "ươi", "ươm", "ươn", "ương", "ươp", "ươt", "ươu",
];

/// Longest syllable, `nghiêng`.
const LONGEST: usize = 7;

/// Where the rhyme of a word begins. `None` when the word cannot be a syllable.
pub(super) fn rhyme_at(word: &[Letter]) -> Option<usize> {
    if word.len() > LONGEST || word.iter().filter(|letter| letter.tone != LEVEL).count() > 1 {
        return None;
    }
    let onsets = ONSETS.iter().filter(|onset| starts_with(word, onset));
    let mut places = onsets.map(|onset| onset.chars().count()).chain([0]);
    places.find(|at| word.get(*at..).is_some_and(is_rhyme))
}

/// Whether the word is a syllable whose tone can go with its end: after a stop only two can.
pub(super) fn is_syllable(word: &[Letter]) -> bool {
    let tone = word.iter().map(|letter| letter.tone).max().unwrap_or(LEVEL);
    let is_stopped = match word {
        [.., before, Letter { base: 'h', .. }] => before.base == 'c',
        [.., Letter { base: 'c' | 'p' | 't' | 'k', .. }] => true,
        _ => false,
    };
    let fits = !is_stopped || tone == SAC || tone == NANG;
    fits && rhyme_at(word).is_some()
}

fn starts_with(word: &[Letter], onset: &str) -> bool {
    let mut letters = word.iter();
    onset.chars().all(|c| letters.next().is_some_and(|letter| letter.base == c))
}

fn is_rhyme(letters: &[Letter]) -> bool {
    let last = letters.len().wrapping_sub(1);
    let mut bytes = [0; LONGEST * 4];
    let mut length = 0;
    for (at, letter) in letters.iter().enumerate() {
        // `Đắk Lắk` and its like: a last k sounds and counts as c.
        let base = if at == last && letter.base == 'k' { 'c' } else { letter.base };
        let Some(room) = bytes.get_mut(length..length + 4) else { return false };
        length += base.encode_utf8(room).len();
    }
    let rhyme = bytes.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    rhyme.is_some_and(|rhyme| RHYMES.binary_search(&rhyme).is_ok())
}

#[cfg(test)]
pub(super) fn rhymes() -> &'static [&'static str] {
    RHYMES
}
