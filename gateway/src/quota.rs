//! Limits on data: how many data subjects a day and an officer's hour may see, how many answers may
//! find nobody, how many elements a stream may have.
//!
//! Takes the limits of an agreement and the digests of whom a request is about; gives a charge, or
//! the refusal. The day is durable and leased in blocks, so that no crash gives quota back; hours
//! are of this process. Everything is bounded, and what cannot be counted is refused.

mod charge;
mod counters;
mod day;
mod ledger;
mod officers;

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use jiff::civil::Date;
use lienthong_evidence::entry::KeyedDigest;
use lienthong_model::{
    clock::{Clock, civil_date, civil_zone},
    id::AgreementId,
    reason::ReasonCode,
};
use lienthong_policy::{DataLimits, PolicySet};
use lienthong_store::{Store, StoreError};
use tokio::time::Instant;
use tracing::warn;

pub use self::charge::Charge;
use self::{
    charge::Of,
    counters::Counters,
    day::{Day, Take, Taken},
    ledger::Ledger,
    officers::{HourElements, Moment, Places, Stop},
};
use crate::{
    metrics::QuotaMetrics,
    refusal::{Cause, Refusal},
};

/// Most agreements that are counted.
const MAX_AGREEMENTS: usize = 100_000;
/// Longest wait for a lease.
const PATIENCE: Duration = Duration::from_secs(2);

/// Name of the daily limit, in metrics and the log.
const PER_DAY: &str = "data_subjects_per_day";
/// Name of the hourly limit, in metrics and the log.
const PER_OFFICER_HOUR: &str = "subjects_per_officer_hour";

/// What is used of the limits on data of every agreement. One a process; it survives reloads.
#[derive(Debug)]
pub struct Quotas {
    clock: Arc<dyn Clock>,
    metrics: QuotaMetrics,
    agreements: RwLock<HashMap<AgreementId, Arc<Counters>>>,
    places: Places,
    /// The minute of the last sweep: making room must not cost every request.
    swept: AtomicI64,
    ledger: OnceLock<Ledger>,
}

