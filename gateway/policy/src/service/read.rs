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
    Classes, Delivery, Effect, FieldClass, Media, Operation, RequestForm, SensitiveCategory,
    Service, ServiceAddress, StreamRules, lgsp, subjects::SubjectReader,
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
/// Largest element of a stream, in bytes, unless the operation says otherwise.
const ELEMENT_BYTES: i64 = 256 << 10;
/// Most elements of a stream, unless the operation says otherwise.
const ELEMENTS: i64 = 1_000_000;
/// The most an operation may say: more than any population register holds.
const MOST_ELEMENTS: i64 = 1_000_000_000;

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
    let keys = &["id", "provider", "address", "name", "openapi", "operations", "lgsp_paths"];
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
        lgsp_paths: lgsp::read(source, &operations, claims, found),
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

/// The word for no body at all.
const NO_MEDIA: &str = "none";

/// What `limits` says.
struct OperationLimits {
    request: usize,
    answer: usize,
    element: usize,
    elements: u64,
}

impl OperationReader<'_> {
    fn read(&self, node: &Node, found: &mut Diagnostics) -> Option<Operation> {
        let file = self.file;
        let keys = &[
            "effect",
            "request",
            "answer",
            "elements",
            "media",
            "limits",
            "data_subjects",
            "classes",
        ];
        let mut map = MapReader::new(file, node, "an operation", keys, found)?;
        let effects = &[("reads", Effect::Reads), ("writes", Effect::Writes)];
        let effect = word_key(&mut map, "effect", effects);
        let request_form = self.request_form(&mut map);
        if let Some(media) = map.required("media") {
            self.check_media(media, map.found());
        }
        let limits = self.limits(&mut map);
        let delivery = self.delivery(&mut map, &limits);
        let subjects = map.required("data_subjects");
        let reader = SubjectReader { file, declared: self.declared, delivery: delivery.as_ref() };
        let subjects = subjects.and_then(|node| reader.read(node, map.found()));
        let classes = map.required("classes");
        let classes = classes.and_then(|node| self.classes(node, map.found()));
        let declared = self.declared;
        let (data_subjects, answer_subjects) = subjects?;
        Some(Operation {
            id: declared.id.clone(),
            method: declared.method,
            path: declared.path.clone(),
            summary: declared.summary.clone(),
            parameters: declared.parameters.clone(),
            request: declared.request.clone(),
            answers: declared.answers.clone(),
            effect: effect?,
            request_form,
            request_limit: limits.request,
            answer_limit: limits.answer,
            delivery: delivery?,
            classes: classes?,
            data_subjects,
            answer_subjects,
        })
    }

    fn request_form(&self, map: &mut MapReader<'_, '_>) -> RequestForm {
        let Some(node) = map.optional("request") else { return RequestForm::Projected };
        let words = &[("projected", RequestForm::Projected), ("signed", RequestForm::Signed)];
        let form = word(self.file, node, "request", words, map.found()).unwrap_or_default();
        let is_json =
            self.declared.request.as_ref().is_some_and(|request| request.media == Media::Json);
        if form == RequestForm::Signed && !is_json {
            let message = "only a request of JSON can be signed by its consumer";
            map.found().add(self.file, node.at, message);
        }
        form
    }

    /// Whole, or a stream with the place of its elements.
    fn delivery(&self, map: &mut MapReader<'_, '_>, limits: &OperationLimits) -> Option<Delivery> {
        let (file, at) = (self.file, place_of(map, "answer"));
        let streams = word_key(map, "answer", &[("whole", false), ("stream", true)])?;
        let elements: Option<Pointer> = map.parse_optional("elements");
        let place = place_of(map, "elements");
        let bodies = self.declared.answers.iter();
        let media: BTreeSet<Media> = bodies
            .filter(|(status, answer)| (200..300).contains(*status) && answer.schema.is_some())
            .map(|(_, answer)| answer.media)
            .collect();
        if !streams {
            if elements.is_some() {
                map.found().add(file, place, "`elements` belongs to `answer: stream`");
            }
            if media.contains(&Media::Ndjson) {
                map.found().add(file, at, "an NDJSON answer is a stream; write `answer: stream`");
            }
            return Some(Delivery::Whole);
        }
        match (media.iter().collect::<Vec<_>>().as_slice(), &elements) {
            ([], _) => {
                let message = "a stream needs an answer of success with a body";
                map.found().add(file, at, message);
                return None;
            }
            ([Media::Ndjson], Some(_)) => {
                let message = "each line of an NDJSON answer is an element; leave `elements` out";
                map.found().add(file, place, message);
                return None;
            }
            ([Media::Json], None) => {
                let message = "a stream of JSON needs `elements`, the pointer of its array";
                map.found().add_with_help(file, at, message, "such as `elements: /HoSo`");
                return None;
            }
            ([Media::Ndjson], None) | ([Media::Json], Some(_)) => {}
            ([Media::Form | Media::Multipart | Media::Opaque], _) => {
                let message = "an answer of this media type is never a stream";
                map.found().add_with_help(file, at, message, "write `answer: whole`");
                return None;
            }
            _ => {
                let message = "the answers of success have different media types";
                map.found().add(file, at, message);
                return None;
            }
        }
        Some(Delivery::Stream(StreamRules {
            elements,
            element_bytes: limits.element,
            max_elements: limits.elements,
        }))
    }

    fn check_media(&self, node: &Node, found: &mut Diagnostics) {
        let file = self.file;
        let keys = &["request", "answer"];
        let Some(mut map) = MapReader::new(file, node, "`media`", keys, found) else { return };
        let request = self.declared.request.as_ref().map(|request| request.media);
        let bodies = self.declared.answers.values().filter(|answer| answer.schema.is_some());
        // Answers that are no success are JSON; the word is that of the others where there are any.
        let answer = bodies.map(|answer| answer.media).max();
        let words: Vec<(&str, Option<Media>)> = [(NO_MEDIA, None)]
            .into_iter()
            .chain(Media::ALL.iter().map(|media| (media.as_str(), Some(*media))))
            .collect();
        for (key, declared) in [("request", request), ("answer", answer)] {
            let Some(node) = map.required(key) else { continue };
            let Some(media) = word(file, node, "media", &words, map.found()) else { continue };
            if media != declared {
                let message = format!("the OpenAPI document declares another {key}");
                let help = format!("expected `{}`", declared.map_or(NO_MEDIA, Media::as_str));
                map.found().add_with_help(file, node.at, message, help);
            }
        }
    }

    fn limits(&self, map: &mut MapReader<'_, '_>) -> OperationLimits {
        let size = |n: i64| usize::try_from(n).unwrap_or_default();
        let mut limits = OperationLimits {
            request: size(REQUEST_BYTES),
            answer: size(ANSWER_BYTES),
            element: size(ELEMENT_BYTES),
            elements: ELEMENTS.unsigned_abs(),
        };
        let Some(node) = map.optional("limits") else { return limits };
        let keys = &["request_bytes", "answer_bytes", "element_bytes", "elements"];
        let Some(mut map) = MapReader::new(self.file, node, "the limits", keys, map.found()) else {
            return limits;
        };
        let bytes = 1..=MOST_BYTES;
        limits.request = size(map.integer("request_bytes", bytes.clone(), REQUEST_BYTES));
        limits.answer = size(map.integer("answer_bytes", bytes.clone(), ANSWER_BYTES));
        limits.element = size(map.integer("element_bytes", bytes, ELEMENT_BYTES));
        limits.elements = map.integer("elements", 1..=MOST_ELEMENTS, ELEMENTS).unsigned_abs();
        limits
    }

    fn request_leaves(&self) -> Vec<(FieldPath, &Schema)> {
        openapi::request_leaves(&self.declared.parameters, self.declared.request.as_ref())
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
pub(super) fn normal(field: FieldPath) -> FieldPath {
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
        // A file can say anything.
        Kind::Opaque(_) => true,
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
