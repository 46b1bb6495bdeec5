//! Reads the limits of an agreement: its pace, which must be given, and how much data, which may.

use std::ops::RangeInclusive;

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{Content, MapReader, Node},
};

use super::{DataLimits, Limits, NotFoundLimit};

const KEYS: &[&str] = &[
    "burst",
    "per_second",
    "in_flight",
    "data_subjects_per_day",
    "subjects_per_officer_hour",
    "not_found_share",
    "not_found_after",
    "elements_per_stream",
];

/// Answers from which on their share counts, where the agreement does not say.
const NOT_FOUND_AFTER: u32 = 20;

/// Reads `limits`.
pub(super) fn read_limits(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Limits> {
    let mut map = MapReader::new(file, node, "the limits", KEYS, found)?;
    let required = |map: &mut MapReader<'_, '_>, key: &str| {
        map.required(key)?;
        count(map, key, 1..=1_000_000)
    };
    let burst = required(&mut map, "burst");
    let in_flight = required(&mut map, "in_flight");
    map.required("per_second")?;
    let per_second = number(&mut map, "per_second", 0.001..=1_000_000.0, "0.001 to 1000000");
    let data = DataLimits {
        data_subjects_per_day: count(&mut map, "data_subjects_per_day", 1..=1_000_000_000),
        // Each is remembered for its hour, so that the bound is one of memory too.
        subjects_per_officer_hour: count(&mut map, "subjects_per_officer_hour", 1..=100_000),
        not_found: read_not_found(&mut map),
        elements_per_stream: count(&mut map, "elements_per_stream", 1..=1_000_000_000)
            .map(u64::from),
    };
    Some(Limits { burst: burst?, per_second: per_second?, in_flight: in_flight?, data })
}

fn read_not_found(map: &mut MapReader<'_, '_>) -> Option<NotFoundLimit> {
    let after = count(map, "not_found_after", 1..=1_000_000);
    let share = number(map, "not_found_share", 0.05..=1.0, "0.05 to 1");
    if let (None, Some(node)) = (map.optional("not_found_share"), map.optional("not_found_after")) {
        let file = map.file();
        let message = "`not_found_after` limits nothing without `not_found_share`";
        map.found().add(file, node.at, message);
    }
    Some(NotFoundLimit { share: share?, after: after.unwrap_or(NOT_FOUND_AFTER) })
}

/// A whole number, when the key is there.
fn count(map: &mut MapReader<'_, '_>, key: &str, range: RangeInclusive<i64>) -> Option<u32> {
    map.optional(key)?;
    u32::try_from(map.integer(key, range, 1)).ok()
}

/// A number, when the key is there.
fn number(
    map: &mut MapReader<'_, '_>,
    key: &str,
    range: RangeInclusive<f64>,
    told: &str,
) -> Option<f64> {
    let node = map.optional(key)?;
    let number = match node.content {
        #[expect(clippy::cast_precision_loss, reason = "bounded by the range check")]
        Content::Integer(n) => n as f64,
        Content::Float(n) => n,
        _ => f64::NAN,
    };
    if !range.contains(&number) {
        let file = map.file();
        map.found().add(file, node.at, format!("`{key}` must be a number from {told}"));
        return None;
    }
    Some(number)
}
