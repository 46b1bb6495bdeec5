//! A stage's "no", and the only map from it to HTTP (RFC 9457 problem details).
//!
//! The consumer gets the public face of the reason and the request id; the log gets the exact
//! reason and its cause. No payload value may be in either.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use lienthong_disclosure::Violation;
use lienthong_model::{
    field::Pointer,
    reason::{ReasonCode, Retry, Side},
    text::Language,
};
use lienthong_policy::{Citation, Decision, Denial, PolicySet};
use serde_json::json;

use crate::{lgsp::GrantError, record::Cites};

/// A refusal: the reason and what led to it.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub reason: ReasonCode,
    /// What led to it.
    pub cause: Cause,
}

/// What led to a refusal.
#[derive(Debug)]
pub enum Cause {
    /// The reason says it all.
    Plain,
    /// A place in a schema, and the rule that it breaks.
    Schema {
        /// Names of the schema only.
        at: Pointer,
        /// The keyword that failed.
        keyword: &'static str,
    },
    /// A header or setting, by name.
    Named(&'static str),
    /// The decision that denied.
    Denied(Arc<Decision>),
    /// A limit that admits again after a wait.
    Wait(Duration),
    /// Why a present LGSP client gets no token.
    Grant(GrantError),
    /// A failure below, for the log only.
    Source(Box<dyn std::error::Error + Send + Sync>),
}

impl Refusal {
    /// A refusal whose reason says it all.
    #[must_use]
    pub fn new(reason: ReasonCode) -> Self {
        Self { reason, cause: Cause::Plain }
    }

    /// A refusal about a header or setting.
    #[must_use]
    pub fn named(reason: ReasonCode, name: &'static str) -> Self {
        Self { reason, cause: Cause::Named(name) }
    }

    /// A refusal with the failure below, which only the log sees.
    pub fn caused(
        reason: ReasonCode,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { reason, cause: Cause::Source(source.into()) }
    }

    /// A refusal of a body or parameter, by the side it came from.
    #[must_use]
    pub fn violation(side: Side, violation: Violation) -> Self {
        use lienthong_disclosure::ViolationKind as V;
        let of_request = side == Side::Consumer;
        let (reason, keyword) = match violation.kind {
            V::TooLarge if of_request => (ReasonCode::RequestTooLarge, "size"),
            V::TooLarge => (ReasonCode::ProviderTooLarge, "size"),
            V::TooDeep if of_request => (ReasonCode::RequestMalformed, "depth"),
            V::InvalidUtf8 if of_request => (ReasonCode::RequestMalformed, "utf-8"),
            V::Malformed if of_request => (ReasonCode::RequestMalformed, "syntax"),
            V::DuplicateKey if of_request => (ReasonCode::RequestMalformed, "duplicate key"),
            V::TooDeep => (ReasonCode::ProviderMalformed, "depth"),
            V::InvalidUtf8 => (ReasonCode::ProviderMalformed, "utf-8"),
            V::Malformed => (ReasonCode::ProviderMalformed, "syntax"),
            V::DuplicateKey => (ReasonCode::ProviderMalformed, "duplicate key"),
            V::Undeclared if of_request => (ReasonCode::RequestUndeclaredField, "undeclared"),
            V::Schema { keyword } if of_request => (ReasonCode::RequestSchema, keyword),
            V::Unfulfillable if of_request => (ReasonCode::DisclosureUnfulfillable, "mask"),
            V::MediaType if of_request => (ReasonCode::RequestMediaType, "media type"),
            V::MediaType => (ReasonCode::ProviderMediaType, "media type"),
            V::Undeclared => (ReasonCode::ProviderSchema, "undeclared"),
            V::Schema { keyword } => (ReasonCode::ProviderSchema, keyword),
            V::Unfulfillable => (ReasonCode::ProviderSchema, "mask"),
        };
        Self { reason, cause: Cause::Schema { at: violation.at, keyword } }
    }

    /// The denial behind the refusal, when a decision denied.
    #[must_use]
    pub fn denial(&self) -> Option<&Denial> {
        match &self.cause {
            Cause::Denied(decision) => match decision.as_ref() {
                Decision::Deny(denial) => Some(denial),
                Decision::Permit(_) => None,
            },
            _ => None,
        }
    }

