//! Who asks: certificate to participant, and whom it acts for. Runs for every request, so that a
//! revocation or suspension counts on a connection that is already open.

use std::sync::Arc;

use http::HeaderValue;
use jiff::Timestamp;
use lienthong_model::{clock::civil_date, id::ParticipantId, reason::ReasonCode};
use lienthong_policy::{ParticipantKind, ParticipantStatus};
use uuid::Uuid;

use super::edge::Received;
use crate::{
    gateway::Gateway,
    lgsp::Bearer,
    listen::Peer,
    refusal::Refusal,
    snapshot::{Identity, Snapshot},
    xroad::{Message, SubsystemAddress},
};

/// The participant that asks, and the intermediary that carries the request, if one does.
#[derive(Debug)]
pub struct Consumer {
    acting: Arc<Identity>,
    via: Option<ParticipantId>,
    message: Arc<Message>,
    token: Option<Uuid>,
}

impl Consumer {
    /// The participant whose agreements count.
    #[must_use]
    pub fn acting(&self) -> &ParticipantId {
        &self.acting.participant.id
    }

    /// The participant with its limiter.
    #[must_use]
    pub fn identity(&self) -> &Arc<Identity> {
        &self.acting
    }

    /// The intermediary whose certificate was shown.
    #[must_use]
    pub fn via(&self) -> Option<&ParticipantId> {
        self.via.as_ref()
    }

    /// The id of the bearer token that was shown.
    #[must_use]
    pub fn token(&self) -> Option<Uuid> {
        self.token
    }

    /// The message headers.
    #[must_use]
    pub fn message(&self) -> &Arc<Message> {
        &self.message
    }
}

/// The participant that a certificate proves, in good standing.
///
/// # Errors
/// `consumer.certificate_*`, `consumer.revocation_unknown`, `consumer.unknown`,
/// `consumer.suspended`.
pub fn proven<'a>(
    gateway: &Gateway,
    snapshot: &'a Snapshot,
    peer: &Peer,
    now: Timestamp,
) -> Result<&'a Arc<Identity>, Refusal> {
    gateway.trust().standing(&peer.certificate, now).map_err(Refusal::new)?;
    let shown = snapshot
        .identities
        .by_certificate(&peer.certificate)
        .ok_or_else(|| Refusal::new(ReasonCode::ConsumerUnknown))?;
    in_good_standing(shown)?;
    Ok(shown)
}

/// Identifies the consumer by its certificate; a token or a header only narrows it.
///
/// # Errors
/// `consumer.certificate_*`, `consumer.unknown`, `consumer.suspended`, `consumer.token_*`,
/// `consumer.mismatch`, `request.header`.
pub fn identify(
    gateway: &Gateway,
    snapshot: &Snapshot,
    peer: &Peer,
    received: &Received,
    now: Timestamp,
) -> Result<Consumer, Refusal> {
    let shown = proven(gateway, snapshot, peer, now)?;
    let (headers, certificate) = (received.headers(), &peer.certificate.sha256);
    let bearer = match &snapshot.lgsp {
        Some(lgsp) => lgsp.bearer(headers, &shown.participant.id, certificate, now)?,
        None => None,
    };
    let message = Message::read(headers, bearer.as_ref().map(Bearer::client_header))?;
    let (acting, subsystem) = named(snapshot, &message.client_header, now)?;
    let (named, mismatch) = (&acting.participant, || Refusal::new(ReasonCode::ConsumerMismatch));
    // A token and a header that are both sent name the same subsystem.
    if let Some(bearer) = &bearer
        && (named.id != shown.participant.id || subsystem != bearer.acts_as().subsystem)
    {
        return Err(mismatch());
    }
    let via = if named.id == shown.participant.id {
        None
    } else {
        match &shown.participant.kind {
            ParticipantKind::Intermediary { speaks_for } if speaks_for.contains(&named.id) => {
                in_good_standing(acting)?;
                Some(shown.participant.id.clone())
            }
            _ => return Err(mismatch()),
        }
    };
    let token = bearer.map(|bearer| bearer.id());
    Ok(Consumer { acting: Arc::clone(acting), via, message: Arc::new(message), token })
}

/// The participant and subsystem that `X-Road-Client` names.
fn named<'a>(
    snapshot: &'a Snapshot,
    client: &HeaderValue,
    now: Timestamp,
) -> Result<(&'a Arc<Identity>, &'a str), Refusal> {
    let malformed = || Refusal::named(ReasonCode::RequestHeader, "X-Road-Client");
    let mismatch = || Refusal::new(ReasonCode::ConsumerMismatch);
    let text = client.to_str().map_err(|_| malformed())?;
    // PERF: an address as the policies spell it is found as it stands.
    if let Some(known) = snapshot.identities.by_address(text) {
        return Ok(known);
    }
    let address = SubsystemAddress::parse(text).ok_or_else(malformed)?;
    let code = snapshot.identities.by_code(&address.member, civil_date(now));
    let acting = code.ok_or_else(mismatch)?;
    let (member, subsystems) = (&acting.participant.member, &acting.participant.subsystems);
    let subsystem = subsystems.get(&address.subsystem).ok_or_else(mismatch)?;
    if member.instance != address.instance || member.class != address.class {
        return Err(mismatch());
    }
    Ok((acting, subsystem))
}

fn in_good_standing(identity: &Identity) -> Result<(), Refusal> {
    match identity.participant.status {
        ParticipantStatus::Active => Ok(()),
        ParticipantStatus::Suspended => Err(Refusal::new(ReasonCode::ConsumerSuspended)),
    }
}
