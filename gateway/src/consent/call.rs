//! What every call has in common: who makes it, its body, and how it is answered.

use std::{future::Future, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest as _, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use lienthong_consent::registry::RegistryError;
use lienthong_evidence::entry::{Action, Administration, Name, OperatorRole};
use lienthong_model::reason::ReasonCode;
use lienthong_store::ledger::Idempotency;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Consents,
    caller::{Caller, Collector},
};
use crate::{gateway::Gateway, operator, refusal::Refusal};

/// Longest body of a call.
pub(super) const MAX_BODY: usize = 64 << 10;

/// What calls act on.
#[derive(Clone, Debug)]
pub struct Api {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// Its consents.
    pub consents: Arc<Consents>,
}

/// A call: what it is made to, and by whom.
#[derive(Debug)]
pub struct Call {
    /// What it acts on.
    pub api: Api,
    /// Who makes it.
    pub caller: Caller,
    /// Its headers.
    pub headers: HeaderMap,
}

/// SECURITY: without a caller, whom the listener puts there, no call is answered.
impl FromRequestParts<Api> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Response> {
        let headers = parts.headers.clone();
        match parts.extensions.get::<Caller>().cloned() {
            Some(caller) => Ok(Self { api: api.clone(), caller, headers }),
            None => {
                let refusal = Refusal::new(ReasonCode::OperatorUnknown);
                Err(operator::refused("", &refusal, &headers).into_response())
            }
        }
    }
}

impl Call {
    /// The collector that calls.
    ///
    /// # Errors
    /// `operator.unknown`, `operator.role`.
    pub fn collector(&self) -> Result<&Collector, Refusal> {
        self.caller.collector()
    }

    /// Counts the call and tells who made it how it ended.
    pub fn told(&self, name: &'static str, answer: Result<Response, Refusal>) -> Response {
        let (outcome, mut response) = match answer {
            Ok(response) => ("done", response),
            Err(refusal) => {
                let outcome = if refusal.reason.status() < 500 { "refused" } else { "failed" };
                (outcome, self.refused(&refusal))
            }
        };
        self.api.consents.metrics().call(name, outcome);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// What somebody is told who is refused, with the articles that the policies name for it.
    fn refused(&self, refusal: &Refusal) -> Response {
        let snapshot = self.api.gateway.snapshot();
        let cites = refusal.cites(&snapshot.policies).cloned().unwrap_or_default();
        let who = self.caller.name();
        operator::refused_citing(who, refusal, &self.headers, &cites.into()).into_response()
    }

    /// Reads a body of this form.
    ///
    /// # Errors
    /// `request.media_type`, `request.too_large`, `request.timeout`, `request.malformed`.
    pub async fn read<T: DeserializeOwned>(&self, request: Request) -> Result<T, Refusal> {
        let bytes = self.body(request).await?;
        serde_json::from_slice(&bytes).map_err(|error| malformed(&error))
    }

    /// Reads a body.
    ///
    /// # Errors
    /// `request.media_type`, `request.too_large`, `request.timeout`.
    pub async fn body(&self, request: Request) -> Result<Bytes, Refusal> {
        let media = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|value| value.split(';').next()).map(str::trim);
        if !media.is_some_and(|media| media.eq_ignore_ascii_case("application/json")) {
            return Err(Refusal::new(ReasonCode::RequestMediaType));
        }
        let reading = Bytes::from_request(request, &());
        let read = tokio::time::timeout(self.api.gateway.limits().body, reading).await;
        let read = read.map_err(|_| Refusal::new(ReasonCode::RequestTimeout))?;
        read.map_err(|_| Refusal::new(ReasonCode::RequestTooLarge))
    }

