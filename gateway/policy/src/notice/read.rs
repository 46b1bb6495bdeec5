//! Reads one file of `policies/notices/` against the agreements it speaks of.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, MapReader, Node},
    field::Pointer,
    id::{OperationId, ParticipantId, PurposeId, ServiceId},
};
use unicode_normalization::UnicodeNormalization as _;

use super::{Agreements, Notice, NoticeField, Text, binds, opens};
use crate::{
    agreement::{Agreement, Term, read::read_term},
    read::{Names, Source, kebab_key, known, place_of},
    service::{SensitiveCategory, read::ReadService},
};

/// What notices are read against.
pub(crate) struct Surroundings<'a> {
    pub(crate) names: &'a Names,
    pub(crate) services: &'a BTreeMap<ServiceId, ReadService>,
    pub(crate) agreements: &'a Agreements,
}

const KEYS: &[&str] = &[
    "id",
    "controller",
    "recipients",
    "service",
    "purpose",
    "valid",
    "fields",
    "sensitive",
    "text",
];

/// Longest text of a notice, in bytes; a few printed pages.
const MAX_TEXT: usize = 32_768;

/// A field with where its file names it.
type Placed = BTreeMap<NoticeField, Position>;

/// Reads one notice file.
pub(crate) fn read(
    source: &Source<'_>,
    around: &Surroundings<'_>,
    found: &mut Diagnostics,
) -> Option<Notice> {
    let file = source.file;
    let mut map = MapReader::new(file, &source.root, "a notice", KEYS, found)?;
    let id = kebab_key(&mut map, "id");
    let controller: Option<ParticipantId> = map.parse("controller");
    if let Some(id) = &controller {
        let at = place_of(&map, "controller");
        check_participant((file, at), id, around, map.found());
    }
    let recipients = read_recipients(&mut map, around);
    let service: Option<ServiceId> = map.parse("service");
    if let Some(id) = &service {
        let (at, names) = (place_of(&map, "service"), around.names.services.keys());
        known((file, at), "service", id.as_str(), names.map(String::as_str), map.found());
    }
    let purpose: Option<PurposeId> = map.parse("purpose");
    if let Some(id) = &purpose {
        let (at, names) = (place_of(&map, "purpose"), around.names.purposes.iter());
        known((file, at), "purpose", id.as_str(), names.map(String::as_str), map.found());
    }
    let valid = map.required("valid").and_then(|node| read_term(file, node, map.found()));
    let service_read = service.as_ref().and_then(|id| around.services.get(id));
    let fields = map.required("fields");
    let fields = fields
        .zip(service_read)
        .and_then(|(node, read)| read_fields((file, node), read, map.found()));
    let texts = map.required("text").and_then(|node| read_texts(file, node, map.found()));
    if let (Some(read), Some(fields), Some(texts)) = (service_read, &fields, &texts) {
        check_sensitive(&mut map, &categories(read, fields), texts);
    }
    let fields = fields?;
    let (vi, en) = texts?;
    let notice = Notice {
        id: id?,
        controller: controller?,
        recipients: recipients?,
        service: service?,
        purpose: purpose?,
        valid: valid?,
        fields: fields.keys().cloned().collect(),
        vi,
        en,
    };
    check_covered(&notice, &fields, &mut map, around.agreements);
    Some(notice)
}

fn check_participant(
    place: (&str, Position),
    id: &ParticipantId,
    around: &Surroundings<'_>,
    found: &mut Diagnostics,
) {
    let names = around.names.participants.iter().map(String::as_str);
    known(place, "participant", id.as_str(), names, found);
}

fn read_recipients(
    map: &mut MapReader<'_, '_>,
    around: &Surroundings<'_>,
) -> Option<BTreeSet<ParticipantId>> {
    let (file, listed) = (map.file(), map.required("recipients")?);
    let mut recipients = BTreeSet::new();
    for node in map.list("recipients") {
        let id: Option<ParticipantId> = document::parse_text(file, node, map.found());
        let Some(id) = id else { continue };
        check_participant((file, node.at), &id, around, map.found());
        if !recipients.insert(id) {
            map.found().add(file, node.at, "recipient stands twice");
        }
    }
    if recipients.is_empty() {
        map.found().add(file, listed.at, "a notice needs at least one recipient");
        return None;
    }
    Some(recipients)
}

fn read_fields(
    (file, node): (&str, &Node),
    service: &ReadService,
    found: &mut Diagnostics,
) -> Option<Placed> {
    let mut fields = Placed::new();
    for (key, node) in document::entries(file, node, "the fields", found) {
        let names = service.named.iter().map(String::as_str);
        let what = format!("operation of `{}`", service.service.id);
        if !known((file, key.at), &what, &key.text, names, found) {
            continue;
        }
        // An operation that is named but cannot be read has had its mistakes told already.
        let Some(operation) = service.service.operations.get(key.text.as_str()) else { continue };
        for (key, node) in document::entries(file, node, "the answers", found) {
            let declared: Vec<String> = operation.answers.keys().map(u16::to_string).collect();
            let names = declared.iter().map(String::as_str);
            if !known((file, key.at), "answer", &key.text, names, found) {
                continue;
            }
            let Ok(status) = key.text.parse::<u16>() else { continue };
            read_pointers((file, node), (&operation.id, status), &mut fields, found);
        }
    }
    if fields.is_empty() {
        found.add(file, node.at, "a notice needs at least one field");
        return None;
    }
    Some(fields)
}

