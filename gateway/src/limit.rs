//! Limits on one node: requests (burst and sustained) and requests in flight of an agreement, and
//! requests in flight of a consumer over all its agreements.
//!
//! Kept across reloads while the agreement's limits stay the same, so that a reload is no way to
//! a fresh burst.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use http::HeaderValue;
use lienthong_model::reason::ReasonCode;
use lienthong_policy::Limits;

use crate::refusal::{Cause, Refusal};

type Requests = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// The limits of one agreement and what is used of them.
pub struct AgreementLimiter {
    limits: Limits,
    policy_header: HeaderValue,
    requests: Requests,
    in_flight: AtomicU32,
    clock: DefaultClock,
}

impl std::fmt::Debug for AgreementLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgreementLimiter").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A request within its limits; its place in flight is given back on drop.
#[derive(Debug)]
pub struct Permit {
    limiter: Arc<AgreementLimiter>,
    /// Requests that could follow at once.
    pub remaining: u32,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The places in flight of one consumer, over all its agreements.
#[derive(Debug, Default)]
pub struct ConsumerPlaces(AtomicU32);

/// One place of a consumer, given back on drop.
#[derive(Debug)]
pub struct Place(Arc<ConsumerPlaces>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl ConsumerPlaces {
    /// Takes one of `most` places.
    ///
    /// # Errors
    /// `quota.in_flight` when all are taken.
    pub fn admit(self: &Arc<Self>, most: u32) -> Result<Place, Refusal> {
        let before = self.0.fetch_add(1, Ordering::AcqRel);
        let place = Place(Arc::clone(self));
        if before >= most { Err(Refusal::new(ReasonCode::QuotaInFlight)) } else { Ok(place) }
    }
}

impl AgreementLimiter {
    /// A fresh limiter.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let burst = NonZeroU32::new(limits.burst).unwrap_or(NonZeroU32::MIN);
        let period = Duration::try_from_secs_f64(1.0 / limits.per_second.max(1e-6))
            .unwrap_or(Duration::from_secs(1));
        let quota = Quota::with_period(period)
            .unwrap_or(Quota::per_second(NonZeroU32::MIN))
            .allow_burst(burst);
        Self {
            limits: *limits,
            policy_header: policy_header(limits),
            requests: RateLimiter::direct(quota).with_middleware(),
            in_flight: AtomicU32::new(0),
            clock: DefaultClock::default(),
        }
    }

    /// The limits this limiter keeps.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The limits, as an answer's header.
    #[must_use]
    pub fn policy_header(&self) -> &HeaderValue {
        &self.policy_header
    }

    /// Whether these limits ask for the same pace. How much data they allow is not kept here.
    #[must_use]
    pub fn keeps(&self, limits: &Limits) -> bool {
        Limits { data: self.limits.data, ..*limits } == self.limits
    }

    /// Admits one request.
    ///
    /// # Errors
    /// `quota.in_flight`, `consumer.rate_limited` with the wait.
    pub fn admit(self: &Arc<Self>) -> Result<Permit, Refusal> {
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let mut permit = Permit { limiter: Arc::clone(self), remaining: 0 };
        if before >= self.limits.in_flight {
            return Err(Refusal::new(ReasonCode::QuotaInFlight));
        }
        match self.requests.check() {
            Ok(snapshot) => permit.remaining = snapshot.remaining_burst_capacity(),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                return Err(Refusal {
                    reason: ReasonCode::ConsumerRateLimited,
                    cause: Cause::Wait(wait),
                });
            }
        }
        Ok(permit)
    }
}

fn policy_header(limits: &Limits) -> HeaderValue {
    let policy = format!("\"agreement\";q={};w={}", limits.burst, window(limits));
    // Quotes, letters and digits always make a header.
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Whole seconds in which a spent burst is restored.
fn window(limits: &Limits) -> u64 {
    let seconds =
        (f64::from(limits.burst) / limits.per_second.max(1e-6)).ceil().clamp(1.0, 86_400.0);
    Duration::try_from_secs_f64(seconds).map_or(1, |d| d.as_secs())
}
