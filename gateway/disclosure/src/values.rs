//! Single values of a JSON body that has been checked: those at known places, and all of them.
//!
//! In: bytes that a view has read or written. Out: the values that identify data subjects, at the
//! places of a [`Locator`]; or each scalar with its place, by [`disclosed_values`]. Builds no tree.
//! Of bytes that are no JSON it may give anything, but it always ends and never panics.

use lienthong_model::field::Pointer;

use crate::scan::{plain_length, unescape};

/// Deeper than any body that a view lets pass.
const DEEPEST: usize = 128;

/// Places in a body, in terms of its schema, compiled to find them all in one pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locator {
    /// The root first, when there is any place.
    places: Vec<Place>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    /// What is below, by name; `*` of an array is each of its elements.
    below: Vec<(String, usize)>,
    /// Which of the pointers end here.
    ends: Option<usize>,
}

impl Locator {
    /// Compiles pointers. Of two that are the same the later one is found.
    #[must_use]
    pub fn new<'a>(pointers: impl IntoIterator<Item = &'a Pointer>) -> Self {
        let mut places = Vec::new();
        for (number, pointer) in pointers.into_iter().enumerate() {
            if places.is_empty() {
                places.push(Place::default());
            }
            let mut at = 0;
            for token in pointer.tokens() {
                at = below(&mut places, at, token);
            }
            if let Some(place) = places.get_mut(at) {
                place.ends = Some(number);
            }
        }
        Self { places }
    }

    /// Whether there is no place to look at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Gives each text and number at one of the places, in the order of the body: which of the
    /// pointers led there, and the text without its escapes, or the number as written.
    pub fn values(&self, json: &[u8], each: &mut impl FnMut(usize, &str)) {
        if let Some(root) = self.places.first() {
            let mut decoded = String::new();
            self.walk(root, &mut Skim { bytes: json, at: 0 }, &mut decoded, each);
        }
    }

    fn walk(
        &self,
        place: &Place,
        skim: &mut Skim<'_>,
        decoded: &mut String,
        each: &mut impl FnMut(usize, &str),
    ) {
        match skim.blank() {
            b'{' if !place.below.is_empty() => {
                while let Some(key) = skim.key() {
                    let key = key.decoded(decoded);
                    match place.below.iter().find(|(name, _)| name == key) {
                        Some((_, next)) => self.walk_to(*next, skim, decoded, each),
                        None => skim.skip(),
                    }
                }
            }
            b'[' => match place.below.iter().find(|(name, _)| name == "*") {
                Some((_, next)) => {
                    while skim.element() {
                        self.walk_to(*next, skim, decoded, each);
                    }
                }
                None => skim.skip(),
            },
            first => {
                let start = skim.at;
                let Some(number) = place.ends else { return skim.skip() };
                match first {
                    b'"' => each(number, skim.string().decoded(decoded)),
                    b'-' | b'0'..=b'9' => {
                        skim.skip();
                        each(number, std::str::from_utf8(skim.since(start)).unwrap_or_default());
                    }
                    _ => skim.skip(),
                }
            }
        }
    }

    fn walk_to(
        &self,
        next: usize,
        skim: &mut Skim<'_>,
        decoded: &mut String,
        each: &mut impl FnMut(usize, &str),
    ) {
        match self.places.get(next) {
            Some(place) => self.walk(place, skim, decoded, each),
            None => skim.skip(),
        }
    }
}

/// The place below another, made when it is not there.
fn below(places: &mut Vec<Place>, at: usize, token: &str) -> usize {
    let new = places.len();
    let Some(place) = places.get_mut(at) else { return at };
    if let Some((_, next)) = place.below.iter().find(|(name, _)| name == token) {
        return *next;
    }
    place.below.push((token.to_owned(), new));
    places.push(Place::default());
    new
}

/// Gives each text, number, boolean and null of a body: its place, as a JSON pointer with the
/// indexes of arrays, and its bytes as they stand there.
pub fn disclosed_values(json: &[u8], each: &mut impl FnMut(&str, &[u8])) {
    let mut at = String::new();
    walk_all(&mut Skim { bytes: json, at: 0 }, (&mut at, &mut String::new()), 0, each);
}

