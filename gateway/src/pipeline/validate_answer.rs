//! Checks the head of an answer and reads its body: declared status, media type, size, deadline.

use bytes::Bytes;
use http::header;
use lienthong_disclosure::Tally;
use lienthong_model::reason::ReasonCode;
use tokio::time::Instant;

use super::{
    decide::Permitted,
    forward::Answer,
    read::{self, ReadError},
};
use crate::{refusal::Refusal, snapshot::AnswerView};

/// A whole answer of a declared status and media type; its body is not yet looked at.
pub struct ValidAnswer {
    pub(super) status: http::StatusCode,
    pub(super) body: Bytes,
    pub(super) request_tally: Tally,
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
/// `provider.interrupted`.
pub async fn validate_answer(
    permitted: &Permitted,
    answer: Answer,
) -> Result<ValidAnswer, Refusal> {
    let Answer { response, deadline, request_tally, in_flight } = answer;
    let (parts, incoming) = response.into_parts();
    let route = permitted.route();
    let view = route
        .views
        .answers
        .get(&parts.status.as_u16())
        .ok_or_else(|| Refusal::caused(ReasonCode::ProviderRefused, class(parts.status)))?;
    let limit = match view {
        AnswerView::Empty => 0,
        AnswerView::Json(_) => {
            let json = parts.headers.get(header::CONTENT_TYPE).is_some_and(read::is_json);
            if !json || !read::is_identity(read::content_encoding(&parts.headers)) {
                return Err(Refusal::new(ReasonCode::ProviderMediaType));
            }
            route.operation.answer_limit
        }
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let body = read::bounded(incoming, limit, left).await.map_err(|error| match error {
        ReadError::TooLarge => Refusal::new(ReasonCode::ProviderTooLarge),
        ReadError::Timeout => Refusal::new(ReasonCode::ProviderTimeout),
        ReadError::Broken(error) => Refusal::caused(ReasonCode::ProviderInterrupted, error),
    })?;
    drop(in_flight);
    Ok(ValidAnswer { status: parts.status, body, request_tally })
}

/// The status class, which is all that may be told of an undeclared answer.
fn class(status: http::StatusCode) -> String {
    format!("provider answered {}xx, which is not disclosed", status.as_u16() / 100)
}
