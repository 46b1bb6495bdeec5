//! The head of one HTTP/1 request: request line and header fields, up to the empty line.
//!
//! Takes bytes cut anywhere; gives the kind of body that follows. A line is looked at when it is
//! complete; only one that is cut is copied.

use memchr::{memchr, memchr3};

use super::Violation;

/// Most digits of a content length: more do not fit 64 bits.
const MAX_LENGTH_DIGITS: usize = 18;

/// What follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Sized(u64),
    Chunked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

/// Follows one head after another.
#[derive(Debug)]
pub(super) struct Head {
    max_bytes: usize,
    bytes: usize,
    /// The beginning of a line that was cut, with its CR if that was the last byte.
    cut: Vec<u8>,
    fields: Fields,
}

/// A complete line: where it ends, and the body that follows when it was the last.
struct Line {
    end: usize,
    body: Option<Body>,
}

/// What the lines so far say about framing.
#[derive(Debug, Default)]
struct Fields {
    version: Option<Version>,
    content_length: Option<u64>,
    chunked: bool,
    hosts: usize,
}

impl Head {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, bytes: 0, cut: Vec::new(), fields: Fields::default() }
    }

    /// Whether a byte of it has come.
    pub(super) fn has_begun(&self) -> bool {
        self.bytes > 0
    }

    /// Takes bytes up to the end of a line at most; gives how many, and the body when the head is
    /// complete. An error says before which byte the stream broke.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
    ) -> Result<(usize, Option<Body>), (usize, Violation)> {
        let room = self.max_bytes - self.bytes;
        let seen = bytes.get(..room).unwrap_or(bytes);
        let (end, body) = match self.line(seen)? {
            Some(Line { end, body }) => (end, body),
            None if seen.len() < bytes.len() => return Err((room, Violation::HeadTooLong)),
            None => {
                self.cut.extend_from_slice(seen);
                (seen.len(), None)
            }
        };
        if body.is_some() {
            *self = Self { cut: std::mem::take(&mut self.cut), ..Self::new(self.max_bytes) };
        } else {
            self.bytes += end;
        }
        Ok((end, body))
    }

    /// Looks at the first line of `seen`, if it is complete.
    fn line(&mut self, seen: &[u8]) -> Result<Option<Line>, (usize, Violation)> {
        let after_cr = self.cut.last() == Some(&b'\r');
        let special = if after_cr { Some(0) } else { memchr3(b'\r', b'\n', 0, seen) };
        let Some(at) = special.filter(|at| *at < seen.len()) else {
            return Ok(None);
        };
        let lf = match seen.get(at) {
            _ if after_cr => 0,
            Some(b'\r') => at + 1,
            Some(0) => return Err((at, Violation::Nul)),
            _ => return Err((at, Violation::BareLf)),
        };
        match seen.get(lf) {
            Some(b'\n') => {}
            Some(_) => return Err((lf, Violation::BareCr)),
            None => return Ok(None),
        }
        let body = if self.cut.is_empty() {
            self.fields.line(seen.get(..at).unwrap_or_default())
        } else {
            if after_cr {
                self.cut.pop();
            } else {
                self.cut.extend_from_slice(seen.get(..at).unwrap_or_default());
            }
            let body = self.fields.line(&self.cut);
            self.cut.clear();
            body
        };
        let body = body.map_err(|violation| (lf, violation))?;
        Ok(Some(Line { end: lf + 1, body }))
    }
}

impl Fields {
    /// Looks at one line without its CRLF.
    fn line(&mut self, line: &[u8]) -> Result<Option<Body>, Violation> {
        if self.version.is_none() {
            self.version = Some(request_line(line)?);
            return Ok(None);
        }
        match line.first() {
            None => self.end().map(Some),
            Some(b' ' | b'\t') => Err(Violation::LineFolding),
            Some(_) => self.field(line).map(|()| None),
        }
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Violation> {
        let colon = memchr(b':', line).ok_or(Violation::FieldName)?;
        let (name, rest) = line.split_at(colon);
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(Violation::FieldName);
        }
        let value = || trim(rest.get(1..).unwrap_or_default());
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.content_length.is_some() {
                return Err(Violation::ContentLength);
            }
            self.content_length = Some(length(value())?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value().eq_ignore_ascii_case(b"chunked") {
                return Err(Violation::TransferEncoding);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
        }
        Ok(())
    }

    fn end(&self) -> Result<Body, Violation> {
        let hosts_allowed = match self.version {
            Some(Version::Http10) if self.chunked => return Err(Violation::TransferEncoding),
            Some(Version::Http10) => 0..=1,
            _ => 1..=1,
        };
        if !hosts_allowed.contains(&self.hosts) {
            return Err(Violation::Host);
        }
        match (self.content_length, self.chunked) {
            (Some(_), true) => Err(Violation::TwoLengths),
            (None, true) => Ok(Body::Chunked),
            (None | Some(0), false) => Ok(Body::None),
            (Some(length), false) => Ok(Body::Sized(length)),
        }
    }
}

fn request_line(line: &[u8]) -> Result<Version, Violation> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Violation::RequestLine);
    };
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Err(Violation::RequestLine);
    }
    // A fragment never goes over the wire, and a parser that drops one sees another path.
    let in_order = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    if target.first() != Some(&b'/') || !in_order {
        return Err(Violation::Target);
    }
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ => Err(Violation::Version),
    }
}

/// Without optional white space at either end (RFC 9110 section 5.6.3): spaces and tabs only.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

fn length(value: &[u8]) -> Result<u64, Violation> {
    if value.is_empty() || value.len() > MAX_LENGTH_DIGITS {
        return Err(Violation::ContentLength);
    }
    value.iter().try_fold(0_u64, |number, byte| {
        let digit = char::from(*byte).to_digit(10).ok_or(Violation::ContentLength)?;
        Ok(number * 10 + u64::from(digit))
    })
}

/// Bytes of a token (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}
