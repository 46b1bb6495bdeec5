//! Changing what is kept.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use lienthong_model::{clock::civil_date, id::OperatorId};
use lienthong_store::ledger::{Book, Change, Expected, Idempotency, LedgerError};
use uuid::{NoContext, Uuid};

use super::{Kept, Past, Registry, RegistryError, UseError, past};
use crate::{
    fields::Fields,
    index::{Active, Missing},
    keys::{Sealing, SubjectDigest},
    record::{
        Author, ConsentEvent, ConsentId, ConsentRecord, Said, SealedRepresentative, Unreadable,
    },
    rights::{
        About, Involved, RightAction, RightEvent, RightId, RightKind, RightRecord, RightRequest,
        Step as RightStep, duty::ChangeOwned,
    },
    scope::Scope,
    state::{Action, State, StateError},
    statement::{Checked, Decision, Frequency, Statement},
};

/// How a statement comes.
#[derive(Debug, Clone)]
pub struct Giving {
    /// Who records it.
    pub collector: OperatorId,
    /// Who witnesses it.
    pub proof: Option<Proof>,
    /// Under which key it is asked for.
    pub idempotency: Option<Idempotency>,
}

/// A witness of another participant.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The signed proof, as a compact JWS.
    pub jws: String,
    /// What can be used once only: a digest of the witness and the nonce.
    pub nonce: [u8; 32],
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Withdraw, restrict, release or object.
    pub action: Action,
    /// The revision that whoever asks has seen.
    pub expected: Option<u64>,
    /// Who records it; nobody where the evidence is replayed.
    pub by: Option<Author>,
    /// Under which key it is asked for.
    pub idempotency: Option<Idempotency>,
}

/// A consent that only the evidence knows.
#[derive(Debug, Clone)]
pub struct Loss {
    /// The consent.
    pub id: ConsentId,
    /// The person, as the registry knows one.
    pub subject: SubjectDigest,
    /// What it was about.
    pub scope: Scope,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The revision of the change.
    pub revision: u64,
    /// What happened.
    pub event: ConsentEvent,
    /// The consent after it.
    pub record: ConsentRecord,
    /// Whether it was asked for before under the same key, and was done then.
    pub repeated: bool,
}

impl Registry {
    /// Records what a person said. When this returns, it is durable and in force.
    ///
    /// # Errors
    /// When the proof was used before or the key stands for something else; when the store fails.
    pub async fn give(&self, checked: &Checked, giving: Giving) -> Result<Changed, RegistryError> {
        let _writer = self.writer.lock().await;
        self.certain().await?;
        let now = self.now();
        let (statement, id) = (checked.statement(), new_id(now));
        let action = match statement.decision {
            Decision::Give => Action::Give,
            Decision::Refuse => Action::Refuse,
        };
        let Giving { collector, proof, idempotency } = giving;
        let once = proof.as_ref().map(|proof| proof.nonce);
        let by = Author { collector: collector.clone(), channel: statement.given.channel };
        let said = self.said(id, checked, collector, proof)?;
        let record = ConsentRecord::new(
            (id, self.subject_key.digest_of(&statement.data_subject)),
            statement.scope.clone(),
            (statement.fields.clone(), Some(said)),
            beginning(action)?,
            now,
        );
        let event = ConsentEvent { action, at: now, by: Some(by) };
        self.write(record, event, Expected::New, Once { once, idempotency, right: None }).await
    }

    /// Withdraws, restricts, releases or objects. When this returns, it is durable and in force.
    ///
    /// # Errors
    /// When the consent is not known or does not allow it; when the store fails.
    pub async fn change(&self, id: ConsentId, asked: Request) -> Result<Changed, RegistryError> {
        self.changed(id, asked, Exercise::Nothing).await
    }

    /// The same, and where it is a right of the person that is exercised by it, a fulfilled request
    /// with it, of which participants are to be told. Both are durable or neither.
    ///
    /// # Errors
    /// As for [`Self::change`].
    pub async fn exercise(&self, id: ConsentId, asked: Request) -> Result<Changed, RegistryError> {
        self.changed(id, asked, Exercise::Right).await
    }

    async fn changed(
        &self,
        id: ConsentId,
        asked: Request,
        exercise: Exercise,
    ) -> Result<Changed, RegistryError> {
        let _writer = self.writer.lock().await;
        self.certain().await?;
        let kept = self.record(id).await?;
        let others = matches!(asked.action, Action::Use | Action::Lose);
        let refused = if others {
            Some(StateError { state: kept.record.state, action: asked.action }.into())
        } else if asked.expected.is_some_and(|expected| expected != kept.revision) {
            Some(RegistryError::Changed)
        } else {
            kept.record.state.after(asked.action).err().map(Into::into)
        };
        if let Some(refused) = refused {
            return self.repeated_or(refused, &kept, &asked).await;
        }
        let Request { action, by, idempotency, .. } = asked;
        let right = match exercise {
            Exercise::Right => self.right(&kept.record, action, by.as_ref())?,
            Exercise::Nothing => None,
        };
        self.step(kept, action, by, Once { once: None, idempotency, right }).await
    }

