//! Bringing a registry that was put back up to its evidence.
//!
//! In: the log, which knows changes that the registry does not. Out: a registry in which each of them
//! is an event of the same revision again, and in which nothing holds that did not hold before. What
//! the log cannot tell, because it has no identifier and no field, counts as lost.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::atomic::Ordering,
};

use lienthong_consent::{
    identifier::Identifier,
    keys::SubjectDigest,
    record::ConsentId,
    registry::{Loss, Missed, Registry, RegistryError},
    scope::Scope,
    state::Action,
};
use lienthong_evidence::{
    entry::{self, ConsentAction, Domain, Entry, KeyedDigest, Name, OperatorRole, Why},
    note::Verifier,
    revisions::{self, Change, SinceError, WINDOW},
};
use lienthong_model::{
    id::{IdError, ParticipantId},
    quarter::Quarter,
};
use lienthong_policy::operator::LOCAL;

use super::Consents;
use crate::refusal::Refusal;

/// How many records are read at once.
const PAGE: u32 = 2000;

/// Why a registry could not be brought up to its evidence. It is not believed then, as before.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// It is not open.
    #[error("registry of consents is not open")]
    Closed,
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] SinceError),
    /// The key of the log cannot be read.
    #[error("key of the log: {0}")]
    Key(String),
    /// The process ends.
    #[error("reading the log was stopped")]
    Stopped,
    /// Registry and log say different things of one revision.
    #[error(
        "the registry and the evidence differ at revision {0}, so that they are not of one history"
    )]
    OtherHistory(u64),
    /// An entry names what is no id.
    #[error("an entry names what is no id")]
    Id(#[from] IdError),
    /// It could not be recorded; then it is not done.
    #[error("the evidence log did not take the entry: {}", .0.cause)]
    Record(Refusal),
}

/// What was brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// Where the registry was.
    pub from: u64,
    /// Where it is.
    pub until: u64,
    /// Changes of consents that the registry knows.
    pub changes: u64,
    /// Consents that only the evidence knows: they are lost, and have to be given anew.
    pub lost: u64,
    /// Steps of requests about rights, of which only the place is kept.
    pub rights: u64,
}

/// What an entry says of a revision.
#[derive(Debug, Clone)]
enum Told {
    Consent {
        action: ConsentAction,
        consent: ConsentId,
        scope: Scope,
        subject: KeyedDigest,
        key: String,
    },
    Right {
        id: [u8; 16],
    },
}

impl Told {
    fn read(bytes: &[u8]) -> Result<Option<Self>, IdError> {
        let Ok(entry) = Entry::decode(bytes) else { return Ok(None) };
        Ok(match entry {
            Entry::Consent(entry) => {
                let recipients = entry.recipients.iter().map(|name| name.as_str().parse());
                let recipients: Result<Vec<ParticipantId>, _> = recipients.collect();
                Some(Self::Consent {
                    action: entry.action,
                    consent: ConsentId::from_bytes(*entry.consent.as_bytes()),
                    scope: Scope::new(
                        entry.controller.as_str().parse()?,
                        recipients?,
                        entry.service.as_str().parse()?,
                        entry.purpose.as_str().parse()?,
                    ),
                    subject: entry.subject,
                    key: entry.key.as_str().to_owned(),
                })
            }
            Entry::Right(entry) => Some(Self::Right { id: *entry.request.as_bytes() }),
            _ => None,
        })
    }
}

