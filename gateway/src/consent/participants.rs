//! What participants are told: notices about people whose data they received, and what they did.
//!
//! A participant comes with its ordinary certificate, and sees its own notices and no others. Who a
//! notice is about is opened from its seal for that participant alone.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, Request, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use lienthong_consent::{
    notice::{Cause, Handled, NoticeId, NoticeRecord, Notices},
    registry::Registry,
    rights::{
        RightKind,
        duty::{Done, Numbered},
    },
    state::Action,
};
use lienthong_model::reason::ReasonCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{self, Api, Call, shown, to_its_end},
    page::{self, next, put, put_some},
    rights::refusal,
};
use crate::refusal::Refusal;

/// Which page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

/// What a participant did.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    handled: String,
}

/// The calls.
pub(super) fn calls() -> Router<Api> {
    Router::new()
        .route("/v1/participant/notices", get(list))
        .route("/v1/participant/notices/{id}/acknowledge", post(acknowledge))
}

/// What the participant has to act on.
async fn list(call: Call, page: Result<Query<Page>, QueryRejection>) -> Response {
    let answer = async {
        let participant = &call.caller.participant()?.participant.id;
        let wrong = |_| Refusal::named(ReasonCode::RequestSchema, "query");
        let Query(Page { after, limit }) = page.map_err(wrong)?;
        let limit = call::limit(limit)?;
        let registry = call.api.consents.registry()?;
        let notices = Notices::new(registry.store());
        let found = notices.of_participant(participant, after, limit).await.map_err(refusal)?;
        let mut views = Vec::with_capacity(found.len());
        for kept in &found {
            views.push(view(registry, kept).await?);
        }
        let next = next(limit, found.len(), found.last().map(|kept| kept.revision));
        Ok(page::page("notices", views, next))
    };
    let answer = answer.await;
    call.told("participant_notices", answer)
}

/// The participant says what it did.
async fn acknowledge(call: Call, Path(id): Path<String>, request: Request) -> Response {
    let answer = async {
        let participant = call.caller.participant()?.participant.id.clone();
        let sent: Sent = call.read(request).await?;
        let wrong = || Refusal::named(ReasonCode::RequestSchema, "handled");
        let handled = Handled::from_word(&sent.handled).ok_or_else(wrong)?;
        let unknown = || Refusal::new(ReasonCode::ConsentUnknown);
        let id = NoticeId::parse(&id).ok_or_else(unknown)?;
        let consents = &call.api.consents;
        let doing = Arc::clone(consents);
        let work = async move {
            let registry = doing.registry()?;
            let notices = Notices::new(registry.store());
            let done = notices.acknowledge(&participant, id, handled, registry.now()).await;
            let done = done.map_err(refusal)?;
            if let Done::Now(kept) = &done {
                doing.written(kept.revision).await?;
            }
            Ok(done.kept().clone())
        };
        let kept = to_its_end(consents, work).await?;
        let view = view(consents.registry()?, &kept).await?;
        Ok(shown(StatusCode::OK, kept.revision, view))
    };
    let answer = answer.await;
    call.told("participant_acknowledge", answer)
}

/// What its participant is shown of a notice.
async fn view(registry: &Registry, kept: &Numbered<NoticeRecord>) -> Result<Value, Refusal> {
    let record = &kept.record;
    let person = registry.unseal(record.id.sealing(), &record.data_subject);
    let person = person.map_err(|e| Refusal::caused(ReasonCode::GatewayInternal, e))?;
    let mut view = json!({
        "id": record.id,
        "revision": kept.revision,
        "what": what(record.cause),
        "data_subject": { "kind": person.kind(), "value": person.expose() },
        "service": record.service,
        "exchanges": {
            "count": record.exchanges.count,
            "first_at": record.exchanges.first_at,
            "last_at": record.exchanges.last_at,
        },
        "told_at": record.opened_at,
        "due": record.due,
        "acknowledged": record.acknowledged.is_some(),
    });
    match record.cause {
        Cause::Consent { id, .. } => {
            let consent = registry.record(id).await.map_err(call::refusal)?.record;
            put(&mut view, "consent", json!(id));
            put(&mut view, "purpose", json!(consent.scope.purpose));
        }
        Cause::Right { id, .. } => put(&mut view, "request", json!(id)),
    }
    let done = record.acknowledged.as_ref();
    put_some(&mut view, "acknowledged_at", done.map(|done| json!(done.at)));
    put_some(&mut view, "handled", done.map(|done| json!(done.done)));
    Ok(view)
}

/// What has happened, in one word.
fn what(cause: Cause) -> &'static str {
    match cause {
        Cause::Consent { action: Action::Restrict, .. }
        | Cause::Right { kind: RightKind::Restrict, .. } => "restricted",
        Cause::Consent { action: Action::Object, .. }
        | Cause::Right { kind: RightKind::Object, .. } => "objected",
        Cause::Right { kind: RightKind::Correct, .. } => "corrected",
        Cause::Right { kind: RightKind::Delete, .. } => "deleted",
        // Nobody is told of anything else.
        Cause::Consent { .. } | Cause::Right { .. } => "withdrawn",
    }
}
