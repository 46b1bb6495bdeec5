//! Cases: facts with the expected decision and bodies, kept beside the policies.
//!
//! Takes `policies/cases/*.yaml`; [`run_cases`] tells which decisions differ from what is expected.
//! The sample bodies are only carried: who has the compiled disclosures runs them.

use std::{collections::BTreeMap, sync::Arc};

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{MapReader, Node},
    id::{AgreementId, OperationId, ParticipantId, PurposeId, RuleId},
    reason::ReasonCode,
};
use serde_json::Value;

use crate::{
    agreement::Agreement,
    decide::{ConsentFact, Decision, Facts, Presence},
    legal_basis::Citation,
    read::{Names, Source, date_key, known, place_of, word_key, wording},
    rule::Rules,
    set::PolicySet,
};

/// One expected decision, with sample bodies when there are any.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file it stands in.
    pub file: String,
    /// Where in the file.
    pub at: Position,
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
    /// Where that request must be refused: the nearest place that the schema names.
    pub expect_refused: Option<String>,
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
    pub decision: DecisionKind,
    /// The reason of a deny, when it matters.
    pub reason: Option<ReasonCode>,
    /// The rule of a deny, when it matters.
    pub rule: Option<RuleId>,
    /// The citations, when they matter.
    pub cites: Option<Vec<Citation>>,
}

/// Permit or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionKind {
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
    /// Where in the file.
    pub at: Position,
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
pub fn run_cases(set: &PolicySet) -> Vec<CaseOutcome> {
    set.cases.iter().map(|case| run(set, case)).collect()
}

fn run(set: &PolicySet, case: &Case) -> CaseOutcome {
    let opened = set.agreements.get(&case.agreement);
    let opened = opened.and_then(|agreement| agreement.operations.get(&case.operation));
    let decision = opened.map(|operation| operation.decide(&case.facts));
    let problems = match decision.as_deref() {
        None => vec!["the agreement does not open the operation".to_owned()],
        Some(decision) => case.expect.compare(decision),
    };
    CaseOutcome {
        file: case.file.clone(),
        at: case.at,
        name: case.name.clone(),
        decision,
        problems,
    }
}

impl Expectation {
    fn compare(&self, decision: &Decision) -> Vec<String> {
        let (verdict, citations) = match decision {
            Decision::Permit(permit) => (DecisionKind::Permit, &permit.citations),
            Decision::Deny(denial) => (DecisionKind::Deny, &denial.citations),
        };
        let mut problems = Vec::new();
        if verdict != self.decision {
            let what = match decision {
                Decision::Permit(_) => "permit".to_owned(),
                Decision::Deny(denial) => format!("deny with `{}`", denial.reason),
            };
            problems.push(format!("decided {what}, expected {}", self.decision.as_str()));
        }
        if let (Decision::Deny(denial), Some(reason)) = (decision, self.reason)
            && denial.reason != reason
        {
            problems.push(format!("reason `{}`, expected `{reason}`", denial.reason));
        }
        if let (Decision::Deny(denial), Some(rule)) = (decision, &self.rule)
            && denial.rule.as_ref() != Some(rule)
        {
            let decided = denial.rule.as_ref().map_or("none", RuleId::as_str);
            problems.push(format!("rule `{decided}`, expected `{rule}`"));
        }
        for citation in self.cites.iter().flatten() {
            if !citations.contains(citation) {
                problems.push(format!("`{citation}` is not cited"));
            }
        }
        problems
    }
}

impl DecisionKind {
    /// The word used in policy files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Deny => "deny",
        }
    }
}

/// What cases are read against.
pub(crate) struct Surroundings<'a> {
    pub(crate) agreements: &'a BTreeMap<AgreementId, Arc<Agreement>>,
    pub(crate) names: &'a Names,
    pub(crate) rules: &'a Rules,
}

const KEYS: &[&str] = &[
    "name",
    "agreement",
    "operation",
    "facts",
    "expect",
    "request",
    "expect_request",
    "expect_refused",
    "answer",
    "expect_answer",
];