fn walk_all(
    skim: &mut Skim<'_>,
    (at, decoded): (&mut String, &mut String),
    depth: usize,
    each: &mut impl FnMut(&str, &[u8]),
) {
    let length = at.len();
    match skim.blank() {
        b'{' if depth < DEEPEST => {
            while let Some(key) = skim.key() {
                at.push('/');
                push_token(at, key.decoded(decoded));
                walk_all(skim, (at, decoded), depth + 1, each);
                at.truncate(length);
            }
        }
        b'[' if depth < DEEPEST => {
            let mut index: u64 = 0;
            while skim.element() {
                at.push('/');
                push_number(at, index);
                walk_all(skim, (at, decoded), depth + 1, each);
                at.truncate(length);
                index += 1;
            }
        }
        _ => {
            let start = skim.at;
            skim.skip();
            each(at, skim.since(start));
        }
    }
}

fn push_token(at: &mut String, token: &str) {
    for character in token.chars() {
        match character {
            '~' => at.push_str("~0"),
            '/' => at.push_str("~1"),
            other => at.push(other),
        }
    }
}

fn push_number(at: &mut String, number: u64) {
    if number >= 10 {
        push_number(at, number / 10);
    }
    at.push(char::from_digit(u32::try_from(number % 10).unwrap_or(0), 10).unwrap_or('0'));
}

/// A text of the body, between its quotes.
#[derive(Clone, Copy)]
struct Text<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Text<'a> {
    fn decoded<'s>(self, scratch: &'s mut String) -> &'s str
    where
        'a: 's,
    {
        let raw = std::str::from_utf8(self.raw).unwrap_or_default();
        if !self.escaped {
            return raw;
        }
        scratch.clear();
        unescape(raw, scratch);
        scratch
    }
}

/// Steps through JSON that is known to be well formed. Each step but the last moves on.
struct Skim<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Skim<'a> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Steps over white space; gives the next byte, 0 at the end.
    fn blank(&mut self) -> u8 {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.peek()
    }

    fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// The next key of the object that begins here or is being read; its value is next. None at
    /// the end of the object, which is stepped over.
    fn key(&mut self) -> Option<Text<'a>> {
        if self.opens(b'}') {
            return None;
        }
        if self.blank() != b'"' {
            self.at = self.bytes.len();
            return None;
        }
        let key = self.string();
        if self.blank() == b':' {
            self.at += 1;
        }
        Some(key)
    }

    /// Whether another element of the array follows; it is next. Steps over the end of the array.
    fn element(&mut self) -> bool {
        !self.opens(b']') && !matches!(self.blank(), 0 | b']' | b'}' | b',' | b':')
    }

    /// Steps over what stands before a member. Whether there is none: the end is stepped over.
    fn opens(&mut self, close: u8) -> bool {
        let first = self.blank();
        if matches!(first, b'{' | b'[' | b',') {
            self.at += 1;
            if first == b',' || self.blank() != close {
                return false;
            }
        }
        self.at += 1;
        true
    }

    /// The text whose opening quote is next.
    fn string(&mut self) -> Text<'a> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at += plain_length(self.bytes.get(at..).unwrap_or_default());
            match self.bytes.get(at) {
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(b'"') | None => break,
                Some(_) => at += 1,
            }
        }
        let raw = self.bytes.get(start..at).unwrap_or_default();
        self.at = at.saturating_add(1).min(self.bytes.len());
        Text { raw, escaped }
    }

    /// Steps over the next value.
    fn skip(&mut self) {
        self.blank();
        let mut depth: usize = 0;
        loop {
            match self.peek() {
                b'"' => drop(self.string()),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                _ if depth > 0 && self.at < self.bytes.len() => self.at += 1,
                _ => self.word(),
            }
            if depth == 0 || self.at >= self.bytes.len() {
                return;
            }
        }
    }

    /// Steps over a number or a literal.
    fn word(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | b':');
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }
}

#[cfg(test)]
mod tests;
