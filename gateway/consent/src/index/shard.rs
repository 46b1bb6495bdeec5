//! One share of the people.

use super::IndexFull;
use crate::{keys::SubjectDigest, period::PackedDate, state::State};

/// No place.
const NONE: u32 = u32::MAX;
const FEWEST: usize = 64;

/// The newest statement of a person about a scope.
// PERF: benches/registry.rs. Ten million of them, with their chains, take less than a gibibyte.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) id: [u8; 16],
    pub(crate) subject: [u8; 16],
    /// The revision it began with.
    pub(crate) created: u64,
    /// Its newest revision.
    pub(crate) revision: u64,
    pub(crate) scope: u32,
    pub(crate) fields: u32,
    pub(crate) from: PackedDate,
    pub(crate) until: PackedDate,
    pub(crate) state: State,
    pub(crate) once: bool,
}

#[derive(Default)]
pub(crate) struct Shard {
    slots: Vec<Slot>,
    /// The slot after this one in its chain.
    next: Vec<u32>,
    /// The first slot of each chain; as many as a power of two.
    first: Vec<u32>,
    counts: [u64; State::ALL.len()],
}

impl Shard {
    /// The statements of a person.
    pub(crate) fn of(&self, subject: &SubjectDigest) -> impl Iterator<Item = &Slot> {
        let chain = self.chain(subject.as_bytes());
        let wanted = *subject.as_bytes();
        self.along(chain)
            .filter_map(|place| self.slots.get(place as usize))
            .filter(move |slot| slot.subject == wanted)
    }

    /// The places of a chain.
    fn along(&self, chain: usize) -> impl Iterator<Item = u32> {
        let begin = self.first.get(chain).copied().filter(|place| *place != NONE);
        std::iter::successors(begin, |place| {
            self.next.get(*place as usize).copied().filter(|place| *place != NONE)
        })
    }

    /// In which chain a person is. The first byte of the digest has chosen the shard.
    fn chain(&self, subject: &[u8; 16]) -> usize {
        let [_, a, b, c, d, ..] = *subject;
        let mask = self.first.len().wrapping_sub(1);
        u32::from_le_bytes([a, b, c, d]) as usize & mask
    }

    /// Puts a statement in the place of an older one about the same, or beside the others.
    pub(crate) fn put(&mut self, slot: Slot) -> Result<(), IndexFull> {
        let chain = self.chain(&slot.subject);
        let same = |known: &Slot| known.subject == slot.subject && known.scope == slot.scope;
        let place =
            self.along(chain).find(|place| self.slots.get(*place as usize).is_some_and(same));
        let Some(place) = place else { return self.add(slot) };
        let Some(known) = self.slots.get_mut(place as usize) else { return Err(IndexFull) };
        if (known.created, known.revision) < (slot.created, slot.revision) {
            let before = std::mem::replace(known, slot).state;
            self.count_less(before);
            self.count_more(slot.state);
        }
        Ok(())
    }

    fn add(&mut self, slot: Slot) -> Result<(), IndexFull> {
        let place = u32::try_from(self.slots.len()).map_err(|_| IndexFull)?;
        if place == NONE {
            return Err(IndexFull);
        }
        if self.slots.len() == self.slots.capacity() {
            // An eighth more and not twice as much: what is reserved is memory too.
            self.grow((self.slots.len() / 8).max(FEWEST));
        }
        if self.slots.len() >= self.first.len() {
            self.spread((self.first.len() * 2).max(FEWEST));
        }
        let chain = self.chain(&slot.subject);
        let Some(first) = self.first.get_mut(chain) else { return Err(IndexFull) };
        self.next.push(std::mem::replace(first, place));
        self.slots.push(slot);
        self.count_more(slot.state);
        Ok(())
    }

    /// Makes room for this many statements.
    pub(crate) fn reserve(&mut self, statements: usize) {
        self.grow(statements);
        if statements > self.first.len() {
            self.spread(statements.next_power_of_two());
        }
    }

    fn grow(&mut self, more: usize) {
        self.slots.reserve_exact(more);
        self.next.reserve_exact(more);
    }

    /// Makes this many chains out of those there are.
    fn spread(&mut self, chains: usize) {
        self.first = vec![NONE; chains];
        for (place, slot) in (0_u32..).zip(&self.slots) {
            let chain = self.chain(&slot.subject);
            let (Some(first), Some(next)) =
                (self.first.get_mut(chain), self.next.get_mut(place as usize))
            else {
                continue;
            };
            *next = std::mem::replace(first, place);
        }
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(crate) fn count(&self, state: State) -> u64 {
        self.counts.get(state as usize).copied().unwrap_or_default()
    }

    fn count_more(&mut self, state: State) {
        if let Some(count) = self.counts.get_mut(state as usize) {
            *count += 1;
        }
    }

    fn count_less(&mut self, state: State) {
        if let Some(count) = self.counts.get_mut(state as usize) {
            *count = count.saturating_sub(1);
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let slots = self.slots.capacity() * size_of::<Slot>();
        slots + (self.next.capacity() + self.first.capacity()) * size_of::<u32>()
    }
}
