//! The calls that do or tell something. Each goes: may this actor, is the call well formed, put it on
//! record, do it.
//!
//! While the log takes nothing, a call is refused, but for one: a drain only takes away, so it is
//! done, and the failure stands in the log file.

use axum::{
    Json,
    body::Bytes,
    extract::{
        FromRequestParts, Path as UrlPath, Query,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use lienthong_evidence::entry::{Action, ExchangeId, KeyedDigest, Period, Why};
use lienthong_model::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;
use tracing::error;

use super::Admin;
use crate::{
    operator::{self, Actor, Task},
    record::ShortHash,
    refusal::Refusal,
};

/// What may be said with a call that needs nothing else.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    why: Option<String>,
}

/// What a command line tool is about to do with the log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Announced {
    action: String,
    why: String,
    subject: Option<String>,
    from_ms: Option<u64>,
    until_ms: Option<u64>,
    key: Option<String>,
    exchange: Option<String>,
    count: Option<u64>,
}

type Read = Result<Bytes, BytesRejection>;

fn malformed(part: &'static str) -> Refusal {
    Refusal::named(ReasonCode::RequestMalformed, part)
}

fn body(read: Read) -> Result<Bytes, Refusal> {
    read.map_err(|_| Refusal::new(ReasonCode::RequestTooLarge))
}

impl Said {
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(bytes).map_err(|_| malformed("why"))
    }

    fn why(&self) -> Result<Option<Why<'_>>, Refusal> {
        let why = self.why.as_deref();
        why.map(|text| Why::new(text).ok_or_else(|| malformed("why"))).transpose()
    }
}

/// A call: what it is made to, and by whom.
pub(super) struct Call {
    admin: Admin,
    actor: Actor,
    headers: HeaderMap,
}

/// SECURITY: without an actor, which the listener puts there, no call is answered.
impl FromRequestParts<Admin> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Response> {
        let headers = parts.headers.clone();
        match parts.extensions.get::<Actor>().cloned() {
            Some(actor) => Ok(Self { admin: admin.clone(), actor, headers }),
            None => {
                let refusal = Refusal::new(ReasonCode::OperatorUnknown);
                Err(operator::refused("", &refusal, &headers).into_response())
            }
        }
    }
}

impl Call {
    /// Counts the call and tells who made it how it ended.
    fn told(&self, action: &'static str, answer: Result<Response, Refusal>) -> Response {
        let (outcome, response) = match answer {
            Ok(response) => ("done", response),
            Err(refusal) => {
                let outcome = if refusal.reason.status() < 500 { "refused" } else { "failed" };
                let response = operator::refused(self.actor.name(), &refusal, &self.headers);
                (outcome, response.into_response())
            }
        };
        self.admin.gateway.metrics().operators.administration(action, outcome);
        response
    }
}

/// Puts the files anew in force.
pub(super) async fn reload(call: Call, read: Read) -> Response {
    let Call { admin, actor, .. } = &call;
    let answer = async {
        actor.may(Task::Reload)?;
        let said = Said::read(&body(read)?)?;
        let why = said.why()?;
        actor.record(&admin.gateway, Action::Reload, |entry| entry.why = why).await?;
        Ok(match admin.reload().await {
            Ok(()) => {
                let hash = ShortHash::of(&admin.gateway.snapshot().policies.hash);
                Json(json!({ "reloaded": true, "snapshot": hash })).into_response()
            }
            Err(mistakes) => {
                let body = json!({ "reloaded": false, "mistakes": mistakes });
                (StatusCode::CONFLICT, Json(body)).into_response()
            }
        })
    };
    let answer = answer.await;
    call.told("reload", answer)
}

/// Ends the gateway after what is in flight.
pub(super) async fn drain(call: Call, read: Read) -> Response {
    let Call { admin, actor, .. } = &call;
    let answer = async {
        actor.may(Task::Drain)?;
        let said = Said::read(&body(read)?)?;
        let why = said.why()?;
        let recorded = actor.record(&admin.gateway, Action::Drain, |entry| entry.why = why).await;
        if let Err(refusal) = &recorded {
            let (name, reason) = (actor.name(), refusal.reason.as_str());
            error!(target: "operator", operator = name, reason, "drain is not on record");
        }
        admin.drain.send_replace(true);
        Ok(Json(json!({ "draining": true, "recorded": recorded.is_ok() })).into_response())
    };
    let answer = answer.await;
    call.told("drain", answer)
}

