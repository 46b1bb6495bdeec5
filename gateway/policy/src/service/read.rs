//! Reads one file of `policies/services/` against its OpenAPI document.
//!
//! Every leaf of every parameter, request body and answer must be classified, and nothing else may
//! be. Media and answers that no codec of this build can check are refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lienthong_model::{
    diagnostic::{Diagnostics, Position, nearest},
    document::{self, Content, MapReader, Node},
    field::{FieldPath, Place, Pointer},
    id::{ParticipantId, ServiceId},
    schema::{Kind, Schema},
};
use serde_json::Value;

use super::{
    Classes, DataSubjectField, Effect, FieldClass, IdentifierKind, Operation, SensitiveCategory,
    Service, ServiceAddress, SubjectRole,
};
use crate::{
    openapi::{self, DeclaredOperation, Document},
    participant::Participant,
    read::{Claims, Names, Source, address_part, bilingual_key, known, place_of, word, word_key},
};

/// Largest request body, in bytes, unless the operation says otherwise.
const REQUEST_BYTES: i64 = 64 << 10;
/// Largest answer body, in bytes, unless the operation says otherwise.
const ANSWER_BYTES: i64 = 1 << 20;
/// The most an operation may say.
const MOST_BYTES: i64 = 16 << 20;

/// What a service file is read against.
pub(crate) struct Surroundings<'a> {
    pub(crate) names: &'a Names,
    pub(crate) participants: &'a BTreeMap<ParticipantId, Participant>,
    /// The text of an OpenAPI document by its path below `schemas/`.
    pub(crate) document: &'a dyn Fn(&str) -> Option<&'a str>,
    /// Every OpenAPI document there is.
    pub(crate) documents: Vec<&'a str>,
}

/// A service and the operations its file names, also those that cannot be read.
pub(crate) struct ReadService {
    pub(crate) service: Service,
    pub(crate) named: BTreeSet<String>,
}

/// Reads one service file.
pub(crate) fn read(
    source: &Source<'_>,
    around: &Surroundings<'_>,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> Option<ReadService> {
    let file = source.file;
    let keys = &["id", "provider", "address", "name", "openapi", "operations"];
    let mut map = MapReader::new(file, &source.root, "a service", keys, found)?;
    let id: Option<ServiceId> = map.parse("id");
    let provider = read_provider(&mut map, around);
    let address = map
        .required("address")
        .and_then(|node| read_address(file, node, provider, claims, map.found()));
    let name = bilingual_key(&mut map, "name");
    let document = read_document(&mut map, around);
    let listed = map.required("operations");
    let document = document?;
    let (mut operations, mut named) = (BTreeMap::new(), BTreeSet::new());
    let entries = document::entries(file, listed?, "the operations", map.found());
    if entries.is_empty() {
        let at = map.at();
        map.found().add(file, at, "a service needs at least one operation");
    }
    for (key, node) in entries {
        let names = document.names.iter().map(String::as_str);
        if !known((file, key.at), "operation", &key.text, names, map.found()) {
            continue;
        }
        named.insert(key.text.clone());
        let Some(declared) = document.operations.get(key.text.as_str()) else { continue };
        let reader = OperationReader { file, declared };
        if let Some(operation) = reader.read(node, map.found()) {
            operations.insert(declared.id.clone(), Arc::new(operation));
        }
    }
    let service = Service {
        id: id?,
        provider: provider?.id.clone(),
        address: address?,
        name: name?,
        document: document.json,
        operations,
    };
    Some(ReadService { service, named })
}

fn read_provider<'a>(
    map: &mut MapReader<'_, '_>,
    around: &Surroundings<'a>,
) -> Option<&'a Participant> {
    let id: ParticipantId = map.parse("provider")?;
    let at = place_of(map, "provider");
    let names = around.names.participants.iter().map(String::as_str);
    known((map.file(), at), "participant", id.as_str(), names, map.found());
    around.participants.get(&id)
}

fn read_address(
    file: &str,
    node: &Node,
    provider: Option<&Participant>,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> Option<ServiceAddress> {
    let mut map =
        MapReader::new(file, node, "a service address", &["subsystem", "service"], found)?;
    let subsystem = address_part(&mut map, "subsystem");
    let service = address_part(&mut map, "service");
    let (provider, subsystem, service) = (provider?, subsystem?, service?);
    let at = place_of(&map, "subsystem");
    let names = provider.subsystems.iter().map(String::as_str);
    let what = format!("subsystem of `{}`", provider.id);
    known((file, at), &what, &subsystem, names, map.found());
    let member = &provider.member;
    let key = format!("{}/{}/{}/{subsystem}/{service}", member.instance, member.class, member.code);
    claims.claim("service address", key, (file, node.at), map.found());
    Some(ServiceAddress {
        instance: member.instance.clone(),
        class: member.class.clone(),
        member: member.code.clone(),
        subsystem,
        service,
    })
}

fn read_document(map: &mut MapReader<'_, '_>, around: &Surroundings<'_>) -> Option<Document> {
    let file = map.file();
    let path = map.text("openapi")?;
    let at = place_of(map, "openapi");
    let Some(text) = (around.document)(path) else {
        known((file, at), "document", path, around.documents.iter().copied(), map.found());
        return None;
    };
    let name = format!("schemas/{path}");
    let root = document::parse(&name, text, map.found())?;
    openapi::read(&name, &root, map.found())
}

struct OperationReader<'a> {
    file: &'a str,
    declared: &'a DeclaredOperation,
}

