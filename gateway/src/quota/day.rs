//! One agreement's day: what is leased of it, and what is left of the lease.
//!
//! Only counts, never waits: a taker is told that the day is used up, or that a lease must come
//! first. Goes to a later day when it is asked to and to an earlier one never.

use jiff::civil::Date;
use lienthong_store::quota::{Lease, Usage};

/// The day of one agreement.
#[derive(Debug, Default)]
pub(super) struct Day {
    date: Option<Date>,
    /// What is used on disk, `left` included.
    used: u64,
    /// What is leased and not yet taken.
    left: u64,
    leasing: bool,
    failures: u64,
    near: bool,
}

/// Units of a day that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) date: Date,
    pub(super) units: u64,
}

/// What a taker is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// It has them. `near` gives what is used, once a day, when that has come near the limit.
    Taken { taken: Taken, near: Option<u64> },
    /// A lease must come first, which the taker asks for when there is a wish.
    Wait { wish: Option<Wish>, failures: u64 },
    /// The limit does not leave as many on this day.
    UsedUp(Date),
}

/// A lease to be asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) today: Date,
    pub(super) units: u64,
    pub(super) limit: u64,
}

/// Most that is leased at once, but for a request that is about more data subjects.
const MAX_BLOCK: u64 = 1000;

/// How much is leased at once: a hundredth of the limit, which is what a crash can cost.
fn block(limit: u64) -> u64 {
    (limit / 100).clamp(1, MAX_BLOCK)
}

/// Whether `used` of `limit` is 80 % or more.
pub(super) fn is_near(used: u64, limit: u64) -> bool {
    used.saturating_mul(5) >= limit.saturating_mul(4)
}

impl Day {
    /// A day as the store knows it.
    pub(super) fn known(usage: &Usage) -> Self {
        Self { date: Some(usage.day), used: usage.used, ..Self::default() }
    }

    /// Takes at least `least` and at most `most` units of the day under the limit now in force.
    pub(super) fn take(&mut self, today: Date, limit: u64, least: u64, most: u64) -> Take {
        let today = self.date.map_or(today, |known| known.max(today));
        let (spent, left) =
            if self.date == Some(today) { (self.spent(), self.left) } else { (0, 0) };
        let room = limit.saturating_sub(spent);
        if room < least {
            return Take::UsedUp(today);
        }
        // A stream gets what it asked for at once and not what a small lease has left of it.
        let wanted = most.min(room).min(MAX_BLOCK.max(least));
        if left >= wanted {
            let units = most.min(room).min(left);
            self.left -= units;
            let used = spent + units;
            let near = is_near(used, limit) && !std::mem::replace(&mut self.near, true);
            let taken = Taken { date: today, units };
            return Take::Taken { taken, near: near.then_some(used) };
        }
        let first = !std::mem::replace(&mut self.leasing, true);
        let wish = Wish { today, units: block(limit).max(wanted - left), limit };
        Take::Wait { wish: first.then_some(wish), failures: self.failures }
    }

    /// Takes over what was leased.
    pub(super) fn leased(&mut self, lease: &Lease) {
        self.leasing = false;
        // What is left of an earlier day is gone with it.
        if self.date != Some(lease.usage.day) {
            (self.left, self.near) = (0, false);
        }
        self.date = Some(lease.usage.day);
        self.used = lease.usage.used;
        self.left += lease.granted;
    }

    /// Notes that a lease could not be had.
    pub(super) fn failed(&mut self) {
        self.leasing = false;
        self.failures += 1;
    }

    /// Takes units back, when they are of this day.
    pub(super) fn give_back(&mut self, taken: Taken) {
        if self.date == Some(taken.date) {
            self.left = (self.left + taken.units).min(self.used);
        }
    }

    /// Takes out everything that is left, to be given back to the store.
    pub(super) fn drain(&mut self) -> Option<Taken> {
        let units = std::mem::take(&mut self.left);
        self.used = self.used.saturating_sub(units);
        self.date.filter(|_| units > 0).map(|date| Taken { date, units })
    }

    fn spent(&self) -> u64 {
        self.used.saturating_sub(self.left)
    }

    /// What is used of `today`, or of the later day that counts instead.
    pub(super) fn used(&self, today: Date) -> u64 {
        match self.date {
            Some(date) if date >= today => self.spent(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
