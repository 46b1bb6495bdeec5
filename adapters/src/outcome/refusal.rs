//! What a refusal by the gateway means for a message that may change something at a platform.
//!
//! Every reason code has its place, by what it is about and by whether the platform can have seen
//! the message. A code that is new to us means what its status says, on the careful side.

use lienthong_model::reason::ReasonCode as Code;
use serde::Deserialize;

use super::{Outcome, Reason};
use crate::client::Received;

#[derive(Deserialize)]
struct Problem {
    reason: String,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// This message, which was not forwarded.
    Message,
    /// The consent of the person it is about.
    Consent,
    /// Us, the agreement, a limit, the gateway, the platform: any message would fare the same.
    /// Nothing was forwarded.
    Flow,
    /// The same, but told before the platform was asked or after it answered.
    FlowMaybeTaken,
    /// What happened after it was forwarded.
    Afterwards,
}

/// The outcome that an answer with a status of failure stands for.
pub(crate) fn of_refusal(received: &Received) -> Outcome {
    let Some(reason) = reason(received) else {
        return of_status(received, Reason::new("status without a reason"));
    };
    let wait = received.retry_after;
    match reason.as_str().parse().ok().map(about) {
        Some(About::Message) => Outcome::Refused(reason),
        Some(About::Consent) => Outcome::Withheld(reason),
        Some(About::Flow) => Outcome::Unavailable(reason, wait),
        Some(About::FlowMaybeTaken) => Outcome::Uncertain(reason, wait),
        Some(About::Afterwards) => Outcome::Unknown(reason),
        None => of_status(received, reason),
    }
}

fn reason(received: &Received) -> Option<Reason> {
    if !received.is_problem {
        return None;
    }
    let problem: Problem = serde_json::from_slice(&received.body).ok()?;
    Some(Reason::code("", &problem.reason))
}

/// SECURITY: a code we do not know is no proof that the platform has not seen the message, except
/// where the status says that it was turned away for what it is.
fn of_status(received: &Received, reason: Reason) -> Outcome {
    match received.status {
        401 | 403 | 404 | 429 => Outcome::Unavailable(reason, received.retry_after),
        408 | 503 => Outcome::Uncertain(reason, received.retry_after),
        400..=499 => Outcome::Refused(reason),
        _ => Outcome::Unknown(reason),
    }
}

#[expect(clippy::too_many_lines, reason = "one list of every code, none left to a default")]
fn about(code: Code) -> About {
    match code {
        Code::ConsumerUnknown
        | Code::ConsumerSuspended
        | Code::ConsumerCertificateRevoked
        | Code::ConsumerCertificateExpired
        | Code::ConsumerRevocationUnknown
        | Code::ConsumerMismatch
        | Code::ConsumerCredentials
        | Code::ConsumerTokenInvalid
        | Code::ConsumerTokenExpired
        | Code::ConsumerTokenMismatch
        | Code::ConsumerRateLimited
        | Code::QuotaInFlight
        | Code::QuotaDataSubjects
        | Code::QuotaOfficerSubjects
        | Code::QuotaEnumeration
        | Code::QuotaElements
        | Code::QuotaUnavailable
        | Code::ServiceNotAvailable
        | Code::RequestPath
        | Code::RequestMethod
        | Code::RequestTimeout
        | Code::PurposeRequired
        | Code::PurposeNotPermitted
        | Code::AgreementNotYetValid
        | Code::AgreementExpired
        | Code::FactsUnavailable
        | Code::ProviderUnreachable
        | Code::ProviderBusy
        | Code::OperatorUnknown
        | Code::OperatorNotInForce
        | Code::OperatorRole
        | Code::OperatorNotFound
        | Code::GatewayOverloaded => About::Flow,
        // Evidence may fail before the platform is asked or after it answered, an agreement may
        // change in between, and the gateway may end or fail at any point.
        Code::EvidenceUnavailable
        | Code::AgreementChanged
        | Code::GatewayStopping
        | Code::GatewayInternal => About::FlowMaybeTaken,
        Code::RequestHeader
        | Code::RequestMalformed
        | Code::RequestTooLarge
        | Code::RequestMediaType
        | Code::RequestSchema
        | Code::RequestUndeclaredField
        // Whether a message names its officer and dossier depends on its row.
        | Code::AgreementOfficerRequired
        | Code::AgreementDossierRequired
        | Code::PolicyDenied
        | Code::PolicyError
        | Code::DisclosureUnfulfillable
        // Of the consent registry, which no message is sent to: a person must look.
        | Code::ConsentUnknown
        | Code::ConsentState
        | Code::ConsentNoAgreement
        | Code::ConsentNotice
        | Code::ConsentRepresentativeRequired
        | Code::ConsentAccountLevel
        | Code::ConsentOwnFavour
        | Code::ConsentCollector => About::Message,
        Code::ConsentNotGiven
        | Code::ConsentRefused
        | Code::ConsentWithdrawn
        | Code::ConsentExpired
        | Code::ConsentRestricted
        | Code::ConsentObjected
        | Code::ConsentUsed => About::Consent,
        Code::ConsumerGone
        | Code::ProviderTimeout
        | Code::ProviderRefused
        | Code::ProviderInterrupted
        | Code::ProviderTooLarge
        | Code::ProviderMediaType
        | Code::ProviderMalformed
        | Code::ProviderSchema => About::Afterwards,
    }
}

#[cfg(test)]
mod tests;
