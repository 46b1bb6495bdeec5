//! What holds now, in memory: asked on the request path, never waits for anything.
//!
//! For each person and scope it has the newest statement alone: an older one can no longer decide.
//! Sixty-four shards by the person's digest, each a compact list with chains of 32-bit places; scopes
//! and sets of fields are kept once each. How many of them there are is bounded by memory alone: by
//! policy there are about as many as agreements.

mod interned;
mod shard;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use jiff::{Timestamp, civil::Date};
use lienthong_model::{clock::civil_date, reason::ReasonCode};

pub(crate) use self::shard::Slot;
use self::{interned::Interned, shard::Shard};
use crate::{
    fields::Fields,
    keys::SubjectDigest,
    period::PackedDate,
    record::{ConsentId, ConsentRecord},
    scope::{Asked, Scope},
    state::State,
    statement::Frequency,
};

/// How many shards there are.
pub(crate) const SHARDS: usize = 64;

/// Whether a consent holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Active(Active),
    /// It does not.
    Missing(Missing),
}

/// A consent that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    /// The consent.
    pub consent: ConsentId,
    /// Its newest revision.
    pub revision: u64,
    /// What may be given.
    pub fields: Arc<Fields>,
    /// Whether it is for one exchange, and has to be taken by
    /// [`Registry::use_once`](crate::registry::Registry::use_once).
    pub once: bool,
    /// The last day.
    pub until: Date,
}

/// Why there is no consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// Nobody was asked, or what was said is lost.
    NotGiven,
    /// The person said no.
    Refused,
    /// The person said no longer.
    Withdrawn,
    /// Today is outside the period.
    Expired,
    /// The person said not for now.
    Restricted,
    /// The person objected.
    Objected,
    /// It was for one exchange, and that has been.
    Used,
}

impl Missing {
    /// The exact reason, for the evidence.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        match self {
            Self::NotGiven => ReasonCode::ConsentNotGiven,
            Self::Refused => ReasonCode::ConsentRefused,
            Self::Withdrawn => ReasonCode::ConsentWithdrawn,
            Self::Expired => ReasonCode::ConsentExpired,
            Self::Restricted => ReasonCode::ConsentRestricted,
            Self::Objected => ReasonCode::ConsentObjected,
            Self::Used => ReasonCode::ConsentUsed,
        }
    }

    /// What stands in the way in this state.
    pub(crate) fn of(state: State) -> Option<Self> {
        match state {
            State::Given => None,
            State::Refused => Some(Self::Refused),
            State::Withdrawn => Some(Self::Withdrawn),
            State::Restricted => Some(Self::Restricted),
            State::Objected => Some(Self::Objected),
            State::Used => Some(Self::Used),
            State::Lost => Some(Self::NotGiven),
        }
    }
}