impl Consents {
    /// Brings the registry up to the evidence. Nothing where it is not behind.
    ///
    /// # Errors
    /// When the log cannot be read, is of another history, or takes no entry; when the store fails.
    pub async fn reconcile(
        &self,
        why: Option<Why<'_>>,
        heard: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Reconciled, ReconcileError> {
        let registry = self.registry.get().ok_or(ReconcileError::Closed)?;
        let from = registry.applied();
        let mut done = Reconciled { from, until: from, ..Reconciled::default() };
        if !self.is_behind() {
            return Ok(done);
        }
        let mut missed = self.missed(from).await?;
        let older = missed.split_off(&(from + 1));
        let (known, missed) = (missed, older);
        for (revision, (change, _)) in &known {
            if !registry.has(*revision, change.record.as_bytes()).await? {
                return Err(ReconcileError::OtherHistory(*revision));
            }
        }
        let people = self.people(registry, missed.values().map(|(_, told)| told)).await?;
        self.announce(missed.len() as u64, why).await?;
        let Some(last) = missed.keys().next_back().copied() else {
            return Err(ReconcileError::OtherHistory(from));
        };
        for revision in from + 1..=last {
            let told = missed.get(&revision).map(|(_, told)| told);
            let brought = bring(registry, told, &people, &mut done).await?;
            if brought != revision {
                return Err(ReconcileError::OtherHistory(revision));
            }
            done.until = revision;
            heard(revision - from, last - from);
        }
        self.compare(registry).await?;
        self.recorded.store(last, Ordering::Release);
        self.save(registry).await;
        Ok(done)
    }

    /// What the log says of every revision after this one, and of some before it.
    async fn missed(&self, from: u64) -> Result<BTreeMap<u64, (Change, Told)>, ReconcileError> {
        let verifier = self.evidence.verifier().map_err(ReconcileError::Key)?;
        let directory = self.evidence.directory().to_owned();
        let above = from.saturating_sub(WINDOW);
        let reading = tokio::task::spawn_blocking(move || read(&directory, &verifier, above));
        reading.await.map_err(|_| ReconcileError::Stopped)?
    }

    /// Those of the people of these entries whom the registry knows, by the digests of the log.
    async fn people<'a>(
        &self,
        registry: &Registry,
        told: impl Iterator<Item = &'a Told>,
    ) -> Result<HashMap<KeyedDigest, SubjectDigest>, ReconcileError> {
        let mut wanted: HashMap<String, HashSet<KeyedDigest>> = HashMap::new();
        for told in told {
            if let Told::Consent { subject, key, .. } = told {
                wanted.entry(key.clone()).or_default().insert(*subject);
            }
        }
        let keys = self.evidence.keys();
        let of_quarter = |(period, digests): (String, HashSet<KeyedDigest>)| {
            let quarter: Quarter = period.parse().ok()?;
            Some((keys.get(quarter)?.clone(), digests))
        };
        let wanted: Vec<_> = wanted.into_iter().filter_map(of_quarter).collect();
        let (mut found, mut seen, mut after) = (HashMap::new(), HashSet::new(), None);
        loop {
            let page = registry.records(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.record.id);
            for kept in &page {
                if !seen.insert(kept.record.subject) {
                    continue;
                }
                let person = registry.data_subject(&kept.record);
                let Ok(Some(person)) = person else { continue };
                let digest = |key: &entry::DigestKey, person: &Identifier| {
                    key.digest(Domain::DataSubject(person.kind()), person.expose())
                };
                for (key, digests) in &wanted {
                    let digest = digest(key, &person);
                    if digests.contains(&digest) {
                        found.insert(digest, kept.record.subject);
                    }
                }
            }
        }
    }

    /// Puts it on record before it is done.
    async fn announce(&self, count: u64, why: Option<Why<'_>>) -> Result<(), ReconcileError> {
        let lost = || ReconcileError::Record(crate::evidence::lost());
        let name = Name::of_operator(LOCAL).ok_or_else(lost)?;
        let recorded = self.evidence.administer(
            entry::Action::Reconcile,
            (name, OperatorRole::Local),
            |entry| {
                entry.count = Some(count);
                entry.why = why;
            },
        );
        recorded.await.map(drop).map_err(ReconcileError::Record)
    }
}

fn read(
    directory: &Path,
    verifier: &Verifier,
    above: u64,
) -> Result<BTreeMap<u64, (Change, Told)>, ReconcileError> {
    let mut missed = BTreeMap::new();
    let mut wrong = None;
    let each = &mut |_: u64, bytes: &[u8], change: Change| {
        match Told::read(bytes) {
            // An entry may stand there twice; both say the same.
            Ok(Some(told)) => drop(missed.insert(change.revision, (change, told))),
            Ok(None) => {}
            Err(error) => wrong = Some(error),
        }
        Ok(())
    };
    revisions::since((directory, None), verifier, above, &mut |_, _| (), each)?;
    match wrong {
        Some(error) => Err(error.into()),
        None => Ok(missed),
    }
}

/// Makes what the log says of a revision the next event.
async fn bring(
    registry: &Registry,
    told: Option<&Told>,
    people: &HashMap<KeyedDigest, SubjectDigest>,
    done: &mut Reconciled,
) -> Result<u64, ReconcileError> {
    let missed = match told {
        Some(Told::Consent { action, consent, scope, subject, .. }) => {
            let is_known = registry.record(*consent).await;
            match is_known {
                Ok(_) => done.changes += 1,
                Err(RegistryError::Unknown) => done.lost += 1,
                Err(error) => return Err(error.into()),
            }
            // Whom the registry does not know has nothing in it that could hold.
            let nobody = || SubjectDigest::from_bytes(*subject.as_bytes());
            let subject = people.get(subject).copied().unwrap_or_else(nobody);
            let loss = Loss { id: *consent, subject, scope: scope.clone() };
            Missed::Consent { loss, action: replayed(*action) }
        }
        Some(Told::Right { id }) => {
            done.rights += 1;
            Missed::Other { id: *id }
        }
        // A revision without an entry keeps its place.
        None => Missed::Other { id: *uuid::Uuid::new_v4().as_bytes() },
    };
    Ok(registry.replay(&missed).await?)
}

fn replayed(action: ConsentAction) -> Action {
    match action {
        ConsentAction::Give => Action::Give,
        ConsentAction::Refuse => Action::Refuse,
        ConsentAction::Withdraw => Action::Withdraw,
        ConsentAction::Restrict => Action::Restrict,
        ConsentAction::Release => Action::Release,
        ConsentAction::Object => Action::Object,
        ConsentAction::Use => Action::Use,
        ConsentAction::Lose => Action::Lose,
    }
}
