//! The document around the array of a stream: kept as text, with the array found in it.
//!
//! In: the bytes of a document one by one. Out: where the array begins and where the document
//! ends. Only a guess at the grammar: the view reads the text kept, with `[]` for the array, and
//! what it does not accept goes nowhere.

use super::buffer::{Buffer, Full};
use crate::scan::Scanner;

/// What a byte led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// The opening bracket of the array, which is not kept.
    Array,
    /// Nothing of note.
    Nothing,
}

/// The text outside the elements, and the place in it.
#[derive(Debug)]
pub(super) struct Envelope {
    text: Buffer,
    /// How many objects and arrays are open.
    depth: usize,
    /// How many of them lead to the array.
    level: usize,
    in_string: bool,
    escaped: bool,
    /// Whether a key comes next in the innermost object that leads to the array.
    key_next: bool,
    /// Where the key being read begins.
    key_start: Option<usize>,
    key_leads: bool,
    /// Whether the value that comes next leads to the array or is it.
    on_path: bool,
    began: bool,
}

impl Envelope {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            text: Buffer::new(limit),
            depth: 0,
            level: 0,
            in_string: false,
            escaped: false,
            key_next: false,
            key_start: None,
            key_leads: false,
            on_path: true,
            began: false,
        }
    }

    /// Takes the next byte of a document whose array stands at `path`.
    pub(super) fn take(&mut self, byte: u8, path: &[String]) -> Result<Reached, Full> {
        let is_array = byte == b'[' && !self.in_string && self.on_path && self.level == path.len();
        if is_array {
            return Ok(Reached::Array);
        }
        self.text.append(&[byte])?;
        if self.in_string {
            self.string(byte, path);
        } else {
            self.token(byte, path);
        }
        Ok(Reached::Nothing)
    }

    fn string(&mut self, byte: u8, path: &[String]) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                if let Some(start) = self.key_start.take() {
                    let key = self.text.bytes().get(start..).unwrap_or_default();
                    let next = self.level.checked_sub(1).and_then(|level| path.get(level));
                    self.key_leads = next.is_some_and(|name| spells(key, name));
                }
            }
            _ => {}
        }
    }

    fn token(&mut self, byte: u8, path: &[String]) {
        let beside = self.depth == self.level;
        match byte {
            b'"' => {
                self.in_string = true;
                if beside && self.key_next {
                    self.key_start = self.text.bytes().len().checked_sub(1);
                }
                self.key_next = false;
            }
            b':' if beside => self.on_path = self.key_leads,
            b',' if beside => {
                self.key_next = self.level > 0;
                self.on_path = false;
            }
            b'{' | b'[' => {
                self.began = true;
                self.depth += 1;
                if byte == b'{' && self.on_path && self.level < path.len() {
                    self.level += 1;
                    self.key_next = true;
                }
                self.on_path = false;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.level = self.level.min(self.depth);
                self.on_path = false;
            }
            _ => {}
        }
    }

    /// Puts an empty array where the array stood. No other can be found after it.
    pub(super) fn close_array(&mut self) -> Result<(), Full> {
        self.began = true;
        self.on_path = false;
        // INVARIANT: at no level is there another name to look for.
        self.level = 0;
        self.key_next = false;
        self.text.append(b"[]")
    }

    /// The document as it would be if it ended after an empty array here; and the length of what
    /// follows the array in it.
    pub(super) fn as_if_closed(&self) -> (Vec<u8>, usize) {
        let mut text = self.text.bytes().to_vec();
        text.extend_from_slice(b"[]");
        text.resize(text.len() + self.level, b'}');
        (text, self.level)
    }

    pub(super) fn text(&self) -> &[u8] {
        self.text.bytes()
    }

    /// Whether an object or array began and ended: only white space may follow.
    pub(super) fn has_ended(&self) -> bool {
        self.began && self.depth == 0
    }

    /// Whether the text ends within an object, an array or a string, or before any value.
    pub(super) fn is_cut(&self) -> bool {
        self.depth > 0 || self.in_string || self.text.bytes().iter().all(u8::is_ascii_whitespace)
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
    }
}

/// Whether the string `key`, quotes and escapes and all, is `name`.
fn spells(key: &[u8], name: &str) -> bool {
    let Ok(text) = str::from_utf8(key) else { return false };
    let mut scanner = Scanner::new(text, 0);
    scanner.string().is_ok() && scanner.decoded(&mut String::new()) == name
}
