//! Cuts a body of `multipart/form-data` (RFC 7578, RFC 2046 section 5.1) into its parts.
//!
//! In: the boundary and all bytes. Out: the parts, each with the little that is read of its
//! headers. Refuses every body that two readers could cut differently: a preamble or epilogue, a
//! boundary that is followed by anything, an end that is missing, a header that is folded.

use memchr::memmem::Finder;

use crate::{ViolationKind, header::HeaderValue};

/// Most parts of one body.
const MAX_PARTS: usize = 256;
/// Most bytes of the headers of one part.
const MAX_HEADERS: usize = 2 << 10;
/// Longest boundary (RFC 2046 section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// One part as it stands in the body.
#[derive(Debug)]
pub(super) struct RawPart<'b> {
    pub(super) name: String,
    pub(super) content_type: Option<&'b str>,
    pub(super) contents: &'b [u8],
}

/// Whether a text may separate parts (RFC 2046 section 5.1.1).
pub(super) fn is_boundary(text: &str) -> bool {
    (1..=MAX_BOUNDARY).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b))
        && !text.ends_with(' ')
}

/// The parts of a body.
pub(super) fn cut<'b>(boundary: &str, body: &'b [u8]) -> Result<Vec<RawPart<'b>>, ViolationKind> {
    let malformed = ViolationKind::Malformed;
    let dashed = format!("--{boundary}");
    let finder = Finder::new(dashed.as_bytes());
    let mut rest = body.strip_prefix(dashed.as_bytes()).ok_or(malformed)?;
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return if matches!(end, b"" | b"\r\n") { Ok(parts) } else { Err(malformed) };
        }
        // The line end stays: headers end with an empty line, also when there are none.
        if !rest.starts_with(b"\r\n") {
            return Err(malformed);
        }
        if parts.len() >= MAX_PARTS {
            return Err(ViolationKind::TooLarge);
        }
        let at = delimiter(&finder, rest)?;
        parts.push(read(rest.get(..at).ok_or(malformed)?)?);
        rest = rest.get(at + 2 + dashed.len()..).ok_or(malformed)?;
    }
}

/// The place of the line end before the next boundary.
fn delimiter(finder: &Finder<'_>, rest: &[u8]) -> Result<usize, ViolationKind> {
    for at in finder.find_iter(rest) {
        let before = rest.get(..at).unwrap_or_default();
        if before.ends_with(b"\r\n") {
            return Ok(at - 2);
        }
        // SECURITY: a reader that takes any line end for one would cut here, and we would not.
        if before.ends_with(b"\r") || before.ends_with(b"\n") {
            break;
        }
    }
    Err(ViolationKind::Malformed)
}

/// A part between the line end after one boundary and that before the next.
fn read(part: &[u8]) -> Result<RawPart<'_>, ViolationKind> {
    let malformed = ViolationKind::Malformed;
    let head = part.get(..part.len().min(MAX_HEADERS)).unwrap_or(part);
    let end = memchr::memmem::find(head, b"\r\n\r\n").ok_or(malformed)?;
    let (headers, contents) = part.split_at_checked(end).ok_or(malformed)?;
    let contents = contents.get(4..).ok_or(malformed)?;
    let headers = headers.strip_prefix(b"\r\n").ok_or(malformed)?;
    let headers = str::from_utf8(headers).map_err(|_| ViolationKind::InvalidUtf8)?;
    let (mut disposition, mut content_type, mut encoding) = (None, None, None);
    for line in headers.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or(malformed)?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        if !is_name || value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(malformed);
        }
        // Any other header is not looked at, and does not pass.
        let known = [
            ("content-disposition", &mut disposition),
            ("content-type", &mut content_type),
            ("content-transfer-encoding", &mut encoding),
        ];
        let found = known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        if let Some((_, kept)) = found
            && kept.replace(value.trim_matches([' ', '\t'])).is_some()
        {
            return Err(malformed);
        }
    }
    let plain = ["7bit", "8bit", "binary"];
    if encoding.is_some_and(|one: &str| !plain.iter().any(|p| one.eq_ignore_ascii_case(p))) {
        return Err(ViolationKind::MediaType);
    }
    let name = disposition.and_then(part_name).ok_or(malformed)?;
    Ok(RawPart { name, content_type, contents })
}

/// The name that a disposition gives to its part. The name of a file is read over: it is the
/// sender's to choose, and may name a person.
fn part_name(disposition: &str) -> Option<String> {
    let value = HeaderValue::read(disposition).ok()?;
    let known = value.has_only(&["name", "filename", "filename*"]);
    let name = value.parameter("name").filter(|_| value.is("form-data") && known)?;
    Some(name.to_owned())
}
