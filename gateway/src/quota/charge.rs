//! What one exchange has taken of its agreement's limits on data.
//!
//! Gives back on drop what was not used: the data subjects of a request that its provider was not
//! asked, and the elements that a stream did not let pass.

use std::sync::Arc;

use lienthong_policy::DataLimits;

use super::{
    counters::Counters,
    day::Taken,
    officers::{HourElements, Officer},
};

/// What one exchange has taken.
#[derive(Debug)]
pub struct Charge {
    /// None where the agreement limits no data.
    pub(super) of: Option<Of>,
    pub(super) subjects: Option<Taken>,
    pub(super) committed: bool,
    pub(super) elements: Elements,
}

/// Whose charge it is, and under which limits.
#[derive(Debug, Clone)]
pub(super) struct Of {
    pub(super) counters: Arc<Counters>,
    pub(super) limits: DataLimits,
    pub(super) officer: Officer,
}

/// The elements of a stream.
#[derive(Debug, Default)]
pub(super) struct Elements {
    pub(super) allowed: u64,
    passed: u64,
    /// What of them was taken of the latest day and hour; of earlier ones nothing is given back.
    day: Option<Taken>,
    hour: Option<HourElements>,
}

impl Charge {
    pub(super) fn new(of: Option<Of>) -> Self {
        Self { of, subjects: None, committed: false, elements: Elements::default() }
    }

    /// Notes that the provider may have been asked: what the request took stays taken.
    pub fn commit(&mut self) {
        self.committed = true;
    }

    /// Notes that the provider was not asked after all.
    pub fn release(&mut self) {
        self.committed = false;
    }

    /// How many elements may pass so far in all.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        self.elements.allowed
    }

    /// Notes how many elements have passed so far in all.
    pub fn passed(&mut self, elements: u64) {
        self.elements.passed = self.elements.passed.max(elements);
    }
}

impl Elements {
    /// Adds elements that may pass.
    pub(super) fn allow(&mut self, units: u64, day: Option<Taken>, hour: Option<HourElements>) {
        self.allowed = self.allowed.saturating_add(units);
        if let Some(new) = day {
            let same = self.day.filter(|old| old.date == new.date);
            let units = new.units + same.map_or(0, |old| old.units);
            self.day = Some(Taken { units, ..new });
        }
        if let Some(new) = hour {
            self.hour = Some(new.and(self.hour));
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let Some(Of { counters, officer, .. }) = &self.of else { return };
        if let Some(subjects) = self.subjects.filter(|_| !self.committed) {
            counters.day().give_back(subjects);
        }
        let unused = self.elements.allowed.saturating_sub(self.elements.passed);
        if let Some(taken) = self.elements.day.filter(|_| unused > 0) {
            let units = taken.units.min(unused);
            counters.day().give_back(Taken { units, ..taken });
        }
        if let Some(taken) = self.elements.hour.filter(|_| unused > 0) {
            counters.officers().give_back(*officer, taken.at_most(unused));
        }
    }
}
