//! Signatures in PDF files (ISO 32000, `adbe.pkcs7.detached` and `ETSI.CAdES.detached`).
//!
//! In: a file and a [`Verifier`]. Out: every signature of it, with what it covers, if all are good
//! and the last one covers the file to its end.
//!
//! Must never take a signature for one of the whole file because it covers some of it: the only
//! bytes outside of its ranges are its own hexadecimal text.

use std::ops::Range;

use crate::{
    cms::{self, CmsError, Naming, Verified},
    trust::Verifier,
};

mod scan;
mod token;

use scan::Dictionary;

/// Most signatures of one file.
const MAX_SIGNATURES: usize = 64;

/// Why a file is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// It is longer than was permitted.
    #[error("the file is too large")]
    TooLarge,
    /// It is something else.
    #[error("the file is not a PDF file")]
    NotPdf,
    /// It cannot be read.
    #[error("the PDF file is damaged or nested too deeply")]
    Damaged,
    /// It is encrypted, so that nobody sees what is signed.
    #[error("the PDF file is encrypted")]
    Encrypted,
    /// Nobody has signed.
    #[error("the PDF file has no signature")]
    NoSignature,
    /// More signatures than any file has.
    #[error("the PDF file has too many signatures")]
    TooMany,
    /// A signature is of a kind that is not accepted.
    #[error("signature {0} is neither `adbe.pkcs7.detached` nor `ETSI.CAdES.detached`")]
    Kind(usize),
    /// The ranges lie outside of the file, overlap, or are not two.
    #[error("signature {0} covers ranges that are not possible")]
    Ranges(usize),
    /// The ranges leave out more than the signature.
    #[error("signature {0} leaves out more than its own text")]
    Gap(usize),
    /// What the ranges leave out is something else.
    #[error("signature {0} leaves out something else than its own text")]
    Elsewhere(usize),
    /// There is something behind what the last signature covers.
    #[error("the PDF file was changed after its last signature")]
    Appended,
    /// A signature is not good.
    #[error("signature {0}: {1}")]
    Signature(usize, CmsError),
}

/// The kind of a signature, `SubFilter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `adbe.pkcs7.detached`.
    Pkcs7,
    /// `ETSI.CAdES.detached`, the signature of PAdES.
    Cades,
}

/// How much of a file a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covers {
    /// All but its own text.
    Whole,
    /// The file as it once was, so many bytes of it.
    Revision(usize),
}

/// A signature as it stands in a file, not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its kind.
    pub kind: Kind,
    /// How much it says to cover.
    pub covers: Covers,
    gap: Range<usize>,
}

/// A signature that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdfSignature {
    /// Its kind.
    pub kind: Kind,
    /// How much it covers.
    pub covers: Covers,
    /// Who has signed; never empty.
    pub signers: Vec<Verified>,
}

/// Every signature of a file in the order of what they cover, with no regard to who has signed.
///
/// # Errors
///
/// If the file cannot be read, or a signature does not cover what it has to.
pub fn signatures(file: &[u8], limit: usize) -> Result<Vec<Found>, PdfError> {
    if file.len() > limit {
        return Err(PdfError::TooLarge);
    }
    let dictionaries = scan::signatures(file)?;
    if dictionaries.len() > MAX_SIGNATURES {
        return Err(PdfError::TooMany);
    }
    let read = |(number, dictionary)| found(number, &dictionary, file.len());
    let mut found: Vec<Found> = (1..).zip(dictionaries).map(read).collect::<Result<_, _>>()?;
    found.sort_by_key(|signature| end(signature, file.len()));
    // Each later signature was added behind what the earlier one covers.
    let pairs = found.iter().zip(found.iter().skip(1));
    for (number, (earlier, later)) in (2..).zip(pairs) {
        if end(earlier, file.len()) > later.gap.start {
            return Err(PdfError::Ranges(number));
        }
    }
    Ok(found)
}

/// Judges every signature of a file.
///
/// # Errors
///
/// If one of them is not good, or the last does not cover the whole file.
pub fn verify(file: &[u8], verifier: &Verifier<'_>) -> Result<Vec<PdfSignature>, PdfError> {
    let found = signatures(file, verifier.limit)?;
    match found.last() {
        None => return Err(PdfError::NoSignature),
        Some(last) if last.covers != Covers::Whole => return Err(PdfError::Appended),
        Some(_) => {}
    }
    let judged = |(number, found): (usize, Found)| {
        let signers =
            judge(file, &found, verifier).map_err(|error| PdfError::Signature(number, error))?;
        Ok(PdfSignature { kind: found.kind, covers: found.covers, signers })
    };
    (1..).zip(found).map(judged).collect()
}

fn judge(file: &[u8], found: &Found, verifier: &Verifier<'_>) -> Result<Vec<Verified>, CmsError> {
    let text = file.get(found.gap.clone()).ok_or(CmsError::Damaged)?;
    let mut message = token::hexadecimal(text).ok_or(CmsError::Damaged)?;
    // The place for a signature is reserved before it is made; what it does not fill is zeros.
    let length = cms::length(&message).ok_or(CmsError::NotCms)?;
    let filling = message.get(length..).ok_or(CmsError::Damaged)?;
    if filling.iter().any(|byte| *byte != 0) {
        return Err(CmsError::Damaged);
    }
    message.truncate(length);
    let before = file.get(..found.gap.start).ok_or(CmsError::Damaged)?;
    let after = file.get(found.gap.end..end(found, file.len())).ok_or(CmsError::Damaged)?;
    let naming = match found.kind {
        Kind::Cades => Naming::Required,
        Kind::Pkcs7 => Naming::IfPresent,
    };
    cms::detached(&message, &[before, after].concat(), naming, verifier)
}

fn end(found: &Found, length: usize) -> usize {
    match found.covers {
        Covers::Whole => length,
        Covers::Revision(end) => end,
    }
}

fn found(number: usize, dictionary: &Dictionary, length: usize) -> Result<Found, PdfError> {
    let kind = match dictionary.kind.as_deref() {
        Some(b"adbe.pkcs7.detached") => Kind::Pkcs7,
        Some(b"ETSI.CAdES.detached") => Kind::Cades,
        _ => return Err(PdfError::Kind(number)),
    };
    let [first, before, second, after] = dictionary.ranges.ok_or(PdfError::Ranges(number))?;
    let end = second.checked_add(after).ok_or(PdfError::Ranges(number))?;
    if first != 0 || before == 0 || second <= before || after == 0 || end > length {
        return Err(PdfError::Ranges(number));
    }
    let contents = dictionary.contents.clone().ok_or(PdfError::Elsewhere(number))?;
    let gap = before..second;
    if gap != contents {
        let is_inside = gap.start <= contents.start && contents.end <= gap.end;
        return Err(if is_inside { PdfError::Gap(number) } else { PdfError::Elsewhere(number) });
    }
    let covers = if end == length { Covers::Whole } else { Covers::Revision(end) };
    Ok(Found { kind, covers, gap })
}

#[cfg(test)]
mod tests;