    /// The articles that the refusal rests on: those of the rule or agreement that denied, else
    /// those that the policies name for the reason the consumer sees.
    #[must_use]
    pub fn cites<'a>(&'a self, policies: &'a PolicySet) -> Option<&'a Arc<[Citation]>> {
        let of_reason = policies.refusals.get(&self.reason.public());
        self.denial().map(|denial| &denial.citations).or(of_reason)
    }

    /// What the consumer may know beyond the title, in `language`.
    fn detail(&self, language: Language) -> Option<String> {
        if self.reason.public() != self.reason {
            return None;
        }
        match &self.cause {
            Cause::Schema { at, keyword } => Some(match language {
                Language::English => format!("`{keyword}` fails at `{}`", display(at)),
                Language::Vietnamese => format!("không đạt `{keyword}` tại `{}`", display(at)),
            }),
            Cause::Named(name) => Some(format!("`{name}`")),
            Cause::Grant(error) => error.part().map(|part| format!("`{part}`")),
            Cause::Denied(_) => {
                let says = self.denial()?.says.as_ref()?;
                Some(says.text(language).to_owned())
            }
            Cause::Wait(_) | Cause::Plain | Cause::Source(_) => None,
        }
    }

    /// The whole seconds after which a retry can succeed.
    fn retry_after(&self) -> Option<u64> {
        match &self.cause {
            Cause::Wait(wait) => Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
            _ if self.reason.retry() == Retry::Later && self.reason.status() >= 429 => Some(1),
            _ => None,
        }
    }

    /// The answer to the consumer.
    #[must_use]
    pub fn response(
        &self,
        request_id: &str,
        cites: &Cites,
        language: Language,
    ) -> Response<Full<Bytes>> {
        let public = self.reason.public();
        let mut problem = json!({
            "type": format!("urn:lienthong:reason:{public}"),
            "title": public.title(language),
            "status": public.status(),
            "reason": public.as_str(),
            "request_id": request_id,
            "cites": cites,
        });
        if let (Some(detail), Some(map)) = (self.detail(language), problem.as_object_mut()) {
            map.insert("detail".to_owned(), detail.into());
        }
        if let (Cause::Grant(error), Some(map)) = (&self.cause, problem.as_object_mut()) {
            map.insert("error".to_owned(), error.code().into());
        }
        let mut response = Response::new(Full::new(Bytes::from(problem.to_string())));
        *response.status_mut() =
            StatusCode::from_u16(public.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json; charset=utf-8"),
        );
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert("x-road-error", HeaderValue::from_static(public.as_str()));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            let limited = matches!(self.cause, Cause::Wait(_));
            let state = HeaderValue::from_str(&format!("\"agreement\";r=0;t={seconds}"));
            if let (true, Ok(state)) = (limited, state) {
                headers.insert("ratelimit", state);
            }
        }
        if self.reason.status() == 405 {
            let allowed = match self.cause {
                Cause::Grant(_) => "POST",
                _ => "GET, POST, PUT, PATCH, DELETE",
            };
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        // RFC 6750 section 3.
        if matches!(public, ReasonCode::ConsumerTokenInvalid | ReasonCode::ConsumerTokenExpired) {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The cause for the log: names and codes, never a value.
impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain => Ok(()),
            Self::Schema { at, keyword } => write!(f, "{keyword} at {}", display(at)),
            Self::Named(name) => f.write_str(name),
            Self::Denied(decision) => match decision.as_ref() {
                Decision::Deny(denial) => match &denial.rule {
                    Some(rule) => write!(f, "rule {rule}"),
                    None => f.write_str("agreement"),
                },
                Decision::Permit(_) => Ok(()),
            },
            Self::Grant(error) => write!(f, "{}: {error}", error.code()),
            Self::Wait(wait) => write!(f, "admits again in {} ms", wait.as_millis()),
            Self::Source(source) => {
                write!(f, "{source}")?;
                let mut below = source.source();
                while let Some(error) = below {
                    write!(f, ": {error}")?;
                    below = error.source();
                }
                Ok(())
            }
        }
    }
}

fn display(at: &Pointer) -> String {
    if at.tokens().is_empty() { "/".to_owned() } else { at.to_string() }
}
