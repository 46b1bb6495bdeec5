//! Gives tokens: a connection sheet in a header, `grant_type=client_credentials` in a form.
//!
//! Takes a request for the token path with the participant that its certificate has proven; gives
//! the answer of RFC 6749 section 5.1. SECURITY: holding a secret against its hash is slow on
//! purpose, so it runs off the event loops, few at a time, and behind limits of the participant
//! (all tries) and of the certificate (wrong ones). Nothing of a secret is kept.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use bytes::Bytes;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use jiff::Timestamp;
use lienthong_model::{id::ParticipantId, reason::ReasonCode};
use lienthong_policy::{Method, SecretHash};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::{
    Client, ConnectionSheet, Lgsp, SheetError,
    failures::Failures,
    token::{Claims, new_id},
};
use crate::{
    config::LgspSettings,
    gateway::Gateway,
    path,
    pipeline::{
        edge::Received,
        read::{self, ReadError},
    },
    refusal::{Cause, Refusal},
    snapshot::Identity,
};

/// Where the connection sheet stands.
const SHEET: HeaderName = HeaderName::from_static("lgspaccesstoken");
const GRANT: &str = "client_credentials";
const FORM: &str = "application/x-www-form-urlencoded";
/// Longest form.
const MAX_FORM: usize = 1_024;
/// How long a request waits for its turn to be checked.
const TURN: Duration = Duration::from_secs(5);

/// Why no token was given, as RFC 6749 section 5.2 tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// A part is missing, repeated or malformed.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// `grant_type` is another.
    #[error("grant_type")]
    UnsupportedGrantType,
    /// The credentials are not those of the certificate's participant.
    #[error("credentials")]
    InvalidClient,
}

impl GrantError {
    /// The value of `error`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidClient => "invalid_client",
        }
    }

    /// The part that is wrong, where telling it tells nothing.
    #[must_use]
    pub fn part(self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest(part) => Some(part),
            Self::UnsupportedGrantType => Some("grant_type"),
            Self::InvalidClient => None,
        }
    }

    fn refusal(self) -> Refusal {
        let reason = match self {
            Self::InvalidRequest(part) if part == SHEET.as_str() => ReasonCode::RequestHeader,
            Self::InvalidRequest(_) | Self::UnsupportedGrantType => ReasonCode::RequestSchema,
            Self::InvalidClient => ReasonCode::ConsumerCredentials,
        };
        Refusal { reason, cause: Cause::Grant(self) }
    }
}

/// Gives tokens. Lives as long as the gateway, so that a reload resets no limit.
pub struct TokenIssuer {
    checks: Arc<Semaphore>,
    tries: DefaultKeyedRateLimiter<ParticipantId>,
    clock: DefaultClock,
    failures: Failures,
}

impl std::fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenIssuer").finish_non_exhaustive()
    }
}

impl TokenIssuer {
    /// An issuer with nothing spent.
    #[must_use]
    pub fn new(settings: &LgspSettings) -> Self {
        let per_minute = NonZeroU32::new(settings.tokens_per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            checks: Arc::new(Semaphore::new(settings.checks_at_once)),
            tries: RateLimiter::keyed(Quota::per_minute(per_minute)),
            clock: DefaultClock::default(),
            failures: Failures::default(),
        }
    }

    /// Answers a request for a token by `participant` with `certificate`.
    ///
    /// # Errors
    /// `consumer.credentials`, `consumer.rate_limited`, `quota.in_flight`, `gateway.overloaded`,
    /// and `request.*` for what is no such request.
    pub async fn issue(
        &self,
        gateway: &Gateway,
        lgsp: &Lgsp,
        (identity, certificate): (&Identity, &[u8; 32]),
        received: &Received,
        incoming: Incoming,
    ) -> Result<(Response<Full<Bytes>>, Uuid), Refusal> {
        let now = gateway.clock().now();
        if received.method() != Method::Post {
            return Err(told(ReasonCode::RequestMethod, "method"));
        }
        let limits = gateway.limits();
        let _place = identity.places.admit(limits.consumer_in_flight)?;
        // The form is small, and some clients take an answer before its end for a broken stream.
        read_form(received, incoming, limits.body).await?;
        self.failures.admit(certificate, now).map_err(wait)?;
        let sheet = read_sheet(received.headers())?;
        self.admit(&identity.participant.id)?;
        let client = lgsp.clients.get(&identity.participant.id);
        match client {
            Some(client) if self.check(client, sheet).await? => {
                self.failures.succeeded(certificate);
                grant(lgsp, client, certificate, gateway.clock().now())
            }
            _ => {
                self.failures.failed(certificate, now);
                Err(GrantError::InvalidClient.refusal())
            }
        }
    }

