//! Records what leaves. Of a whole answer the outcome is queued before its first byte, and where the
//! agreement says so it is durable first; of one that streams it follows the last byte.

use lienthong_evidence::entry::End;

use super::disclose_answer::{Disclosed, DisclosedBody};
use crate::{evidence::Evidence, record::Exchange, refusal::Refusal};

/// What the consumer may see, on record. `respond` cannot be called without it.
#[derive(Debug)]
pub struct Recorded {
    pub(super) disclosed: Disclosed,
}

/// Records the outcome of an exchange.
///
/// # Errors
/// `evidence.unavailable`; then nothing leaves.
pub async fn record_outcome(
    evidence: &Evidence,
    disclosed: Disclosed,
    record: &mut Exchange,
) -> Result<Recorded, Refusal> {
    record.disclosed(&disclosed);
    match &disclosed.body {
        DisclosedBody::Stream(_) => return Ok(Recorded { disclosed }),
        DisclosedBody::Empty => {}
        DisclosedBody::Whole(body) => {
            if let Some(trail) = &mut record.trail {
                trail.answer(body);
            }
        }
    }
    let queued = evidence.outcome(record, End::Complete, disclosed.status().as_u16())?;
    drop(queued);
    Ok(Recorded { disclosed })
}
