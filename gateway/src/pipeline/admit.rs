//! Cheap limits, before anything is read: requests in flight of the consumer, then the
//! agreement's own, in flight and by rate.

use super::{identify::Consumer, route::Routed};
use crate::{
    limit::{Permit, Place},
    refusal::Refusal,
};

/// A request within its agreement's limits.
#[derive(Debug)]
pub struct Admitted {
    pub(super) routed: Routed,
    pub(super) permit: Permit,
    pub(super) place: Place,
}

/// Admits a request of a consumer that may have `most` in flight.
///
/// # Errors
/// `consumer.rate_limited`, `quota.in_flight`.
pub fn admit(routed: Routed, consumer: &Consumer, most: u32) -> Result<Admitted, Refusal> {
    let place = consumer.identity().places.admit(most)?;
    let permit = routed.route.limiter.admit()?;
    Ok(Admitted { routed, permit, place })
}
