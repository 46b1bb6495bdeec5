//! The messages of RFC 3161: a query for a time stamp, and what an answer says.
//!
//! Takes bytes of a stranger and gives what they claim. Nothing here is believed before the
//! signature has been found right.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use lienthong_evidence::hash::Hash;
use x509_parser::asn1_rs::{ASN1TimeZone, Any, Class, FromDer, GeneralizedTime, Tag};

use super::StampError;

/// Bytes of a nonce.
const NONCE: usize = 8;
/// SHA-256, as object identifier.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// What is signed is a time stamp: `id-ct-TSTInfo`.
const TIME_STAMP_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// What is signed is bytes: `id-data`.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// What is wrapped is signed: `id-signedData`.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// Everything of a query before the imprint: `TimeStampReq` of version 1, with SHA-256.
const BEFORE_IMPRINT: &[u8] = &[
    0x30, 0x43, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
/// Between imprint and nonce: an integer of eight bytes.
const BEFORE_NONCE: &[u8] = &[0x02, 0x08];
/// After the nonce: the certificate is wanted in the answer.
const AFTER_NONCE: &[u8] = &[0x01, 0x01, 0xff];

/// What a time stamp is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Query {
    imprint: Hash,
    nonce: [u8; NONCE],
}

impl Query {
    /// A query for these bytes with this randomness.
    pub(super) fn new(bytes: &[u8], mut nonce: [u8; NONCE]) -> Self {
        // Positive, and of one length in DER.
        if let Some(first) = nonce.first_mut() {
            *first = *first & 0x7f | 0x40;
        }
        Self { imprint: Hash::of(bytes), nonce }
    }

    /// The query in DER.
    pub(super) fn der(&self) -> Vec<u8> {
        let imprint = self.imprint.as_bytes().as_slice();
        [BEFORE_IMPRINT, imprint, BEFORE_NONCE, &self.nonce, AFTER_NONCE].concat()
    }

    /// Whether a time stamp is for this query.
    pub(super) fn check(&self, info: &TimeStampInfo) -> Result<(), StampError> {
        if info.imprint != *self.imprint.as_bytes() {
            return Err(StampError::Imprint);
        }
        if info.nonce.as_deref() != Some(self.nonce.as_slice()) {
            return Err(StampError::Nonce);
        }
        Ok(())
    }
}

/// The token of an answer that grants one: a time stamp, signed.
pub(super) fn token(answer: &[u8]) -> Result<&[u8], StampError> {
    let mut whole = Elements(answer);
    let mut answer = whole.inside(Tag::Sequence)?;
    whole.end()?;
    let mut status = answer.inside(Tag::Sequence)?;
    match status.content(Tag::Integer)? {
        // Granted, or granted with changes that a query without wishes has no room for.
        [0 | 1] => {}
        [refused] => return Err(StampError::Refused(*refused)),
        _ => return Err(StampError::Form),
    }
    let (_, token) = answer.next()?;
    answer.end()?;
    Ok(token)
}

/// Whether what a token signs is a time stamp and nothing else of that key.
pub(super) fn is_time_stamp(token: &[u8]) -> Result<bool, StampError> {
    signs(token, TIME_STAMP_INFO)
}

/// Whether a seal signs mere bytes.
pub(super) fn is_seal(cms: &[u8]) -> Result<bool, StampError> {
    signs(cms, DATA)
}

fn signs(cms: &[u8], what: &[u8]) -> Result<bool, StampError> {
    let mut content = Elements(cms).inside(Tag::Sequence)?;
    if content.content(Tag::Oid)? != SIGNED_DATA {
        return Ok(false);
    }
    let mut signed = content.inside_of(Class::ContextSpecific, Tag(0))?.inside(Tag::Sequence)?;
    signed.content(Tag::Integer)?;
    signed.content(Tag::Set)?;
    let mut encapsulated = signed.inside(Tag::Sequence)?;
    Ok(encapsulated.content(Tag::Oid)? == what)
}

/// What a time stamp says: `TSTInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeStampInfo {
    imprint: [u8; 32],
    nonce: Option<Vec<u8>>,
    /// When the bytes were there.
    pub(super) time: Timestamp,
}

impl TimeStampInfo {
    pub(super) fn parse(der: &[u8]) -> Result<Self, StampError> {
        let mut whole = Elements(der);
        let mut info = whole.inside(Tag::Sequence)?;
        whole.end()?;
        if info.content(Tag::Integer)? != [1] {
            return Err(StampError::Form);
        }
        info.content(Tag::Oid)?;
        let mut imprint = info.inside(Tag::Sequence)?;
        if imprint.inside(Tag::Sequence)?.content(Tag::Oid)? != SHA256 {
            return Err(StampError::Imprint);
        }
        let imprint = imprint.content(Tag::OctetString)?;
        let imprint = imprint.try_into().map_err(|_| StampError::Imprint)?;
        info.content(Tag::Integer)?;
        let time = instant(info.content(Tag::GeneralizedTime)?).ok_or(StampError::Form)?;
        let mut nonce = None;
        while !info.0.is_empty() {
            // Accuracy, ordering, names and extensions say nothing that is asked here.
            let (element, _) = info.next()?;
            if element.tag() == Tag::Integer && element.class() == Class::Universal {
                nonce = Some(element.data.to_vec());
            }
        }
        Ok(Self { imprint, nonce, time })
    }

    /// Whether this is over these bytes.
    pub(super) fn is_over(&self, bytes: &[u8]) -> bool {
        self.imprint == *Hash::of(bytes).as_bytes()
    }
}

/// An instant of UTC, as RFC 3161 wants it.
fn instant(text: &[u8]) -> Option<Timestamp> {
    let time = GeneralizedTime::from_bytes(text).ok()?.0;
    if time.tz != ASN1TimeZone::Z {
        return None;
    }
    let small = |part: u8| i8::try_from(part).ok();
    let nanosecond = i32::from(time.millisecond.unwrap_or(0)).checked_mul(1_000_000)?;
    let time = DateTime::new(
        i16::try_from(time.year).ok()?,
        small(time.month)?,
        small(time.day)?,
        small(time.hour)?,
        small(time.minute)?,
        small(time.second)?,
        nanosecond,
    );
    time.ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// Elements in DER, one after another.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The next element, and all its bytes.
    fn next(&mut self) -> Result<(Any<'a>, &'a [u8]), StampError> {
        let (rest, element) = Any::from_der(self.0).map_err(|_| StampError::Form)?;
        let length = self.0.len() - rest.len();
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(StampError::Form)?;
        self.0 = rest;
        Ok((element, bytes))
    }

    fn content_of(&mut self, class: Class, tag: Tag) -> Result<&'a [u8], StampError> {
        let (element, _) = self.next()?;
        if element.class() == class && element.tag() == tag {
            Ok(element.data)
        } else {
            Err(StampError::Form)
        }
    }

    fn content(&mut self, tag: Tag) -> Result<&'a [u8], StampError> {
        self.content_of(Class::Universal, tag)
    }

    fn inside(&mut self, tag: Tag) -> Result<Self, StampError> {
        self.content(tag).map(Self)
    }

    fn inside_of(&mut self, class: Class, tag: Tag) -> Result<Self, StampError> {
        self.content_of(class, tag).map(Self)
    }

    fn end(&self) -> Result<(), StampError> {
        if self.0.is_empty() { Ok(()) } else { Err(StampError::Form) }
    }
}
