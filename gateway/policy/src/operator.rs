//! Operators: the functions and units that administer a gateway or watch its log.
//!
//! Takes `policies/operators.yaml`; gives each [`Operator`] by id. No two operators, and no operator
//! and participant, may share a certificate rule. An operator has one role: whoever runs the gateway
//! does not also judge what it did.

use std::collections::BTreeMap;

use jiff::civil::Date;
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{MapReader, Node},
    id::OperatorId,
    text::Bilingual,
};

use crate::{
    agreement::{Term, read::read_term},
    participant::{CertificateRule, read_certificate},
    read::{Claims, Source, bilingual_key, place_of, word_key},
};

/// A function or unit that administers the gateway or watches its log; never a named person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Its id, which entries of the log name.
    pub id: OperatorId,
    /// Its name.
    pub name: Bilingual,
    /// What it may do.
    pub role: OperatorRole,
    /// What its certificates look like.
    pub certificates: Vec<CertificateRule>,
    /// The first and the last day on which it may.
    pub valid: Term,
    /// Whether it may do anything at all.
    pub status: OperatorStatus,
}

impl Operator {
    /// Whether it may do what its role says on this day.
    #[must_use]
    pub fn in_force(&self, today: Date) -> bool {
        let within = self.valid.from <= today && today <= self.valid.until;
        within && self.status == OperatorStatus::Active
    }
}

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperatorRole {
    /// Runs the gateway: reload and drain.
    Operator,
    /// Answers for what was disclosed: searches the log.
    Compliance,
    /// Examines: reads every entry of the log.
    Auditor,
    /// Watches that the log only grows: checkpoints and hashes.
    Monitor,
}

impl OperatorRole {
    /// The word for it in the policies and in entries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Compliance => "compliance",
            Self::Auditor => "auditor",
            Self::Monitor => "monitor",
        }
    }
}

/// Whether an operator may do anything at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorStatus {
    /// It may.
    Active,
    /// It may do nothing.
    Suspended,
}

const ROLES: &[(&str, OperatorRole)] = &[
    ("operator", OperatorRole::Operator),
    ("compliance", OperatorRole::Compliance),
    ("auditor", OperatorRole::Auditor),
    ("monitor", OperatorRole::Monitor),
];

const STATUSES: &[(&str, OperatorStatus)] =
    &[("active", OperatorStatus::Active), ("suspended", OperatorStatus::Suspended)];

const KEYS: &[&str] = &["id", "name", "role", "certificates", "valid", "status"];

/// What entries name whoever comes through the local socket.
pub const LOCAL: &str = "local";

/// What entries name the gateway itself.
pub const GATEWAY: &str = "gateway";

/// Reads the file of operators.
pub(crate) fn read(
    source: &Source<'_>,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> BTreeMap<OperatorId, Operator> {
    let file = source.file;
    let mut operators = BTreeMap::new();
    let Some(mut map) = MapReader::new(file, &source.root, "the operators", &["operators"], found)
    else {
        return operators;
    };
    map.required("operators");
    for node in map.list("operators") {
        if let Some(operator) = read_one(file, node, claims, map.found()) {
            operators.insert(operator.id.clone(), operator);
        }
    }
    operators
}

fn read_one(
    file: &str,
    node: &Node,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> Option<Operator> {
    let mut map = MapReader::new(file, node, "an operator", KEYS, found)?;
    let id: Option<OperatorId> = map.parse("id");
    let name = bilingual_key(&mut map, "name");
    let role = word_key(&mut map, "role", ROLES);
    let status = word_key(&mut map, "status", STATUSES);
    let valid = map.required("valid").and_then(|node| read_term(file, node, map.found()));
    let rules: Vec<(CertificateRule, Position)> = map
        .list("certificates")
        .iter()
        .filter_map(|node| read_certificate(file, node, map.found()))
        .collect();
    if map.list("certificates").is_empty() && status == Some(OperatorStatus::Active) {
        let at = map.at();
        map.found().add(file, at, "an active operator needs at least one certificate");
    }
    if let Some(id) = &id {
        let at = place_of(&map, "id");
        check_id(file, id, at, map.found());
        claims.claim("operator", id.to_string(), (file, at), map.found());
    }
    for (rule, at) in &rules {
        claims.claim("certificate", rule.to_string(), (file, *at), map.found());
    }
    Some(Operator {
        id: id?,
        name: name?,
        role: role?,
        certificates: rules.into_iter().map(|(rule, _)| rule).collect(),
        valid: valid?,
        status: status?,
    })
}

/// Entries name operators, and no entry may name a person or leave open who it was.
fn check_id(file: &str, id: &OperatorId, at: Position, found: &mut Diagnostics) {
    if id.as_str() == LOCAL {
        let message = "`local` is whoever opens the gateway's socket; take another id";
        found.add(file, at, message);
    }
    let digits = |c: char| !c.is_ascii_digit();
    if id.as_str().split(digits).any(|digits| digits.len() >= 9) {
        found.add(file, at, "an id must not hold the number of a person");
    }
}

#[cfg(test)]
mod tests;
