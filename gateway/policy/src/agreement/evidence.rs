//! Reads what an agreement says of the evidence of its exchanges.

use lienthong_model::document::MapReader;

use super::{OutcomeTiming, ValueCommitments, WrittenEvidence};
use crate::read::word_key;

const TIMINGS: &[(&str, OutcomeTiming)] =
    &[("before_answer", OutcomeTiming::BeforeAnswer), ("after_answer", OutcomeTiming::AfterAnswer)];

/// Reads the `evidence` of an agreement.
pub(super) fn read_evidence(map: &mut MapReader<'_, '_>) -> Option<WrittenEvidence> {
    let Some(node) = map.optional("evidence") else { return Some(WrittenEvidence::default()) };
    let (file, keys) = (map.file(), &["outcome", "commit_fields"]);
    let mut map = MapReader::new(file, node, "`evidence`", keys, map.found())?;
    let outcome = map.optional("outcome").is_some();
    let outcome = if outcome { Some(word_key(&mut map, "outcome", TIMINGS)?) } else { None };
    let values = match map.boolean("commit_fields", false) {
        true => ValueCommitments::Made,
        false => ValueCommitments::Left,
    };
    Some(WrittenEvidence { outcome, values })
}