/// The index.
pub struct Index {
    shards: Vec<RwLock<Shard>>,
    scopes: Interned<Scope>,
    fields: Interned<Fields>,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

impl Index {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::new(Shard::default())).collect();
        Self { shards, scopes: Interned::default(), fields: Interned::default() }
    }

    /// Whether a consent to what is asked for holds now. Of several statements the newest decides,
    /// whatever it says.
    #[must_use]
    pub fn find(&self, subject: &SubjectDigest, asked: &Asked<'_>, now: Timestamp) -> Standing {
        let Some(newest) = self.newest(subject, asked) else {
            return Standing::Missing(Missing::NotGiven);
        };
        if let Some(missing) = Missing::of(newest.state) {
            return Standing::Missing(missing);
        }
        let today = PackedDate::new(civil_date(now));
        if today < newest.from || newest.until < today {
            return Standing::Missing(Missing::Expired);
        }
        let (Some(fields), Some(until)) = (self.fields.get(newest.fields), newest.until.date())
        else {
            return Standing::Missing(Missing::NotGiven);
        };
        Standing::Active(Active {
            consent: ConsentId::from_bytes(newest.id),
            revision: newest.revision,
            fields,
            once: newest.once,
            until,
        })
    }

    fn newest(&self, subject: &SubjectDigest, asked: &Asked<'_>) -> Option<Slot> {
        let shard = self.shard(subject)?.read().unwrap_or_else(PoisonError::into_inner);
        self.scopes.look(|scopes| {
            let covers = |slot: &&Slot| {
                scopes.get(slot.scope as usize).is_some_and(|scope| scope.covers(asked))
            };
            shard.of(subject).filter(covers).max_by_key(|slot| slot.created).copied()
        })
    }

    /// Takes in what a record is now. What is older than what stands here changes nothing, so that
    /// events may come twice and in any order.
    ///
    /// # Errors
    /// When there are more than four billion of something.
    pub fn apply(&self, record: &ConsentRecord, revision: u64) -> Result<(), IndexFull> {
        let never = PackedDate(0);
        let period = record.period();
        let slot = Slot {
            id: *record.id.as_bytes(),
            subject: *record.subject.as_bytes(),
            created: record.created.unwrap_or(revision),
            revision,
            scope: self.scopes.intern(&record.scope)?,
            fields: self.fields.intern(&record.fields)?,
            from: period.map_or(never, |period| PackedDate::new(period.from)),
            until: period.map_or(never, |period| PackedDate::new(period.until)),
            state: record.state,
            once: record.frequency() == Some(Frequency::Once),
        };
        self.put(slot)
    }

    pub(crate) fn put(&self, slot: Slot) -> Result<(), IndexFull> {
        let subject = SubjectDigest::from_bytes(slot.subject);
        let shard = self.shard(&subject).ok_or(IndexFull)?;
        shard.write().unwrap_or_else(PoisonError::into_inner).put(slot)
    }

    fn shard(&self, subject: &SubjectDigest) -> Option<&RwLock<Shard>> {
        let [first, ..] = subject.as_bytes();
        self.shards.get(usize::from(*first) % SHARDS)
    }

    /// How many statements it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shards().map(|shard| shard.slots().len() as u64).sum()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many statements of each state it has.
    #[must_use]
    pub fn counts(&self) -> [(State, u64); State::ALL.len()] {
        let mut counts = State::ALL.map(|state| (state, 0));
        for shard in self.shards() {
            for (state, count) in &mut counts {
                *count += shard.count(*state);
            }
        }
        counts
    }

    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let shards: usize = self.shards().map(|shard| shard.heap_bytes()).sum();
        let scopes = self.scopes.heap_bytes(Scope::heap_bytes);
        shards + scopes + self.fields.heap_bytes(Fields::heap_bytes)
    }

    fn shards(&self) -> impl Iterator<Item = std::sync::RwLockReadGuard<'_, Shard>> {
        self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every scope, in the order of its place.
    pub(crate) fn scopes(&self) -> Vec<Arc<Scope>> {
        self.scopes.all()
    }

    /// Every set of fields, in the order of its place.
    pub(crate) fn field_sets(&self) -> Vec<Arc<Fields>> {
        self.fields.all()
    }

    /// Shows every statement, a shard after the other: each shard stands still for as long as it is
    /// copied, and no longer.
    pub(crate) fn each_shard<E>(
        &self,
        mut show: impl FnMut(&[Slot]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut copy = Vec::new();
        for shard in &self.shards {
            copy.clear();
            copy.extend_from_slice(shard.read().unwrap_or_else(PoisonError::into_inner).slots());
            show(&copy)?;
        }
        Ok(())
    }

    /// An empty one with room for this many statements.
    pub(crate) fn ready_for(statements: u64) -> Result<Self, IndexFull> {
        let index = Self::new();
        let each = usize::try_from(statements).map_err(|_| IndexFull)? / SHARDS;
        for shard in &index.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.reserve(each + each / 32);
        }
        Ok(index)
    }

    /// Gives the places that statements name their scopes and fields.
    pub(crate) fn fill(&self, scopes: &[Scope], fields: &[Fields]) -> Result<(), IndexFull> {
        for (place, scope) in (0_u32..).zip(scopes) {
            (self.scopes.intern(scope)? == place).then_some(()).ok_or(IndexFull)?;
        }
        for (place, set) in (0_u32..).zip(fields) {
            (self.fields.intern(set)? == place).then_some(()).ok_or(IndexFull)?;
        }
        Ok(())
    }
}

/// The index has no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("index of consents is full")]
pub struct IndexFull;

#[cfg(test)]
mod tests;
