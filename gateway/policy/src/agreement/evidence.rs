//! Reads what an agreement says of the evidence of its exchanges.

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
};

use super::{OutcomeTiming, ValueCommitments, WrittenEvidence};
use crate::read::word_key;

const TIMINGS: &[(&str, OutcomeTiming)] =
    &[("before_answer", OutcomeTiming::BeforeAnswer), ("after_answer", OutcomeTiming::AfterAnswer)];

/// Reads the `evidence` of an agreement.
pub(super) fn read_evidence(
    file: &str,
    node: &Node,
    found: &mut Diagnostics,
) -> Option<WrittenEvidence> {
    let keys = &["outcome", "commit_fields"];
    let mut map = MapReader::new(file, node, "`evidence`", keys, found)?;
    let outcome = map.optional("outcome").is_some();
    let outcome = if outcome { Some(word_key(&mut map, "outcome", TIMINGS)?) } else { None };
    let values = match map.boolean("commit_fields", false) {
        true => ValueCommitments::Made,
        false => ValueCommitments::Left,
    };
    Some(WrittenEvidence { outcome, values })
}
