//! Requests of data subjects and notices to participants, as entries of kind `right`.

use lienthong_consent::{
    clocks::end_of,
    notice::{Cause, NoticeEvent, NoticeRecord},
    registry::Happened,
    rights::{RightEvent, RightKind, RightRecord, Step},
    state::Action,
};
use lienthong_evidence::entry::{self, Article, ExchangeId, RightAction};
use lienthong_model::reason::ReasonCode;
use lienthong_policy::operator::GATEWAY;
use uuid::Uuid;

use crate::{
    evidence::{Evidence, Person, RightStep},
    refusal::Refusal,
};

/// Writes the entry of something that happened to a request or a notice.
///
/// # Errors
/// `evidence.unavailable`.
pub(super) async fn write(
    evidence: &Evidence,
    happened: &Happened,
    subject: Person<'_>,
) -> Result<(), Refusal> {
    let step = match happened {
        Happened::Consent(_) | Happened::Lost { .. } => return Ok(()),
        Happened::Right { revision, event, record } => right(*revision, event, record, subject)?,
        Happened::Notice { revision, event, record } => notice(*revision, event, record, subject),
    };
    evidence.right(step).await.map(drop)
}

fn right<'a>(
    revision: u64,
    event: &'a RightEvent,
    record: &'a RightRecord,
    subject: Person<'a>,
) -> Result<RightStep<'a>, Refusal> {
    let articles = match &event.step {
        Some(Step::Refuse { cites, .. }) => {
            let article = Article::new(cites.instrument(), cites.article());
            let wrong = || Refusal::named(ReasonCode::EvidenceUnavailable, "article");
            vec![article.ok_or_else(wrong)?]
        }
        _ => Vec::new(),
    };
    Ok(RightStep {
        action: action(event.step.as_ref()),
        articles,
        consent: record.about.consent.map(|id| uuid(id.as_bytes())),
        due: record.next_due().map(end_of),
        operator: event.by.as_str(),
        participant: None,
        request: uuid(record.id.as_bytes()),
        revision,
        right: kind(record.kind),
        service: record.about.service.as_ref(),
        subject,
    })
}

fn notice<'a>(
    revision: u64,
    event: &'a NoticeEvent,
    record: &'a NoticeRecord,
    subject: Person<'a>,
) -> RightStep<'a> {
    let (consent, right) = match record.cause {
        Cause::Consent { id, action } => (Some(uuid(id.as_bytes())), right_of(action)),
        Cause::Right { kind: of, .. } => (None, kind(of)),
    };
    let (action, due) = match event {
        NoticeEvent::Open { .. } => (RightAction::Notify, Some(end_of(record.due))),
        NoticeEvent::Acknowledge(_) => (RightAction::Confirm, None),
    };
    RightStep {
        action,
        articles: Vec::new(),
        consent,
        due,
        operator: GATEWAY,
        participant: Some(&record.participant),
        request: uuid(record.id.as_bytes()),
        revision,
        right,
        service: Some(&record.service),
        subject,
    }
}

fn action(step: Option<&Step>) -> RightAction {
    match step {
        None => RightAction::Receive,
        Some(Step::Acknowledge {}) => RightAction::Acknowledge,
        Some(Step::Extend { .. }) => RightAction::Extend,
        Some(Step::Fulfil {}) => RightAction::Fulfil,
        Some(Step::Refuse { .. }) => RightAction::Refuse,
        // Without a participant: everybody has been told.
        Some(Step::Tell { .. }) => RightAction::Notify,
    }
}

fn kind(kind: RightKind) -> entry::RightKind {
    match kind {
        RightKind::Withdraw => entry::RightKind::Withdraw,
        RightKind::View => entry::RightKind::View,
        RightKind::Correct => entry::RightKind::Correct,
        RightKind::Delete => entry::RightKind::Delete,
        RightKind::Restrict => entry::RightKind::Restrict,
        RightKind::Object => entry::RightKind::Object,
    }
}

/// No notice is of another action than these.
fn right_of(action: Action) -> entry::RightKind {
    match action {
        Action::Restrict => entry::RightKind::Restrict,
        Action::Object => entry::RightKind::Object,
        _ => entry::RightKind::Withdraw,
    }
}

fn uuid(bytes: &[u8; 16]) -> ExchangeId {
    Uuid::from_bytes(*bytes).into()
}