/// Reads one file of cases.
pub(crate) fn read(
    source: &Source<'_>,
    around: &Surroundings<'_>,
    found: &mut Diagnostics,
) -> Vec<Case> {
    let file = source.file;
    let Some(mut map) = MapReader::new(file, &source.root, "the cases", &["cases"], found) else {
        return Vec::new();
    };
    let reader = CaseReader { file, around };
    let cases = map.list("cases");
    cases.iter().filter_map(|node| reader.read(node, map.found())).collect()
}

struct CaseReader<'a> {
    file: &'a str,
    around: &'a Surroundings<'a>,
}

impl CaseReader<'_> {
    fn read(&self, node: &Node, found: &mut Diagnostics) -> Option<Case> {
        let file = self.file;
        let mut map = MapReader::new(file, node, "a case", KEYS, found)?;
        let name = wording(&mut map, "name");
        let agreement = self.agreement(&mut map);
        let operation = self.operation(&mut map, agreement);
        let facts = map.required("facts");
        let facts = facts.and_then(|node| self.facts(node, agreement, map.found()));
        let expect = map.required("expect");
        let expect = expect.and_then(|node| self.expectation(node, map.found()));
        let answer = match map.optional("answer") {
            Some(node) => Some(self.answer(node, map.found())?),
            None => None,
        };
        let expect_refused =
            map.optional("expect_refused").and_then(|_| map.text("expect_refused"));
        let expect_refused = expect_refused.map(str::to_owned);
        self.check_pairs(&mut map);
        let body = |key| map.optional(key).map(Node::to_json);
        Some(Case {
            file: file.to_owned(),
            at: node.at,
            name: name?,
            agreement: agreement?.id.clone(),
            operation: operation?,
            facts: facts?,
            expect: expect?,
            request: body("request"),
            expect_request: body("expect_request"),
            expect_refused,
            answer,
            expect_answer: body("expect_answer"),
        })
    }

    /// Reports expectations that nothing would ever be compared with.
    fn check_pairs(&self, map: &mut MapReader<'_, '_>) {
        for (expected, of) in [
            ("expect_request", "request"),
            ("expect_refused", "request"),
            ("expect_answer", "answer"),
        ] {
            if let (Some(node), None) = (map.optional(expected), map.optional(of)) {
                let message = format!("`{expected}` is stated, but there is no `{of}`");
                map.found().add(self.file, node.at, message);
            }
        }
        let refused = map.optional("expect_refused");
        if let (Some(node), Some(_)) = (refused, map.optional("expect_request")) {
            let message = "a request is refused or passes: `expect_refused` or `expect_request`";
            map.found().add(self.file, node.at, message);
        }
    }

    fn agreement(&self, map: &mut MapReader<'_, '_>) -> Option<&Agreement> {
        let id: AgreementId = map.parse("agreement")?;
        let at = place_of(map, "agreement");
        let names = self.around.names.agreements.keys().map(String::as_str);
        known((self.file, at), "agreement", id.as_str(), names, map.found());
        self.around.agreements.get(&id).map(Arc::as_ref)
    }

    fn operation(
        &self,
        map: &mut MapReader<'_, '_>,
        agreement: Option<&Agreement>,
    ) -> Option<OperationId> {
        let id: OperationId = map.parse("operation")?;
        let at = place_of(map, "operation");
        let agreement = agreement?;
        let what = format!("operation of `{}`", agreement.id);
        let named = self.around.names.agreements.get(agreement.id.as_str());
        let names = named.into_iter().flatten().map(String::as_str);
        known((self.file, at), &what, id.as_str(), names, map.found()).then_some(id)
    }

    fn facts(
        &self,
        node: &Node,
        agreement: Option<&Agreement>,
        found: &mut Diagnostics,
    ) -> Option<Facts> {
        let keys = &["consumer", "via", "purpose", "today", "officer", "dossier", "consent"];
        let mut map = MapReader::new(self.file, node, "the facts", keys, found)?;
        let consumer = self.participant(&mut map, "consumer");
        let via = self.participant(&mut map, "via");
        let purpose: Option<PurposeId> = map.parse("purpose");
        if let Some(purpose) = &purpose {
            let at = place_of(&map, "purpose");
            let names = self.around.names.purposes.iter().map(String::as_str);
            known((self.file, at), "purpose", purpose.as_str(), names, map.found());
        }
        let today = date_key(&mut map, "today");
        let words = &[("present", Presence::Present), ("absent", Presence::Absent)];
        let officer = word_key(&mut map, "officer", words);
        let dossier = word_key(&mut map, "dossier", words);
        let consent = self.consent(&mut map, agreement);
        Some(Facts {
            consumer: consumer.or_else(|| agreement.map(|a| a.consumer.clone()))?,
            via,
            purpose: purpose?,
            today: today?,
            officer: officer?,
            dossier: dossier?,
            consent: consent?,
        })
    }

    /// What the registry would say; to be stated exactly where the agreement rests on consent.
    fn consent(
        &self,
        map: &mut MapReader<'_, '_>,
        agreement: Option<&Agreement>,
    ) -> Option<ConsentFact> {
        let stated = map.optional("consent");
        match (agreement?.consent.is_some(), stated) {
            (false, None) => Some(ConsentFact::NotNeeded),
            (true, Some(_)) => word_key(map, "consent", ConsentFact::WORDS),
            (true, None) => {
                let at = map.at();
                let message = "the agreement rests on consent: the facts must state `consent`";
                map.found().add(self.file, at, message);
                None
            }
            (false, Some(node)) => {
                let message = "`consent` is stated, but the agreement does not rest on consent";
                map.found().add(self.file, node.at, message);
                None
            }
        }
    }

    fn participant(&self, map: &mut MapReader<'_, '_>, key: &str) -> Option<ParticipantId> {
        let id: ParticipantId = map.parse_optional(key)?;
        let at = place_of(map, key);
        let names = self.around.names.participants.iter().map(String::as_str);
        known((self.file, at), "participant", id.as_str(), names, map.found());
        Some(id)
    }

    fn expectation(&self, node: &Node, found: &mut Diagnostics) -> Option<Expectation> {
        let keys = &["decision", "reason", "rule", "cites"];
        let mut map = MapReader::new(self.file, node, "the expectation", keys, found)?;
        let words = &[("permit", DecisionKind::Permit), ("deny", DecisionKind::Deny)];
        let decision = word_key(&mut map, "decision", words);
        let reason_node = map.optional("reason");
        let codes: Vec<(&str, ReasonCode)> =
            ReasonCode::ALL.iter().map(|code| (code.as_str(), *code)).collect();
        let reason = reason_node.and_then(|node| {
            crate::read::word(self.file, node, "reason code", &codes, map.found())
        });
        let rule: Option<RuleId> = map.parse_optional("rule");
        if let Some(rule) = &rule {
            let at = place_of(&map, "rule");
            let names = self.around.rules.rules.keys().map(RuleId::as_str);
            known((self.file, at), "rule", rule.as_str(), names, map.found());
        }
        let cites = map.optional("cites").is_some().then(|| map.parse_list::<Citation>("cites"));
        let decision = decision?;
        if decision == DecisionKind::Permit && (reason.is_some() || rule.is_some()) {
            map.found().add(self.file, node.at, "a permit has neither reason nor rule");
        }
        Some(Expectation { decision, reason, rule, cites })
    }

    fn answer(&self, node: &Node, found: &mut Diagnostics) -> Option<CaseAnswer> {
        let mut map = MapReader::new(self.file, node, "an answer", &["status", "body"], found)?;
        map.required("status")?;
        let status = u16::try_from(map.integer("status", 100..=599, 200)).ok()?;
        let body = map.optional("body").map_or(Value::Null, Node::to_json);
        Some(CaseAnswer { status, body })
    }
}

#[cfg(test)]
mod tests;
