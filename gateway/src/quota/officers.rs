//! The officers of one agreement: whom each asked about this hour, and how many of the answers of
//! the last hour found nobody.
//!
//! Bounded: windows that have ended make room, and when none has, there is no room. Officers and
//! data subjects are known by keyed digests only.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use jiff::Timestamp;
use lienthong_evidence::entry::KeyedDigest;
use lienthong_policy::NotFoundLimit;

use super::day::is_near;

/// An officer, or whoever asks without naming one.
pub(super) type Officer = Option<KeyedDigest>;

/// Most officers of one agreement at once.
const MAX_OFFICERS: usize = 16_384;
/// Most places in the gateway: a data subject takes one, an officer [`OFFICER_PLACES`].
const MAX_PLACES: usize = 2_000_000;
const OFFICER_PLACES: usize = 16;
const HOUR: i64 = 3600;
/// Seconds by which the window over answers moves.
const STEP: i64 = 300;
const STEPS: usize = 12;

/// The places in memory that all agreements share.
#[derive(Debug, Default)]
pub(super) struct Places(AtomicUsize);

impl Places {
    fn take(&self, places: usize) -> bool {
        let within = |taken: usize| Some(taken + places).filter(|taken| *taken <= MAX_PLACES);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, within).is_ok()
    }

    fn give_back(&self, places: usize) {
        self.0.fetch_sub(places, Ordering::AcqRel);
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// An instant, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(i64);

impl Moment {
    pub(super) fn of(now: Timestamp) -> Self {
        Self(now.as_second())
    }

    pub(super) fn minute(self) -> i64 {
        self.0.div_euclid(60)
    }

    fn hour(self) -> i64 {
        self.0.div_euclid(HOUR)
    }

    fn step(self) -> i64 {
        self.0.div_euclid(STEP)
    }

    /// The time until `second`, at least one second.
    fn until(self, second: i64) -> Duration {
        Duration::from_secs(second.saturating_sub(self.0).max(1).unsigned_abs())
    }
}

/// Why an officer may not go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The hour's data subjects are used up; admits again after the wait.
    Hour(Duration),
    /// Too many answers found nobody; some are forgotten after the wait.
    NotFound(Duration),
    /// No more can be remembered.
    Full,
}

/// The officers of one agreement.
#[derive(Debug, Default)]
pub(super) struct Officers {
    windows: HashMap<Officer, Window>,
    /// The hour in which an officer was last told to be near the limit.
    near: Option<i64>,
}

#[derive(Debug)]
struct Window {
    hour: i64,
    subjects: HashSet<KeyedDigest>,
    elements: u64,
    answers: [Answers; STEPS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Answers {
    step: i64,
    all: u32,
    not_found: u32,
}

/// Elements of a stream that an officer's hour has let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HourElements {
    hour: i64,
    pub(super) units: u64,
}

impl HourElements {
    /// These, and those of `earlier` when they are of the same hour.
    pub(super) fn and(self, earlier: Option<Self>) -> Self {
        let same = earlier.filter(|earlier| earlier.hour == self.hour);
        Self { units: self.units + same.map_or(0, |earlier| earlier.units), ..self }
    }

    pub(super) fn at_most(self, units: u64) -> Self {
        Self { units: self.units.min(units), ..self }
    }
}

impl Window {
    fn new(hour: i64) -> Self {
        Self { hour, subjects: HashSet::new(), elements: 0, answers: [Answers::default(); STEPS] }
    }

    /// Goes to a later hour, never to an earlier one; gives the places that have become free.
    fn enter(&mut self, hour: i64) -> usize {
        if hour <= self.hour {
            return 0;
        }
        self.hour = hour;
        self.elements = 0;
        std::mem::take(&mut self.subjects).len()
    }

    fn used(&self) -> u64 {
        self.elements.saturating_add(self.subjects.len() as u64)
    }

    fn recent(&self, now: Moment) -> impl Iterator<Item = &Answers> {
        let first = now.step() - STEPS as i64 + 1;
        self.answers.iter().filter(move |answers| answers.all > 0 && answers.step >= first)
    }

    fn has_ended(&self, now: Moment) -> bool {
        self.hour < now.hour() && self.recent(now).next().is_none()
    }

