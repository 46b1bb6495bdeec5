//! Writes and reads JSON objects whose keys stand in a fixed order.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::value::Value;

/// Finds the key of an entry's kind.
static KIND: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b",\"kind\":\""));

/// An object with known keys.
pub(super) trait Record<'a>: Sized {
    /// Its keys, in order.
    const KEYS: &'static [&'static str];
}

/// Declares a record: a struct, and the one order in which its fields are written and read.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $key:ident: $form:ident $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $key: $crate::entry::form::record!(@$form $type),)*
        }

        impl<'a> $crate::entry::form::Record<'a> for $name<'a> {
            const KEYS: &'static [&'static str] = &[$(stringify!($key),)*];
        }

        impl<'a> $crate::entry::value::Value<'a> for $name<'a> {
            fn write(&self, out: &mut Vec<u8>) {
                out.push(b'{');
                $($crate::entry::form::$form::write(out, stringify!($key), &self.$key);)*
                out.push(b'}');
            }

            fn read(cursor: &mut $crate::entry::form::Cursor<'a>) -> Option<Self> {
                cursor.expect(b"{")?;
                let record = Self {
                    $($key: $crate::entry::form::$form::read(cursor, stringify!($key))?,)*
                };
                cursor.expect(b"}")?;
                Some(record)
            }
        }
    };
    (@one $type:ty) => { $type };
    (@maybe $type:ty) => { Option<$type> };
    (@many $type:ty) => { Vec<$type> };
}
pub(super) use record;

/// A field that is always there.
pub(super) mod one {
    use super::{Cursor, Value, put_key};

    pub(in crate::entry) fn write<'a>(out: &mut Vec<u8>, key: &str, value: &impl Value<'a>) {
        put_key(out, key);
        value.write(out);
    }

    pub(in crate::entry) fn read<'a, T: Value<'a>>(
        cursor: &mut Cursor<'a>,
        key: &str,
    ) -> Option<T> {
        if cursor.take_key(key) { T::read(cursor) } else { None }
    }
}

/// A field that may be missing.
pub(super) mod maybe {
    use super::{Cursor, Value, one};

    pub(in crate::entry) fn write<'a>(
        out: &mut Vec<u8>,
        key: &str,
        value: &Option<impl Value<'a>>,
    ) {
        if let Some(value) = value {
            one::write(out, key, value);
        }
    }

    #[expect(clippy::option_option, reason = "malformed, missing, there")]
    pub(in crate::entry) fn read<'a, T: Value<'a>>(
        cursor: &mut Cursor<'a>,
        key: &str,
    ) -> Option<Option<T>> {
        if cursor.take_key(key) { T::read(cursor).map(Some) } else { Some(None) }
    }
}

/// What stands in lists.
pub(super) trait Listed<'a>: Value<'a> {
    /// How many of them a list may hold.
    const MOST: usize;
}

/// A list, which is missing when it is empty. What goes beyond its bound is not written: whoever
/// makes the entry keeps the bound.
pub(super) mod many {
    use super::{Cursor, Listed, put_key};

    pub(in crate::entry) fn write<'a, T: Listed<'a>>(out: &mut Vec<u8>, key: &str, values: &[T]) {
        for (place, value) in values.iter().take(T::MOST).enumerate() {
            if place == 0 {
                put_key(out, key);
                out.push(b'[');
            } else {
                out.push(b',');
            }
            value.write(out);
        }
        if !values.is_empty() {
            out.push(b']');
        }
    }

    pub(in crate::entry) fn read<'a, T: Listed<'a>>(
        cursor: &mut Cursor<'a>,
        key: &str,
    ) -> Option<Vec<T>> {
        let mut values = Vec::new();
        if !cursor.take_key(key) {
            return Some(values);
        }
        cursor.expect(b"[")?;
        while values.len() < T::MOST {
            values.push(T::read(cursor)?);
            if cursor.take(b"]") {
                return Some(values);
            }
            cursor.expect(b",")?;
        }
        None
    }
}

fn put_key(out: &mut Vec<u8>, key: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Where reading has come to.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// Whether nothing of the present object has been read yet.
    begins: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, begins: true }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The kind that the entry says it is of. No text in an entry has a quotation mark in it, so
    /// what looks like the key is the key.
    pub(super) fn kind(&self) -> Option<&'a str> {
        let at = KIND.find(self.rest)?;
        let text = self.rest.get(at + KIND.needle().len()..)?;
        let end = memchr::memchr(b'"', text)?;
        std::str::from_utf8(text.get(..end)?).ok()
    }

    /// Passes over these bytes when they come next.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        match self.rest.strip_prefix(bytes) {
            Some(rest) => {
                self.rest = rest;
                self.begins = bytes == b"{";
                true
            }
            None => false,
        }
    }

    pub(super) fn expect(&mut self, bytes: &[u8]) -> Option<()> {
        self.take(bytes).then_some(())
    }

    /// Passes over a key when it comes next.
    fn take_key(&mut self, key: &str) -> bool {
        let after = |rest: &'a [u8]| {
            let rest = if self.begins { rest } else { rest.strip_prefix(b",")? };
            rest.strip_prefix(b"\"")?.strip_prefix(key.as_bytes())?.strip_prefix(b"\":")
        };
        let Some(rest) = after(self.rest) else { return false };
        self.rest = rest;
        self.begins = false;
        true
    }

    /// A text in quotation marks; it has no escapes.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let rest = self.rest.strip_prefix(b"\"")?;
        let (text, rest) = rest.split_at_checked(memchr::memchr(b'"', rest)?)?;
        self.rest = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text).ok()
    }

    /// A text in quotation marks of nothing but these ASCII characters.
    pub(super) fn text_of(&mut self, these: &[bool; 256]) -> Option<&'a str> {
        let rest = self.rest.strip_prefix(b"\"")?;
        let other = |b: &u8| !these.get(usize::from(*b)).copied().unwrap_or_default();
        let (text, rest) = rest.split_at_checked(rest.iter().position(other)?)?;
        self.rest = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text).ok()
    }

    /// A whole number in its one form: digits, no zero before others.
    pub(super) fn whole(&mut self) -> Option<u64> {
        let (mut rest, mut number, mut digits) = (self.rest, 0_u64, 0_u32);
        while let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
            if digits > 0 && number == 0 {
                return None;
            }
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            (rest, digits) = (behind, digits + 1);
        }
        self.rest = rest;
        (digits > 0).then_some(number)
    }
}
