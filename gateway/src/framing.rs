//! A strict check of HTTP/1 framing, before the parser sees a byte.
//!
//! Takes the bytes of a connection as they come, cut anywhere; tells where requests begin and end
//! by RFC 9112, and stops at the first byte that two parsers could read differently. It is
//! stricter than the standard where the standard lets a recipient mend: CRLF only, one
//! `Content-Length` or one `Transfer-Encoding: chunked`, origin-form targets, no chunk extension,
//! no trailer. After a violation no later byte is ever read as a request.

mod guard;
mod head;

pub use self::guard::Guard;
use self::head::{Body, Head};

/// Most hexadecimal digits of a chunk size.
const MAX_CHUNK_DIGITS: u8 = 16;

/// What is wrong with the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// LF without CR.
    #[error("bare LF")]
    BareLf,
    /// CR without LF.
    #[error("bare CR")]
    BareCr,
    /// A NUL byte in the head.
    #[error("NUL in the head")]
    Nul,
    /// The head is longer than allowed.
    #[error("head too long")]
    HeadTooLong,
    /// The request line is not `METHOD /target HTTP/1.x`.
    #[error("request line")]
    RequestLine,
    /// The target is not in origin form, or holds a byte that may not stand in it.
    #[error("request target")]
    Target,
    /// The version is neither HTTP/1.0 nor HTTP/1.1.
    #[error("version")]
    Version,
    /// A header field continues on the next line.
    #[error("obsolete line folding")]
    LineFolding,
    /// A header field without a name, or with a byte in it that may not stand in one.
    #[error("header field name")]
    FieldName,
    /// `Content-Length` is repeated, or is not one number.
    #[error("content length")]
    ContentLength,
    /// `Transfer-Encoding` is repeated, is not exactly `chunked`, or comes with HTTP/1.0.
    #[error("transfer encoding")]
    TransferEncoding,
    /// Both `Content-Length` and `Transfer-Encoding`.
    #[error("content length and transfer encoding")]
    TwoLengths,
    /// `Host` is missing or repeated.
    #[error("host")]
    Host,
    /// A chunk size that is not 1 to 16 hexadecimal digits, or has an extension.
    #[error("chunk size")]
    ChunkSize,
    /// The data of a chunk do not end where its size says.
    #[error("chunk end")]
    ChunkEnd,
    /// Trailer fields after the last chunk.
    #[error("trailer")]
    Trailer,
}

/// Looks on while a connection's bytes pass.
pub trait Watch {
    /// Whether the head of a request is arriving: begun and not complete.
    fn head_arriving(&self, arriving: bool);
    /// The connection broke the framing; nothing more is read from it.
    fn violated(&self, violation: Violation);
}

/// Where the stream broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Break {
    /// Bytes before the break that may pass.
    pub(crate) at: usize,
    pub(crate) violation: Violation,
    pub(crate) part: Part,
}

/// The part of a request that a break is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Head,
    Body,
}

/// Follows the framing of one connection.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    head: Head,
    requests: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Sized(u64),
    ChunkSize { size: u64, digits: u8 },
    ChunkSizeLf { size: u64 },
    ChunkData(u64),
    ChunkDataCr,
    ChunkDataLf,
    LastCr,
    LastLf,
    Broken(Violation, Part),
}

impl Scanner {
    /// A scanner at the beginning of a connection.
    pub(crate) fn new(max_head_bytes: usize) -> Self {
        Self { state: State::Head, head: Head::new(max_head_bytes), requests: 0 }
    }

    /// Whether the head of a request has begun and is not complete.
    pub(crate) fn is_in_head(&self) -> bool {
        self.state == State::Head && self.head.has_begun()
    }

    /// Heads that were complete and in order.
    #[cfg(test)]
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// Follows the next bytes.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> Result<(), Break> {
        let mut from = 0;
        while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
            match self.step(rest) {
                Ok(taken) => from += taken,
                Err((at, violation, part)) => {
                    self.state = State::Broken(violation, part);
                    return Err(Break { at: from + at, violation, part });
                }
            }
        }
        Ok(())
    }

    /// Takes at least one byte of what is not empty, or breaks.
    fn step(&mut self, rest: &[u8]) -> Result<usize, (usize, Violation, Part)> {
        if let State::Head = self.state {
            let (taken, body) = self.head.take(rest).map_err(|(at, v)| (at, v, Part::Head))?;
            if let Some(body) = body {
                self.requests += 1;
                self.state = match body {
                    Body::None => State::Head,
                    Body::Sized(length) => State::Sized(length),
                    Body::Chunked => State::ChunkSize { size: 0, digits: 0 },
                };
            }
            return Ok(taken);
        }
        self.body(rest).map_err(|violation| match self.state {
            State::Broken(violation, part) => (0, violation, part),
            _ => (0, violation, Part::Body),
        })
    }

    fn body(&mut self, rest: &[u8]) -> Result<usize, Violation> {
        if let State::Sized(left) | State::ChunkData(left) = self.state {
            let taken = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - u64::try_from(taken).unwrap_or(left);
            self.state = match self.state {
                State::Sized(_) if left > 0 => State::Sized(left),
                State::Sized(_) => State::Head,
                _ if left > 0 => State::ChunkData(left),
                _ => State::ChunkDataCr,
            };
            return Ok(taken);
        }
        let byte = rest.first().copied().unwrap_or_default();
        self.state = match (self.state, byte) {
            (State::ChunkSize { size, digits }, b'\r') if digits > 0 => State::ChunkSizeLf { size },
            (State::ChunkSize { size, digits }, byte) => chunk_digit(size, digits, byte)?,
            (State::ChunkSizeLf { size: 0 }, b'\n') => State::LastCr,
            (State::ChunkSizeLf { size }, b'\n') => State::ChunkData(size),
            (State::ChunkSizeLf { .. }, _) => return Err(Violation::BareCr),
            (State::ChunkDataCr, b'\r') => State::ChunkDataLf,
            (State::ChunkDataLf, b'\n') => State::ChunkSize { size: 0, digits: 0 },
            (State::ChunkDataCr | State::ChunkDataLf, _) => return Err(Violation::ChunkEnd),
            (State::LastCr, b'\r') => State::LastLf,
            (State::LastCr, _) => return Err(Violation::Trailer),
            (State::LastLf, b'\n') => State::Head,
            (State::LastLf, _) => return Err(Violation::BareCr),
            (State::Broken(violation, _), _) => return Err(violation),
            (State::Head | State::Sized(_) | State::ChunkData(_), _) => {
                return Err(Violation::ChunkEnd);
            }
        };
        Ok(1)
    }
}

fn chunk_digit(size: u64, digits: u8, byte: u8) -> Result<State, Violation> {
    let digit = char::from(byte).to_digit(16).ok_or(match byte {
        b'\n' => Violation::BareLf,
        _ => Violation::ChunkSize,
    })?;
    if digits >= MAX_CHUNK_DIGITS {
        return Err(Violation::ChunkSize);
    }
    Ok(State::ChunkSize { size: (size << 4) | u64::from(digit), digits: digits + 1 })
}

#[cfg(test)]
mod tests;
