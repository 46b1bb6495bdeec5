//! What does not fit, counted by field and keyword.

use std::{collections::BTreeMap, fmt};

use lienthong_disclosure::{Violation, ViolationKind};
use lienthong_model::field::Pointer;

use super::{cut::Part, report::MismatchReport};

/// Mismatches by field and keyword: bounded by the schema, as both come from it.
#[derive(Debug, Default)]
pub(super) struct Mismatches(BTreeMap<(Pointer, String), Count>);

#[derive(Debug)]
struct Count {
    samples: u64,
    first: String,
}

impl Mismatches {
    pub(super) fn add(&mut self, at: &Pointer, keyword: &str, of: Origin<'_>) {
        let key = (at.clone(), keyword.to_owned());
        let count =
            self.0.entry(key).or_insert_with(|| Count { samples: 0, first: of.to_string() });
        count.samples += 1;
    }

    /// A mismatch of the body as a whole.
    pub(super) fn add_whole(&mut self, problem: &str, file: &str) {
        self.add(&Pointer::root(), problem, Origin { file, part: Part::Whole });
    }

    pub(super) fn report(self) -> Vec<MismatchReport> {
        let rows = self.0.into_iter();
        rows.map(|((at, keyword), count)| MismatchReport {
            at: at.to_string(),
            keyword,
            samples: count.samples,
            first: count.first,
        })
        .collect()
    }
}

/// Where something was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) file: &'a str,
    pub(super) part: Part,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Element(number) => write!(f, "{}#{number}", self.file),
            Part::Whole | Part::Envelope => f.write_str(self.file),
        }
    }
}

/// The keyword of the schema that does not hold, or what else is wrong.
pub(super) fn keyword(violation: &Violation) -> String {
    match violation.kind {
        ViolationKind::Schema { keyword } => keyword.to_owned(),
        other => other.to_string(),
    }
}
