//! Reads one file of `policies/agreements/` against everything it names.
//!
//! Takes the tree of the file; gives the agreement with each of its operations compiled. Every
//! participant, service, purpose and article it names must exist, and it must rest on law that says
//! why the processing is lawful.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, MapReader, Node},
    id::{AgreementId, InstrumentId, OperationId, ParticipantId, PurposeId, ServiceId},
};

use super::{
    Agreement, ExchangeMode, Requirement, Signature, Term,
    consent::{check_owners, read_consent, rests_on_consent},
    disclosure::DisclosureReader,
    evidence::read_evidence,
    limits::read_limits,
};
use crate::{
    compile::{Disclosed, compile},
    hash,
    legal_basis::{Basis, Citation, Instrument, check_citation},
    participant::{Participant, ParticipantKind},
    read::{Names, Source, bilingual_key, date_key, known, place_of, word_key, wording},
    rule::Rules,
    service::read::ReadService,
};

/// What an agreement is read against.
pub(crate) struct Surroundings<'a> {
    pub(crate) names: &'a Names,
    pub(crate) participants: &'a BTreeMap<ParticipantId, Participant>,
    pub(crate) services: &'a BTreeMap<ServiceId, ReadService>,
    pub(crate) instruments: &'a BTreeMap<InstrumentId, Instrument>,
    pub(crate) rules: &'a Arc<Rules>,
}

const KEYS: &[&str] = &[
    "id",
    "title",
    "provider",
    "consumer",
    "via",
    "service",
    "exchange_mode",
    "purposes",
    "legal_bases",
    "consent",
    "officer",
    "dossier",
    "valid",
    "retention_days",
    "limits",
    "evidence",
    "signed",
    "operations",
];

const MODES: &[(&str, ExchangeMode)] = &[
    ("query_peer", ExchangeMode::QueryPeer),
    ("sync_peer", ExchangeMode::SyncPeer),
    ("sync_national", ExchangeMode::SyncNational),
    ("package", ExchangeMode::Package),
];

const DEMANDS: &[(&str, Requirement)] =
    &[("required", Requirement::Required), ("optional", Requirement::Optional)];

/// Reads one agreement file.
pub(crate) fn read(
    source: &Source<'_>,
    around: &Surroundings<'_>,
    found: &mut Diagnostics,
) -> Option<Agreement> {
    let file = source.file;
    let mut map = MapReader::new(file, &source.root, "an agreement", KEYS, found)?;
    let id: Option<AgreementId> = map.parse("id");
    let title = bilingual_key(&mut map, "title");
    let (provider, consumer) = parties(&mut map, around);
    let via = read_via(&mut map, consumer.as_ref(), around);
    let service = read_service(&mut map, provider.as_ref(), around);
    let exchange_mode = word_key(&mut map, "exchange_mode", MODES);
    let purposes = read_purposes(&mut map, around);
    let (legal_bases, rests) = read_legal_bases(&mut map, around);
    let consent = read_consent(&mut map, rests);
    let officer = word_key(&mut map, "officer", DEMANDS);
    let dossier = word_key(&mut map, "dossier", DEMANDS);
    let valid = map.required("valid").and_then(|node| read_term(file, node, map.found()));
    let retention_days = read_retention(&mut map);
    let limits = map.required("limits").and_then(|node| read_limits(file, node, map.found()));
    let evidence = read_evidence(&mut map);
    let signed = map.required("signed").and_then(|node| read_signature(file, node, map.found()));
    let offered = service.as_ref().and_then(|id| around.services.get(id));
    let operations = map.required("operations");
    let disclosed = operations.zip(offered);
    let disclosed = disclosed
        .map(|(node, offered)| read_operations((file, node), offered, &legal_bases, &mut map));
    let mut agreement = Agreement {
        id: id?,
        version: hash::sha256("agreement", [hash::canonical(&source.root.to_json()).as_str()]),
        title: title?,
        provider: provider?,
        consumer: consumer?,
        via,
        service: service?,
        exchange_mode: exchange_mode?,
        purposes,
        legal_bases,
        consent: consent?,
        officer: officer?,
        dossier: dossier?,
        valid: valid?,
        retention_days: retention_days?,
        limits: limits?,
        evidence: evidence?,
        signed: signed?,
        operations: BTreeMap::new(),
    };
    // An agreement with mistakes is not compiled: they are told, and no set comes of it.
    if agreement.purposes.is_empty() {
        return None;
    }
    let disclosed = disclosed?;
    if agreement.consent.is_some() {
        check_owners(file, &disclosed, map.found());
    }
    open((file, &mut agreement), disclosed, around, map.found());
    Some(agreement)
}

