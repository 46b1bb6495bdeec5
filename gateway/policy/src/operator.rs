//! Operators: the functions and units that administer a gateway or watch its log.
//!
//! Takes `policies/operators.yaml`; gives each [`Operator`] by id. No two operators, and no operator
//! and participant, may share a certificate rule. An operator has one role: whoever runs the gateway
//! does not also judge what it did. A collector of consents stands for a participant and its services.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, MapReader, Node},
    id::{OperatorId, ParticipantId, ServiceId},
    text::Bilingual,
};

use crate::{
    agreement::{Term, read::read_term},
    participant::{CertificateRule, read_certificate},
    read::{Claims, Names, Source, bilingual_key, known, place_of, word, word_key},
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
    /// What a collector of consents collects for; none for every other role.
    pub collector: Option<Collector>,
}

/// For whom, for which services and over which channels an operator collects consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// The participant it is part of. What favours that one needs a witness.
    pub participant: ParticipantId,
    /// The services for which it may hand in statements.
    pub services: BTreeSet<ServiceId>,
    /// Over which channels people speak to it.
    pub channels: BTreeSet<Channel>,
}

/// How a person says yes or no to a collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Logged in with the national e-ID.
    Vneid,
    /// On a signed form.
    Paper,
    /// At a counter, to an officer.
    Officer,
}

impl Channel {
    /// The word used in policy files and statements.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vneid => "vneid",
            Self::Paper => "paper",
            Self::Officer => "officer",
        }
    }
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
    /// Hands in what people said of their consents.
    ConsentCollector,
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
            Self::ConsentCollector => "consent_collector",
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
    ("consent_collector", OperatorRole::ConsentCollector),
];

const STATUSES: &[(&str, OperatorStatus)] =
    &[("active", OperatorStatus::Active), ("suspended", OperatorStatus::Suspended)];

const CHANNELS: &[(&str, Channel)] =
    &[("vneid", Channel::Vneid), ("paper", Channel::Paper), ("officer", Channel::Officer)];

const KEYS: &[&str] = &[
    "id",
    "name",
    "role",
    "certificates",
    "valid",
    "status",
    "participant",
    "services",
    "channels",
];

/// Those of the keys that only a collector of consents has.
const COLLECTOR_KEYS: &[&str] = &["participant", "services", "channels"];

/// What entries name whoever comes through the local socket.
pub const LOCAL: &str = "local";

/// What entries name the gateway itself.
pub const GATEWAY: &str = "gateway";

/// Reads the file of operators.
pub(crate) fn read(
    source: &Source<'_>,
    names: &Names,
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
        if let Some(operator) = read_one((file, node), names, claims, map.found()) {
            operators.insert(operator.id.clone(), operator);
        }
    }
    operators
}

fn read_one(
    (file, node): (&str, &Node),
    names: &Names,
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
    let collector = match role {
        Some(role) => read_collector(&mut map, role, names),
        None => None,
    };
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
        collector: collector?,
    })
}

/// What a collector collects for. The outer option is none when something in it is wrong.
fn read_collector(
    map: &mut MapReader<'_, '_>,
    role: OperatorRole,
    names: &Names,
) -> Option<Option<Collector>> {
    let file = map.file();
    if role != OperatorRole::ConsentCollector {
        for key in COLLECTOR_KEYS {
            if let Some(node) = map.optional(key) {
                let message = format!("only role `consent_collector` has `{key}`");
                map.found().add(file, node.at, message);
            }
        }
        return Some(None);
    }
    let participant: Option<ParticipantId> = map.parse("participant");
    if let Some(id) = &participant {
        let (at, names) = (place_of(map, "participant"), names.participants.iter());
        known((file, at), "participant", id.as_str(), names.map(String::as_str), map.found());
    }
    let services = some_of(map, "services", |node, found| {
        let id: ServiceId = document::parse_text(file, node, found)?;
        let names = names.services.keys().map(String::as_str);
        known((file, node.at), "service", id.as_str(), names, found).then_some(id)
    });
    let channels =
        some_of(map, "channels", |node, found| word(file, node, "channel", CHANNELS, found));
    Some(Some(Collector { participant: participant?, services: services?, channels: channels? }))
}

/// The items of a required list, at least one and none twice.
fn some_of<T: Ord>(
    map: &mut MapReader<'_, '_>,
    key: &str,
    read: impl Fn(&Node, &mut Diagnostics) -> Option<T>,
) -> Option<BTreeSet<T>> {
    let (file, listed) = (map.file(), map.required(key)?);
    let nodes = map.list(key);
    let mut items = BTreeSet::new();
    for node in nodes {
        let Some(item) = read(node, map.found()) else { continue };
        if !items.insert(item) {
            map.found().add(file, node.at, format!("stands twice in `{key}`"));
        }
    }
    if nodes.is_empty() {
        map.found().add(file, listed.at, format!("`{key}` must not be empty"));
    }
    (!items.is_empty()).then_some(items)
}

/// Entries name operators, and no entry may name a person or leave open who it was.
fn check_id(file: &str, id: &OperatorId, at: Position, found: &mut Diagnostics) {
    if id.as_str() == LOCAL {
        let message = "`local` is whoever opens the gateway's socket; take another id";
        found.add(file, at, message);
    }
    if id.as_str() == GATEWAY {
        let message = "`gateway` is what the gateway does by itself; take another id";
        found.add(file, at, message);
    }
    let digits = |c: char| !c.is_ascii_digit();
    if id.as_str().split(digits).any(|digits| digits.len() >= 9) {
        found.add(file, at, "an id must not hold the number of a person");
    }
}

#[cfg(test)]
mod tests;
