//! Cheap limits, before anything is read: requests of the agreement, in flight and by rate.

use super::route::Routed;
use crate::{limit::Permit, refusal::Refusal};

/// A request within its agreement's limits.
#[derive(Debug)]
pub struct Admitted {
    pub(super) routed: Routed,
    pub(super) permit: Permit,
}

/// Admits a request.
///
/// # Errors
/// `consumer.rate_limited`, `quota.in_flight`.
pub fn admit(routed: Routed) -> Result<Admitted, Refusal> {
    let permit = routed.route.limiter.admit()?;
    Ok(Admitted { routed, permit })
}
