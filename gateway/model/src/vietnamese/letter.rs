//! Letters of the alphabet, taken apart into vowel and tone and put together again.

use std::sync::LazyLock;

/// The tones, in the order of [`VOWELS`].
pub(super) const LEVEL: usize = 0;
pub(super) const SAC: usize = 4;
pub(super) const NANG: usize = 5;

/// Each vowel without a tone, and with huyền, hỏi, ngã, sắc, nặng.
pub(super) const VOWELS: [[char; 6]; 12] = [
    ['a', 'à', 'ả', 'ã', 'á', 'ạ'],
    ['ă', 'ằ', 'ẳ', 'ẵ', 'ắ', 'ặ'],
    ['â', 'ầ', 'ẩ', 'ẫ', 'ấ', 'ậ'],
    ['e', 'è', 'ẻ', 'ẽ', 'é', 'ẹ'],
    ['ê', 'ề', 'ể', 'ễ', 'ế', 'ệ'],
    ['i', 'ì', 'ỉ', 'ĩ', 'í', 'ị'],
    ['o', 'ò', 'ỏ', 'õ', 'ó', 'ọ'],
    ['ô', 'ồ', 'ổ', 'ỗ', 'ố', 'ộ'],
    ['ơ', 'ờ', 'ở', 'ỡ', 'ớ', 'ợ'],
    ['u', 'ù', 'ủ', 'ũ', 'ú', 'ụ'],
    ['ư', 'ừ', 'ử', 'ữ', 'ứ', 'ự'],
    ['y', 'ỳ', 'ỷ', 'ỹ', 'ý', 'ỵ'],
];

/// A letter taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letter {
    /// In lower case, without its tone.
    pub(super) base: char,
    /// Its tone.
    pub(super) tone: usize,
    pub(super) is_upper: bool,
}

/// Vowels with a tone or a mark, sorted, with the place in [`VOWELS`].
static MARKED: LazyLock<Vec<(char, char, usize)>> = LazyLock::new(|| {
    let mut marked: Vec<(char, char, usize)> = VOWELS
        .iter()
        .flat_map(|row| {
            let base = row.first().copied().unwrap_or_default();
            row.iter().enumerate().map(move |(tone, letter)| (*letter, base, tone))
        })
        .filter(|(letter, ..)| !letter.is_ascii())
        .collect();
    marked.sort_unstable();
    marked
});

/// Takes a letter apart.
pub(super) fn apart(letter: char) -> Letter {
    if letter.is_ascii() {
        let is_upper = letter.is_ascii_uppercase();
        return Letter { base: letter.to_ascii_lowercase(), tone: LEVEL, is_upper };
    }
    let lower = lower(letter);
    let found = MARKED.binary_search_by_key(&lower, |(letter, ..)| *letter);
    let found = found.ok().and_then(|at| MARKED.get(at));
    let (base, tone) = found.map_or((lower, LEVEL), |(_, base, tone)| (*base, *tone));
    Letter { base, tone, is_upper: lower != letter }
}

/// Puts a letter together.
pub(super) fn together(letter: Letter) -> char {
    let row = VOWELS.iter().find(|row| row.first() == Some(&letter.base));
    let toned = row.and_then(|row| row.get(letter.tone)).copied().unwrap_or(letter.base);
    if letter.is_upper { upper(toned) } else { toned }
}

/// The lower case of a letter that has a single one.
fn lower(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(lower), None) => lower,
        _ => letter,
    }
}

/// The upper case of a letter that has a single one.
pub(super) fn upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => letter,
    }
}

pub(super) fn is_vowel(base: char) -> bool {
    VOWELS.iter().any(|row| row.first() == Some(&base))
}

/// Whether a vowel has a mark of its own, which draws the tone.
pub(super) fn is_shaped(base: char) -> bool {
    matches!(base, 'ă' | 'â' | 'ê' | 'ô' | 'ơ' | 'ư')
}
