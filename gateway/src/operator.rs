//! Who administers or watches: certificate to operator, and what each role allows.
//!
//! Takes a verified peer, or the local socket; gives an [`Actor`], which says whether it may do a
//! [`Task`] and records what it does. What nobody said a role may do, it may not.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use http_body_util::Full;
use lienthong_evidence::entry::{Action, Administration, Name, OperatorRole as Recorded};
use lienthong_model::{clock::civil_date, reason::ReasonCode, text::Language};
use lienthong_policy::{
    Operator,
    operator::{LOCAL, OperatorRole},
};
use tracing::info;
use uuid::Uuid;

use crate::{
    gateway::Gateway,
    listen::{ListenSettings, Peer},
    record::Cites,
    refusal::Refusal,
    xroad,
};

/// Who does something.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Whoever opens the gateway's socket: its user, or root.
    Local,
    /// An operator of the policies, by its certificate.
    Operator(Arc<Operator>),
}

/// What someone wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Look at health, readiness and metrics.
    Observe,
    /// Read checkpoints and hashes of the log.
    Hashes,
    /// Read entries of the log as they are.
    Entries,
    /// Put the files anew in force.
    Reload,
    /// End the gateway.
    Drain,
    /// Ask how an exchange ended.
    Why,
    /// Search the log, export from it, prove.
    Search,
    /// Make and destroy keys.
    Keys,
}

/// Whether a role allows a task.
fn allows(role: OperatorRole, task: Task) -> bool {
    use OperatorRole as Role;
    match task {
        Task::Observe => true,
        Task::Hashes => matches!(role, Role::Monitor | Role::Auditor),
        Task::Entries => role == Role::Auditor,
        Task::Reload | Task::Drain => role == Role::Operator,
        Task::Why => matches!(role, Role::Operator | Role::Compliance | Role::Auditor),
        Task::Search => matches!(role, Role::Compliance | Role::Auditor),
        // They are files of the machine.
        Task::Keys => false,
    }
}

impl Actor {
    /// The operator that a certificate proves, in force today.
    ///
    /// # Errors
    /// `consumer.certificate_*`, `consumer.revocation_unknown`, `operator.unknown`,
    /// `operator.not_in_force`.
    pub fn of(gateway: &Gateway, peer: &Peer) -> Result<Self, Refusal> {
        let now = gateway.clock().now();
        gateway.trust().standing(&peer.certificate, now).map_err(Refusal::new)?;
        let operator = in_force(gateway, peer).map_err(Refusal::new)?;
        Ok(Self::Operator(operator))
    }

    /// Whether it may do this.
    ///
    /// # Errors
    /// `operator.role`.
    pub fn may(&self, task: Task) -> Result<(), Refusal> {
        match self {
            Self::Local => Ok(()),
            Self::Operator(operator) if allows(operator.role, task) => Ok(()),
            Self::Operator(_) => Err(Refusal::new(ReasonCode::OperatorRole)),
        }
    }

    /// Its name in entries and in the log.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Local => LOCAL,
            Self::Operator(operator) => operator.id.as_str(),
        }
    }

    /// Puts what it is about to do on record, waits until that is durable, and gives the entry's
    /// index.
    ///
    /// # Errors
    /// `evidence.unavailable`: then it must not be done.
    pub async fn record<'a>(
        &'a self,
        gateway: &'a Gateway,
        action: Action,
        fill: impl FnOnce(&mut Administration<'a>),
    ) -> Result<u64, Refusal> {
        let role = match self {
            Self::Local => Some(Recorded::Local),
            Self::Operator(operator) => match operator.role {
                OperatorRole::Operator => Some(Recorded::Operator),
                OperatorRole::Compliance => Some(Recorded::Compliance),
                OperatorRole::Auditor => Some(Recorded::Auditor),
                OperatorRole::ConsentCollector => Some(Recorded::Collector),
                // It does nothing that is recorded.
                OperatorRole::Monitor => None,
            },
        };
        let role = role.ok_or_else(|| Refusal::new(ReasonCode::OperatorRole))?;
        let name = Name::of_operator(self.name());
        let name = name.ok_or_else(|| Refusal::new(ReasonCode::GatewayInternal))?;
        let receipt = gateway.evidence().administer(action, (name, role), fill).await?;
        Ok(receipt.index())
    }
}

fn in_force(gateway: &Gateway, peer: &Peer) -> Result<Arc<Operator>, ReasonCode> {
    let snapshot = gateway.snapshot();
    let operator =
        snapshot.identities.operator(&peer.certificate).ok_or(ReasonCode::OperatorUnknown)?;
    let today = civil_date(gateway.clock().now());
    let in_force = operator.in_force(today);
    in_force.then(|| Arc::clone(operator)).ok_or(ReasonCode::OperatorNotInForce)
}

/// Whether a connected peer may still ask.
///
/// # Errors
/// `operator.unknown`, `operator.not_in_force`.
pub fn standing(gateway: &Gateway, peer: &Peer) -> Result<(), ReasonCode> {
    in_force(gateway, peer).map(drop)
}

/// Settings of a listener that only a few operators use.
#[must_use]
pub fn listen_settings(address: std::net::SocketAddr, max_connections: usize) -> ListenSettings {
    ListenSettings {
        workers: 1,
        max_connections,
        max_handshakes: 64,
        max_streams: 16,
        drain: Duration::from_secs(5),
        ..ListenSettings::new(address)
    }
}

/// The language someone wants.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let header = headers.get(header::ACCEPT_LANGUAGE);
    header.and_then(|v| v.to_str().ok()).map(Language::negotiate).unwrap_or_default()
}

/// Tells someone, and the log, why not.
pub(crate) fn refused(who: &str, refusal: &Refusal, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let id = Uuid::new_v4().to_string();
    let (reason, cause) = (refusal.reason.as_str(), refusal.cause.to_string());
    info!(target: "operator", request_id = id, operator = who, reason, cause, "refused");
    let mut response = refusal.response(&id, &Cites::default(), language(headers));
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(xroad::REQUEST_ID, id);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
