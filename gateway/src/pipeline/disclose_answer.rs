//! Lets through what of the answer the agreement names, masked as it says. One pass; a violation
//! anywhere means that nothing is disclosed.

use bytes::Bytes;
use http::StatusCode;
use lienthong_disclosure::Tally;
use lienthong_model::reason::Side;

use super::{decide::Permitted, validate_answer::ValidAnswer};
use crate::{refusal::Refusal, snapshot::AnswerView};

/// What the consumer may see.
pub struct Disclosed {
    pub(super) status: StatusCode,
    pub(super) body: Option<Bytes>,
    pub(super) request: Tally,
    pub(super) answer: Tally,
}

impl std::fmt::Debug for Disclosed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disclosed").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Disclosed {
    /// What passed of the request.
    #[must_use]
    pub fn request_tally(&self) -> &Tally {
        &self.request
    }

    /// What passed of the answer.
    #[must_use]
    pub fn answer_tally(&self) -> &Tally {
        &self.answer
    }

    /// The status that the provider gave and the agreement discloses.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// Discloses an answer.
///
/// # Errors
/// `provider.malformed`, `provider.schema`, `provider.too_large`.
pub fn disclose_answer(permitted: &Permitted, answer: ValidAnswer) -> Result<Disclosed, Refusal> {
    let ValidAnswer { status, body, request_tally: request } = answer;
    let route = permitted.route();
    match route.views.answers.get(&status.as_u16()) {
        Some(AnswerView::Json(view)) => {
            let mut out = Vec::with_capacity(body.len());
            let answer = view
                .disclose(&body, &route.pseudonymiser, &mut out)
                .map_err(|violation| Refusal::violation(Side::Provider, violation))?;
            Ok(Disclosed { status, body: Some(Bytes::from(out)), request, answer })
        }
        _ => Ok(Disclosed { status, body: None, request, answer: Tally::default() }),
    }
}