    /// All tries of a participant count, right ones too: each costs a check.
    fn admit(&self, participant: &ParticipantId) -> Result<(), Refusal> {
        self.tries
            .check_key(participant)
            .map_err(|not_until| wait(not_until.wait_time_from(self.clock.now())))
    }

    /// Whether a sheet is the client's, secret and all.
    async fn check(&self, client: &Client, sheet: ConnectionSheet) -> Result<bool, Refusal> {
        let overloaded = || Refusal::new(ReasonCode::GatewayOverloaded);
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.checks).acquire_owned()).await;
        let turn = turn.map_err(|_| overloaded())?.map_err(|_| overloaded())?;
        let names = sheet.names(&client.sheet);
        let hash = client.sheet.secret.clone();
        let checked = tokio::task::spawn_blocking(move || is_secret(&hash, &sheet, turn)).await;
        let secret =
            checked.map_err(|error| Refusal::caused(ReasonCode::GatewayInternal, error))?;
        // SECURITY: the secret is checked whatever else is wrong, so that time tells nothing.
        Ok(names & secret)
    }
}

/// The turn ends with the check, not with the request: who goes away frees no place early.
fn is_secret(hash: &SecretHash, sheet: &ConnectionSheet, turn: OwnedSemaphorePermit) -> bool {
    let is_of = hash.is_of(&sheet.secret_key);
    drop(turn);
    is_of
}

fn wait(wait: Duration) -> Refusal {
    Refusal { reason: ReasonCode::ConsumerRateLimited, cause: Cause::Wait(wait) }
}

fn read_sheet(headers: &HeaderMap) -> Result<ConnectionSheet, Refusal> {
    let malformed = || GrantError::InvalidRequest(SHEET_NAME).refusal();
    let mut values = headers.get_all(SHEET).iter();
    let value = values.next().ok_or_else(|| GrantError::InvalidClient.refusal())?;
    if values.next().is_some() {
        return Err(malformed());
    }
    ConnectionSheet::from_header(value.as_bytes()).map_err(|_: SheetError| malformed())
}

const SHEET_NAME: &str = "lgspaccesstoken";

/// Reads the form, in which `grant_type` stands once. Other fields mean nothing (RFC 6749 section
/// 3.2), but none may stand twice.
async fn read_form(
    received: &Received,
    incoming: Incoming,
    deadline: Duration,
) -> Result<(), Refusal> {
    let invalid = |part| GrantError::InvalidRequest(part).refusal();
    if !received.query().is_empty() {
        return Err(invalid("query"));
    }
    let headers = received.headers();
    let is_form = headers.get(header::CONTENT_TYPE).is_some_and(is_form);
    if !is_form || headers.contains_key(header::CONTENT_ENCODING) {
        return Err(told(ReasonCode::RequestMediaType, "Content-Type"));
    }
    let body = read::bounded(incoming, MAX_FORM, deadline).await.map_err(|error| match error {
        ReadError::TooLarge => told(ReasonCode::RequestTooLarge, "form"),
        ReadError::Timeout => Refusal::new(ReasonCode::RequestTimeout),
        other => Refusal::caused(ReasonCode::RequestMalformed, format!("{other:?}")),
    })?;
    let form = std::str::from_utf8(&body).ok().and_then(|text| path::query(text).ok());
    let form = form.ok_or_else(|| told(ReasonCode::RequestMalformed, "form"))?;
    let mut fields: Vec<_> = form.iter().collect();
    fields.sort_unstable();
    if fields.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return Err(invalid("form"));
    }
    match fields.iter().find(|(name, _)| *name == "grant_type").map(|(_, value)| *value) {
        Some(GRANT) => Ok(()),
        Some(_) => Err(GrantError::UnsupportedGrantType.refusal()),
        None => Err(invalid("grant_type")),
    }
}

fn told(reason: ReasonCode, part: &'static str) -> Refusal {
    Refusal { reason, cause: Cause::Grant(GrantError::InvalidRequest(part)) }
}

fn is_form(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(FORM))
        && parts.all(|part| part.eq_ignore_ascii_case("charset=utf-8"))
}

/// RFC 6749 section 5.1.
fn grant(
    lgsp: &Lgsp,
    client: &Client,
    certificate: &[u8; 32],
    now: Timestamp,
) -> Result<(Response<Full<Bytes>>, Uuid), Refusal> {
    let internal = |error| Refusal::caused(ReasonCode::GatewayInternal, error);
    let claims = Claims {
        id: new_id().map_err(internal)?,
        issued: now,
        expires: now.saturating_add(lgsp.lifetime).unwrap_or(now),
        certificate: *certificate,
        sheet: client.fingerprint,
    };
    let body = json!({
        "access_token": lgsp.keys.seal(&claims).expose(),
        "token_type": "Bearer",
        "expires_in": lgsp.lifetime.as_secs(),
    });
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    Ok((response, claims.id))
}
