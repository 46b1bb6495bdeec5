//! What is used under one agreement.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lienthong_model::id::AgreementId;
use tokio::sync::Notify;

use super::{day::Day, officers::Officers};

/// The counters of one agreement. They outlive every edit of it.
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) agreement: AgreementId,
    day: Mutex<Day>,
    officers: Mutex<Officers>,
    /// Wakes who waits for a lease, when it has come or failed.
    pub(super) leased: Notify,
}

impl Counters {
    pub(super) fn new(agreement: AgreementId, day: Day) -> Self {
        let (day, officers) = (Mutex::new(day), Mutex::default());
        Self { agreement, day, officers, leased: Notify::new() }
    }

    pub(super) fn day(&self) -> MutexGuard<'_, Day> {
        self.day.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn officers(&self) -> MutexGuard<'_, Officers> {
        self.officers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
