//! Reads bodies, whole or as they come, bounded in bytes and time, and decodes their content coding.
//! The only place that does.

use std::{convert::Infallible, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use lienthong_model::reason::ReasonCode;
use tokio::time::Instant;

use super::admit::Admitted;
use crate::{
    coding::{Coding, CodingError, DecodeBounds, Decoder, PushError},
    media,
    provider::ProviderBody,
    refusal::Refusal,
};

/// A request body within its bounds; not yet looked at.
#[derive(Debug)]
pub struct Body(Bytes);

impl Body {
    pub(super) fn bytes(&self) -> &Bytes {
        &self.0
    }
}

/// Reads the request body of an admitted request.
///
/// # Errors
/// `request.media_type`, `request.too_large`, `request.timeout`, `request.malformed`.
pub async fn read(
    incoming: Incoming,
    admitted: &Admitted,
    deadline: Duration,
) -> Result<Body, Refusal> {
    let routed = &admitted.routed;
    let expected = routed.route.operation.request.as_ref();
    let expects_body = expected.is_some();
    if !expects_body && incoming.is_end_stream() {
        return Ok(Body(Bytes::new()));
    }
    let mut coding = Coding::Identity;
    if let Some(expected) = expected {
        let unknown = || Refusal::new(ReasonCode::RequestMediaType);
        let named = routed.content_type.as_ref().ok_or_else(unknown)?;
        if !media::is_named(named, expected.media) {
            return Err(unknown());
        }
        coding =
            routed.coding.map_err(|error| Refusal::caused(ReasonCode::RequestMediaType, error))?;
    }
    let limit = if expects_body { routed.route.operation.request_limit } else { 0 };
    let refuse = |error| match error {
        ReadError::TooLarge if !expects_body => {
            Refusal::named(ReasonCode::RequestMediaType, "no body is declared")
        }
        ReadError::TooLarge => Refusal::new(ReasonCode::RequestTooLarge),
        ReadError::Timeout => Refusal::new(ReasonCode::RequestTimeout),
        ReadError::Broken(error) => Refusal::caused(ReasonCode::RequestMalformed, error),
        ReadError::Coding(error @ (CodingError::TooLarge | CodingError::Ratio)) => {
            Refusal::caused(ReasonCode::RequestTooLarge, error)
        }
        ReadError::Coding(error) => Refusal::caused(ReasonCode::RequestMalformed, error),
    };
    whole(incoming, coding, limit, deadline).await.map(Body).map_err(refuse)
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    TooLarge,
    Timeout,
    Broken(hyper::Error),
    Coding(CodingError),
}

/// Reads and decodes at most `limit` bytes before `deadline`; the bound holds before decoding and
/// after it.
pub(super) async fn whole(
    incoming: impl http_body::Body<Data = Bytes, Error = hyper::Error> + Unpin,
    coding: Coding,
    limit: usize,
    deadline: Duration,
) -> Result<Bytes, ReadError> {
    let encoded = bounded(incoming, limit, deadline).await?;
    if coding == Coding::Identity { Ok(encoded) } else { decoded(&encoded, coding, limit) }
}

/// Reads at most `limit` bytes before `deadline`.
pub(crate) async fn bounded(
    mut incoming: impl http_body::Body<Data = Bytes, Error = hyper::Error> + Unpin,
    limit: usize,
    deadline: Duration,
) -> Result<Bytes, ReadError> {
    let announced = incoming.size_hint().lower();
    if usize::try_from(announced).map_or(true, |n| n > limit) {
        return Err(ReadError::TooLarge);
    }
    let whole = async {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame.map_err(ReadError::Broken)?.into_data() else { continue };
            if first.len() + rest.len() + data.len() > limit {
                return Err(ReadError::TooLarge);
            }
            // PERF: a body of one frame is not copied.
            if first.is_empty() && rest.is_empty() {
                first = data;
            } else {
                if rest.is_empty() {
                    rest.extend_from_slice(&first);
                    first = Bytes::new();
                }
                rest.extend_from_slice(&data);
            }
        }
        Ok(if rest.is_empty() { first } else { rest.freeze() })
    };
    tokio::time::timeout(deadline, whole).await.map_err(|_| ReadError::Timeout)?
}

fn decoded(encoded: &[u8], coding: Coding, limit: usize) -> Result<Bytes, ReadError> {
    let bounds = DecodeBounds::new(u64::try_from(limit).unwrap_or(u64::MAX));
    let mut decoder = Decoder::new(coding, bounds);
    let mut whole = BytesMut::new();
    let pushed = decoder.push(encoded, |piece| {
        whole.extend_from_slice(piece);
        Ok::<(), Infallible>(())
    });
    match pushed {
        Ok(()) => {}
        Err(PushError::Coding(error)) => return Err(ReadError::Coding(error)),
    }
    decoder.finish().map_err(ReadError::Coding)?;
    Ok(whole.freeze())
}

/// The body of a provider as it comes.
pub(super) struct Chunks {
    body: ProviderBody,
    input: Bytes,
    decoder: Decoder,
    silence: Duration,
    ends: Instant,
    /// Since when the provider is waited for.
    waiting: Option<Instant>,
    ended: bool,
}

impl Chunks {
    /// Reads `body` until `ends`, with no silence of the provider longer than `silence`.
    pub(super) fn new(
        body: ProviderBody,
        coding: Coding,
        silence: Duration,
        ends: Instant,
    ) -> Self {
        // The elements have bounds of their own; here the ratio is what counts.
        let decoder = Decoder::new(coding, DecodeBounds::new(u64::MAX));
        let input = Bytes::new();
        Self { body, input, decoder, silence, ends, waiting: None, ended: false }
    }

    /// The next decoded bytes; none after the last. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        loop {
            let piece = self.decoder.next_piece(&mut self.input).map_err(ReadError::Coding)?;
            if piece.is_some() || self.ended {
                return Ok(piece);
            }
            let since = *self.waiting.get_or_insert_with(Instant::now);
            let deadline = self.ends.min(since + self.silence);
            let frame = tokio::time::timeout_at(deadline, self.body.frame()).await;
            self.waiting = None;
            match frame.map_err(|_| ReadError::Timeout)? {
                Some(frame) => {
                    let frame = frame.map_err(ReadError::Broken)?;
                    self.input = frame.into_data().unwrap_or_default();
                }
                None => {
                    self.decoder.finish().map_err(ReadError::Coding)?;
                    self.ended = true;
                }
            }
        }
    }
}