#[derive(Clone, Copy)]
enum Delivery {
    Whole,
    Stream,
}

#[derive(Clone, Copy, PartialEq)]
enum Media {
    None,
    Json,
    Other,
}

const MEDIA: &[(&str, Media)] = &[
    ("none", Media::None),
    ("json", Media::Json),
    ("ndjson", Media::Other),
    ("form", Media::Other),
    ("xml", Media::Other),
    ("multipart", Media::Other),
    ("opaque", Media::Other),
];

impl OperationReader<'_> {
    fn read(&self, node: &Node, found: &mut Diagnostics) -> Option<Operation> {
        let file = self.file;
        let keys = &["effect", "answer", "media", "limits", "data_subjects", "classes"];
        let mut map = MapReader::new(file, node, "an operation", keys, found)?;
        let effects = &[("reads", Effect::Reads), ("writes", Effect::Writes)];
        let effect = word_key(&mut map, "effect", effects);
        self.check_delivery(&mut map);
        if let Some(media) = map.required("media") {
            self.check_media(media, map.found());
        }
        let (request_limit, answer_limit) = self.limits(&mut map);
        let subjects = map.required("data_subjects");
        let data_subjects = subjects.and_then(|node| self.data_subjects(node, map.found()));
        let classes = map.required("classes");
        let classes = classes.and_then(|node| self.classes(node, map.found()));
        let declared = self.declared;
        Some(Operation {
            id: declared.id.clone(),
            method: declared.method,
            path: declared.path.clone(),
            summary: declared.summary.clone(),
            parameters: declared.parameters.clone(),
            request: declared.request.clone(),
            answers: declared.answers.clone(),
            effect: effect?,
            request_limit,
            answer_limit,
            classes: classes?,
            data_subjects: data_subjects?,
        })
    }

    fn check_delivery(&self, map: &mut MapReader<'_, '_>) {
        let words = &[("whole", Delivery::Whole), ("stream", Delivery::Stream)];
        if let Some(Delivery::Stream) = word_key(map, "answer", words) {
            let at = place_of(map, "answer");
            let message = "answer `stream` is not available in this build";
            map.found().add_with_help(self.file, at, message, "write `answer: whole`");
        }
    }

    fn check_media(&self, node: &Node, found: &mut Diagnostics) {
        let file = self.file;
        let keys = &["request", "answer"];
        let Some(mut map) = MapReader::new(file, node, "`media`", keys, found) else { return };
        let has_request = self.declared.request.is_some();
        let has_answer = self.declared.answers.values().any(|answer| answer.schema.is_some());
        for (key, declared) in [("request", has_request), ("answer", has_answer)] {
            let Some(node) = map.required(key) else { continue };
            let Some(media) = word(file, node, "media", MEDIA, map.found()) else { continue };
            let expected = if declared { ("json", Media::Json) } else { ("none", Media::None) };
            if media == Media::Other {
                let message = "this media is not available in this build";
                let help = format!("expected `{}`", expected.0);
                map.found().add_with_help(file, node.at, message, help);
            } else if media != expected.1 {
                let message = format!("the OpenAPI document declares another {key}");
                let help = format!("expected `{}`", expected.0);
                map.found().add_with_help(file, node.at, message, help);
            }
        }
    }

    fn limits(&self, map: &mut MapReader<'_, '_>) -> (usize, usize) {
        let size = |n: i64| usize::try_from(n).unwrap_or_default();
        let defaults = (size(REQUEST_BYTES), size(ANSWER_BYTES));
        let Some(node) = map.optional("limits") else { return defaults };
        let keys = &["request_bytes", "answer_bytes"];
        let Some(mut limits) = MapReader::new(self.file, node, "the limits", keys, map.found())
        else {
            return defaults;
        };
        let request = limits.integer("request_bytes", 1..=MOST_BYTES, REQUEST_BYTES);
        let answer = limits.integer("answer_bytes", 1..=MOST_BYTES, ANSWER_BYTES);
        (size(request), size(answer))
    }

    fn request_leaves(&self) -> Vec<(FieldPath, &Schema)> {
        openapi::request_leaves(&self.declared.parameters, self.declared.request.as_ref())
    }

    fn data_subjects(&self, node: &Node, found: &mut Diagnostics) -> Option<Vec<DataSubjectField>> {
        if matches!(&node.content, Content::Text(text) if text == "none") {
            return Some(Vec::new());
        }
        let items = document::list(self.file, node, "data_subjects", found);
        if items.is_empty() {
            let message = "data subjects must be listed, or said to be `none`";
            found.add(self.file, node.at, message);
            return None;
        }
        Some(items.iter().filter_map(|item| self.data_subject(item, found)).collect())
    }

    fn data_subject(&self, node: &Node, found: &mut Diagnostics) -> Option<DataSubjectField> {
        let keys = &["field", "role", "identifier"];
        let mut map = MapReader::new(self.file, node, "a data subject", keys, found)?;
        let field: Option<FieldPath> = map.parse("field");
        let role = word_key(&mut map, "role", SubjectRole::ALL);
        let identifier = word_key(&mut map, "identifier", IdentifierKind::ALL);
        let field = normal(field?);
        let at = place_of(&map, "field");
        check_leaf((self.file, at), &field, &self.request_leaves(), "a request field", map.found());
        Some(DataSubjectField { field, role: role?, identifier: identifier? })
    }

    fn classes(&self, node: &Node, found: &mut Diagnostics) -> Option<Classes> {
        let file = self.file;
        let mut map = MapReader::new(file, node, "the classes", &["request", "answers"], found)?;
        let leaves = self.request_leaves();
        let request = map.optional("request");
        let place = request.map_or(node.at, |node| node.at);
        let what = "a request field";
        let request = self.classify(request, place, &leaves, what, map.found());
        let mut answers = BTreeMap::new();
        let listed = map.optional("answers");
        let place = listed.map_or(node.at, |node| node.at);
        let listed = match listed {
            Some(node) => document::entries(file, node, "the answers", map.found()),
            None => &[],
        };
        for (key, node) in listed {
            if !self.declared.answers.keys().any(|status| status.to_string() == key.text) {
                let message = format!("status `{}` is not declared", key.text);
                map.found().add_with_help(file, key.at, message, self.statuses());
                continue;
            }
            let Some(status) = key.text.parse::<u16>().ok() else { continue };
            answers.insert(status, self.answer_classes(status, Some(node), node.at, map.found()));
        }
        for status in self.declared.answers.keys() {
            if !answers.contains_key(status) {
                let classes = self.answer_classes(*status, None, place, map.found());
                answers.insert(*status, classes);
            }
        }
        Some(Classes { request, answers })
    }

    fn statuses(&self) -> String {
        let all: Vec<String> = self.declared.answers.keys().map(u16::to_string).collect();
        format!("expected one of `{}`", all.join("`, `"))
    }

    fn answer_classes(
        &self,
        status: u16,
        node: Option<&Node>,
        place: Position,
        found: &mut Diagnostics,
    ) -> BTreeMap<Pointer, FieldClass> {
        let leaves = self.declared.answers.get(&status).map_or_else(Vec::new, answer_leaves);
        let what = format!("a field of answer {status}");
        let classes = self.classify(node, place, &leaves, &what, found);
        classes
            .into_iter()
            .filter_map(|(field, class)| match field {
                FieldPath::Body(pointer) => Some((pointer, class)),
                FieldPath::Parameter(..) => None,
            })
            .collect()
    }

    /// Reads the class of each leaf and reports the leaves without one.
    fn classify(
        &self,
        node: Option<&Node>,
        place: Position,
        leaves: &[(FieldPath, &Schema)],
        what: &str,
        found: &mut Diagnostics,
    ) -> BTreeMap<FieldPath, FieldClass> {
        let file = self.file;
        let (mut classes, mut named) = (BTreeMap::new(), BTreeSet::new());
        let entries = match node {
            Some(node) => document::entries(file, node, "the classes", found),
            None => &[],
        };
        for (key, node) in entries {
            let Some(field) = parse_field(file, &key.text, key.at, found) else { continue };
            let schema = check_leaf((file, key.at), &field, leaves, what, found);
            named.insert(field.clone());
            let (Some(schema), Some(class)) = (schema, read_class(file, &field, node, found))
            else {
                continue;
            };
            if class == FieldClass::None && may_hold_free_text(schema) {
                let help = "bound it by `enum`, `pattern` or `format`, or classify it `basic`";
                let message = format!("`{field}`: an unbounded string is at least basic");
                found.add_with_help(file, node.at, message, help);
            }
            classes.insert(field, class);
        }
        for (field, _) in leaves.iter().filter(|(field, _)| !named.contains(field)) {
            let operation = &self.declared.id;
            let message = format!("`{field}` of `{operation}` ({what}) is not classified");
            found.add_with_help(file, place, message, "expected `none`, `basic` or `sensitive`");
        }
        classes
    }
}

