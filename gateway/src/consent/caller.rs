//! Who calls the consent listener: a certificate to a collector, an operator or a participant.

use std::{collections::BTreeSet, sync::Arc};

use lienthong_consent::statement::Channel;
use lienthong_model::{
    clock::civil_date,
    id::{ParticipantId, ServiceId},
    reason::ReasonCode,
};
use lienthong_policy::{self as policy, Operator, ParticipantStatus};

use crate::{gateway::Gateway, listen::Peer, refusal::Refusal, snapshot::Identity};

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Somebody who collects consents.
    Collector(Collector),
    /// An operator in another role.
    Operator(Arc<Operator>),
    /// A participant, for itself.
    Participant(Arc<Identity>),
    /// Somebody whose certificate a trust anchor vouches for, and nobody else.
    Stranger,
}

/// A collector in force.
#[derive(Debug, Clone)]
pub struct Collector {
    operator: Arc<Operator>,
    collects: policy::Collector,
}

impl Caller {
    /// Who this certificate proves.
    ///
    /// # Errors
    /// `consumer.certificate_*`, `consumer.revocation_unknown`, `operator.not_in_force`,
    /// `consumer.suspended`.
    pub fn of(gateway: &Gateway, peer: &Peer) -> Result<Self, Refusal> {
        let now = gateway.clock().now();
        gateway.trust().standing(&peer.certificate, now).map_err(Refusal::new)?;
        let snapshot = gateway.snapshot();
        if let Some(operator) = snapshot.identities.operator(&peer.certificate) {
            if !operator.in_force(civil_date(now)) {
                return Err(Refusal::new(ReasonCode::OperatorNotInForce));
            }
            let operator = Arc::clone(operator);
            return Ok(match operator.collector.clone() {
                Some(collects) => Self::Collector(Collector { operator, collects }),
                None => Self::Operator(operator),
            });
        }
        match snapshot.identities.by_certificate(&peer.certificate) {
            Some(identity) if identity.participant.status == ParticipantStatus::Active => {
                Ok(Self::Participant(Arc::clone(identity)))
            }
            Some(_) => Err(Refusal::new(ReasonCode::ConsumerSuspended)),
            None => Ok(Self::Stranger),
        }
    }

    /// Its name in the log.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Collector(collector) => collector.name(),
            Self::Operator(operator) => operator.id.as_str(),
            Self::Participant(identity) => identity.participant.id.as_str(),
            Self::Stranger => "",
        }
    }

    /// The collector that it is.
    ///
    /// # Errors
    /// `operator.unknown`, `operator.role`.
    pub fn collector(&self) -> Result<&Collector, Refusal> {
        match self {
            Self::Collector(collector) => Ok(collector),
            Self::Operator(_) => Err(Refusal::new(ReasonCode::OperatorRole)),
            Self::Participant(_) | Self::Stranger => Err(Refusal::new(ReasonCode::OperatorUnknown)),
        }
    }

    /// The participant that it is.
    ///
    /// # Errors
    /// `operator.role`, `consumer.unknown`.
    pub fn participant(&self) -> Result<&Arc<Identity>, Refusal> {
        match self {
            Self::Participant(identity) => Ok(identity),
            Self::Collector(_) | Self::Operator(_) => Err(Refusal::new(ReasonCode::OperatorRole)),
            Self::Stranger => Err(Refusal::new(ReasonCode::ConsumerUnknown)),
        }
    }
}

impl Collector {
    /// Its name in entries and in records.
    #[must_use]
    pub fn name(&self) -> &str {
        self.operator.id.as_str()
    }

    /// The operator that it is.
    #[must_use]
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// The participant that it is part of.
    #[must_use]
    pub fn participant(&self) -> &ParticipantId {
        &self.collects.participant
    }

    /// The services that it acts for.
    #[must_use]
    pub fn services(&self) -> &BTreeSet<ServiceId> {
        &self.collects.services
    }

    /// Whether it may see and change what is of this service.
    #[must_use]
    pub fn serves(&self, service: &ServiceId) -> bool {
        self.collects.services.contains(service)
    }

    /// Whether people speak to it over this channel.
    ///
    /// # Errors
    /// `consent.collector`.
    pub fn hears(&self, channel: Channel) -> Result<(), Refusal> {
        let heard = self.collects.channels.iter().any(|known| known.as_str() == channel.as_str());
        let refused = || Refusal::named(ReasonCode::ConsentCollector, "channel");
        heard.then_some(()).ok_or_else(refused)
    }

    /// Whether it may collect for this service.
    ///
    /// # Errors
    /// `consent.collector`.
    pub fn may(&self, service: &ServiceId) -> Result<(), Refusal> {
        let refused = || Refusal::named(ReasonCode::ConsentCollector, "service");
        self.serves(service).then_some(()).ok_or_else(refused)
    }
}
