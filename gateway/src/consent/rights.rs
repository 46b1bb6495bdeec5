//! Requests of data subjects: taking them in, and what is done about each until it is answered.
//!
//! A collector acts on requests about services that stand under its name. Every step is durable in
//! the ledger and in the evidence before it is told.

mod look;
mod step;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::Response,
    routing::{get, post},
};
use http::HeaderValue;
use lienthong_consent::{
    record::ConsentId,
    rights::{
        About, Involved, RightId, RightKind, RightRecord, RightRequest, Rights,
        duty::{Done, DutyError, Numbered},
    },
    statement::Channel,
};
use lienthong_model::{id::ServiceId, reason::ReasonCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{self, Api, Call, shown, to_its_end},
    look::SentIdentifier,
    page::put_some,
};
use crate::refusal::Refusal;

/// What is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    data_subject: SentIdentifier,
    right: String,
    channel: String,
    service: Option<String>,
    consent: Option<String>,
    #[serde(default)]
    processor_involved: bool,
}

/// The calls.
pub(super) fn calls() -> Router<Api> {
    Router::new()
        .route("/v1/service/rights-requests", post(receive))
        .route("/v1/service/rights-requests/search", post(look::search))
        .route("/v1/service/rights-requests/due", get(look::due))
        .route("/v1/service/rights-requests/{id}", get(look::show))
        .route("/v1/service/rights-requests/{id}/acknowledge", post(step::acknowledge))
        .route("/v1/service/rights-requests/{id}/extend", post(step::extend))
        .route("/v1/service/rights-requests/{id}/fulfil", post(step::fulfil))
        .route("/v1/service/rights-requests/{id}/refuse", post(step::refuse))
}

/// A refusal of the ledger of requests and notices.
pub(super) fn refusal(error: DutyError) -> Refusal {
    Refusal::caused(error.reason(), error)
}

/// Takes a request in.
async fn receive(call: Call, request: Request) -> Response {
    let answer = async {
        call.collector()?;
        let body = call.body(request).await?;
        let sent: Sent = serde_json::from_slice(&body).map_err(|e| call::malformed(&e))?;
        let idempotency = call.idempotency(&body)?;
        let asked = asked(&call, &sent).await?;
        let consents = &call.api.consents;
        let doing = Arc::clone(consents);
        let work = async move {
            let registry = doing.registry()?;
            let (rights, now) = (Rights::new(registry.store()), registry.now());
            let done = rights.open(asked, now, &doing.settings().holidays, idempotency).await;
            let done = done.map_err(refusal)?;
            if let Done::Now(kept) = &done {
                doing.written(kept.revision).await?;
            }
            Ok(done.kept().clone())
        };
        let kept = to_its_end(consents, work).await?;
        Ok(opened(&kept, consents.registry()?.now()))
    };
    let answer = answer.await;
    call.told("rights_receive", answer)
}

fn opened(kept: &Numbered<RightRecord>, now: jiff::Timestamp) -> Response {
    let mut response = shown(StatusCode::CREATED, kept.revision, view(kept, now));
    let path = format!("/v1/service/rights-requests/{}", kept.record.id);
    if let Ok(path) = HeaderValue::from_str(&path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
    response
}

/// What is asked for, checked.
async fn asked(call: &Call, sent: &Sent) -> Result<RightRequest, Refusal> {
    let wrong = |member| Refusal::named(ReasonCode::RequestSchema, member);
    let collector = call.collector()?;
    let person = sent.data_subject.checked()?;
    let kind = RightKind::from_word(&sent.right).ok_or_else(|| wrong("right"))?;
    let channel = Channel::from_word(&sent.channel).ok_or_else(|| wrong("channel"))?;
    collector.hears(channel)?;
    let consents = &call.api.consents;
    let registry = consents.registry()?;
    let subject = consents.digest(person.kind(), person.expose());
    let service: Option<ServiceId> = match &sent.service {
        Some(service) => Some(service.parse().map_err(|_| wrong("service"))?),
        None => None,
    };
    let about = match &sent.consent {
        Some(id) => {
            let unknown = || Refusal::new(ReasonCode::ConsentUnknown);
            let id = ConsentId::parse(id).ok_or_else(|| wrong("consent"))?;
            let kept = registry.record(id).await.map_err(call::refusal)?;
            let its = kept.record.scope.service;
            // SECURITY: a consent of another person or service looks like one that is not there.
            if kept.record.subject != subject || !collector.serves(&its) {
                return Err(unknown());
            }
            if service.is_some_and(|service| service != its) {
                return Err(wrong("service"));
            }
            About { consent: Some(id), service: Some(its) }
        }
        None => About { consent: None, service: Some(service.ok_or_else(|| wrong("service"))?) },
    };
    about.service.as_ref().map_or(Ok(()), |service| collector.may(service))?;
    let id = RightId::new(registry.now());
    let sealed = registry.seal(id.sealing(), &person);
    Ok(RightRequest {
        id,
        subject,
        data_subject: sealed.map_err(|e| Refusal::caused(ReasonCode::GatewayInternal, e))?,
        kind,
        about,
        channel,
        involved: if sent.processor_involved {
            Involved::OthersToo
        } else {
            Involved::ControllerAlone
        },
        by: collector.operator().id.clone(),
    })
}

/// The request of an id, as far as the collector may know of it.
///
/// # Errors
/// `consent.unknown`, `facts.unavailable`.
async fn kept(call: &Call, id: &str) -> Result<Numbered<RightRecord>, Refusal> {
    let unknown = || Refusal::new(ReasonCode::ConsentUnknown);
    let collector = call.collector()?;
    let id = RightId::parse(id).ok_or_else(unknown)?;
    let registry = call.api.consents.registry()?;
    let kept = Rights::new(registry.store()).record(id).await.map_err(refusal)?;
    let serves = kept.record.about.service.as_ref().is_some_and(|s| collector.serves(s));
    // SECURITY: what is of others looks like what is not there.
    serves.then_some(kept).ok_or_else(unknown)
}

/// What is shown of a request: no identifier and no digest of the person.
fn view(kept: &Numbered<RightRecord>, now: jiff::Timestamp) -> Value {
    let record = &kept.record;
    let mut view = json!({
        "id": record.id,
        "revision": kept.revision,
        "right": record.kind,
        "state": record.state,
        "channel": record.channel,
        "processor_involved": record.involved == Involved::OthersToo,
        "received_at": record.received_at,
        "acknowledge_until": record.due.acknowledge_by,
        "due": record.due.answer_by,
        "extended": record.extended.is_some(),
        "overdue": record.is_overdue(now),
    });
    put_some(&mut view, "service", record.about.service.as_ref().map(|service| json!(service)));
    put_some(&mut view, "consent", record.about.consent.map(|id| json!(id)));
    put_some(&mut view, "acknowledged_at", record.acknowledged_at.map(|at| json!(at)));
    put_some(&mut view, "ended_at", record.answered_at.map(|at| json!(at)));
    put_some(&mut view, "told", record.told.map(|_| json!(!record.is_untold())));
    let refused = record.refusal.as_ref();
    put_some(&mut view, "article", refused.map(|refused| json!(refused.cites)));
    let why = refused.map(|refused| &refused.reason);
    let why = why.or_else(|| record.extended.as_ref().map(|extended| &extended.reason));
    put_some(&mut view, "reason", why.map(|reason| json!(reason)));
    view
}