fn answer_leaves(answer: &super::Answer) -> Vec<(FieldPath, &Schema)> {
    let leaves = answer.schema.iter().flat_map(Schema::leaves);
    leaves.map(|(pointer, schema)| (FieldPath::Body(pointer), schema)).collect()
}

fn read_class(
    file: &str,
    field: &FieldPath,
    node: &Node,
    found: &mut Diagnostics,
) -> Option<FieldClass> {
    if let Content::Map(_) = node.content {
        let mut map = MapReader::new(file, node, "a class", &["sensitive"], found)?;
        let category = map.required("sensitive")?;
        return word(file, category, "category", SensitiveCategory::ALL, map.found())
            .map(FieldClass::Sensitive);
    }
    if matches!(&node.content, Content::Text(text) if text == "sensitive") {
        let help = "write `{sensitive: CATEGORY}`";
        found.add_with_help(file, node.at, "a sensitive field needs its category", help);
        return None;
    }
    let words = &[("none", FieldClass::None), ("basic", FieldClass::Basic)];
    let text = document::text(file, node, found)?;
    let class = words.iter().find(|(word, _)| *word == text).map(|(_, class)| *class);
    if class.is_none() {
        let help = match nearest(text, words.iter().map(|(word, _)| *word)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "expected `none`, `basic` or `{sensitive: CATEGORY}`".to_owned(),
        };
        found.add_with_help(file, node.at, format!("`{field}`: unknown class `{text}`"), help);
    }
    class
}