fn read_pointers(
    (file, node): (&str, &Node),
    (operation, status): (&OperationId, u16),
    fields: &mut Placed,
    found: &mut Diagnostics,
) {
    for item in document::list(file, node, "the fields", found) {
        let field: Option<Pointer> = document::parse_text(file, item, found);
        let Some(field) = field else { continue };
        let field = NoticeField { operation: operation.clone(), status, field };
        if fields.contains_key(&field) {
            found.add(file, item.at, format!("`{}` stands twice", field.field));
        }
        fields.insert(field, item.at);
    }
}

type Texts = (Text, Option<Text>);

fn read_texts(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Texts> {
    let mut map = MapReader::new(file, node, "`text`", &["vi", "en"], found)?;
    let vi = map.required("vi").and_then(|node| read_text(file, node, map.found()));
    let en = match map.optional("en") {
        Some(node) => Some(read_text(file, node, map.found())?),
        None => None,
    };
    Some((vi?, en))
}

fn read_text(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Text> {
    let text: String = document::text(file, node, found)?.nfc().collect();
    if text.trim().is_empty() || text.len() > MAX_TEXT {
        found.add(file, node.at, format!("a notice must have 1 to {MAX_TEXT} bytes of text"));
        return None;
    }
    Some(Text::new(text))
}

/// The categories of the sensitive fields among those of a notice.
fn categories(service: &ReadService, fields: &Placed) -> BTreeSet<SensitiveCategory> {
    let class = |field: &NoticeField| {
        let operation = service.service.operations.get(&field.operation)?;
        operation.classes.answers.get(&field.status)?.get(&field.field)?.category()
    };
    fields.keys().filter_map(class).collect()
}

// LAW: Decree 356/2025 Art. 6: the person is told that data is sensitive.
fn check_sensitive(
    map: &mut MapReader<'_, '_>,
    needed: &BTreeSet<SensitiveCategory>,
    (vi, en): &Texts,
) {
    let file = map.file();
    let (mut named, at) = (BTreeSet::new(), place_of(map, "sensitive"));
    let entries = match map.optional("sensitive") {
        Some(node) => document::entries(file, node, "`sensitive`", map.found()),
        None => &[],
    };
    for (key, node) in entries {
        let category = needed.iter().find(|category| category.as_str() == key.text);
        let Some(category) = category else {
            let message = format!("no field of the notice is sensitive as `{}`", key.text);
            map.found().add(file, key.at, message);
            continue;
        };
        named.insert(*category);
        let words = MapReader::new(file, node, "the words", &["vi", "en"], map.found());
        let Some(mut words) = words else { continue };
        check_words(&mut words, "vi", vi);
        match en {
            Some(en) => check_words(&mut words, "en", en),
            None if words.optional("en").is_some() => {
                words.found().add(file, node.at, "the notice has no text in `en`");
            }
            None => {}
        }
    }
    for missing in needed.difference(&named) {
        let word = missing.as_str();
        let message = format!("the notice speaks of fields that are sensitive as `{word}`");
        let help = format!(
            "write under `sensitive` with which words its text says so: `{word}: {{vi: …}}`"
        );
        map.found().add_with_help(file, at, message, help);
    }
}

/// Reports words that the text does not hold.
fn check_words(words: &mut MapReader<'_, '_>, language: &str, text: &Text) {
    let file = words.file();
    let Some(node) = words.required(language) else { return };
    let Some(said) = document::text(file, node, words.found()) else { return };
    let said: String = said.nfc().collect();
    if said.trim().is_empty() || !text.text.contains(&said) {
        let message = format!("`{said}` does not stand in the text in `{language}`");
        words.found().add(file, node.at, message);
    }
}

/// Reports every recipient without an agreement, and every field that none opens to a recipient.
fn check_covered(
    notice: &Notice,
    fields: &Placed,
    map: &mut MapReader<'_, '_>,
    agreements: &Agreements,
) {
    let file = map.file();
    for recipient in &notice.recipients {
        let parties = (&notice.controller, recipient);
        let binding: Vec<&Agreement> = agreements
            .values()
            .map(AsRef::as_ref)
            .filter(|agreement| binds(agreement, parties, &notice.service, &notice.purpose))
            .filter(|agreement| contains(agreement.valid, notice.valid))
            .collect();
        if binding.is_empty() {
            let message = format!(
                "no agreement on consent opens `{}` of `{}` to `{recipient}` for `{}` from {} to {}",
                notice.service,
                notice.controller,
                notice.purpose,
                notice.valid.from,
                notice.valid.until
            );
            let at = place_of(map, "recipients");
            map.found().add(file, at, message);
            continue;
        }
        for (field, at) in fields {
            if !binding.iter().any(|agreement| opens(agreement, field)) {
                let NoticeField { operation, status, field } = field;
                let message = format!(
                    "no agreement on consent opens `{field}` of `{operation}` {status} to `{recipient}`"
                );
                map.found().add(file, *at, message);
            }
        }
    }
}

/// Whether the whole of a term lies within another.
fn contains(outer: Term, inner: Term) -> bool {
    outer.from <= inner.from && inner.until <= outer.until
}