impl Quotas {
    /// Counts from nothing. Until [`Self::open`] every daily limit refuses.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, metrics: QuotaMetrics) -> Self {
        Self {
            clock,
            metrics,
            agreements: RwLock::default(),
            places: Places::default(),
            swept: AtomicI64::new(i64::MIN),
            ledger: OnceLock::new(),
        }
    }

    /// Goes on from the counters of this store, and keeps them there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn open(&self, store: Arc<Store>) -> Result<(), StoreError> {
        let (ledger, known) = Ledger::open(store).await?;
        let mut agreements = self.agreements.write().unwrap_or_else(PoisonError::into_inner);
        for (agreement, usage) in known {
            let counters = Counters::new(agreement.clone(), Day::known(&usage));
            agreements.insert(agreement, Arc::new(counters));
        }
        drop(agreements);
        // One process opens once; the first ledger stays.
        drop(self.ledger.set(ledger));
        Ok(())
    }

    /// Gives back what is leased and not used. To be called when no exchange is in flight any more,
    /// before the store is closed.
    pub async fn close(&self) {
        if let Some(ledger) = self.ledger.get() {
            ledger.close(self.every_agreement()).await;
        }
    }

    /// Charges a request: its officer's answers, the officer's hour, then the day.
    ///
    /// # Errors
    /// `quota.enumeration`, `quota.officer_subjects`, `quota.data_subjects`, `quota.unavailable`.
    pub async fn admit(
        &self,
        agreement: &AgreementId,
        limits: DataLimits,
        officer: Option<KeyedDigest>,
        subjects: &[KeyedDigest],
    ) -> Result<Charge, Refusal> {
        if limits == DataLimits::default() {
            return Ok(Charge::new(None));
        }
        let counters = self.counters(agreement)?;
        let of = Of { counters, limits, officer };
        if limits.not_found.is_some() || limits.subjects_per_officer_hour.is_some() {
            self.enter(&of, subjects)?;
        }
        let mut charge = Charge::new(Some(of.clone()));
        let units = subjects.len() as u64;
        if let Some(limit) = limits.data_subjects_per_day.filter(|_| units > 0) {
            charge.subjects = Some(self.take(&of.counters, limit.into(), (units, units)).await?);
        }
        Ok(charge)
    }

    /// Counts the provider's answer: what is there and what is not found. Other answers tell
    /// nothing about who exists.
    pub fn answered(&self, charge: &Charge, status: StatusCode) {
        let Some(of) = charge.of.as_ref().filter(|of| of.limits.not_found.is_some()) else {
            return;
        };
        let not_found = status == StatusCode::NOT_FOUND;
        if not_found || status.is_success() {
            of.counters.officers().answered(of.officer, not_found, self.moment());
        }
    }

    /// Lets `more` elements of a stream pass, or as many as the limits leave, but one at least;
    /// gives how many may have passed then in all.
    ///
    /// # Errors
    /// `quota.elements`, `quota.officer_subjects`, `quota.data_subjects`, `quota.unavailable`.
    pub async fn elements(&self, charge: &mut Charge, more: u64) -> Result<u64, Refusal> {
        let Some(of) = charge.of.clone() else { return Ok(u64::MAX) };
        let DataLimits { data_subjects_per_day, subjects_per_officer_hour, .. } = of.limits;
        let of_stream = of.limits.elements_per_stream.unwrap_or(u64::MAX);
        let mut units = more.max(1).min(of_stream.saturating_sub(charge.elements.allowed));
        if units == 0 {
            return Err(Refusal::new(ReasonCode::QuotaElements));
        }
        // What a later limit does not leave is given back to the hour with the charge's other
        // unused elements, also when this wait is cut off.
        let mut hour = None;
        if let Some(limit) = subjects_per_officer_hour {
            let passed = self.pass_elements(&of, units, limit.into())?;
            units = passed.units;
            hour = Some(passed);
        }
        let Some(limit) = data_subjects_per_day else {
            charge.elements.allow(units, None, hour);
            return Ok(charge.elements.allowed);
        };
        let mut held = Charge::new(Some(of.clone()));
        held.elements.allow(units, None, hour);
        let taken = self.take(&of.counters, limit.into(), (1, units)).await?;
        held.passed(taken.units);
        let hour = hour.map(|hour| hour.at_most(taken.units));
        charge.elements.allow(taken.units, Some(taken), hour);
        Ok(charge.elements.allowed)
    }

    /// Brings the gauges up to date with the limits now in force.
    pub fn observe(&self, policies: &PolicySet) {
        let (today, now) = (civil_date(self.clock.now()), self.moment());
        self.metrics.clear();
        for agreement in policies.agreements.values() {
            let counters = self.known(&agreement.id);
            let counters = counters.as_deref();
            let (id, data) = (agreement.id.as_str(), agreement.limits.data);
            if let Some(limit) = data.data_subjects_per_day {
                let used = counters.map_or(0, |counters| counters.day().used(today));
                self.metrics.used(id, PER_DAY, used, limit.into());
            }
            if let Some(limit) = data.subjects_per_officer_hour {
                let used = counters.map_or(0, |counters| counters.officers().most_used(now));
                self.metrics.used(id, PER_OFFICER_HOUR, used, limit.into());
            }
        }
    }

    /// Whether the daily counters cannot be kept at present.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.ledger.get().is_some_and(Ledger::is_failing)
    }

    fn moment(&self) -> Moment {
        Moment::of(self.clock.now())
    }

    fn known(&self, agreement: &AgreementId) -> Option<Arc<Counters>> {
        let agreements = self.agreements.read().unwrap_or_else(PoisonError::into_inner);
        agreements.get(agreement).cloned()
    }

    fn every_agreement(&self) -> Vec<Arc<Counters>> {
        let agreements = self.agreements.read().unwrap_or_else(PoisonError::into_inner);
        agreements.values().cloned().collect()
    }

    fn counters(&self, agreement: &AgreementId) -> Result<Arc<Counters>, Refusal> {
        if let Some(counters) = self.known(agreement) {
            return Ok(counters);
        }
        let mut agreements = self.agreements.write().unwrap_or_else(PoisonError::into_inner);
        if agreements.len() >= MAX_AGREEMENTS && !agreements.contains_key(agreement) {
            return Err(Refusal::new(ReasonCode::QuotaUnavailable));
        }
        let counters = agreements
            .entry(agreement.clone())
            .or_insert_with(|| Arc::new(Counters::new(agreement.clone(), Day::default())));
        Ok(Arc::clone(counters))
    }

    /// Judges the officer's last answers and counts whom the officer asks about.
    fn enter(&self, of: &Of, subjects: &[KeyedDigest]) -> Result<(), Refusal> {
        let now = self.moment();
        let near = self.with_room(now, || {
            let mut officers = of.counters.officers();
            officers.enter(of.officer, of.limits.not_found, now, &self.places)?;
            match of.limits.subjects_per_officer_hour {
                Some(limit) => {
                    officers.ask_about(of.officer, subjects, limit.into(), now, &self.places)
                }
                None => Ok(None),
            }
        })?;
        self.tell_near(of, PER_OFFICER_HOUR, near, of.limits.subjects_per_officer_hour);
        Ok(())
    }

    fn pass_elements(&self, of: &Of, most: u64, limit: u64) -> Result<HourElements, Refusal> {
        let now = self.moment();
        let (passed, near) = self.with_room(now, || {
            let mut officers = of.counters.officers();
            // The officer may have been forgotten while the stream went on.
            officers.enter(of.officer, None, now, &self.places)?;
            officers.pass_elements(of.officer, most, limit, now, &self.places)
        })?;
        self.tell_near(of, PER_OFFICER_HOUR, near, of.limits.subjects_per_officer_hour);
        Ok(passed)
    }

    /// Runs `count`; when there is no room, once more after the windows that have ended are gone.
    fn with_room<T>(
        &self,
        now: Moment,
        mut count: impl FnMut() -> Result<T, Stop>,
    ) -> Result<T, Refusal> {
        let mut outcome = count();
        if matches!(outcome, Err(Stop::Full))
            && self.swept.fetch_max(now.minute(), Ordering::AcqRel) < now.minute()
        {
            for counters in self.every_agreement() {
                counters.officers().sweep(now, &self.places);
            }
            outcome = count();
        }
        outcome.map_err(|stop| match stop {
            Stop::Hour(wait) => later(ReasonCode::QuotaOfficerSubjects, wait),
            Stop::NotFound(wait) => later(ReasonCode::QuotaEnumeration, wait),
            Stop::Full => Refusal::named(ReasonCode::QuotaOfficerSubjects, "no room"),
        })
    }

    /// Takes units of the day, at least and at most, waiting for a lease when one must come first.
    async fn take(
        &self,
        counters: &Arc<Counters>,
        limit: u64,
        (least, most): (u64, u64),
    ) -> Result<Taken, Refusal> {
        let deadline = Instant::now() + PATIENCE;
        let mut failures_before = None;
        loop {
            // Heard from now on, so that a lease that comes between is not missed.
            let mut leased = pin!(counters.leased.notified());
            leased.as_mut().enable();
            let today = civil_date(self.clock.now());
            let outcome = counters.day().take(today, limit, least, most);
            match outcome {
                Take::Taken { taken, near } => {
                    self.tell(&counters.agreement, PER_DAY, near, limit);
                    return Ok(taken);
                }
                Take::UsedUp(day) => {
                    return Err(later(ReasonCode::QuotaDataSubjects, self.until_end(day)));
                }
                Take::Wait { wish, failures } => {
                    // A wish is never dropped: nobody else could have one until it is heard.
                    match (wish, self.ledger.get()) {
                        (Some(wish), Some(ledger)) => ledger.wish(counters, wish),
                        (Some(_), None) => counters.day().failed(),
                        (None, _) => {}
                    }
                    let is_open = self.ledger.get().is_some();
                    if !is_open || *failures_before.get_or_insert(failures) != failures {
                        return Err(Refusal::new(ReasonCode::QuotaUnavailable));
                    }
                }
            }
            if tokio::time::timeout_at(deadline, leased).await.is_err() {
                return Err(Refusal::new(ReasonCode::QuotaUnavailable));
            }
        }
    }

    /// The time until a civil day has ended.
    fn until_end(&self, day: Date) -> Duration {
        let next = day.tomorrow().and_then(|next| next.to_zoned(civil_zone()));
        let seconds =
            next.map_or(0, |next| next.timestamp().duration_since(self.clock.now()).as_secs());
        Duration::from_secs(seconds.max(1).unsigned_abs())
    }

    fn tell_near(&self, of: &Of, quota: &'static str, near: Option<u64>, limit: Option<u32>) {
        self.tell(&of.counters.agreement, quota, near, limit.unwrap_or_default().into());
    }

    fn tell(&self, agreement: &AgreementId, quota: &'static str, near: Option<u64>, limit: u64) {
        let Some(used) = near else { return };
        self.metrics.near_limit(agreement.as_str(), quota);
        warn!(target: "quota", %agreement, quota, used, limit, "80 % of a limit is used");
    }
}

fn later(reason: ReasonCode, wait: Duration) -> Refusal {
    Refusal { reason, cause: Cause::Wait(wait) }
}

#[cfg(test)]
pub(crate) use self::tests::shipped;

#[cfg(test)]
mod tests;
