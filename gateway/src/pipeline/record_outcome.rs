//! Records what leaves. Of a whole answer the outcome is queued before its first byte, and where the
//! agreement says so it is durable first; of one that streams it follows the last byte.

use std::mem;

use lienthong_evidence::entry::End;
use lienthong_policy::{OutcomeTiming, ValueCommitments};

use super::{
    decide::Permitted,
    disclose_answer::{Disclosed, DisclosedBody},
};
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
    permitted: &Permitted,
    mut disclosed: Disclosed,
    record: &mut Exchange,
) -> Result<Recorded, Refusal> {
    record.disclosed(&disclosed);
    let terms = permitted.route().terms.evidence;
    match &disclosed.body {
        DisclosedBody::Stream(_) => return Ok(Recorded { disclosed }),
        DisclosedBody::Empty => {}
        DisclosedBody::Whole(body) => {
            if let Some(trail) = &mut record.trail {
                trail.answer(body);
                if terms.values == ValueCommitments::Made && disclosed.is_json {
                    trail.values(body);
                }
            }
            evidence.whole(record, mem::take(&mut disclosed.subjects)).await?;
        }
    }
    let queued = evidence.outcome(record, End::Complete, disclosed.status().as_u16())?;
    if terms.outcome == OutcomeTiming::BeforeAnswer {
        evidence.durable(queued).await.map(drop)?;
    }
    Ok(Recorded { disclosed })
}
