//! Whom an answer is about, as digests of the period's key.
//!
//! Takes the provider's bytes, before any mask: a number that left masked is still about its person.
//! A few persons stand in the outcome; more, and all of an answer that streams, in its sidecar. What
//! leaves is told first: an answer whose persons cannot be told goes no further.

use std::sync::Arc;

use lienthong_disclosure::{Locator, disclosed_values};
use lienthong_evidence::{
    entry::{DigestKey, Domain, ExchangeId, FieldCommitments, Role, Subject},
    sidecar::{Sealed, SidecarWriter},
};
use lienthong_model::{field::Pointer, reason::ReasonCode};
use lienthong_policy::Operation;

use super::{Evidence, persons::role};
use crate::{pipeline::disclose_answer::DisclosedStream, record::Exchange, refusal::Refusal};

/// The fields of one answer that identify data subjects, compiled.
#[derive(Debug)]
pub struct AnswerSubjects {
    places: Arc<Locator>,
    /// The role and the kind of identifier of each place.
    kinds: Vec<(Role, &'static str)>,
}

impl AnswerSubjects {
    /// Those of the answer with this status; none when it identifies nobody.
    #[must_use]
    pub fn of(operation: &Operation, status: u16) -> Option<Arc<Self>> {
        let fields = operation.subjects_of(status);
        if fields.is_empty() {
            return None;
        }
        let places: Vec<&Pointer> = fields.iter().map(|field| &field.field).collect();
        let kinds = fields.iter().map(|field| (role(field.role), field.identifier.as_str()));
        Some(Arc::new(Self { places: Arc::new(Locator::new(places)), kinds: kinds.collect() }))
    }

    /// The places to look at.
    pub(crate) fn places(&self) -> &Arc<Locator> {
        &self.places
    }

    /// Whom a whole answer is about, each once in each role.
    pub(crate) fn whole(&self, key: &DigestKey, body: &[u8]) -> Vec<Subject> {
        let mut found = Vec::new();
        self.places.values(body, &mut |place, value| found.extend(self.subject(key, place, value)));
        found.sort_unstable_by_key(|subject| (subject.digest, subject.role as u8));
        found.dedup();
        found
    }

    /// The kind of identifier at a place, where it is of the person the answer is about.
    pub(crate) fn owner(&self, place: usize) -> Option<&'static str> {
        let owner = self.kinds.get(place).filter(|(role, _)| *role == Role::Owner);
        owner.map(|(_, kind)| *kind)
    }

    /// Gives each identifier of those whom a whole answer is about, with its kind.
    pub(crate) fn owners(&self, body: &[u8], each: &mut impl FnMut(&'static str, &str)) {
        self.places.values(body, &mut |place, value| {
            if let Some(kind) = self.owner(place).filter(|_| !value.is_empty()) {
                each(kind, value);
            }
        });
    }

    /// Nobody is identified by an empty text.
    fn subject(&self, key: &DigestKey, place: usize, value: &str) -> Option<Subject> {
        let (role, kind) = self.kinds.get(place).filter(|_| !value.is_empty())?;
        Some(Subject { digest: key.digest(Domain::DataSubject(kind), value), role: *role })
    }
}

/// Whom an answer was about, and what was committed to of it, as its outcome says it.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    pub(super) subjects: Vec<Subject>,
    pub(super) sidecar: Sidecar,
    pub(super) fields: FieldCommitments,
}

/// The sidecar of an answer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Sidecar {
    /// There is none, nor need there be.
    #[default]
    None,
    /// It is on disk.
    Sealed(Sealed),
    /// There should be one. No outcome may be written: the intent stays open, and counts as
    /// disclosed.
    Missing,
}

impl Sidecar {
    /// Root and size of the sidecar.
    pub(super) fn sealed(self) -> Option<Sealed> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            Self::None | Self::Missing => None,
        }
    }
}

