//! What a file is, by its bytes alone: its first ones, and as much of its frame as tells a whole
//! file from one that only begins like it.
//!
//! Each type has another first byte pattern, so that no file is of two. Must never take a text for
//! a file.

use lienthong_model::opaque::OpaqueType;

/// How far from its end a PDF may say that it ends.
const PDF_TAIL: usize = 1 << 10;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The last chunk of a PNG, which is always the same.
const PNG_END: &[u8] = b"\x00\x00\x00\x00IEND\xae\x42\x60\x82";
/// `signedData` (RFC 5652 section 5.1), as a whole DER value.
const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// The type of a whole file; none when it is of no type that may pass.
pub(super) fn recognise(bytes: &[u8]) -> Option<OpaqueType> {
    if bytes.starts_with(b"%PDF-1.") || bytes.starts_with(b"%PDF-2.") {
        return is_pdf(bytes).then_some(OpaqueType::Pdf);
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return bytes.ends_with(b"\xff\xd9").then_some(OpaqueType::Jpeg);
    }
    if let Some(chunks) = bytes.strip_prefix(PNG_SIGNATURE) {
        return is_png(chunks).map(|()| OpaqueType::Png);
    }
    if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
        return is_tiff(bytes).map(|()| OpaqueType::Tiff);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return zip(bytes);
    }
    is_signed_data(bytes).map(|()| OpaqueType::Cms)
}

fn is_pdf(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(PDF_TAIL)..).unwrap_or(bytes);
    memchr::memmem::find(tail, b"%%EOF").is_some()
}

/// Whether the chunks follow each other from IHDR to IEND.
fn is_png(chunks: &[u8]) -> Option<()> {
    let mut rest = chunks;
    let mut first = true;
    while rest != PNG_END {
        let (length, after) = rest.split_first_chunk()?;
        let (name, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        if first && (name != b"IHDR" || length != 13) || name == b"IEND" {
            return None;
        }
        first = false;
        rest = after.get(length.checked_add(4)?..)?;
    }
    (!first).then_some(())
}

/// Whether the first directory of images stands in the file, with one entry or more.
fn is_tiff(bytes: &[u8]) -> Option<()> {
    let little = bytes.starts_with(b"II");
    let long =
        |bytes: [u8; 4]| if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
    let short =
        |bytes: [u8; 2]| if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) };
    let at = usize::try_from(long(*bytes.get(4..)?.first_chunk()?)).ok()?;
    let (count, entries) = bytes.get(at..).filter(|_| at >= 8)?.split_first_chunk()?;
    let count = usize::from(short(*count));
    (count > 0 && entries.len() >= count.checked_mul(12)?).then_some(())
}

/// An archive in which every byte belongs to it: its directory is read from its end, and begins
/// with the file that the archive begins with.
fn zip(bytes: &[u8]) -> Option<OpaqueType> {
    let directory = directory(bytes)?;
    let (mut content_types, mut document, mut workbook, mut macros) = (false, false, false, false);
    let mut begins = false;
    let mut rest = directory.entries;
    for _ in 0..directory.count {
        let header = rest.get(..46).filter(|header| header.starts_with(b"PK\x01\x02"))?;
        let [name, extra, comment] = [28, 30, 32].map(|at| length(header, at));
        let (name, extra, comment) = (name?, extra?, comment?);
        let offset = u32::from_le_bytes(*header.get(42..)?.first_chunk()?);
        begins |= offset == 0;
        let path = rest.get(46..46 + name)?;
        content_types |= path == b"[Content_Types].xml";
        document |= path == b"word/document.xml";
        workbook |= path == b"xl/workbook.xml";
        macros |= path.ends_with(b"vbaProject.bin");
        rest = rest.get(46 + name + extra + comment..)?;
    }
    if !rest.is_empty() || !begins {
        return None;
    }
    Some(match (content_types && !macros, document, workbook) {
        (true, true, false) => OpaqueType::Docx,
        (true, false, true) => OpaqueType::Xlsx,
        _ => OpaqueType::Zip,
    })
}

struct ZipDirectory<'b> {
    entries: &'b [u8],
    count: usize,
}

/// The central directory of an archive of one volume, which ends where its end record begins. A
/// comment may follow the record, as long as it says, up to the end of the file.
fn directory(bytes: &[u8]) -> Option<ZipDirectory<'_>> {
    // SECURITY: the last record and no other, so that no comment hides a second directory.
    let at = memchr::memmem::rfind(bytes, b"PK\x05\x06")?;
    let record = bytes.get(at..)?;
    let count = length(record, 10)?;
    let size = usize::try_from(u32::from_le_bytes(*record.get(12..)?.first_chunk()?)).ok()?;
    let start = usize::try_from(u32::from_le_bytes(*record.get(16..)?.first_chunk()?)).ok()?;
    let whole = record.len() == 22 + length(record, 20)?
        && record.get(4..8) == Some(&[0; 4])
        && length(record, 8) == Some(count)
        && count > 0
        && start.checked_add(size) == Some(at);
    whole.then_some(ZipDirectory { entries: bytes.get(start..at)?, count })
}

/// The two-byte length at `at`.
fn length(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk().map(|two| usize::from(u16::from_le_bytes(*two)))
}

/// Whether the bytes are one DER `ContentInfo` of signed data and nothing else.
fn is_signed_data(bytes: &[u8]) -> Option<()> {
    let content = der(bytes, 0x30)?.strip_prefix(SIGNED_DATA)?;
    let signed = der(content, 0xa0)?;
    der(signed, 0x30).map(|_| ())
}

/// The contents of the one DER value of this tag that `bytes` are.
fn der(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, contents) = match short {
        0..=0x7f => (usize::from(*short), rest),
        0x81..=0x84 => {
            let (digits, contents) = rest.split_at_checked(usize::from(short & 0x7f))?;
            let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            // DER: the shortest form, no other.
            let shortest = digits.first() != Some(&0) && length > 0x7f;
            (shortest.then_some(length)?, contents)
        }
        _ => return None,
    };
    (*first == tag && contents.len() == length).then_some(contents)
}
