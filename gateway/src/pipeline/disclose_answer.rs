//! Lets through what of the answer the agreement names, masked as it says. One pass. Of a whole
//! answer a violation anywhere means that nothing is disclosed; of one that streams, nothing from the
//! failing element on.

mod stream;
mod terms;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use lienthong_disclosure::Tally;
use lienthong_evidence::entry::Subject;
use lienthong_model::reason::{ReasonCode, Side};
use lienthong_policy::Media;

pub use self::stream::DisclosedStream;
use self::terms::Terms;
use super::{
    decide::Permitted,
    validate_answer::{Body, ValidAnswer},
};
use crate::{
    gateway::Gateway,
    refusal::Refusal,
    snapshot::{AnswerView, Snapshot},
};

/// What the consumer may see.
pub struct Disclosed {
    pub(super) status: StatusCode,
    /// The type of its body, when it has one.
    pub(super) content_type: HeaderValue,
    pub(super) body: DisclosedBody,
    pub(super) request: Tally,
    pub(super) answer: Tally,
    /// Whether the body is JSON.
    pub(super) is_json: bool,
    /// Whom a whole answer is about.
    pub(super) subjects: Vec<Subject>,
}

/// The body that the consumer may see.
pub(super) enum DisclosedBody {
    /// There is none.
    Empty,
    /// All of it.
    Whole(Bytes),
    /// To be taken as it comes.
    Stream(Box<DisclosedStream>),
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

/// Discloses an answer; of one that streams, its beginning.
///
/// # Errors
/// `provider.malformed`, `provider.schema`, `provider.too_large`, `provider.timeout`.
pub async fn disclose_answer(
    gateway: &Arc<Gateway>,
    snapshot: &Arc<Snapshot>,
    permitted: &Permitted,
    answer: ValidAnswer,
) -> Result<Disclosed, Refusal> {
    let ValidAnswer { status, body, request_tally: request } = answer;
    let route = permitted.route();
    let code = status.as_u16();
    let declared = route.operation.answers.get(&code);
    let essence = declared.and_then(|answer| answer.media.essence()).unwrap_or_default();
    let mut content_type = HeaderValue::from_static(essence);
    let mut tally = Tally::default();
    let about = route.views.subjects.get(&code);
    let mut subjects = Vec::new();
    let body = match (permitted.views().answers.get(&code), body) {
        (Some(AnswerView::Whole(_)), Body::Whole(body, named)) => {
            let about_whom = (code, about.map(AsRef::as_ref));
            let views = permitted.basis.of_whole(&route.views, about_whom, &body)?;
            // Less may pass than was known before the answer came, not even this status.
            let Some(AnswerView::Whole(view)) = views.answers.get(&code) else {
                return Err(Refusal::named(ReasonCode::ConsentNotGiven, "answer"));
            };
            let passed = view
                .disclose(named.as_ref(), &body, &route.pseudonymiser)
                .map_err(|violation| Refusal::violation(Side::Provider, violation))?;
            if let Some(about) = about {
                subjects = about.whole(&permitted.request.persons.key, &body);
            }
            tally = passed.tally;
            content_type = passed.content_type;
            DisclosedBody::Whole(passed.body)
        }
        (Some(AnswerView::Stream(view)), Body::Stream(answer)) => {
            let terms = Terms::new(gateway, snapshot, permitted, code);
            // PERF: boxed, so that an exchange without a stream is not as large as one with it.
            let about = (about, permitted.basis.judge(code, about));
            let stream = Box::pin(DisclosedStream::begin(*answer, view, about, terms)).await?;
            DisclosedBody::Stream(Box::new(stream))
        }
        _ => DisclosedBody::Empty,
    };
    let is_json = declared.is_some_and(|answer| answer.media == Media::Json);
    Ok(Disclosed { status, content_type, body, request, answer: tally, is_json, subjects })
}
