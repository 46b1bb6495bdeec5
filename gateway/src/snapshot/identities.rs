//! Who is who: participants by certificate and by member code, operators by certificate.

use std::{collections::HashMap, sync::Arc};

use jiff::civil::Date;
use lienthong_model::id::{OperatorId, ParticipantId, TrustAnchorId};
use lienthong_policy::{
    CertificateMatcher, CertificateRule, DataLimits, Limits, Operator, Participant, PolicySet,
};

use super::Snapshot;
use crate::{
    certificate::PeerCertificate,
    limit::{AgreementLimiter, ConsumerPlaces},
    path,
};

/// Participants by certificate and by member code, operators by certificate.
#[derive(Debug, Default)]
pub struct Identities {
    participants: HashMap<ParticipantId, Arc<Identity>>,
    operators: HashMap<OperatorId, Arc<Operator>>,
    anchors: HashMap<TrustAnchorId, Certified>,
    codes: HashMap<ParticipantId, (ParticipantId, Option<Date>)>,
    by_address: HashMap<String, (Arc<Identity>, String)>,
}

/// Whom the certificates of one trust anchor name.
#[derive(Debug, Default)]
struct Certified {
    by_name: HashMap<String, Holder>,
    by_subject: HashMap<String, Holder>,
    by_key: HashMap<[u8; 32], Holder>,
}

/// Whose certificates look so.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    Participant(ParticipantId),
    Operator(OperatorId),
}

/// A participant and what is limited by participant.
#[derive(Debug)]
pub struct Identity {
    /// The participant.
    pub participant: Participant,
    /// Limits the metaservices, which no agreement covers.
    pub metaservices: Arc<AgreementLimiter>,
    /// Its places in flight, over all its agreements.
    pub places: Arc<ConsumerPlaces>,
}

impl Identities {
    pub(super) fn new(policies: &PolicySet, previous: Option<&Snapshot>) -> Self {
        let mut identities = Self::default();
        let data = DataLimits::default();
        let limits = Limits { burst: 20, per_second: 5.0, in_flight: 4, data };
        for participant in policies.participants.values() {
            let kept = previous.and_then(|p| p.identities.participants.get(&participant.id));
            let metaservices = kept.map_or_else(
                || Arc::new(AgreementLimiter::new(&limits)),
                |identity| Arc::clone(&identity.metaservices),
            );
            let places = kept.map(|identity| Arc::clone(&identity.places)).unwrap_or_default();
            let code = participant.member.code.clone();
            identities.codes.insert(code, (participant.id.clone(), None));
            for alias in &participant.aliases {
                identities
                    .codes
                    .insert(alias.code.clone(), (participant.id.clone(), Some(alias.until)));
            }
            let holder = Holder::Participant(participant.id.clone());
            identities.index(&holder, &participant.certificates);
            let participant = participant.clone();
            let identity = Arc::new(Identity { participant, metaservices, places });
            identities.spell(&identity);
            identities.participants.insert(identity.participant.id.clone(), identity);
        }
        for operator in policies.operators.values() {
            identities.index(&Holder::Operator(operator.id.clone()), &operator.certificates);
            identities.operators.insert(operator.id.clone(), Arc::new(operator.clone()));
        }
        identities
    }

    fn index(&mut self, holder: &Holder, rules: &[CertificateRule]) {
        for rule in rules {
            let certified = self.anchors.entry(rule.trust_anchor.clone()).or_default();
            let holder = holder.clone();
            match &rule.matcher {
                CertificateMatcher::San(name) => {
                    certified.by_name.insert(name.to_ascii_lowercase(), holder);
                }
                CertificateMatcher::Subject(subject) => {
                    certified.by_subject.insert(subject.clone(), holder);
                }
                CertificateMatcher::SpkiSha256(hash) => {
                    certified.by_key.insert(*hash, holder);
                }
            }
        }
    }

    /// Notes how `X-Road-Client` spells the subsystems of a participant.
    fn spell(&mut self, identity: &Arc<Identity>) {
        let member = &identity.participant.member;
        for subsystem in &identity.participant.subsystems {
            let parts = [&member.instance, &member.class, member.code.as_str(), subsystem];
            let address = parts.map(path::encode).join("/");
            self.by_address.insert(address, (Arc::clone(identity), subsystem.clone()));
        }
    }

    /// The participant that a certificate belongs to.
    #[must_use]
    pub fn by_certificate(&self, certificate: &PeerCertificate) -> Option<&Arc<Identity>> {
        match self.holder(certificate)? {
            Holder::Participant(id) => self.participants.get(id),
            Holder::Operator(_) => None,
        }
    }

    /// The operator that a certificate belongs to.
    #[must_use]
    pub fn operator(&self, certificate: &PeerCertificate) -> Option<&Arc<Operator>> {
        match self.holder(certificate)? {
            Holder::Operator(id) => self.operators.get(id),
            Holder::Participant(_) => None,
        }
    }

    /// Whether there is an operator at all.
    #[must_use]
    pub fn has_operators(&self) -> bool {
        !self.operators.is_empty()
    }

    /// Who holds a certificate. SECURITY: one whose names lead to two of them belongs to neither.
    fn holder(&self, certificate: &PeerCertificate) -> Option<&Holder> {
        let certified = self.anchors.get(&certificate.trust_anchor)?;
        let of_key = certified.by_key.get(&certificate.spki_sha256);
        let of_subject = certified.by_subject.get(&certificate.subject);
        // They are in lower case already.
        let of_names = certificate.dns_names.iter().filter_map(|name| certified.by_name.get(name));
        let mut found = of_key.into_iter().chain(of_subject).chain(of_names);
        let first = found.next()?;
        if found.any(|other| other != first) {
            return None;
        }
        Some(first)
    }

    /// The participant and subsystem of an `X-Road-Client` address, when it is spelled as the
    /// policies spell it.
    #[must_use]
    pub fn by_address(&self, address: &str) -> Option<(&Arc<Identity>, &str)> {
        let (identity, subsystem) = self.by_address.get(address)?;
        Some((identity, subsystem))
    }

    /// The participant of a member code on `today`, in either spelling or by a dated alias.
    #[must_use]
    pub fn by_code(&self, code: &str, today: Date) -> Option<&Arc<Identity>> {
        let code = ParticipantId::parse_either_spelling(code).ok()?;
        let (id, until) = self.codes.get(&code)?;
        if until.is_some_and(|until| today > until) {
            return None;
        }
        self.participants.get(id)
    }

    /// A participant by id.
    #[must_use]
    pub fn by_id(&self, id: &ParticipantId) -> Option<&Arc<Identity>> {
        self.participants.get(id)
    }

    /// Every participant, in order of id.
    #[must_use]
    pub fn all(&self) -> Vec<&Arc<Identity>> {
        let mut all: Vec<_> = self.participants.values().collect();
        all.sort_by(|a, b| a.participant.id.cmp(&b.participant.id));
        all
    }
}
