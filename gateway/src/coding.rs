//! Content codings (RFC 9110 section 8.4): gzip, br, zstd and identity, decoded within bounds.
//!
//! Takes the bytes of a body as they come, cut anywhere; gives decoded pieces of at most 16 KiB,
//! so that no more than one piece is in memory however much a chunk expands. What is longer than
//! allowed, expands more than allowed, ends early or goes on after its end is an error, and after
//! an error nothing more is decoded. Never shows a decoded or encoded byte in an error or `Debug`.

mod codec;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};

use self::codec::Codec;

/// Longest decoded piece.
pub const PIECE_BYTES: usize = 16 << 10;
/// The ratio is judged from here on: what is small may be repetitive.
const RATIO_FROM: u64 = 64 << 10;
/// Encoded bytes that a body may have above the decoded bytes allowed: heads, trailers, names.
const ENCODED_SLACK: u64 = 64 << 10;
/// Members or frames that a body may have, besides one for each [`BYTES_PER_MEMBER`] decoded.
const FREE_MEMBERS: u64 = 64;
/// A member costs a fixed time however little it holds.
const BYTES_PER_MEMBER: u64 = 256;

/// A content coding that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// None.
    Identity,
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 7932; large windows are not part of it.
    Brotli,
    /// RFC 8878, any number of frames, with the window limit of RFC 9659.
    Zstd,
}

/// A content coding that is not read, or more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("content coding")]
pub struct UnknownCoding;

impl Coding {
    /// What is read, as `Accept-Encoding` says it.
    pub const ACCEPTED: &str = "gzip, br, zstd";

    /// The coding of a message: one, or none.
    ///
    /// # Errors
    /// [`UnknownCoding`] for an unknown coding, several codings, a repeated header.
    pub fn of(headers: &HeaderMap) -> Result<Self, UnknownCoding> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(value) = values.next() else { return Ok(Self::Identity) };
        if values.next().is_some() {
            return Err(UnknownCoding);
        }
        Self::named(value.as_bytes())
    }

    /// The coding of a name. Names are compared without case, `x-gzip` is gzip (RFC 9110 section
    /// 8.4.1.3).
    ///
    /// # Errors
    /// [`UnknownCoding`].
    pub fn named(name: &[u8]) -> Result<Self, UnknownCoding> {
        let name = name.trim_ascii();
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match () {
            () if is("identity") => Ok(Self::Identity),
            () if is("gzip") || is("x-gzip") => Ok(Self::Gzip),
            () if is("br") => Ok(Self::Brotli),
            () if is("zstd") => Ok(Self::Zstd),
            () => Err(UnknownCoding),
        }
    }

    /// Its registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// How much may be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeBounds {
    /// Most decoded bytes.
    pub max_bytes: u64,
    /// Most decoded bytes for each encoded byte, judged from 64 KiB decoded on.
    pub max_ratio: u32,
}

impl DecodeBounds {
    /// At most `max_bytes`, at a ratio of at most 200.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        Self { max_bytes, max_ratio: 200 }
    }
}

/// Why a body was not decoded, or not to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    /// More bytes than allowed.
    #[error("more decoded bytes than allowed")]
    TooLarge,
    /// Expands more than allowed.
    #[error("expands more than allowed")]
    Ratio,
    /// Not what the coding says: broken data, a wrong checksum, a window larger than the coding
    /// allows, members without end.
    #[error("not what its content coding says")]
    Malformed,
    /// Ends early. No bytes at all are not a gzip, brotli or zstd body either.
    #[error("ends before its coding does")]
    Truncated,
    /// Goes on after its end.
    #[error("bytes after the end of the coding")]
    AfterTheEnd,
}

/// Why [`Decoder::push`] stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushError<E> {
    /// The body is not as it should be.
    Coding(CodingError),
    /// The sink took no more.
    Sink(E),
}

/// Decodes one body.
pub struct Decoder {
    coding: Coding,
    bounds: DecodeBounds,
    codec: Codec,
    /// Where pieces are decoded to; allocated with the first one.
    piece: BytesMut,
    encoded: u64,
    decoded: u64,
    members: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Inside a member or frame, or before the first.
    Open,
    /// As [`State::Open`]; the last piece was full, so that more may come without more input.
    Full,
    /// Exactly at the end of a member or frame, all of it handed out.
    Ended,
    Failed(CodingError),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("coding", &self.coding)
            .field("bounds", &self.bounds)
            .field("encoded", &self.encoded)
            .field("decoded", &self.decoded)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder at the beginning of a body.
    #[must_use]
    pub fn new(coding: Coding, bounds: DecodeBounds) -> Self {
        Self {
            coding,
            bounds,
            codec: Codec::new(coding),
            piece: BytesMut::new(),
            encoded: 0,
            decoded: 0,
            members: 1,
            state: State::Open,
        }
    }

    /// Bytes decoded so far.
    #[must_use]
    pub fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Bytes read so far.
    #[must_use]
    pub fn encoded(&self) -> u64 {
        self.encoded
    }

