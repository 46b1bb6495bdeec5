//! Finds the dictionaries of signatures in a PDF file.
//!
//! In: a file. Out: every dictionary with a `ByteRange`, with the places of what is in it. The whole
//! file is read once, from its first byte to its last, except what is in streams: a signature
//! cannot be there, because its text has to have a place in the file.
//!
//! Must never pass over what it does not understand.

use std::ops::Range;

use memchr::memmem;

use super::{
    PdfError,
    token::{Token, Tokens},
};

/// Deepest nesting of arrays and dictionaries.
const MAX_DEPTH: usize = 64;
/// Most dictionaries with ranges that are kept.
const MAX_FOUND: usize = 256;

/// What matters of a dictionary.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// `ByteRange`, if it is four numbers.
    pub(super) ranges: Option<[usize; 4]>,
    /// Where the text of `Contents` is, with its brackets, if it is hexadecimal.
    pub(super) contents: Option<Range<usize>>,
    /// `SubFilter`.
    pub(super) kind: Option<Vec<u8>>,
    has_ranges: bool,
    has_contents: bool,
    is_encrypted: bool,
    length: Option<usize>,
}

/// A value, as far as it matters.
enum Value {
    Dictionary(Box<Dictionary>),
    Hexadecimal(Range<usize>),
    Name(Vec<u8>),
    Number(usize),
    Numbers(Vec<usize>),
    Other,
}

struct Scan<'a> {
    tokens: Tokens<'a>,
    found: Vec<Dictionary>,
}

/// Every dictionary with a `ByteRange`, in the order of the file.
pub(super) fn signatures(file: &[u8]) -> Result<Vec<Dictionary>, PdfError> {
    if !file.starts_with(b"%PDF-") {
        return Err(PdfError::NotPdf);
    }
    let mut scan = Scan { tokens: Tokens::new(file), found: Vec::new() };
    let mut last: Option<Box<Dictionary>> = None;
    while let Some((token, _)) = scan.tokens.next()? {
        match token {
            Token::Word(b"stream") => {
                scan.tokens.at = end_of_stream(file, scan.tokens.at, last.as_deref())?;
                last = None;
            }
            Token::OpenDictionary => {
                let dictionary = scan.dictionary(0)?;
                // Of a trailer, or of the stream that stands for one.
                if dictionary.is_encrypted {
                    return Err(PdfError::Encrypted);
                }
                last = Some(dictionary);
            }
            Token::OpenArray => drop(scan.array(0)?),
            Token::CloseArray | Token::CloseDictionary => return Err(PdfError::Damaged),
            _ => last = None,
        }
    }
    Ok(scan.found)
}

/// The place behind the `endstream` of a stream whose data begin here.
fn end_of_stream(
    file: &[u8],
    at: usize,
    dictionary: Option<&Dictionary>,
) -> Result<usize, PdfError> {
    const END: &[u8] = b"endstream";
    let data = file.get(at..).ok_or(PdfError::Damaged)?;
    let skip = match data {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => return Err(PdfError::Damaged),
    };
    let dictionary = dictionary.ok_or(PdfError::Damaged)?;
    // The length may be in another object; then the end is where it is first said to be.
    let told = dictionary.length.and_then(|length| {
        let rest = data.get(skip..)?.get(length..)?;
        let blank = rest.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let is_end = blank <= 2 && rest.get(blank..)?.starts_with(END);
        is_end.then_some(skip + length + blank)
    });
    let end = told.or_else(|| memmem::find(data, END)).ok_or(PdfError::Damaged)?;
    Ok(at + end + END.len())
}

impl Scan<'_> {
    /// Reads a dictionary whose opening bracket has been read.
    fn dictionary(&mut self, depth: usize) -> Result<Box<Dictionary>, PdfError> {
        let mut read = Dictionary::default();
        loop {
            let name = match self.tokens.next()? {
                Some((Token::Name(name), _)) => name,
                Some((Token::CloseDictionary, _)) => break,
                _ => return Err(PdfError::Damaged),
            };
            let value = self.value(depth)?;
            read.take(&name, value)?;
        }
        if read.has_ranges {
            if self.found.len() >= MAX_FOUND {
                return Err(PdfError::TooMany);
            }
            self.found.push(Dictionary {
                ranges: read.ranges,
                contents: read.contents.take(),
                kind: read.kind.take(),
                ..Dictionary::default()
            });
        }
        Ok(Box::new(read))
    }

    fn value(&mut self, depth: usize) -> Result<Value, PdfError> {
        let depth = depth + 1;
        if depth > MAX_DEPTH {
            return Err(PdfError::Damaged);
        }
        let Some((token, place)) = self.tokens.next()? else { return Err(PdfError::Damaged) };
        Ok(match token {
            Token::OpenDictionary => Value::Dictionary(self.dictionary(depth)?),
            Token::OpenArray => self.array(depth)?,
            Token::Hexadecimal => Value::Hexadecimal(place),
            Token::Name(name) => Value::Name(name),
            Token::Number(Some(number)) => self.number(number)?,
            Token::Number(None) | Token::Text | Token::Word(b"true" | b"false" | b"null") => {
                Value::Other
            }
            Token::Word(_) | Token::CloseArray | Token::CloseDictionary => {
                return Err(PdfError::Damaged);
            }
        })
    }

    /// A number, or three tokens that stand for another object (`12 0 R`).
    fn number(&mut self, number: usize) -> Result<Value, PdfError> {
        let here = self.tokens.at;
        let second = self.tokens.next()?.map(|(token, _)| token);
        if let Some(Token::Number(Some(_))) = second
            && let Some((Token::Word(b"R"), _)) = self.tokens.next()?
        {
            return Ok(Value::Other);
        }
        self.tokens.at = here;
        Ok(Value::Number(number))
    }

    /// Reads an array whose opening bracket has been read.
    fn array(&mut self, depth: usize) -> Result<Value, PdfError> {
        let (mut numbers, mut all_numbers) = (Vec::new(), true);
        loop {
            let here = self.tokens.at;
            if let Some((Token::CloseArray, _)) = self.tokens.next()? {
                break;
            }
            self.tokens.at = here;
            match self.value(depth)? {
                Value::Number(number) if numbers.len() <= 4 => numbers.push(number),
                Value::Number(_) => {}
                _ => all_numbers = false,
            }
        }
        Ok(if all_numbers { Value::Numbers(numbers) } else { Value::Other })
    }
}

impl Dictionary {
    fn take(&mut self, name: &[u8], value: Value) -> Result<(), PdfError> {
        // Of two entries of one name each reader may believe another.
        let once = |seen: bool| if seen { Err(PdfError::Damaged) } else { Ok(()) };
        match (name, value) {
            (b"ByteRange", value) => {
                once(self.has_ranges)?;
                self.has_ranges = true;
                if let Value::Numbers(numbers) = value {
                    self.ranges = numbers.try_into().ok();
                }
            }
            (b"Contents", value) => {
                once(self.has_contents)?;
                self.has_contents = true;
                if let Value::Hexadecimal(place) = value {
                    self.contents = Some(place);
                }
            }
            (b"SubFilter", Value::Name(kind)) => {
                once(self.kind.is_some())?;
                self.kind = Some(kind);
            }
            (b"Encrypt", _) => self.is_encrypted = true,
            (b"Length", Value::Number(length)) => self.length = Some(length),
            (_, Value::Dictionary(inner)) => drop(inner),
            _ => {}
        }
        Ok(())
    }
}
