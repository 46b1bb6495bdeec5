//! The words of a PDF file, one after another (ISO 32000-1, 7.2 and 7.3).

use std::ops::Range;

use super::PdfError;

/// Longest name or word.
const MAX_WORD: usize = 4096;

pub(super) enum Token<'a> {
    OpenDictionary,
    CloseDictionary,
    OpenArray,
    CloseArray,
    /// With its escapes resolved, without the slash.
    Name(Vec<u8>),
    /// `<…>`.
    Hexadecimal,
    /// `(…)`.
    Text,
    /// If it is a whole number and not negative, which.
    Number(Option<usize>),
    Word(&'a [u8]),
}

pub(super) struct Tokens<'a> {
    file: &'a [u8],
    /// Where the next one is looked for.
    pub(super) at: usize,
}

fn is_blank(byte: u8) -> bool {
    b"\0\t\n\x0c\r ".contains(&byte)
}

fn is_regular(byte: u8) -> bool {
    !is_blank(byte) && !b"()<>[]{}/%".contains(&byte)
}

impl<'a> Tokens<'a> {
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self { file, at: 0 }
    }

    /// The next one and where it stands; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<(Token<'a>, Range<usize>)>, PdfError> {
        self.skip_blank();
        let start = self.at;
        let rest = self.file.get(start..).unwrap_or_default();
        let (token, length) = match rest {
            [] => return Ok(None),
            [b'<', b'<', ..] => (Token::OpenDictionary, 2),
            [b'>', b'>', ..] => (Token::CloseDictionary, 2),
            [b'[', ..] => (Token::OpenArray, 1),
            [b']', ..] => (Token::CloseArray, 1),
            [b'<', inner @ ..] => (Token::Hexadecimal, 2 + hexadecimal_length(inner)?),
            [b'(', ..] => (Token::Text, text_length(rest)?),
            [b'/', inner @ ..] => {
                let word = word(inner)?;
                (Token::Name(name(word)?), 1 + word.len())
            }
            [b'{' | b'}' | b')' | b'>', ..] => return Err(PdfError::Damaged),
            _ => {
                let word = word(rest)?;
                let token =
                    if is_number(word) { Token::Number(number(word)) } else { Token::Word(word) };
                (token, word.len())
            }
        };
        self.at = start + length;
        Ok(Some((token, start..self.at)))
    }

    /// Also skips comments.
    fn skip_blank(&mut self) {
        while let Some(byte) = self.file.get(self.at) {
            if *byte == b'%' {
                let rest = self.file.get(self.at..).unwrap_or_default();
                self.at += memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            } else if is_blank(*byte) {
                self.at += 1;
            } else {
                break;
            }
        }
    }
}

fn word(rest: &[u8]) -> Result<&[u8], PdfError> {
    let length = rest.iter().take_while(|byte| is_regular(**byte)).count();
    rest.get(..length).filter(|word| word.len() <= MAX_WORD).ok_or(PdfError::Damaged)
}

fn is_number(word: &[u8]) -> bool {
    word.iter().all(|byte| byte.is_ascii_digit() || b"+-.".contains(byte))
}

fn number(word: &[u8]) -> Option<usize> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Resolves `#2F` to `/`.
fn name(word: &[u8]) -> Result<Vec<u8>, PdfError> {
    let mut bytes = word.iter().copied();
    let mut name = Vec::with_capacity(word.len());
    while let Some(byte) = bytes.next() {
        name.push(match byte {
            b'#' => {
                let pair = bytes.next().and_then(digit).zip(bytes.next().and_then(digit));
                pair.map(|(high, low)| high << 4 | low).ok_or(PdfError::Damaged)?
            }
            byte => byte,
        });
    }
    Ok(name)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn hexadecimal_length(inner: &[u8]) -> Result<usize, PdfError> {
    let length = memchr::memchr(b'>', inner).ok_or(PdfError::Damaged)?;
    let digits = inner.get(..length).unwrap_or_default();
    let sound = digits.iter().all(|byte| byte.is_ascii_hexdigit() || is_blank(*byte));
    sound.then_some(length).ok_or(PdfError::Damaged)
}

/// Of a text with balanced brackets, with its own.
fn text_length(rest: &[u8]) -> Result<usize, PdfError> {
    let (mut open, mut at) = (0_usize, 0);
    while let Some(byte) = rest.get(at) {
        at += 1;
        match byte {
            b'\\' => at += 1,
            b'(' => open += 1,
            b')' if open == 1 => return Ok(at),
            b')' => open -= 1,
            _ => {}
        }
    }
    Err(PdfError::Damaged)
}

/// The bytes of `<…>`, if it is digits alone, two for each byte.
pub(super) fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_prefix(b"<")?.strip_suffix(b">")?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low),
        _ => None,
    });
    pairs.collect()
}
