//! Reads bodies: whole, bounded in bytes and time. The only place that does.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use lienthong_model::reason::ReasonCode;

use super::admit::Admitted;
use crate::refusal::Refusal;

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
    let expects_body = routed.route.operation.request.is_some();
    if !expects_body && incoming.is_end_stream() {
        return Ok(Body(Bytes::new()));
    }
    if expects_body {
        let json = routed.content_type.as_ref().is_some_and(is_json);
        if !json || !is_identity(routed.content_encoding.as_ref()) {
            return Err(Refusal::new(ReasonCode::RequestMediaType));
        }
    }
    let limit = if expects_body { routed.route.operation.request_limit } else { 0 };
    let refuse = |error| match error {
        ReadError::TooLarge if !expects_body => {
            Refusal::named(ReasonCode::RequestMediaType, "no body is declared")
        }
        ReadError::TooLarge => Refusal::new(ReasonCode::RequestTooLarge),
        ReadError::Timeout => Refusal::new(ReasonCode::RequestTimeout),
        ReadError::Broken(error) => Refusal::caused(ReasonCode::RequestMalformed, error),
    };
    bounded(incoming, limit, deadline).await.map(Body).map_err(refuse)
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    TooLarge,
    Timeout,
    Broken(hyper::Error),
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

/// `application/json`, with no parameter but `charset=utf-8`.
pub(super) fn is_json(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json")
        && parts.all(|part| {
            part.eq_ignore_ascii_case("charset=utf-8")
                || part.eq_ignore_ascii_case("charset=\"utf-8\"")
        })
}

/// Whether no content coding stands between the bytes and the JSON.
pub(super) fn is_identity(coding: Option<&HeaderValue>) -> bool {
    coding.is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The content coding of an answer.
pub(super) fn content_encoding(headers: &http::HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::CONTENT_ENCODING)
}