/// How an exchange ended. That it was asked is on record, whether or not it is still remembered.
pub(super) async fn why(
    call: Call,
    UrlPath(request_id): UrlPath<String>,
    said: Result<Query<Said>, QueryRejection>,
) -> Response {
    let Call { admin, actor, .. } = &call;
    let answer = async {
        actor.may(Task::Why)?;
        let not_found = || Refusal::new(ReasonCode::OperatorNotFound);
        let exchange = ExchangeId::parse(&request_id).ok_or_else(not_found)?;
        let said = said.map(|Query(said)| said).map_err(|_| malformed("why"))?;
        let why = said.why()?;
        let record = actor.record(&admin.gateway, Action::Why, |entry| {
            entry.exchange = Some(exchange);
            entry.why = why;
        });
        record.await?;
        let found = admin.gateway.recent().find(&request_id).ok_or_else(not_found)?;
        Ok(Json(found).into_response())
    };
    let answer = answer.await;
    call.told("why", answer)
}

/// Puts on record what a command line tool is about to do with the log or its keys.
pub(super) async fn administration(call: Call, read: Read) -> Response {
    let Call { admin, actor, .. } = &call;
    let answer = async {
        // Who may announce nothing learns nothing of what can be announced.
        if actor.may(Task::Search).is_err() {
            actor.may(Task::Keys)?;
        }
        let announced: Announced =
            serde_json::from_slice(&body(read)?).map_err(|_| malformed("body"))?;
        let (task, action) = announced.action()?;
        actor.may(task)?;
        let why = Why::new(&announced.why).ok_or_else(|| malformed("why"))?;
        let subject = given(announced.subject.as_deref(), "subject", KeyedDigest::parse)?;
        let exchange = given(announced.exchange.as_deref(), "exchange", ExchangeId::parse)?;
        let key = given(announced.key.as_deref(), "key", Period::new)?;
        let record = actor.record(&admin.gateway, action, |entry| {
            entry.why = Some(why);
            entry.subject = subject;
            entry.exchange = exchange;
            entry.key = key;
            entry.from_ms = announced.from_ms;
            entry.until_ms = announced.until_ms;
            entry.count = announced.count;
        });
        let index = record.await?;
        Ok(Json(json!({ "recorded": true, "index": index })).into_response())
    };
    let answer = answer.await;
    call.told("announce", answer)
}

impl Announced {
    /// What is announced, and what one must be allowed for it. What the gateway does by itself it
    /// also records by itself.
    fn action(&self) -> Result<(Task, Action), Refusal> {
        Ok(match self.action.as_str() {
            "search" => (Task::Search, Action::Search),
            "export" => (Task::Search, Action::Export),
            "prove" => (Task::Search, Action::Prove),
            "reveal" => (Task::Search, Action::Reveal),
            "quality_release" => (Task::Search, Action::QualityRelease),
            "archive" => (Task::Keys, Action::Archive),
            "key_new" => (Task::Keys, Action::KeyNew),
            "key_rotate" => (Task::Keys, Action::KeyRotate),
            "key_destroy" => (Task::Keys, Action::KeyDestroy),
            "package_create" => (Task::Keys, Action::PackageCreate),
            "package_receive" => (Task::Keys, Action::PackageReceive),
            "package_refuse" => (Task::Keys, Action::PackageRefuse),
            "package_close" => (Task::Keys, Action::PackageClose),
            _ => return Err(malformed("action")),
        })
    }
}

/// A value that may be missing, and must be well formed when it is there.
fn given<'a, T>(
    text: Option<&'a str>,
    name: &'static str,
    parse: impl FnOnce(&'a str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    text.map(|text| parse(text).ok_or_else(|| malformed(name))).transpose()
}

/// No such call.
pub(super) async fn not_found(headers: HeaderMap) -> Response {
    operator::refused("", &Refusal::new(ReasonCode::OperatorNotFound), &headers).into_response()
}

/// No such method of a call.
pub(super) async fn not_allowed(headers: HeaderMap) -> Response {
    let refused = operator::refused("", &Refusal::new(ReasonCode::RequestMethod), &headers);
    let mut response = refused.into_response();
    // Which methods there are, the router tells.
    response.headers_mut().remove(header::ALLOW);
    response
}
