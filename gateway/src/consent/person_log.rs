//! The evidence log of this node, looked through for one person.
//!
//! In: an identifier, which is turned into one digest for each quarter that has a key and goes no
//! further. Out: the exchanges about the person, a page at a time. Blocks; one at a time has the
//! index.

use lienthong_consent::identifier::Identifier;
use lienthong_evidence::{
    entry::{Domain, Entry, KeyedDigest, Outcome, Role, Subject},
    index::Index,
    note::Verifier,
    reader::Reader,
    search::{Hits, Query, Unit, search},
};
use lienthong_model::{quarter::Quarter, reason::ReasonCode};

use crate::{evidence::Evidence, refusal::Refusal};

/// A log that is looked through for one person.
pub(super) struct PersonLog {
    reader: Reader,
    index: Index,
    verifier: Verifier,
    digests: Vec<(Quarter, KeyedDigest)>,
}

impl PersonLog {
    /// Opens the log, up to what is durable now.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(super) fn open(evidence: &Evidence, person: &Identifier) -> Result<Self, Refusal> {
        let wrong = |error| Refusal::caused(ReasonCode::EvidenceUnavailable, error);
        let verifier = evidence.verifier().map_err(wrong)?;
        let reader = Reader::open(evidence.directory(), &verifier).map_err(unreadable)?;
        if !reader.is_complete() {
            return Err(Refusal::named(ReasonCode::EvidenceUnavailable, "journal"));
        }
        let index = Index::open(&reader, None, &mut |_| {}).map_err(unreadable)?;
        let keys = evidence.keys();
        let domain = Domain::DataSubject(person.kind());
        let digest = |quarter| Some((quarter, keys.get(quarter)?.digest(domain, person.expose())));
        let digests = keys.quarters().filter_map(digest).collect();
        Ok(Self { reader, index, verifier, digests })
    }

    /// The next exchanges about the person that are what is asked for.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(super) fn page(&mut self, query: Query) -> Result<Hits, Refusal> {
        let subject = self.all();
        let query = Query { subject, exchanges_only: true, ..query };
        search(&mut self.reader, &mut self.index, &query, &mut |_, _| {}).map_err(unreadable)
    }

    /// The digests of the person, by the quarter whose key made them.
    pub(super) fn digests(&self) -> &[(Quarter, KeyedDigest)] {
        &self.digests
    }

    /// The key of the log.
    pub(super) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The digests alone.
    pub(super) fn all(&self) -> Vec<KeyedDigest> {
        self.digests.iter().map(|(_, digest)| *digest).collect()
    }

    /// Whether the person is in an exchange as the one who acts for an authority, and as nothing
    /// else.
    pub(super) fn is_only_officer(&self, unit: &Unit) -> bool {
        let mut roles = Vec::new();
        for (_, entry) in unit.decoded() {
            match &entry {
                Entry::Intent(entry) => roles.extend(self.roles(&entry.subjects)),
                Entry::Refusal(entry) => roles.extend(self.roles(&entry.subjects)),
                Entry::Outcome(entry) => roles.extend(self.roles(&entry.subjects)),
                _ => {}
            }
        }
        // Who is found through a sidecar has no role here, and is one whom the data are about.
        !roles.is_empty() && roles.iter().all(|role| *role == Role::Officer)
    }

    fn roles<'a>(&'a self, subjects: &'a [Subject]) -> impl Iterator<Item = Role> + 'a {
        let is_it = |subject: &&Subject| self.digests.iter().any(|(_, d)| *d == subject.digest);
        subjects.iter().filter(is_it).map(|subject| subject.role)
    }
}

/// Whether an answer gave something of a person: one that says that it failed does not.
pub(super) fn gave(outcome: &Outcome<'_>) -> bool {
    let refused = outcome.end == lienthong_evidence::entry::End::Refused;
    !refused && outcome.bytes > 0 && outcome.status < 400
}

pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Refusal {
    Refusal::caused(ReasonCode::EvidenceUnavailable, error)
}
