//! The X-Road message protocol for REST as an information system speaks it: addresses in paths and
//! headers, message headers, metaservices.
//!
//! Source: X-Road: Message Protocol for REST (PR-REST) and Service Metadata Protocol for REST
//! (PR-MREST). What only a security server can compute (`X-Road-Request-Hash`,
//! `X-Road-Request-Id`) is left out rather than invented.

use http::{HeaderMap, HeaderName, HeaderValue};
use lienthong_model::reason::ReasonCode;

use crate::{path, refusal::Refusal};

/// Version segment of every path.
pub const VERSION: &str = "r1";
/// The subsystem that asks.
pub const CLIENT: HeaderName = HeaderName::from_static("x-road-client");
/// The service that answered.
pub const SERVICE: HeaderName = HeaderName::from_static("x-road-service");
/// The consumer's id of the message.
pub const ID: HeaderName = HeaderName::from_static("x-road-id");
/// The officer for whom the consumer asks.
pub const USER_ID: HeaderName = HeaderName::from_static("x-road-userid");
/// The dossier for which the consumer asks.
pub const ISSUE: HeaderName = HeaderName::from_static("x-road-issue");
/// Where the public reason of a refusal stands.
pub const ERROR: HeaderName = HeaderName::from_static("x-road-error");
/// The coded purpose, where an agreement allows more than one.
pub const PURPOSE: HeaderName = HeaderName::from_static("lienthong-purpose");
/// The gateway's id of the exchange.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("lienthong-request-id");

/// Address of a subsystem: `instance/class/member/subsystem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubsystemAddress {
    /// X-Road instance.
    pub instance: String,
    /// Member class.
    pub class: String,
    /// Member code as the sender spelled it.
    pub member: String,
    /// Subsystem code.
    pub subsystem: String,
}

/// The message headers of a request.
#[derive(Debug, Clone)]
pub struct Message {
    /// Who asks, as it was sent; also for the answer and the provider.
    pub client_header: HeaderValue,
    /// `X-Road-Id`; absent when the consumer sent none.
    pub id: Option<HeaderValue>,
    /// `X-Road-UserId`.
    pub officer: Option<HeaderValue>,
    /// `X-Road-Issue`.
    pub dossier: Option<HeaderValue>,
    /// `Lienthong-Purpose`.
    pub purpose: Option<HeaderValue>,
}

impl Message {
    /// Reads the message headers. Each is single, bounded, and of harmless characters. `proven`
    /// stands for `X-Road-Client` where that is not sent.
    ///
    /// # Errors
    /// `request.header` with the header's name.
    pub fn read(headers: &HeaderMap, proven: Option<&HeaderValue>) -> Result<Self, Refusal> {
        let client_header = single(headers, &CLIENT, "X-Road-Client")?
            .or_else(|| proven.cloned())
            .ok_or_else(|| Refusal::named(ReasonCode::RequestHeader, "X-Road-Client"))?;
        Ok(Self {
            client_header,
            id: bounded(headers, &ID, "X-Road-Id", 128)?,
            officer: bounded(headers, &USER_ID, "X-Road-UserId", 64)?,
            dossier: bounded(headers, &ISSUE, "X-Road-Issue", 64)?,
            purpose: bounded(headers, &PURPOSE, "Lienthong-Purpose", 64)?,
        })
    }
}

/// Parts the address of a service (`instance/class/member/subsystem/service`) from the path behind
/// it, which may be empty.
#[must_use]
pub fn split_address(path: &str) -> Option<(&str, &str)> {
    // PERF: of so short a text each byte is looked at sooner than each slash is searched for.
    let slashes = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
    let mut slashes = slashes.map(|(at, _)| at).skip(3);
    slashes.next()?;
    match slashes.next() {
        Some(at) => Some((path.get(..at)?, path.get(at + 1..)?)),
        None => Some((path, "")),
    }
}

impl SubsystemAddress {
    /// Reads `instance/class/member/subsystem`, each part percent-encoded.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 512 {
            return None;
        }
        let parts = path::segments(&format!("/{text}")).ok()?;
        let [instance, class, member, subsystem] = <[String; 4]>::try_from(parts).ok()?;
        Some(Self { instance, class, member, subsystem })
    }
}

fn single(
    headers: &HeaderMap,
    name: &HeaderName,
    display: &'static str,
) -> Result<Option<HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().cloned();
    if values.next().is_some() {
        return Err(Refusal::named(ReasonCode::RequestHeader, display));
    }
    Ok(first)
}

fn bounded(
    headers: &HeaderMap,
    name: &HeaderName,
    display: &'static str,
    longest: usize,
) -> Result<Option<HeaderValue>, Refusal> {
    let value = single(headers, name, display)?;
    let harmless = |b: &u8| b.is_ascii_alphanumeric() || b"-._:@/".contains(b);
    match &value {
        Some(v) if v.is_empty() || v.len() > longest || !v.as_bytes().iter().all(harmless) => {
            Err(Refusal::named(ReasonCode::RequestHeader, display))
        }
        _ => Ok(value),
    }
}
