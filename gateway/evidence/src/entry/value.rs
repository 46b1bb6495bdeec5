//! What the fields of an entry hold.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lienthong_model::{
    id::{AgreementId, InstrumentId, OperationId, ParticipantId, PurposeId, RuleId, ServiceId},
    reason::ReasonCode,
};
use uuid::Uuid;

use super::{
    form::{Cursor, Listed},
    list::Subject,
};
use crate::hash::Hash;

/// Something that stands in an entry.
pub(super) trait Value<'a>: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(cursor: &mut Cursor<'a>) -> Option<Self>;
}

/// Whether a text has so many digits in a row that it may be a number given to a person.
pub(super) fn may_be_personal(text: &str) -> bool {
    let mut row = 0;
    text.bytes().any(|byte| {
        row = if byte.is_ascii_digit() { row + 1 } else { 0 };
        row == 9
    })
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// A name from policies or configuration; never one of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name<'a>(&'a str);

/// Whether a name may hold each byte, so that reading looks at each only once.
const IN_NAMES: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        #[expect(clippy::indexing_slicing, reason = "a byte is within 256, and this runs at build")]
        {
            plain[byte as usize] = is_plain;
        }
        byte += 1;
    }
    plain
};

fn is_name(text: &str) -> bool {
    let plain = |b: u8| IN_NAMES.get(usize::from(b)).copied().unwrap_or_default();
    (1..=80).contains(&text.len()) && text.bytes().all(plain)
}

impl<'a> Name<'a> {
    /// The name of a node, from its configuration.
    #[must_use]
    pub fn of_node(text: &'a str) -> Option<Self> {
        (is_name(text) && !may_be_personal(text)).then_some(Self(text))
    }

    /// The name of an operator, from the policies.
    #[must_use]
    pub fn of_operator(text: &'a str) -> Option<Self> {
        Self::of_node(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}

impl Name<'_> {
    /// Most that stand in one list.
    pub const MOST: usize = 64;
}

impl<'a> Listed<'a> for Name<'a> {
    const MOST: usize = Self::MOST;
}

macro_rules! names {
    ($($id:ident)*) => {
        $(impl<'a> From<&'a $id> for Name<'a> {
            fn from(id: &'a $id) -> Self {
                Self(id.as_str())
            }
        })*
    };
}

names! { AgreementId OperationId ParticipantId PurposeId RuleId ServiceId }

impl<'a> Value<'a> for Name<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        put_text(out, self.0);
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.text_of(&IN_NAMES).filter(|text| (1..=80).contains(&text.len())).map(Self)
    }
}

/// The period of a digest key, such as `2026-q3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period<'a>(&'a str);

impl<'a> Period<'a> {
    /// A period of small letters, digits and `-`, at most 16.
    #[must_use]
    pub fn new(text: &'a str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=16).contains(&text.len()) && text.bytes().all(plain);
        (fits && !may_be_personal(text)).then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}

impl<'a> Value<'a> for Period<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        put_text(out, self.0);
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        Self::new(cursor.text()?)
    }
}

/// An article of a legal instrument, written `instrument#article`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Article<'a> {
    instrument: &'a str,
    article: &'a str,
}

impl<'a> Article<'a> {
    /// An article of an instrument of the policies.
    #[must_use]
    pub fn new(instrument: &'a InstrumentId, article: &'a str) -> Option<Self> {
        is_article(article).then_some(Self { instrument: instrument.as_str(), article })
    }
}

impl Article<'_> {
    /// Most that stand in one entry.
    pub const MOST: usize = 64;
}

impl<'a> Listed<'a> for Article<'a> {
    const MOST: usize = Self::MOST;
}

fn is_article(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || ".-_".contains(c);
    (1..=32).contains(&text.len()) && text.chars().all(plain) && !may_be_personal(text)
}

impl fmt::Display for Article<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.instrument, self.article)
    }
}

impl<'a> Value<'a> for Article<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.instrument.as_bytes());
        out.push(b'#');
        out.extend_from_slice(self.article.as_bytes());
        out.push(b'"');
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let (instrument, article) = cursor.text()?.split_once('#')?;
        let fits = is_name(instrument) && is_article(article);
        fits.then_some(Self { instrument, article })
    }
}

/// What someone said of why they did something: a sentence, without quotation marks, backslashes,
/// control characters, or anything that may be a personal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Why<'a>(&'a str);

