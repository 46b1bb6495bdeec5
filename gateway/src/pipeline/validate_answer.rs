//! Checks the head of an answer: declared status, media type, content coding; and reads its body,
//! unless that streams: size, deadline.

use bytes::Bytes;
use http::{HeaderValue, header};
use lienthong_disclosure::Tally;
use lienthong_model::reason::ReasonCode;
use tokio::time::Instant;

use super::{
    decide::Permitted,
    forward::Answer,
    read::{self, Chunks, ReadError},
};
use crate::{
    coding::{Coding, CodingError},
    media,
    provider::InFlight,
    quota::Charge,
    refusal::Refusal,
    snapshot::AnswerView,
};

/// An answer of a declared status and media type; its body is not yet looked at.
pub struct ValidAnswer {
    pub(super) status: http::StatusCode,
    pub(super) body: Body,
    pub(super) request_tally: Tally,
}

/// The body of an answer.
pub(super) enum Body {
    /// All of it, with the type that the provider gives it.
    Whole(Bytes, Option<HeaderValue>),
    /// To be read as it comes; the first of it before the deadline.
    Stream(Box<ProviderStream>),
}

/// The body of an answer that streams, and what is held while it does.
pub(super) struct ProviderStream {
    pub(super) chunks: Chunks,
    pub(super) deadline: Instant,
    pub(super) in_flight: InFlight,
    pub(super) charge: Charge,
}

impl std::fmt::Debug for ValidAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ValidAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Validates the frame of an answer.
///
/// # Errors
/// `provider.refused`, `provider.media_type`, `provider.too_large`, `provider.timeout`,
/// `provider.interrupted`, `provider.malformed`.
pub async fn validate_answer(
    permitted: &Permitted,
    answer: Answer,
) -> Result<ValidAnswer, Refusal> {
    let Answer { response, deadline, request_tally, in_flight, charge } = answer;
    let (parts, incoming) = response.into_parts();
    let route = permitted.route();
    let status = parts.status.as_u16();
    let view = permitted
        .views()
        .answers
        .get(&status)
        .ok_or_else(|| Refusal::caused(ReasonCode::ProviderRefused, class(parts.status)))?;
    let mut coding = Coding::Identity;
    if !matches!(view, AnswerView::Empty) {
        let declared = route.operation.answers.get(&status).map(|answer| answer.media);
        let named = parts.headers.get(header::CONTENT_TYPE);
        if !named.zip(declared).is_some_and(|(named, declared)| media::is_named(named, declared)) {
            return Err(Refusal::new(ReasonCode::ProviderMediaType));
        }
        coding = Coding::of(&parts.headers)
            .map_err(|error| Refusal::caused(ReasonCode::ProviderMediaType, error))?;
    }
    let limit = match view {
        AnswerView::Empty => 0,
        AnswerView::Whole(_) => route.operation.answer_limit,
        AnswerView::Stream(_) => {
            let settings = route.provider.settings();
            let ends = Instant::now() + settings.stream;
            let chunks = Chunks::new(incoming, coding, settings.silence, ends);
            let stream = ProviderStream { chunks, deadline, in_flight, charge };
            let body = Body::Stream(Box::new(stream));
            return Ok(ValidAnswer { status: parts.status, body, request_tally });
        }
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let body = read::whole(incoming, coding, limit, left).await.map_err(provider_fault)?;
    drop(in_flight);
    let content_type = parts.headers.get(header::CONTENT_TYPE).cloned();
    Ok(ValidAnswer { status: parts.status, body: Body::Whole(body, content_type), request_tally })
}

/// The refusal of an answer that could not be read.
pub(super) fn provider_fault(error: ReadError) -> Refusal {
    match error {
        ReadError::TooLarge => Refusal::new(ReasonCode::ProviderTooLarge),
        ReadError::Timeout => Refusal::new(ReasonCode::ProviderTimeout),
        ReadError::Broken(error) => Refusal::caused(ReasonCode::ProviderInterrupted, error),
        ReadError::Coding(error @ (CodingError::TooLarge | CodingError::Ratio)) => {
            Refusal::caused(ReasonCode::ProviderTooLarge, error)
        }
        ReadError::Coding(error) => Refusal::caused(ReasonCode::ProviderMalformed, error),
    }
}

/// The status class, which is all that may be told of an undeclared answer.
fn class(status: http::StatusCode) -> String {
    format!("provider answered {}xx, which is not disclosed", status.as_u16() / 100)
}