    /// What a request may be repeated under; its key, with what it asks for.
    ///
    /// # Errors
    /// `request.header` when the key has another form.
    pub fn idempotency(&self, asks: &[u8]) -> Result<Option<Idempotency>, Refusal> {
        let wrong = || Refusal::named(ReasonCode::RequestHeader, "idempotency-key");
        let mut values = self.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = value.to_str().ok().filter(|key| is_key(key) && values.next().is_none());
        let key = key.ok_or_else(wrong)?;
        let consents = &self.api.consents;
        // SECURITY: keyed, because what was asked for could be guessed from a plain hash.
        Ok(Some(Idempotency {
            key: consents.keyed("idempotency:key", &format!("{} {key}", self.caller.name())),
            request: consents.keyed("idempotency:request", &hex(digest(&SHA256, asks).as_ref())),
        }))
    }

    /// The revision that a change is meant for.
    ///
    /// # Errors
    /// `request.header` when it has another form.
    pub fn expected(&self) -> Result<Option<u64>, Refusal> {
        let wrong = || Refusal::named(ReasonCode::RequestHeader, "if-match");
        let mut values = self.headers.get_all(header::IF_MATCH).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        let digits = text.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(Some).ok_or_else(wrong)
    }

    /// Puts on record what a collector is about to look at.
    ///
    /// # Errors
    /// `evidence.unavailable`: then it must not be shown.
    pub async fn looked<'a>(
        &'a self,
        action: Action,
        fill: impl FnOnce(&mut Administration<'a>),
    ) -> Result<(), Refusal> {
        let name = Name::of_operator(self.caller.name());
        let name = name.ok_or_else(|| Refusal::new(ReasonCode::GatewayInternal))?;
        let evidence = self.api.gateway.evidence();
        evidence.administer(action, (name, OperatorRole::Collector), fill).await.map(drop)
    }
}

/// Does something to its end, whether or not who asked for it still waits: a change that is given
/// up half-way would put the registry in doubt.
///
/// # Errors
/// What it refuses with, and `gateway.internal` when it breaks off.
pub(super) async fn to_its_end<T: Send + 'static>(
    consents: &Consents,
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let done = consents.spawn(work).await;
    done.map_err(|error| Refusal::caused(ReasonCode::GatewayInternal, error))?
}

/// A refusal of the registry.
pub(super) fn refusal(error: RegistryError) -> Refusal {
    Refusal::caused(error.reason(), error)
}

/// An answer in JSON, with the revision of what it shows.
pub(super) fn shown(status: StatusCode, revision: u64, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A body that is no strict JSON of its form. What is unknown is not named: whatever stands there could
/// be anything.
pub(super) fn malformed(error: &serde_json::Error) -> Refusal {
    let told = error.to_string();
    let begins = |with: &str| told.starts_with(with);
    let what = match error.classify() {
        serde_json::error::Category::Data if begins("unknown field") => "unknown member",
        serde_json::error::Category::Data if begins("missing field") => "missing member",
        serde_json::error::Category::Data if begins("duplicate field") => "duplicate member",
        serde_json::error::Category::Data => "member",
        _ => "body",
    };
    Refusal::named(ReasonCode::RequestMalformed, what)
}

/// How many to give at most: as asked for, within bounds.
///
/// # Errors
/// `request.schema`.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Refusal> {
    const MOST: u32 = 100;
    const USUAL: u32 = 50;
    let wrong = || Refusal::named(ReasonCode::RequestSchema, "limit");
    let limit = asked.unwrap_or(USUAL);
    (1..=MOST).contains(&limit).then_some(limit).ok_or_else(wrong)
}

fn is_key(key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    (8..=128).contains(&key.len()) && key.bytes().all(plain)
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a text.
pub(super) fn sha256(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = digest(&SHA256, text.as_bytes());
    hash.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

/// What base 64 for addresses, without padding, stands for.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// No such call.
pub(super) async fn not_found(call: Call) -> Response {
    let answer = Err(Refusal::new(ReasonCode::OperatorNotFound));
    call.told("other", answer)
}

/// No such method of a call.
pub(super) async fn not_allowed(call: Call) -> Response {
    let mut response = call.told("other", Err(Refusal::new(ReasonCode::RequestMethod)));
    // Which methods there are, the router tells.
    response.headers_mut().remove(header::ALLOW);
    response
}
