//! Looking at records: one, its history, those of a person.

use axum::{
    Json,
    extract::{Path, Request},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use lienthong_consent::{
    identifier::Identifier,
    keys::SubjectDigest,
    record::ConsentId,
    registry::{Kept, Past},
    statement::StatementError,
};
use lienthong_evidence::entry::Action;
use lienthong_model::reason::ReasonCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{self, Call, refusal, shown},
    page::{next, page},
};
use crate::{evidence::Person, refusal::Refusal};

/// Most events of a history.
const MOST_EVENTS: u32 = 100;

/// Who is looked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    data_subject: SentIdentifier,
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

/// A person who is looked for, which is on record, and which page.
pub(super) struct Looked {
    /// The person, as the registry knows one.
    pub(super) subject: SubjectDigest,
    /// Behind which revision the page begins.
    pub(super) after: u64,
    /// How much is on it at most.
    pub(super) limit: u32,
}

impl Search {
    /// Checks what is asked, and puts on record that it is.
    ///
    /// # Errors
    /// `request.schema`, `evidence.unavailable`.
    pub(super) async fn recorded(&self, call: &Call) -> Result<Looked, Refusal> {
        let limit = call::limit(self.limit)?;
        let person = self.data_subject.checked()?;
        let consents = &call.api.consents;
        let named = Person { kind: person.kind(), identifier: person.expose() };
        let now = consents.registry()?.now();
        let digest = call.api.gateway.evidence().subject(now, named)?;
        call.looked(Action::Search, |entry| entry.subject = Some(digest)).await?;
        let subject = consents.digest(person.kind(), person.expose());
        Ok(Looked { subject, after: self.after, limit })
    }
}

/// An identifier as it is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SentIdentifier {
    kind: String,
    value: String,
}

impl SentIdentifier {
    /// The identifier, checked.
    ///
    /// # Errors
    /// `request.schema`.
    pub(super) fn checked(&self) -> Result<Identifier, Refusal> {
        let checked = Identifier::new(&self.kind, &self.value, "data_subject");
        checked.map_err(|StatementError { reason, field }| Refusal::named(reason, field))
    }
}

/// The record of an id, as far as the collector may know of it.
///
/// # Errors
/// `consent.unknown`, `facts.unavailable`.
pub(super) async fn kept(call: &Call, id: &str) -> Result<Kept, Refusal> {
    let unknown = || Refusal::new(ReasonCode::ConsentUnknown);
    let collector = call.collector()?;
    let id = ConsentId::parse(id).ok_or_else(unknown)?;
    let kept = call.api.consents.registry()?.record(id).await.map_err(refusal)?;
    // SECURITY: what is of others looks like what is not there.
    collector.serves(&kept.record.scope.service).then_some(kept).ok_or_else(unknown)
}

/// One record.
pub(super) async fn show(call: Call, Path(id): Path<String>) -> Response {
    let answer = kept(&call, &id).await;
    let answer = answer
        .map(|Kept { record, revision }| shown(StatusCode::OK, revision, record.view(revision)));
    call.told("show", answer)
}

/// What happened to a record.
pub(super) async fn history(call: Call, Path(id): Path<String>) -> Response {
    let answer = async {
        let id = kept(&call, &id).await?.record.id;
        let past = call.api.consents.registry()?.history(id, MOST_EVENTS).await;
        let past = past.map_err(refusal)?;
        let events: Vec<Value> = past.iter().map(event).collect();
        Ok(Json(json!({ "id": id, "history": events })).into_response())
    };
    let answer = answer.await;
    call.told("history", answer)
}

fn event(past: &Past) -> Value {
    let Past { revision, event, record } = past;
    let mut told = json!({
        "revision": revision,
        "action": event.action,
        "at": event.at,
        "state": record.state,
    });
    if let (Some(by), Some(members)) = (&event.by, told.as_object_mut()) {
        members.insert("collector".to_owned(), json!(by.collector));
        members.insert("channel".to_owned(), json!(by.channel));
    }
    told
}

/// The records of a person.
pub(super) async fn search(call: Call, request: Request) -> Response {
    let answer = async {
        let collector = call.collector()?;
        let search: Search = call.read(request).await?;
        let Looked { subject, after, limit } = search.recorded(&call).await?;
        let registry = call.api.consents.registry()?;
        let found = registry.list(&subject, after, limit).await.map_err(refusal)?;
        let next = next(limit, found.len(), found.last().map(|kept| kept.revision));
        let may = found.iter().filter(|kept| collector.serves(&kept.record.scope.service));
        let views: Vec<Value> = may.map(|kept| kept.record.view(kept.revision)).collect();
        Ok(page("consent_records", views, next))
    };
    let answer = answer.await;
    call.told("search", answer)
}
