//! Withdrawing, restricting, releasing and objecting.

use std::sync::Arc;

use axum::{
    extract::{Path, Request},
    http::StatusCode,
    response::Response,
};
use lienthong_consent::{
    record::Author,
    registry::{Changed, Request as Asked},
    state::Action,
    statement::Channel,
};
use lienthong_model::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;

use super::{
    call::{Call, refusal, shown, to_its_end},
    look,
};
use crate::refusal::Refusal;

/// What is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    channel: String,
}

/// Withdraws a consent.
pub(super) async fn withdraw(call: Call, id: Path<String>, request: Request) -> Response {
    change(call, id, request, Action::Withdraw).await
}

/// Restricts the processing.
pub(super) async fn restrict(call: Call, id: Path<String>, request: Request) -> Response {
    change(call, id, request, Action::Restrict).await
}

/// Ends a restriction.
pub(super) async fn release(call: Call, id: Path<String>, request: Request) -> Response {
    change(call, id, request, Action::Release).await
}

/// Objects.
pub(super) async fn object(call: Call, id: Path<String>, request: Request) -> Response {
    change(call, id, request, Action::Object).await
}

async fn change(call: Call, id: Path<String>, request: Request, action: Action) -> Response {
    let answer = async {
        let changed = changed(&call, &id, request, action).await?;
        let (id, state) = (changed.record.id, changed.record.state);
        let body = json!({ "id": id, "revision": changed.revision, "state": state });
        Ok(shown(StatusCode::OK, changed.revision, body))
    };
    let answer = answer.await;
    call.told(action.as_str(), answer)
}

async fn changed(
    call: &Call,
    id: &str,
    request: Request,
    action: Action,
) -> Result<Changed, Refusal> {
    let collector = call.collector()?;
    let sent: Sent = call.read(request).await?;
    let channel = Channel::from_word(&sent.channel);
    let channel = channel.ok_or_else(|| Refusal::named(ReasonCode::RequestSchema, "channel"))?;
    let expected = call.expected()?;
    let idempotency =
        call.idempotency(format!("{} {id} {}", action.as_str(), sent.channel).as_bytes())?;
    let id = look::kept(call, id).await?.record.id;
    collector.hears(channel)?;
    let by = Some(Author { collector: collector.operator().id.clone(), channel });
    let asked = Asked { action, expected, by, idempotency };
    let consents = &call.api.consents;
    let doing = Arc::clone(consents);
    let work = async move {
        let changed = doing.registry()?.exercise(id, asked).await.map_err(refusal)?;
        doing.record(changed.revision).await?;
        Ok(changed)
    };
    let done = to_its_end(consents, work).await;
    consents.metrics().change(action.as_str(), if done.is_ok() { "done" } else { "refused" });
    done
}