    /// The request that is fulfilled by a change; none where the change is no right of the person.
    fn right(
        &self,
        consent: &ConsentRecord,
        action: Action,
        by: Option<&Author>,
    ) -> Result<Option<ChangeOwned>, RegistryError> {
        let kind = match action {
            Action::Withdraw => RightKind::Withdraw,
            Action::Restrict => RightKind::Restrict,
            Action::Object => RightKind::Object,
            Action::Give | Action::Refuse | Action::Release | Action::Use | Action::Lose => {
                return Ok(None);
            }
        };
        let (Some(by), Some(person)) = (by, self.data_subject(consent)?) else { return Ok(None) };
        let now = self.now();
        let id = RightId::new(now);
        let request = RightRequest {
            id,
            subject: consent.subject,
            data_subject: self.seal(id.sealing(), &person)?,
            kind,
            about: About {
                consent: Some(consent.id),
                service: Some(consent.scope.service.clone()),
            },
            channel: by.channel,
            involved: Involved::ControllerAlone,
            by: by.collector.clone(),
        };
        let record = RightRecord::exercised(request, now);
        let event =
            RightEvent { at: now, by: by.collector.clone(), step: Some(RightStep::Fulfil {}) };
        let change = record.change(RightAction::Fulfil, &event, Expected::New);
        change.map(Some).map_err(|_| Unreadable("a request").into())
    }

    /// Takes a consent that is for one exchange. Of several that try, exactly one gets it; when this
    /// returns, that is durable.
    ///
    /// # Errors
    /// When it does not hold any more, or the store fails.
    pub async fn use_once(&self, active: &Active) -> Result<Changed, UseError> {
        let _writer = self.writer.lock().await;
        self.certain().await?;
        let kept = self.record(active.consent).await?;
        if let Some(missing) = Missing::of(kept.record.state) {
            return Err(UseError::Missing(missing));
        }
        let today = civil_date(self.now());
        if !kept.record.period().is_some_and(|period| period.contains(today)) {
            return Err(UseError::Missing(Missing::Expired));
        }
        let once = kept.record.frequency() == Some(Frequency::Once);
        if !once || kept.revision != active.revision {
            return Err(RegistryError::Changed.into());
        }
        Ok(self.step(kept, Action::Use, None, Once::default()).await?)
    }

