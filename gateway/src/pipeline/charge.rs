//! Takes what the exchange costs from the agreement's limits on data and from consents that are for
//! one exchange, before the provider is asked; and counts what the provider answered.

use lienthong_policy::Delivery;

use super::{decide::Permitted, forward::Answer};
use crate::{
    quota::{Charge, Quotas},
    refusal::Refusal,
};

/// A request within its agreement's limits on data. What it took goes back when the provider was
/// not asked.
#[derive(Debug)]
pub struct Charged {
    pub(super) charge: Charge,
}

/// Charges a permitted request.
///
/// # Errors
/// `quota.enumeration`, `quota.officer_subjects`, `quota.data_subjects`, `quota.unavailable`,
/// `consent.used`, `facts.unavailable`, `evidence.unavailable`.
pub async fn charge(quotas: &Quotas, permitted: &Permitted) -> Result<Charged, Refusal> {
    let agreement = &permitted.route().agreement;
    let data = agreement.limits.data;
    let persons = &permitted.request.persons;
    let subjects = if data.counts_subjects() { persons.distinct() } else { Vec::new() };
    let mut charge = quotas.admit(&agreement.id, data, persons.officer, &subjects).await?;
    if matches!(permitted.route().operation.delivery, Delivery::Stream(_)) {
        // Nobody is asked for a stream of which not one element may pass.
        quotas.elements(&mut charge, 1).await?;
    }
    permitted.basis.use_up().await?;
    Ok(Charged { charge })
}

/// Counts an answer, whatever becomes of it: the consumer can tell it from another either way.
pub fn answered(quotas: &Quotas, answer: &Answer) {
    quotas.answered(&answer.charge, answer.response.status());
}
