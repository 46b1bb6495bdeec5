//! The chunked framing of an HTTP/1.1 body, read as it comes.
//!
//! In: the bytes after the head, in pieces of any size. Out: the body's length, and its bytes when
//! they are wanted. Chunk extensions and trailers are passed over.

use std::io;

use super::broken;

/// Most hexadecimal digits of a chunk's size.
const MAX_DIGITS: u8 = 8;

/// Where in the framing the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the size, after so many digits.
    Size {
        value: u64,
        digits: u8,
    },
    /// Between the size and the end of its line.
    Extension {
        value: u64,
    },
    /// In a chunk, with so many bytes to come.
    Data(u64),
    /// In the line end after a chunk.
    AfterData,
    /// In a trailer line of which so much has come.
    Trailer(usize),
    Over,
}

/// A chunked body that is being read.
#[derive(Debug)]
pub(super) struct Chunks {
    at: At,
    received: u64,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { at: At::Size { value: 0, digits: 0 }, received: 0 }
    }
}

impl Chunks {
    /// Whether the body has ended.
    pub(super) fn is_over(&self) -> bool {
        self.at == At::Over
    }

    /// Bytes of the body so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Reads what has come.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut keep: Option<&mut Vec<u8>>,
    ) -> io::Result<()> {
        while let Some((&first, rest)) = bytes.split_first() {
            if let At::Data(left) = self.at {
                let whole = usize::try_from(left).unwrap_or(usize::MAX);
                let (data, after) = bytes.split_at(whole.min(bytes.len()));
                self.received += data.len() as u64;
                if let Some(kept) = keep.as_deref_mut() {
                    kept.extend_from_slice(data);
                }
                let left = left - data.len() as u64;
                self.at = if left == 0 { At::AfterData } else { At::Data(left) };
                bytes = after;
                continue;
            }
            self.at = self.step(first)?;
            bytes = rest;
        }
        Ok(())
    }

    /// Where the byte after `byte` stands.
    fn step(&self, byte: u8) -> io::Result<At> {
        Ok(match (self.at, byte) {
            (At::Size { value, digits: 1.. } | At::Extension { value }, b'\n') => match value {
                0 => At::Trailer(0),
                _ => At::Data(value),
            },
            (At::Size { value, digits: 1.. }, b'\r' | b';' | b' ') => At::Extension { value },
            (At::Size { value, digits }, digit) if digits < MAX_DIGITS => {
                let digit = char::from(digit).to_digit(16);
                let digit = digit.ok_or_else(|| broken("a chunk without a size"))?;
                At::Size { value: value * 16 + u64::from(digit), digits: digits + 1 }
            }
            (At::Extension { value }, _) => At::Extension { value },
            (At::AfterData, b'\r') => At::AfterData,
            (At::AfterData, b'\n') => At::Size { value: 0, digits: 0 },
            (At::Trailer(0), b'\n') => At::Over,
            (At::Trailer(_), b'\n') => At::Trailer(0),
            (At::Trailer(length), b'\r') => At::Trailer(length),
            (At::Trailer(length), _) => At::Trailer(length + 1),
            _ => return Err(broken("a broken chunk")),
        })
    }
}

#[cfg(test)]
mod tests;