/// Header names are the same in any case.
fn normal(field: FieldPath) -> FieldPath {
    match field {
        FieldPath::Parameter(Place::Header, name) => {
            FieldPath::Parameter(Place::Header, name.to_ascii_lowercase())
        }
        other => other,
    }
}

/// A field path written as a key.
pub(crate) fn parse_field(
    file: &str,
    text: &str,
    at: Position,
    found: &mut Diagnostics,
) -> Option<FieldPath> {
    match text.parse() {
        Ok(field) => Some(normal(field)),
        Err(error) => {
            found.add(file, at, format!("`{text}` is {error}"));
            None
        }
    }
}

/// The schema of a leaf, or a report that there is none such.
pub(crate) fn check_leaf<'s>(
    place: (&str, Position),
    field: &FieldPath,
    leaves: &[(FieldPath, &'s Schema)],
    what: &str,
    found: &mut Diagnostics,
) -> Option<&'s Schema> {
    if let Some((_, schema)) = leaves.iter().find(|(leaf, _)| leaf == field) {
        return Some(schema);
    }
    let below: Vec<String> = match field {
        FieldPath::Body(pointer) => leaves
            .iter()
            .filter(|(leaf, _)| matches!(leaf, FieldPath::Body(leaf) if pointer.contains(leaf)))
            .map(|(leaf, _)| leaf.to_string())
            .take(3)
            .collect(),
        FieldPath::Parameter(..) => Vec::new(),
    };
    if !below.is_empty() {
        let help = format!("name its leaves, such as `{}`", below.join("`, `"));
        let message = format!("`{field}` is an object or a list, not {what}");
        found.add_with_help(place.0, place.1, message, help);
        return None;
    }
    let names: Vec<String> = leaves.iter().map(|(leaf, _)| leaf.to_string()).collect();
    let message = format!("`{field}` is not {what}");
    match nearest(&field.to_string(), names.iter().map(String::as_str)) {
        Some(near) => {
            found.add_with_help(place.0, place.1, message, format!("did you mean `{near}`?"));
        }
        None => found.add(place.0, place.1, message),
    }
    None
}

/// Whether a leaf can hold text that nothing bounds.
fn may_hold_free_text(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::String(rules) => rules.is_free_text(),
        Kind::Array(rules) => may_hold_free_text(&rules.items),
        Kind::Object(_) | Kind::Tree => source_may_hold_free_text(&schema.source),
        Kind::Integer(_) | Kind::Number(_) | Kind::Boolean => false,
    }
}

/// The same for a schema that is checked as a tree: bounded only where that is plain to see.
fn source_may_hold_free_text(source: &Value) -> bool {
    let Value::Object(map) = source else { return true };
    if ["enum", "const"].iter().any(|key| map.contains_key(*key)) {
        return false;
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = map.get(key) {
            return branches.iter().any(source_may_hold_free_text);
        }
    }
    let types: Vec<&str> = match map.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return true,
    };
    types.iter().any(|kind| match *kind {
        "null" | "boolean" | "integer" | "number" => false,
        "string" => !["pattern", "format"].iter().any(|key| map.contains_key(*key)),
        "array" => map.get("items").is_none_or(source_may_hold_free_text),
        _ => true,
    })
}

#[cfg(test)]
mod tests;
