//! Finds where the elements of an array end, in chunks cut anywhere.
//!
//! Looks only at quotes, escapes, brackets and commas: whether what stands between two ends is an
//! element is for the view to say, and it reads strictly. Must never need a byte it has seen.

use crate::scan::plain_length;

/// What ends an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Another follows.
    Comma,
    /// The array ends.
    Close,
    /// A brace that closes nothing.
    Stray,
}

/// The state between two chunks.
#[derive(Debug, Default)]
pub(super) struct Elements {
    depth: usize,
    in_string: bool,
    /// Whether the last byte was a backslash that escapes the next.
    escaped: bool,
}

impl Elements {
    /// The place and kind of the next end in `bytes`, which continue what was seen before. None
    /// when it lies in a later chunk; then all of `bytes` has been seen.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<(usize, End)> {
        let mut at = 0;
        loop {
            if self.in_string {
                at += self.string(bytes.get(at..)?)?;
            }
            let end = match *bytes.get(at)? {
                b'"' => {
                    self.in_string = true;
                    None
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    None
                }
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    None
                }
                b',' if self.depth == 0 => Some(End::Comma),
                b']' => Some(End::Close),
                b'}' => Some(End::Stray),
                _ => None,
            };
            if let Some(end) = end {
                return Some((at, end));
            }
            at += 1;
        }
    }

    /// The length of the rest of a string with its closing quote; none when that lies in a later
    /// chunk.
    fn string(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.escaped {
                bytes.get(at)?;
                self.escaped = false;
                at += 1;
            }
            at += plain_length(bytes.get(at..)?);
            let byte = *bytes.get(at)?;
            at += 1;
            match byte {
                b'"' => {
                    self.in_string = false;
                    return Some(at);
                }
                b'\\' => self.escaped = true,
                // A control character: the view refuses it.
                _ => {}
            }
        }
    }
}
