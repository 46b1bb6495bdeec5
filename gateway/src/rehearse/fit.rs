//! Everything in a sample that breaks the schema.
//!
//! A view stops at the first violation. To find the next one the field that broke is withheld, and
//! the sample is run again: of a withheld field in an answer only the grammar is looked at.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_disclosure::{Pseudonymiser, View, ViewError, Violation, ViolationKind};
use lienthong_model::{field::Pointer, id::ParticipantId, sensitive::Sensitive};

use super::{cut::Bounded, mismatch::keyword};

/// Most views kept: providers break the same few fields over and over.
const MAX_VIEWS: usize = 64;

/// Judges the samples of one answer, or one kind of their parts.
pub(super) struct Fit {
    judge: Bounded,
    leaves: BTreeSet<Pointer>,
    /// The views by the fields withheld.
    views: BTreeMap<BTreeSet<Pointer>, Option<View>>,
    pseudonymiser: Pseudonymiser,
    out: Vec<u8>,
}

impl std::fmt::Debug for Fit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fit").field("views", &self.views.len()).finish_non_exhaustive()
    }
}

/// What came of one sample.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) mismatches: Vec<(Pointer, String)>,
    /// Whether it is JSON within the bounds.
    pub(super) readable: bool,
}

impl Fit {
    pub(super) fn new(judge: Bounded, provider: &ParticipantId) -> Result<Self, Vec<ViewError>> {
        let leaves = judge.schema().leaves().into_iter().map(|(pointer, _)| pointer).collect();
        let pseudonymiser = pseudonymiser(provider);
        let views = BTreeMap::new();
        let mut fit = Self { judge, leaves, views, pseudonymiser, out: Vec::new() };
        let whole = fit.compile(&BTreeSet::new())?;
        fit.views.insert(BTreeSet::new(), Some(whole));
        Ok(fit)
    }

    fn compile(&self, withheld: &BTreeSet<Pointer>) -> Result<View, Vec<ViewError>> {
        let passes = self.leaves.difference(withheld).map(|leaf| (leaf.clone(), None)).collect();
        self.judge.view(&passes)
    }

    /// Every mismatch: the first at each field.
    pub(super) fn check(&mut self, body: &[u8]) -> Found {
        let mut found = Found { mismatches: Vec::new(), readable: true };
        let mut withheld = BTreeSet::new();
        while let Some(Err(violation)) = self.run(body, &withheld) {
            found.mismatches.push((violation.at.clone(), keyword(&violation)));
            if !matches!(violation.kind, ViolationKind::Schema { .. }) {
                found.readable = false;
                break;
            }
            let before = withheld.len();
            let broken = self.leaves.iter().filter(|leaf| violation.at.contains(leaf));
            withheld.extend(broken.cloned());
            if withheld.len() == before {
                break;
            }
        }
        found
    }

    /// None when nothing is left to look at.
    fn run(&mut self, body: &[u8], withheld: &BTreeSet<Pointer>) -> Option<Result<(), Violation>> {
        if !self.views.contains_key(withheld) {
            if self.views.len() >= MAX_VIEWS {
                self.views.retain(|withheld, _| withheld.is_empty());
            }
            let view = self.compile(withheld).ok();
            self.views.insert(withheld.clone(), view);
        }
        self.out.clear();
        let view = self.views.get(withheld)?.as_ref()?;
        let outcome = view.disclose(body, &self.pseudonymiser, &mut self.out);
        self.out.clear();
        Some(outcome.map(|_| ()))
    }
}

/// Pseudonyms of a rehearsal are of a key that is no secret: they match no others.
pub(super) fn pseudonymiser(consumer: &ParticipantId) -> Pseudonymiser {
    Pseudonymiser::new(Sensitive::new([0; 32]), consumer, "rehearsal")
}