/// Compiles each operation into the agreement.
fn open(
    (file, agreement): (&str, &mut Agreement),
    disclosed: Vec<(Disclosed, Position)>,
    around: &Surroundings<'_>,
    found: &mut Diagnostics,
) {
    for (disclosed, at) in disclosed {
        let operation = disclosed.operation.id.clone();
        match compile(agreement, disclosed, around.instruments, around.rules) {
            Ok(compiled) => {
                agreement.operations.insert(operation, Arc::new(compiled));
            }
            Err(problem) => {
                found.add(file, at, format!("the permit cannot be compiled: {problem}"));
            }
        }
    }
}

/// Provider and consumer.
fn parties(
    map: &mut MapReader<'_, '_>,
    around: &Surroundings<'_>,
) -> (Option<ParticipantId>, Option<ParticipantId>) {
    let provider = participant(map, "provider", around);
    let consumer = participant(map, "consumer", around);
    if provider.is_some() && provider == consumer {
        let (file, at) = (map.file(), place_of(map, "consumer"));
        map.found().add(file, at, "consumer and provider are the same participant");
    }
    (provider, consumer)
}

fn participant(
    map: &mut MapReader<'_, '_>,
    key: &str,
    around: &Surroundings<'_>,
) -> Option<ParticipantId> {
    let id: ParticipantId = map.parse(key)?;
    let at = place_of(map, key);
    let names = around.names.participants.iter().map(String::as_str);
    known((map.file(), at), "participant", id.as_str(), names, map.found()).then_some(id)
}

fn read_via(
    map: &mut MapReader<'_, '_>,
    consumer: Option<&ParticipantId>,
    around: &Surroundings<'_>,
) -> BTreeSet<ParticipantId> {
    let file = map.file();
    let mut via = BTreeSet::new();
    for node in map.list("via") {
        let Some(id) = document::parse_text::<ParticipantId>(file, node, map.found()) else {
            continue;
        };
        let names = around.names.participants.iter().map(String::as_str);
        if !known((file, node.at), "participant", id.as_str(), names, map.found()) {
            continue;
        }
        if let (Some(participant), Some(consumer)) = (around.participants.get(&id), consumer) {
            let speaks = match &participant.kind {
                ParticipantKind::Ordinary => false,
                ParticipantKind::Intermediary { speaks_for } => speaks_for.contains(consumer),
            };
            if !speaks {
                let message = format!("`{id}` is not an intermediary that speaks for `{consumer}`");
                let help = format!("list `{consumer}` under `speaks_for` of `{id}`");
                map.found().add_with_help(file, node.at, message, help);
            }
        }
        if !via.insert(id) {
            map.found().add(file, node.at, "intermediary stands twice");
        }
    }
    via
}

fn read_service(
    map: &mut MapReader<'_, '_>,
    provider: Option<&ParticipantId>,
    around: &Surroundings<'_>,
) -> Option<ServiceId> {
    let file = map.file();
    let id: ServiceId = map.parse("service")?;
    let at = place_of(map, "service");
    let names = around.names.services.keys().map(String::as_str);
    if !known((file, at), "service", id.as_str(), names, map.found()) {
        return None;
    }
    if let (Some(service), Some(provider)) = (around.services.get(&id), provider)
        && service.service.provider != *provider
    {
        let owner = &service.service.provider;
        let at = map.optional("provider").map_or(at, |node| node.at);
        let message = format!("service `{id}` is not of provider `{provider}`");
        map.found().add_with_help(file, at, message, format!("write `provider: {owner}`"));
    }
    Some(id)
}

fn read_purposes(map: &mut MapReader<'_, '_>, around: &Surroundings<'_>) -> Vec<PurposeId> {
    let file = map.file();
    let Some(list) = map.required("purposes") else { return Vec::new() };
    let mut purposes = Vec::new();
    for node in map.list("purposes") {
        let Some(id) = document::parse_text::<PurposeId>(file, node, map.found()) else { continue };
        let names = around.names.purposes.iter().map(String::as_str);
        known((file, node.at), "purpose", id.as_str(), names, map.found());
        if purposes.contains(&id) {
            map.found().add(file, node.at, format!("purpose `{id}` stands twice"));
        }
        purposes.push(id);
    }
    if purposes.is_empty() {
        map.found().add(file, list.at, "an agreement needs at least one purpose");
    }
    purposes
}

