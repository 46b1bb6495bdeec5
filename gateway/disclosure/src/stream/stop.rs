//! What came of a stream: its counts so far, or why it ended early.
//!
//! Everything here may be logged, as in [`crate::violation`].

use lienthong_model::field::Pointer;

use crate::{Tally, Violation};

/// Most names of undeclared fields kept.
const MAX_DRIFT: usize = 8;

/// What a stream disclosed so far: as a [`Tally`], over any number of elements.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamTally {
    /// Elements that passed.
    pub elements: u64,
    /// Elements that were withheld whole, for whom they are about.
    pub withheld: u64,
    /// Leaves that passed as they were.
    pub disclosed: u64,
    /// Leaves that passed masked, constants and `null` among them.
    pub masked: u64,
    /// Declared leaves that were present and did not pass.
    pub dropped: u64,
    /// Members that the schema does not declare.
    pub undeclared: u64,
    /// Where the first few undeclared members stood.
    pub drift: Vec<Pointer>,
}

impl StreamTally {
    /// Elements that were looked at and are not in the way any more.
    pub(super) fn seen(&self) -> u64 {
        self.elements.saturating_add(self.withheld)
    }

    /// Adds what one part of the stream disclosed.
    pub(super) fn add(&mut self, part: Tally) {
        let sum = |total: &mut u64, count: u32| *total = total.saturating_add(u64::from(count));
        sum(&mut self.disclosed, part.disclosed);
        sum(&mut self.masked, part.masked);
        sum(&mut self.dropped, part.dropped);
        sum(&mut self.undeclared, part.undeclared);
        for at in part.drift {
            if self.drift.len() < MAX_DRIFT && !self.drift.contains(&at) {
                self.drift.push(at);
            }
        }
    }

    /// Adds what `whole` disclosed beyond `part`, which was added before.
    pub(super) fn add_beyond(&mut self, part: &Tally, whole: Tally) {
        self.add(Tally {
            disclosed: whole.disclosed.saturating_sub(part.disclosed),
            masked: whole.masked.saturating_sub(part.masked),
            dropped: whole.dropped.saturating_sub(part.dropped),
            undeclared: whole.undeclared.saturating_sub(part.undeclared),
            drift: whole.drift,
            opaque: Vec::new(),
        });
    }
}

/// Why a stream ended early. The elements before the failing one were disclosed; nothing of it or
/// of what follows was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}: {violation}; elements disclosed before: {elements}")]
pub struct Stop {
    /// What is wrong, and the place that the schema names.
    pub violation: Violation,
    /// What of the stream is wrong.
    pub cause: StopCause,
    /// How many elements were disclosed before.
    pub elements: u64,
}

/// The part of a stream that made it stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StopCause {
    /// An element does not pass, or is larger than its bound.
    #[error("element")]
    Element,
    /// The array's own rules, or what stands around it, do not hold.
    #[error("envelope")]
    Envelope,
    /// More elements than the bound.
    #[error("too many elements")]
    TooManyElements,
    /// More elements than the caller allowed.
    #[error("more elements than allowed")]
    Allowance,
    /// Whether an element may leave is not known.
    #[error("nobody can say whether the element may leave")]
    Unjudged,
    /// An NDJSON line holds nothing.
    #[error("empty NDJSON line")]
    EmptyLine,
    /// The last NDJSON line has no end: it may have been cut.
    #[error("NDJSON line without end")]
    LineWithoutEnd,
    /// The document ends before it is complete.
    #[error("cut document")]
    Incomplete,
    /// Something was pushed after the end.
    #[error("after the end")]
    AfterTheEnd,
}