    /// Makes a consent lost that the evidence knows otherwise than the store, or not at all. Nothing
    /// where it is final anyway.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lose(&self, loss: &Loss) -> Result<Option<Changed>, RegistryError> {
        let _writer = self.writer.lock().await;
        self.certain().await?;
        match self.record(loss.id).await {
            Ok(kept) if kept.record.state.is_final() => Ok(None),
            Ok(kept) => self.step(kept, Action::Lose, None, Once::default()).await.map(Some),
            Err(RegistryError::Unknown) => {
                let event = ConsentEvent { action: Action::Lose, at: self.now(), by: None };
                let record = ConsentRecord::new(
                    (loss.id, loss.subject),
                    loss.scope.clone(),
                    (Fields::default(), None),
                    beginning(Action::Lose)?,
                    event.at,
                );
                self.write(record, event, Expected::New, Once::default()).await.map(Some)
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a doubt before something is decided on.
    async fn certain(&self) -> Result<(), RegistryError> {
        if self.is_uncertain() { self.settle().await } else { Ok(()) }
    }

    async fn step(
        &self,
        kept: Kept,
        action: Action,
        by: Option<Author>,
        once: Once,
    ) -> Result<Changed, RegistryError> {
        let Kept { mut record, revision } = kept;
        record.state = record.state.after(action)?;
        record.created.get_or_insert(revision);
        let event = ConsentEvent { action, at: self.now(), by };
        record.changed_at = event.at;
        self.write(record, event, Expected::Revision(revision), once).await
    }

    pub(super) async fn write(
        &self,
        record: ConsentRecord,
        event: ConsentEvent,
        expected: Expected,
        once: Once,
    ) -> Result<Changed, RegistryError> {
        let bytes = (event.bytes()?, record.bytes()?);
        let right = once.right.as_ref().map(ChangeOwned::change);
        let own = change(&record, &event, &bytes, expected, &once);
        let changes: Vec<_> = std::iter::once(own).chain(right).collect();
        let written = self.append(&changes).await;
        let appended = match written {
            Ok(appended) => appended,
            Err(LedgerError::Repeated { revision, .. }) => return self.repeated(revision).await,
            Err(error) => return Err(error.into()),
        };
        let revision = appended.first;
        if let Err(full) = self.index.apply(&record, revision) {
            self.uncertain.store(true, Ordering::Release);
            return Err(full.into());
        }
        if self.applied() + 1 == appended.first {
            self.applied.store(appended.last, Ordering::Release);
        } else {
            // Another book has grown. This change is in force whether or not that can be read now.
            self.follow().await.ok();
        }
        Ok(Changed { revision, event, record, repeated: false })
    }

    /// What was done when the same was asked for before.
    async fn repeated(&self, revision: u64) -> Result<Changed, RegistryError> {
        let event = self.event(revision).await?.ok_or(RegistryError::Behind)?;
        if event.book != Book::Consent {
            return Err(RegistryError::Mismatch);
        }
        let Past { revision, event, record } = past(&event)?;
        Ok(Changed { revision, event, record, repeated: true })
    }

    /// Whether what the state does not allow now was asked for before under the same key, and done.
    async fn repeated_or(
        &self,
        refused: RegistryError,
        kept: &Kept,
        asked: &Request,
    ) -> Result<Changed, RegistryError> {
        let Some(idempotency) = asked.idempotency else { return Err(refused) };
        let event = ConsentEvent { action: asked.action, at: self.now(), by: None };
        let bytes = (event.bytes()?, kept.record.bytes()?);
        let once = Once { idempotency: Some(idempotency), ..Once::default() };
        // The record is not new, so that nothing can come of this but an answer about the key.
        let doomed = change(&kept.record, &event, &bytes, Expected::New, &once);
        match self.append(&[doomed]).await {
            Err(LedgerError::Repeated { revision, .. }) => self.repeated(revision).await,
            Err(LedgerError::Conflict) | Ok(_) => Err(refused),
            Err(error) => Err(error.into()),
        }
    }

    fn said(
        &self,
        id: ConsentId,
        checked: &Checked,
        collector: OperatorId,
        proof: Option<Proof>,
    ) -> Result<Said, RegistryError> {
        let statement: &Statement = checked.statement();
        let seal = |whose, identifier| self.seal_key.seal(id, whose, identifier);
        let representative = match &statement.representative {
            Some(by) => Some(SealedRepresentative {
                identifier: seal(Sealing::Representative, &by.identifier)?,
                relationship: by.relationship,
            }),
            None => None,
        };
        Ok(Said {
            data_subject: seal(Sealing::DataSubject, &statement.data_subject)?,
            notice: statement.notice.clone(),
            given: statement.given.clone(),
            collector,
            account_level_met: statement.account_level.is_some(),
            representative,
            child: checked.is_child(),
            child_agreed: statement.child_agreed == Some(true),
            period: statement.period,
            frequency: statement.frequency,
            retention_days: statement.retention_days,
            statement: self.subject_key().statement(id, checked.hash()),
            proof: proof.map(|proof| self.seal_key.seal_proof(id, &proof.jws)).transpose()?,
        })
    }
}

/// Whether a change is a right that is exercised.
#[derive(Clone, Copy)]
enum Exercise {
    Right,
    Nothing,
}

/// What may stand in the ledger once, and what stands there with it.
#[derive(Default)]
pub(super) struct Once {
    pub(super) once: Option<[u8; 32]>,
    pub(super) idempotency: Option<Idempotency>,
    pub(super) right: Option<ChangeOwned>,
}

fn change<'a>(
    record: &'a ConsentRecord,
    event: &ConsentEvent,
    bytes: &'a (Vec<u8>, Vec<u8>),
    expected: Expected,
    once: &Once,
) -> Change<'a> {
    Change {
        book: Book::Consent,
        id: *record.id.as_bytes(),
        subject: *record.subject.as_bytes(),
        party: record.scope.service.as_str(),
        action: event.action.as_str(),
        at: event.at,
        event: &bytes.0,
        record: &bytes.1,
        open: false,
        due: None,
        expected,
        once: once.once,
        idempotency: once.idempotency,
    }
}

fn beginning(action: Action) -> Result<State, StateError> {
    State::beginning(action).ok_or(StateError { state: State::Lost, action })
}

/// A UUID of version 7 of this time.
fn new_id(now: Timestamp) -> ConsentId {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    let time = uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds);
    ConsentId::from_bytes(Uuid::new_v7(time).into_bytes())
}