impl<'a> Why<'a> {
    /// A sentence of at most 500 bytes.
    #[must_use]
    pub fn new(text: &'a str) -> Option<Self> {
        let plain = |c: char| !c.is_control() && c != '"' && c != '\\';
        let fits = (1..=500).contains(&text.len()) && text.chars().all(plain);
        (fits && !may_be_personal(text)).then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}

impl<'a> Value<'a> for Why<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        put_text(out, self.0);
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        Self::new(cursor.text()?)
    }
}

/// The exact reason of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason(pub ReasonCode);

impl<'a> Value<'a> for Reason {
    fn write(&self, out: &mut Vec<u8>) {
        put_text(out, self.0.as_str());
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.text()?.parse().ok().map(Self)
    }
}

/// An id that the gateway made: of an exchange, a record of consent, or a data subject's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(Uuid);

impl From<Uuid> for ExchangeId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl ExchangeId {
    /// Reads the form of [`fmt::Display`], strictly.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?;
        let mut buffer = Uuid::encode_buffer();
        (id.hyphenated().encode_lower(&mut buffer) == text).then_some(Self(id))
    }

    /// Its 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'a> Value<'a> for ExchangeId {
    fn write(&self, out: &mut Vec<u8>) {
        put_text(out, self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        Self::parse(cursor.text()?)
    }
}

impl ExchangeId {
    /// Most that stand in one entry: a record of consent for each data subject.
    pub const MOST: usize = Subject::MOST;
}

impl<'a> Listed<'a> for ExchangeId {
    const MOST: usize = Self::MOST;
}

/// Writes bytes as base 64 for addresses, without padding.
fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut buffer = [0; 44];
    // Nothing longer than 32 bytes comes here.
    let length = URL_SAFE_NO_PAD.encode_slice(bytes, &mut buffer).unwrap_or(0);
    out.push(b'"');
    out.extend_from_slice(buffer.get(..length).unwrap_or_default());
    out.push(b'"');
}

/// Reads bytes from their one form.
fn take_bytes<const N: usize>(cursor: &mut Cursor<'_>) -> Option<[u8; N]> {
    let text = cursor.text().filter(|text| text.len() == (N * 4).div_ceil(3))?;
    // The decoder wants room for whole groups of three.
    let mut buffer = [0; 34];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).ok()?;
    buffer.get(..length)?.try_into().ok()
}

impl<'a> Value<'a> for Hash {
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let bytes: [u8; Self::LENGTH] = take_bytes(cursor)?;
        Self::from_slice(&bytes)
    }
}

/// What stands for an identifier of a person, a case or a message: the same for the same one within
/// a key's period, and nothing without the key. Only a [`DigestKey`](super::DigestKey) makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyedDigest(pub(super) [u8; 16]);

impl KeyedDigest {
    /// One that was written once.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the form of [`fmt::Display`], in which entries have it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The decoder wants room for whole groups of three.
        let mut buffer = [0; 18];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).ok()?;
        let (bytes, rest) = buffer.split_first_chunk()?;
        (length == bytes.len() && rest.iter().all(|byte| *byte == 0)).then_some(Self(*bytes))
    }
}

impl fmt::Display for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'a> Value<'a> for KeyedDigest {
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.0);
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        take_bytes(cursor).map(Self)
    }
}

/// What stands for the bytes of a body: shows later that they were these, once the salt is given.
/// Only a [`Committer`](super::Committer) makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commitment(pub(super) [u8; 32]);

impl Commitment {
    /// As tools that hash files write it.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// As it stands in entries.
impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'a> Value<'a> for Commitment {
    fn write(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.0);
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        take_bytes(cursor).map(Self)
    }
}

/// Largest number that every reader of JSON keeps exactly.
const MOST: u64 = (1 << 53) - 1;

impl<'a> Value<'a> for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        let mut digits = [0; 20];
        let mut rest = (*self).min(MOST);
        let mut from = digits.len();
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            // A remainder of ten is one digit.
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            from = place;
            if rest == 0 {
                break;
            }
        }
        out.extend_from_slice(digits.get(from..).unwrap_or_default());
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.whole().filter(|number| *number <= MOST)
    }
}

impl<'a> Value<'a> for i64 {
    fn write(&self, out: &mut Vec<u8>) {
        if *self < 0 {
            out.push(b'-');
        }
        self.unsigned_abs().write(out);
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let negative = cursor.take(b"-");
        let number = cursor.whole().filter(|number| *number <= MOST)?;
        let number = Self::try_from(number).ok()?;
        match negative {
            true if number == 0 => None,
            true => Some(-number),
            false => Some(number),
        }
    }
}
