//! The terms on which messages are leased, and what follows for those whose lease ended without a word.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use lienthong_model::id::FlowId;

/// The terms of a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lease {
    /// How long a message is the claimer's.
    pub length: SignedDuration,
    /// How long messages rest whose lease ended without an outcome.
    pub rests: Rests,
}

/// How long messages rest after an attempt of which nobody knows what it did, by flow and type: a
/// platform that is asked too early does not know itself. Those of other types do not rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rests(BTreeMap<(FlowId, String), SignedDuration>);

/// Whose leases a process finds when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Anybody's: it has the store alone.
    ByAnyone,
    /// Those of earlier runs in its own name: others are at work.
    ByOurselves,
}

impl Lease {
    /// A lease after which no message rests.
    #[must_use]
    pub const fn of(length: SignedDuration) -> Self {
        Self { length, rests: Rests(BTreeMap::new()) }
    }
}

impl Rests {
    /// Lets messages of a type rest so long.
    pub fn set(&mut self, flow: &FlowId, kind: &str, rest: SignedDuration) {
        self.0.insert((flow.clone(), kind.to_owned()), rest);
    }

    pub(super) fn of(&self, flow: &FlowId, kind: &str) -> SignedDuration {
        self.0.get(&(flow.clone(), kind.to_owned())).copied().unwrap_or_default()
    }

    /// The rests of a flow as a list of types with milliseconds.
    pub(super) fn list(&self, flow: &str) -> String {
        let of_flow = self.0.iter().filter(|((of, _), _)| of.as_str() == flow);
        let rows: Vec<(&str, i64)> =
            of_flow.map(|((_, kind), rest)| (kind.as_str(), milliseconds(*rest))).collect();
        serde_json::to_string(&rows).unwrap_or_default()
    }
}

fn milliseconds(rest: SignedDuration) -> i64 {
    i64::try_from(rest.as_millis()).unwrap_or(i64::MAX).max(0)
}
