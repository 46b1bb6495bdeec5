//! A strict scanner of one JSON text (RFC 8259): grammar, escapes, nesting and duplicate keys.
//!
//! In: text whose UTF-8 has been checked. Out: tokens as slices of it, in order. Must never accept
//! what another parser could read differently: a lone surrogate, a duplicate key (also one that
//! differs by its escapes), a number beyond a double, a byte order mark, anything after the value.

use std::{borrow::Cow, ops::Range};

use crate::ViolationKind;

/// Longest number that fits a double whatever its digits, unless it has an exponent.
const LONGEST_SAFE_NUMBER: usize = 300;

type Scan<T> = Result<T, Fault>;

/// Why a text is not strict JSON within the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Malformed,
    TooDeep,
    DuplicateKey,
}

impl From<Fault> for ViolationKind {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Self::Malformed,
            Fault::TooDeep => Self::TooDeep,
            Fault::DuplicateKey => Self::DuplicateKey,
        }
    }
}

/// A number as written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number<'a> {
    /// The digits, sign, point and exponent.
    pub(crate) raw: &'a str,
}

impl Number<'_> {
    /// Whether it has neither point nor exponent.
    pub(crate) fn is_whole(self) -> bool {
        !self.raw.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'))
    }
}

/// The text and the place in it.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    max_depth: usize,
    // PERF: benches/disclose.rs; handed on as results, these would be copied over and over.
    /// The string last read, between its quotes.
    string: Range<usize>,
    /// Whether it has escapes.
    escaped: bool,
    /// Keys of the objects being read that no schema declares, outermost object first.
    keys: Vec<Cow<'a, str>>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, max_depth: usize) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth: 0,
            max_depth,
            string: 0..0,
            escaped: false,
            keys: Vec::new(),
        }
    }

    /// The place of the next byte.
    #[inline]
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    /// The text from `start` to here.
    #[inline]
    pub(crate) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The next byte, or 0 at the end: no token begins with it.
    #[inline]
    pub(crate) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Steps over white space; gives the next byte.
    #[inline]
    pub(crate) fn blank(&mut self) -> u8 {
        loop {
            let next = self.peek();
            if !matches!(next, b' ' | b'\t' | b'\n' | b'\r') {
                return next;
            }
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Scan<()> {
        if self.blank() != byte {
            return Err(Fault::Malformed);
        }
        self.at += 1;
        Ok(())
    }

    /// Checks that nothing but white space is left.
    pub(crate) fn finish(&mut self) -> Scan<()> {
        self.blank();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Fault::Malformed) }
    }

    /// Steps into an object or array, whose first byte is next.
    #[inline]
    pub(crate) fn enter(&mut self) -> Scan<()> {
        if self.depth >= self.max_depth {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Whether an object or array ends here, before its first member; then steps out of it.
    #[inline]
    pub(crate) fn leave_empty(&mut self, close: u8) -> bool {
        let empty = self.blank() == close;
        if empty {
            self.at += 1;
            self.depth -= 1;
        }
        empty
    }

    /// Whether another member follows the one just read; if not, steps out of the object or array.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Scan<bool> {
        match self.blank() {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            _ => Err(Fault::Malformed),
        }
    }

    /// Reads a key and its colon; the value is next.
    #[inline]
    pub(crate) fn key(&mut self) -> Scan<()> {
        if self.blank() != b'"' {
            return Err(Fault::Malformed);
        }
        self.string()?;
        self.expect(b':')?;
        self.blank();
        Ok(())
    }

    /// Reads the string whose opening quote is next.
    pub(crate) fn string(&mut self) -> Scan<()> {
        let start = self.at + 1;
        let mut at = start;
        self.escaped = false;
        loop {
            at += plain_length(self.bytes.get(at..).unwrap_or_default());
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.escaped = true;
                    let rest = self.bytes.get(at + 1..).unwrap_or_default();
                    at += escape_length(rest).ok_or(Fault::Malformed)?;
                }
                _ => return Err(Fault::Malformed),
            }
        }
        self.string = start..at;
        self.at = at + 1;
        Ok(())
    }

    /// The string last read, with its escapes resolved, in `scratch` when it has any.
    #[inline]
    pub(crate) fn decoded<'s>(&self, scratch: &'s mut String) -> &'s str
    where
        'a: 's,
    {
        let raw = self.raw();
        if !self.escaped {
            return raw;
        }
        scratch.clear();
        unescape(raw, scratch);
        scratch
    }

    #[inline]
    fn raw(&self) -> &'a str {
        self.text.get(self.string.clone()).unwrap_or_default()
    }

    /// Reads the number that begins here.
    pub(crate) fn number(&mut self) -> Scan<Number<'a>> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), b'e' | b'E');
        if exponent {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        let raw = self.since(start);
        // SECURITY: parsers differ on what lies beyond a double (RFC 7493 section 2.2).
        let may_overflow = exponent || raw.len() > LONGEST_SAFE_NUMBER;
        if may_overflow && !raw.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(Fault::Malformed);
        }
        Ok(Number { raw })
    }

    /// One digit or more.
    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { Err(Fault::Malformed) } else { Ok(()) }
    }

    /// The literal `word`, which begins here or the text is malformed.
    pub(crate) fn literal(&mut self, word: &str) -> Scan<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(Fault::Malformed);
        }
        self.at += word.len();
        Ok(())
    }

    /// Steps over the value that begins here, whatever it is.
    pub(crate) fn skip(&mut self) -> Scan<()> {
        match self.peek() {
            b'"' => self.string(),
            b'{' => self.skip_object(),
            b'[' => self.skip_array(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number().map(drop),
        }
    }

    fn skip_object(&mut self) -> Scan<()> {
        self.enter()?;
        if self.leave_empty(b'}') {
            return Ok(());
        }
        let mark = self.keys.len();
        loop {
            self.key()?;
            self.note_key();
            self.skip()?;
            if !self.more(b'}')? {
                return self.check_keys(mark);
            }
        }
    }

    fn skip_array(&mut self) -> Scan<()> {
        self.enter()?;
        if self.leave_empty(b']') {
            return Ok(());
        }
        loop {
            self.blank();
            self.skip()?;
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    /// How many keys are noted so far.
    pub(crate) fn key_mark(&self) -> usize {
        self.keys.len()
    }

    /// Notes the key last read.
    pub(crate) fn note_key(&mut self) {
        let raw = self.raw();
        self.keys.push(if self.escaped {
            let mut text = String::with_capacity(raw.len());
            unescape(raw, &mut text);
            Cow::Owned(text)
        } else {
            Cow::Borrowed(raw)
        });
    }

    /// Checks that the keys noted since `mark` differ, and forgets them.
    pub(crate) fn check_keys(&mut self, mark: usize) -> Scan<()> {
        // Sorting needs no hash that a sender could make collide.
        let keys = self.keys.get_mut(mark..).unwrap_or_default();
        if keys.len() > 1 {
            keys.sort_unstable();
            if keys.windows(2).any(|pair| pair.first() == pair.last()) {
                return Err(Fault::DuplicateKey);
            }
        }
        self.keys.truncate(mark);
        Ok(())
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes stand before the first quote, backslash or control character.
#[inline]
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut length = 0;
    // PERF: benches/disclose.rs; eight bytes at a time.
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * 0x22);
        let slash = word ^ (ONES * 0x5c);
        // A borrow can only make a false hit above a true one, and the lowest is taken.
        let hit = ((quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word))
            & HIGH;
        if hit != 0 {
            return length + (hit.trailing_zeros() / 8) as usize;
        }
        length += 8;
        rest = tail;
    }
    let plain = |b: &u8| !matches!(b, b'"' | b'\\' | 0..=0x1f);
    length + rest.iter().position(|b| !plain(b)).unwrap_or(rest.len())
}

/// The length of the escape whose backslash stands before `rest`, with the backslash.
fn escape_length(rest: &[u8]) -> Option<usize> {
    match rest.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => match hex(rest.get(1..5)?)? {
            0xd800..=0xdbff => match rest.get(5..7)? {
                b"\\u" if matches!(hex(rest.get(7..11)?)?, 0xdc00..=0xdfff) => Some(12),
                _ => None,
            },
            0xdc00..=0xdfff => None,
            _ => Some(6),
        },
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, b| Some(n * 16 + char::from(*b).to_digit(16)?))
}

/// Appends `raw`, whose escapes are valid, with them resolved.
pub(crate) fn unescape(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some((plain, tail)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut tail = tail.chars();
        match tail.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let (unit, after) = unicode_escape(tail.as_str());
                out.push(unit);
                tail = after.chars();
            }
            Some(other) => out.push(other),
            None => {}
        }
        rest = tail.as_str();
    }
    out.push_str(rest);
}

/// The character of the digits after `\u`, and the text after it.
fn unicode_escape(digits: &str) -> (char, &str) {
    let unit = |at: usize| digits.as_bytes().get(at..at + 4).and_then(hex).unwrap_or(0);
    let first = unit(0);
    let (code, length) = if (0xd800..0xdc00).contains(&first) {
        (0x10000 + ((first - 0xd800) << 10) + (unit(6).saturating_sub(0xdc00) & 0x3ff), 10)
    } else {
        (first, 4)
    };
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    (character, digits.get(length..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
