//! An exchange as the log has it: all of its entries. Or an entry that is of none.

use std::path::Path;

use super::{MayHold, one_of};
use crate::{
    entry::{Entry, ExchangeId, KeyedDigest, Outcome},
    sidecar::{self, Sealed, Sidecar},
};

/// The entries of one exchange, or one entry that is of none, with their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    entries: Vec<(u64, Vec<u8>)>,
}

impl Unit {
    pub(super) fn single(place: u64, bytes: &[u8]) -> Self {
        Self { entries: vec![(place, bytes.to_vec())] }
    }

    /// Takes an entry in when it is of this exchange.
    pub(super) fn add(&mut self, exchange: ExchangeId, place: u64, bytes: &[u8]) {
        if Entry::decode(bytes).is_ok_and(|entry| entry.exchange() == Some(exchange)) {
            self.entries.push((place, bytes.to_vec()));
        }
    }

    /// The entries as they stand in the log.
    #[must_use]
    pub fn entries(&self) -> &[(u64, Vec<u8>)] {
        &self.entries
    }

    /// The entries, read.
    pub fn decoded(&self) -> impl Iterator<Item = (u64, Entry<'_>)> {
        self.entries.iter().filter_map(|(place, bytes)| Some((*place, Entry::decode(bytes).ok()?)))
    }

    /// Whether it is this entry and no other.
    #[must_use]
    pub fn is_entry(&self, index: u64) -> bool {
        self.entries.iter().all(|(place, _)| *place == index)
    }

    /// The exchange; none when it is an entry that is of none.
    #[must_use]
    pub fn exchange(&self) -> Option<ExchangeId> {
        self.decoded().find_map(|(_, entry)| entry.exchange())
    }

    /// Whether it is about the data subject with one of these digests.
    pub(super) fn holds(&self, digests: &[KeyedDigest], directory: &Path) -> bool {
        self.decoded().any(|(_, entry)| match entry {
            Entry::Intent(entry) => entry.subjects.iter().any(|s| one_of(digests, s.digest)),
            Entry::Refusal(entry) => entry.subjects.iter().any(|s| one_of(digests, s.digest)),
            Entry::Outcome(entry) => {
                entry.subjects.iter().any(|s| one_of(digests, s.digest))
                    || sidecar(&entry, directory).is_some_and(|sidecar| has(&sidecar, digests))
            }
            Entry::Administration(done) => done.subject.is_some_and(|s| one_of(digests, s)),
            Entry::Consent(entry) => {
                let persons = [Some(entry.subject), entry.representative];
                persons.into_iter().flatten().any(|person| one_of(digests, person))
            }
            Entry::Right(entry) => one_of(digests, entry.subject),
            _ => false,
        })
    }

    /// Why it may be about somebody whom none of its entries names.
    pub(super) fn may_hold(&self, directory: &Path) -> Option<MayHold> {
        let mut permitted = false;
        for (_, entry) in self.decoded() {
            match entry {
                Entry::Intent(_) => permitted = true,
                Entry::Interrupted(_) => return Some(MayHold::Interrupted),
                Entry::Outcome(entry) => {
                    let lacks = entry.sidecar.is_some() && sidecar(&entry, directory).is_none();
                    return lacks.then_some(MayHold::Sidecar);
                }
                _ => {}
            }
        }
        permitted.then_some(MayHold::Open)
    }
}

/// The sidecar that an outcome names, when it is there and the one that was sealed.
fn sidecar(outcome: &Outcome<'_>, directory: &Path) -> Option<Sidecar> {
    let sealed = Sealed::of(outcome)?;
    let sidecar = Sidecar::open(&sidecar::path(directory, outcome.exchange)).ok()?;
    sidecar.check(sealed).is_ok().then_some(sidecar)
}

fn has(sidecar: &Sidecar, digests: &[KeyedDigest]) -> bool {
    digests.iter().any(|digest| sidecar.contains(*digest).unwrap_or(false))
}