/// The sidecar of an answer that streams, while it does.
#[derive(Debug)]
pub(crate) struct Streamed {
    subjects: Arc<AnswerSubjects>,
    key: Arc<DigestKey>,
    writer: SidecarWriter,
}

impl Streamed {
    /// Adds whom the elements are about that are next to leave.
    ///
    /// # Errors
    /// `evidence.unavailable`: then they do not leave.
    pub(crate) fn add(&mut self, stream: &mut DisclosedStream) -> Result<(), Refusal> {
        let Self { subjects, key, writer } = self;
        let mut added = Ok(());
        stream.take_located(&mut |place, value| {
            if let (Ok(()), Some(subject)) = (&added, subjects.subject(key, place, value)) {
                added = writer.add(subject.digest);
            }
        });
        added.map_err(unavailable)
    }

    /// Puts it on disk; may wait for the disk.
    fn seal(self) -> Sidecar {
        match self.writer.finish() {
            Ok(None) => Sidecar::None,
            Ok(Some(sealed)) => Sidecar::Sealed(sealed),
            Err(_) => Sidecar::Missing,
        }
    }

    /// The same, of an exchange that has ended, in its record.
    pub(crate) fn seal_in(self, record: &mut Exchange) {
        if let Some(trail) = &mut record.trail {
            trail.about.sidecar = self.seal();
        }
    }
}

fn unavailable(error: lienthong_evidence::files::FileError) -> Refusal {
    Refusal::caused(ReasonCode::EvidenceUnavailable, error)
}

impl Evidence {
    /// Begins to tell whom an answer is about that streams.
    pub(crate) fn stream(&self, record: &Exchange, stream: &DisclosedStream) -> Option<Streamed> {
        let (trail, subjects) = (record.trail.as_ref()?, stream.subjects()?);
        let (exchange, key) = trail.exchange();
        let writer = SidecarWriter::begin(self.directory(), exchange);
        Some(Streamed { subjects: Arc::clone(subjects), key: Arc::clone(key), writer })
    }

    /// Seals the sidecar of an answer that has ended, where it may take its time.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(crate) async fn seal(record: &mut Exchange, streamed: Streamed) -> Result<(), Refusal> {
        let sealed = tokio::task::spawn_blocking(move || streamed.seal()).await;
        let sidecar = sealed.unwrap_or(Sidecar::Missing);
        let trail = record.trail.as_mut().ok_or_else(super::lost)?;
        trail.about.sidecar = sidecar;
        match sidecar {
            Sidecar::Missing => Err(Refusal::named(ReasonCode::EvidenceUnavailable, "sidecar")),
            Sidecar::None | Sidecar::Sealed(_) => Ok(()),
        }
    }

    /// Notes whom a whole answer is about; more than an outcome holds are put into a sidecar.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(crate) async fn whole(
        &self,
        record: &mut Exchange,
        subjects: Vec<Subject>,
    ) -> Result<(), Refusal> {
        let trail = record.trail.as_mut().ok_or_else(super::lost)?;
        if subjects.len() <= Subject::MOST_OF_ANSWER {
            trail.about.subjects = subjects;
            return Ok(());
        }
        let mut writer = SidecarWriter::begin(self.directory(), trail.exchange().0);
        let sealed = tokio::task::spawn_blocking(move || {
            subjects.iter().try_for_each(|subject| writer.add(subject.digest))?;
            writer.finish()
        });
        let lost = |_| Refusal::named(ReasonCode::EvidenceUnavailable, "sidecar");
        let sealed = sealed.await.map_err(lost)?.map_err(unavailable)?;
        trail.about.sidecar = sealed.map_or(Sidecar::None, Sidecar::Sealed);
        Ok(())
    }
}

/// Commits to each value of an answer of JSON.
pub(super) fn commit(
    (exchange, key): (ExchangeId, &DigestKey),
    body: &[u8],
    fields: &mut FieldCommitments,
) {
    disclosed_values(body, &mut |at, value| fields.add(key, exchange, at, value));
}
