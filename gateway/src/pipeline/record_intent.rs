//! Records what is about to be sent, and the bound of what may leave. The provider is not asked
//! before this is on disk. Must never be skipped.

use lienthong_evidence::log;

use super::{decide::Permitted, disclose_request::DisclosedRequest};
use crate::{evidence::Evidence, record::Exchange, refusal::Refusal};

/// Proof that the intent of an exchange is on disk. `forward` cannot be called without one.
#[derive(Debug)]
pub struct Receipt {
    _durable: log::Receipt,
}

/// Records the intent of an exchange, and waits until it is durable.
///
/// # Errors
/// `evidence.unavailable`.
pub async fn record_intent(
    evidence: &Evidence,
    permitted: &Permitted,
    disclosed: &DisclosedRequest,
    record: &mut Exchange,
) -> Result<Receipt, Refusal> {
    let operation = &permitted.route().operation;
    let request = record.trail.as_ref().map(|trail| trail.request());
    let mut request = request.ok_or_else(crate::evidence::lost)?;
    disclosed.write(operation.method.as_str(), |bytes| request.update(bytes));
    let queued = evidence.intend(record, request.finish())?;
    let durable = evidence.durable(queued).await?;
    Ok(Receipt { _durable: durable })
}