    /// Decodes all of `input`, calling `sink` with pieces of at most 16 KiB; of identity with
    /// `input` itself. Stops when `sink` takes no more.
    ///
    /// # Errors
    /// [`PushError`]; the decoder is of no use afterwards.
    pub fn push<E>(
        &mut self,
        mut input: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), PushError<E>> {
        if self.coding == Coding::Identity {
            self.pass(input.len()).map_err(PushError::Coding)?;
            return sink(input).map_err(PushError::Sink);
        }
        let mut piece = self.take_piece();
        loop {
            let written = self.step(&mut input, &mut piece).map_err(PushError::Coding)?;
            if written == 0 {
                self.piece = piece;
                return Ok(());
            }
            sink(piece.get(..written).unwrap_or_default()).map_err(PushError::Sink)?;
        }
    }

    /// Takes from `input` what one piece needs and gives that piece, of at most 16 KiB; of
    /// identity all of `input`, not copied. `None` when `input` is used up and nothing is left to
    /// hand out: only then is the next input to be taken.
    ///
    /// # Errors
    /// [`CodingError`], and the same one ever after.
    pub fn next_piece(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, CodingError> {
        if self.coding == Coding::Identity {
            self.pass(input.len())?;
            let all = std::mem::take(input);
            return Ok(Some(all).filter(|all| !all.is_empty()));
        }
        let mut piece = self.take_piece();
        let mut rest: &[u8] = input;
        let written = self.step(&mut rest, &mut piece)?;
        let left = rest.len();
        bytes::Buf::advance(input, input.len() - left);
        if written == 0 {
            self.piece = piece;
            return Ok(None);
        }
        let decoded = piece.split_to(written).freeze();
        self.piece = piece;
        Ok(Some(decoded))
    }

    /// Decodes into `out`, moving `input` on, and gives the number of bytes written. 0 when
    /// `input` is used up and nothing is left to hand out.
    ///
    /// # Errors
    /// [`CodingError`], and the same one ever after.
    pub fn step(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, CodingError> {
        let outcome = self.try_step(input, out);
        if let Err(error) = outcome {
            self.state = State::Failed(error);
        }
        outcome
    }

    /// Says that the body is over.
    ///
    /// # Errors
    /// [`CodingError::Truncated`] when its coding is not, or the error of before.
    pub fn finish(&mut self) -> Result<(), CodingError> {
        match self.state {
            State::Failed(error) => Err(error),
            State::Ended => Ok(()),
            State::Open | State::Full if self.coding == Coding::Identity => Ok(()),
            State::Open | State::Full => Err(CodingError::Truncated),
        }
    }

    fn try_step(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, CodingError> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Failed(error) => return Err(error),
                State::Open | State::Ended if input.is_empty() => return Ok(0),
                State::Ended => self.begin_member(input)?,
                State::Open | State::Full => {}
            }
            let progress = self.codec.step(input, out).map_err(|codec::Broken| {
                // A second member that never was one is something else after the first.
                let in_head = self.members > 1 && self.codec.is_at_head();
                if in_head { CodingError::AfterTheEnd } else { CodingError::Malformed }
            })?;
            let stuck = progress.read == 0 && progress.written == 0 && !progress.ended;
            if stuck && !input.is_empty() && self.state != State::Full {
                return Err(CodingError::Malformed);
            }
            *input = input.get(progress.read..).unwrap_or_default();
            self.state = match progress {
                codec::Progress { ended: true, .. } => State::Ended,
                codec::Progress { written, .. } if written == out.len() => State::Full,
                codec::Progress { .. } => State::Open,
            };
            self.count(progress.read, progress.written)?;
            if progress.written > 0 {
                return Ok(progress.written);
            }
        }
    }

    /// Something follows the end of a member: another one, or what has no business there.
    fn begin_member(&mut self, input: &[u8]) -> Result<(), CodingError> {
        if !input.first().is_some_and(|first| self.codec.may_begin(*first)) {
            return Err(CodingError::AfterTheEnd);
        }
        // SECURITY: members that hold next to nothing would cost more time than their bytes.
        if self.members > FREE_MEMBERS + self.decoded / BYTES_PER_MEMBER {
            return Err(CodingError::Malformed);
        }
        self.members += 1;
        self.codec.begin_member();
        Ok(())
    }

    fn pass(&mut self, bytes: usize) -> Result<(), CodingError> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        let outcome = self.count(bytes, bytes);
        if let Err(error) = outcome {
            self.state = State::Failed(error);
        }
        outcome
    }

    fn count(&mut self, read: usize, written: usize) -> Result<(), CodingError> {
        let long = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.encoded = self.encoded.saturating_add(long(read));
        self.decoded = self.decoded.saturating_add(long(written));
        let max = self.bounds.max_bytes;
        if self.decoded > max || self.encoded > max.saturating_add(ENCODED_SLACK) {
            return Err(CodingError::TooLarge);
        }
        let allowed = self.encoded.saturating_mul(u64::from(self.bounds.max_ratio));
        if self.coding != Coding::Identity && self.decoded > RATIO_FROM && self.decoded > allowed {
            return Err(CodingError::Ratio);
        }
        Ok(())
    }

    fn take_piece(&mut self) -> BytesMut {
        let mut piece = std::mem::take(&mut self.piece);
        piece.resize(PIECE_BYTES, 0);
        piece
    }
}

#[cfg(test)]
mod tests;
