//! Who is who: participants by certificate and by member code.

use std::{collections::HashMap, sync::Arc};

use jiff::civil::Date;
use lienthong_model::id::{ParticipantId, TrustAnchorId};
use lienthong_policy::{CertificateMatcher, DataLimits, Limits, Participant, PolicySet};

use super::Snapshot;
use crate::{
    certificate::PeerCertificate,
    limit::{AgreementLimiter, ConsumerPlaces},
};

/// Participants by certificate and by member code.
#[derive(Debug, Default)]
pub struct Identities {
    participants: HashMap<ParticipantId, Arc<Identity>>,
    by_name: HashMap<(TrustAnchorId, String), ParticipantId>,
    by_subject: HashMap<(TrustAnchorId, String), ParticipantId>,
    by_key: HashMap<(TrustAnchorId, [u8; 32]), ParticipantId>,
    codes: HashMap<ParticipantId, (ParticipantId, Option<Date>)>,
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
            identities.index(participant);
            let identity = Identity { participant: participant.clone(), metaservices, places };
            identities.participants.insert(participant.id.clone(), Arc::new(identity));
        }
        identities
    }

    fn index(&mut self, participant: &Participant) {
        for rule in &participant.certificates {
            let (anchor, id) = (rule.trust_anchor.clone(), participant.id.clone());
            match &rule.matcher {
                CertificateMatcher::San(name) => {
                    self.by_name.insert((anchor, name.to_ascii_lowercase()), id);
                }
                CertificateMatcher::Subject(subject) => {
                    self.by_subject.insert((anchor, subject.clone()), id);
                }
                CertificateMatcher::SpkiSha256(hash) => {
                    self.by_key.insert((anchor, *hash), id);
                }
            }
        }
    }

    /// The participant that a certificate belongs to. SECURITY: a certificate whose names lead to
    /// two participants belongs to neither.
    #[must_use]
    pub fn by_certificate(&self, certificate: &PeerCertificate) -> Option<&Arc<Identity>> {
        let anchor = &certificate.trust_anchor;
        let of_key = self.by_key.get(&(anchor.clone(), certificate.spki_sha256));
        let of_subject = self.by_subject.get(&(anchor.clone(), certificate.subject.clone()));
        let of_names = certificate
            .dns_names
            .iter()
            .filter_map(|name| self.by_name.get(&(anchor.clone(), name.to_ascii_lowercase())));
        let mut found = of_key.into_iter().chain(of_subject).chain(of_names);
        let first = found.next()?;
        if found.any(|other| other != first) {
            return None;
        }
        self.participants.get(first)
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