/// The law it rests on, and whether that is consent when every citation could be read.
fn read_legal_bases(
    map: &mut MapReader<'_, '_>,
    around: &Surroundings<'_>,
) -> (Vec<Citation>, Option<bool>) {
    let file = map.file();
    let Some(list) = map.required("legal_bases") else { return (Vec::new(), None) };
    let (mut citations, mut bases, mut whole) = (Vec::new(), Vec::new(), true);
    for node in map.list("legal_bases") {
        let Some((citation, basis)) = read_citation(file, node, around, map.found()) else {
            whole = false;
            continue;
        };
        if citations.contains(&citation) {
            map.found().add(file, node.at, format!("`{citation}` stands twice"));
        }
        bases.extend(basis.map(|basis| (basis, citation.clone(), node.at)));
        citations.push(citation);
    }
    if !whole {
        return (citations, None);
    }
    let rests = rests_on_consent(file, &bases, map.found());
    if bases.is_empty() {
        let message = "no cited article says why the processing is lawful";
        let help = "cite an article that has a `basis`, such as `pdpl-2025#19.1.c`";
        map.found().add_with_help(file, list.at, message, help);
    }
    for (basis, citation, at) in bases {
        // LAW: PDPL Art. 19.1.c serves state management "under law": that law is to be named too.
        let names_sector = citations.iter().any(|other| other.instrument != citation.instrument);
        if !matches!(basis, Basis::Consent | Basis::SubjectRequest) && !names_sector {
            let message = format!("`{citation}` needs the sector's own law beside it");
            map.found().add_with_help(file, at, message, "cite an article of another instrument");
        }
    }
    (citations, Some(rests))
}

fn read_citation(
    file: &str,
    node: &Node,
    around: &Surroundings<'_>,
    found: &mut Diagnostics,
) -> Option<(Citation, Option<Basis>)> {
    let keys = &["instrument", "article"];
    let mut map = MapReader::new(file, node, "a legal basis", keys, found)?;
    let instrument: Option<InstrumentId> = map.parse("instrument");
    let article = map.text("article");
    let citation = Citation { instrument: instrument?, article: article?.to_owned() };
    let known_instrument = around.names.instruments.contains_key(citation.instrument.as_str());
    let key = if known_instrument { "article" } else { "instrument" };
    let at = place_of(&map, key);
    if !check_citation((file, at), &citation, around.names, map.found()) {
        return None;
    }
    let instrument = around.instruments.get(&citation.instrument)?;
    let basis = instrument.articles.get(&citation.article)?.basis;
    Some((citation, basis))
}

/// Reads a first and a last day.
pub(crate) fn read_term(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Term> {
    let mut map = MapReader::new(file, node, "`valid`", &["from", "until"], found)?;
    let from = date_key(&mut map, "from");
    let until = date_key(&mut map, "until");
    let term = Term { from: from?, until: until? };
    if term.until < term.from {
        let at = place_of(&map, "until");
        map.found().add(file, at, "`until` is before `from`");
    }
    Some(term)
}

fn read_retention(map: &mut MapReader<'_, '_>) -> Option<u32> {
    map.required("retention_days")?;
    u32::try_from(map.integer("retention_days", 0..=36_500, 0)).ok()
}

fn read_signature(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Signature> {
    let keys = &["number", "date", "by"];
    let mut map = MapReader::new(file, node, "`signed`", keys, found)?;
    let number = wording(&mut map, "number");
    let date = date_key(&mut map, "date");
    let by: Vec<String> = map
        .list("by")
        .iter()
        .filter_map(|node| document::text(file, node, map.found()).map(str::to_owned))
        .collect();
    if by.len() < 2 {
        let message = "`by` must name the roles that signed for both sides";
        map.found().add(file, node.at, message);
    }
    Some(Signature { number: number?, date: date?, by })
}

fn read_operations(
    (file, node): (&str, &Node),
    offered: &ReadService,
    legal_bases: &[Citation],
    map: &mut MapReader<'_, '_>,
) -> Vec<(Disclosed, Position)> {
    let entries = document::entries(file, node, "the operations", map.found());
    if entries.is_empty() {
        map.found().add(file, node.at, "an agreement needs at least one operation");
    }
    let mut all = Vec::new();
    for (key, node) in entries {
        let names = offered.named.iter().map(String::as_str);
        let what = format!("operation of `{}`", offered.service.id);
        if !known((file, key.at), &what, &key.text, names, map.found()) {
            continue;
        }
        // An operation that is named but cannot be read has had its mistakes told already.
        let operation = offered.service.operations.get(key.text.as_str());
        let Some(operation) = operation else { continue };
        let reader = DisclosureReader { file, operation, legal_bases };
        if let Some(disclosed) = reader.read(node, map.found()) {
            all.push((disclosed, key.at));
        }
    }
    all
}

/// The operations that two agreements open to the same consumer on the same way, for the same
/// purpose, on the same day: the gateway could not tell which of the two applies.
pub(crate) fn overlap<'a>(a: &'a Agreement, b: &'a Agreement) -> Vec<&'a OperationId> {
    let purposes = a.purposes.iter().any(|purpose| b.purposes.contains(purpose));
    let days = a.valid.from <= b.valid.until && b.valid.from <= a.valid.until;
    // Every agreement may be used directly, so that two of them always share that way.
    if a.consumer != b.consumer || a.service != b.service || !purposes || !days {
        return Vec::new();
    }
    a.operations.keys().filter(|id| b.operations.contains_key(*id)).collect()
}

#[cfg(test)]
mod tests;