    fn until_end(&self, now: Moment) -> Duration {
        now.until((self.hour + 1) * HOUR)
    }
}

impl Officers {
    /// Lets an officer ask, unless too many of the last answers found nobody.
    pub(super) fn enter(
        &mut self,
        officer: Officer,
        not_found: Option<NotFoundLimit>,
        now: Moment,
        places: &Places,
    ) -> Result<(), Stop> {
        if !self.windows.contains_key(&officer) {
            if self.windows.len() >= MAX_OFFICERS || !places.take(OFFICER_PLACES) {
                return Err(Stop::Full);
            }
            self.windows.insert(officer, Window::new(now.hour()));
        }
        let (Some(window), Some(limit)) = (self.windows.get(&officer), not_found) else {
            return Ok(());
        };
        let (mut all, mut none, mut oldest) = (0_u32, 0_u32, now.step());
        for answers in window.recent(now) {
            all = all.saturating_add(answers.all);
            none = none.saturating_add(answers.not_found);
            oldest = oldest.min(answers.step);
        }
        if all >= limit.after && f64::from(none) > limit.share * f64::from(all) {
            return Err(Stop::NotFound(now.until((oldest + STEPS as i64) * STEP)));
        }
        Ok(())
    }

    /// Counts the data subjects that the officer's hour does not know yet: all of them or none.
    /// Gives what is used, once an hour of the agreement, when that has come near the limit.
    pub(super) fn ask_about(
        &mut self,
        officer: Officer,
        subjects: &[KeyedDigest],
        limit: u64,
        now: Moment,
        places: &Places,
    ) -> Result<Option<u64>, Stop> {
        let window = self.windows.get_mut(&officer).ok_or(Stop::Full)?;
        places.give_back(window.enter(now.hour()));
        let is_new = |subject: &&KeyedDigest| !window.subjects.contains(*subject);
        let new = subjects.iter().filter(is_new).count();
        if window.used().saturating_add(new as u64) > limit && new > 0 {
            return Err(Stop::Hour(window.until_end(now)));
        }
        if !places.take(new) {
            return Err(Stop::Full);
        }
        window.subjects.extend(subjects);
        let (used, hour) = (window.used(), window.hour);
        Ok(self.came_near(used, limit, hour))
    }

    /// Counts up to `most` elements of a stream, each as a data subject of its own.
    pub(super) fn pass_elements(
        &mut self,
        officer: Officer,
        most: u64,
        limit: u64,
        now: Moment,
        places: &Places,
    ) -> Result<(HourElements, Option<u64>), Stop> {
        let window = self.windows.get_mut(&officer).ok_or(Stop::Full)?;
        places.give_back(window.enter(now.hour()));
        let units = most.min(limit.saturating_sub(window.used()));
        if units == 0 {
            return Err(Stop::Hour(window.until_end(now)));
        }
        window.elements += units;
        let (used, hour) = (window.used(), window.hour);
        Ok((HourElements { hour, units }, self.came_near(used, limit, hour)))
    }

    /// Takes elements back that did not pass, when they are of the officer's present hour.
    pub(super) fn give_back(&mut self, officer: Officer, unused: HourElements) {
        let window = self.windows.get_mut(&officer).filter(|window| window.hour == unused.hour);
        if let Some(window) = window {
            window.elements = window.elements.saturating_sub(unused.units);
        }
    }

    fn came_near(&mut self, used: u64, limit: u64, hour: i64) -> Option<u64> {
        let first = is_near(used, limit) && self.near.is_none_or(|told| told < hour);
        if first {
            self.near = Some(hour);
        }
        first.then_some(used)
    }

    /// Counts an answer.
    pub(super) fn answered(&mut self, officer: Officer, not_found: bool, now: Moment) {
        let step = now.step();
        let slot = usize::try_from(step.rem_euclid(STEPS as i64)).unwrap_or(0);
        let window = self.windows.get_mut(&officer);
        let Some(answers) = window.and_then(|window| window.answers.get_mut(slot)) else { return };
        // A clock that was set back counts on in the later step.
        if answers.step < step {
            *answers = Answers { step, ..Answers::default() };
        }
        answers.all = answers.all.saturating_add(1);
        answers.not_found = answers.not_found.saturating_add(u32::from(not_found));
    }

    /// Forgets the windows that have ended.
    pub(super) fn sweep(&mut self, now: Moment, places: &Places) {
        self.windows.retain(|_, window| {
            let ended = window.has_ended(now);
            let subjects = window.enter(now.hour());
            places.give_back(subjects + if ended { OFFICER_PLACES } else { 0 });
            !ended
        });
    }

    /// The most that any officer has used of this hour.
    pub(super) fn most_used(&self, now: Moment) -> u64 {
        let present = self.windows.values().filter(|window| window.hour >= now.hour());
        present.map(Window::used).max().unwrap_or(0)
    }
}
