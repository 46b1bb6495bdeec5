//! OpenAPI 3.1 documents, read as strictly as the policy files.
//!
//! Takes the tree of one document; gives its operations, typed. What the data path could not check
//! is refused here rather than ignored: remote references, cookies, open-ended statuses, other
//! media, styles that need guessing, paths that two templates match.

use std::collections::BTreeMap;

use lienthong_model::{
    diagnostic::{Diagnostics, Position, nearest},
    document::{self, Content, Key, Node},
    field::{FieldPath, Place},
    id::OperationId,
    schema::{Schema, SchemaError},
};
use serde_json::Value;

use crate::service::{Answer, Media, Method, Parameter, PathTemplate, RequestBody, Segment};

mod content;
mod parameter;

/// Most operations of one document.
const MAX_OPERATIONS: usize = 512;
/// Longest chain of references between parameters, bodies and answers.
const MAX_REFERENCES: usize = 8;

/// What a request, an answer of success and any other answer may be.
const REQUEST_MEDIA: &[Media] = &[Media::Json, Media::Form, Media::Multipart, Media::Opaque];
const ANSWER_MEDIA: &[Media] = Media::ALL;
const REFUSAL_MEDIA: &[Media] = &[Media::Json];

/// A document and its operations.
#[derive(Debug)]
pub(crate) struct Document {
    /// The document without places.
    pub(crate) json: Value,
    /// The operations that can be used.
    pub(crate) operations: BTreeMap<OperationId, DeclaredOperation>,
    /// The name of every operation, also of those that cannot be used.
    pub(crate) names: Vec<String>,
}

/// One operation as the document declares it.
#[derive(Debug)]
pub(crate) struct DeclaredOperation {
    pub(crate) id: OperationId,
    pub(crate) method: Method,
    pub(crate) path: PathTemplate,
    pub(crate) summary: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) request: Option<RequestBody>,
    pub(crate) answers: BTreeMap<u16, Answer>,
}

/// Reads a document.
pub(crate) fn read(file: &str, root: &Node, found: &mut Diagnostics) -> Option<Document> {
    let json = root.to_json();
    let mut reader = Reader { file, root, json: &json, found };
    reader.root_keys();
    let (operations, names) = reader.paths();
    Some(Document { json, operations, names })
}

struct Reader<'a, 'd> {
    file: &'a str,
    root: &'a Node,
    json: &'a Value,
    found: &'d mut Diagnostics,
}

/// Where a node is written: the node and its JSON Pointer in the document.
#[derive(Clone)]
struct Located<'a> {
    node: &'a Node,
    pointer: String,
}

impl<'a> Located<'a> {
    fn child(&self, key: &str) -> Option<Self> {
        let node = self.node.get(key)?;
        Some(Self { node, pointer: format!("{}/{}", self.pointer, escape(key)) })
    }

    fn entries(&self) -> &'a [(Key, Node)] {
        match &self.node.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        match &self.node.get(key)?.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

impl<'a> Reader<'a, '_> {
    fn fail(&mut self, at: Position, message: impl Into<String>) {
        self.found.add(self.file, at, message);
    }

    fn fail_with(&mut self, at: Position, message: impl Into<String>, help: impl Into<String>) {
        self.found.add_with_help(self.file, at, message, help);
    }

    /// Refuses keys that are not known. Extensions (`x-…`) mean nothing here and are passed over.
    fn keys(&mut self, of: &Located<'a>, what: &str, known: &[&str]) {
        let Content::Map(entries) = &of.node.content else {
            return self
                .fail(of.node.at, format!("{what} must be a map, found {}", of.node.kind()));
        };
        for (key, _) in entries {
            let name = key.text.as_str();
            if known.contains(&name) || name.starts_with("x-") {
                continue;
            }
            let message = format!("`{name}` is not read in {what}");
            match nearest(name, known.iter().copied()) {
                Some(near) => self.fail_with(key.at, message, format!("did you mean `{near}`?")),
                None => self.fail_with(key.at, message, help_for(name)),
            }
        }
    }

    fn root_keys(&mut self) {
        let root = Located { node: self.root, pointer: String::new() };
        let known = &["openapi", "info", "paths", "components", "tags", "externalDocs"];
        self.keys(&root, "an OpenAPI document", known);
        match root.text("openapi") {
            Some(version) if version.starts_with("3.1.") => {}
            _ => {
                let at = self.root.get("openapi").map_or(self.root.at, |node| node.at);
                self.fail(at, "`openapi` must be a version 3.1, such as `3.1.0`");
            }
        }
        let Some(info) = root.child("info") else {
            return self.fail(self.root.at, "key `info` is missing");
        };
        for key in ["title", "version"] {
            if info.text(key).is_none() {
                self.fail(info.node.at, format!("`info` needs a text `{key}`"));
            }
        }
    }

    fn paths(&mut self) -> (BTreeMap<OperationId, DeclaredOperation>, Vec<String>) {
        let (mut operations, mut names) = (BTreeMap::new(), Vec::new());
        let root = Located { node: self.root, pointer: String::new() };
        let Some(paths) = root.child("paths") else {
            self.fail(self.root.at, "key `paths` is missing");
            return (operations, names);
        };
        let mut templates: Vec<PathTemplate> = Vec::new();
        for (key, node) in paths.entries() {
            let pointer = format!("{}/{}", paths.pointer, escape(&key.text));
            let template = self.template(key);
            if let Some(template) = &template {
                self.check_distinct(template, &templates, key.at);
                templates.push(template.clone());
            }
            self.path_item(&Located { node, pointer }, template, &mut operations, &mut names);
        }
        if operations.len() > MAX_OPERATIONS {
            self.fail(paths.node.at, format!("more than {MAX_OPERATIONS} operations"));
        }
        (operations, names)
    }

    /// A path template: a slash, then whole segments.
    fn template(&mut self, key: &Key) -> Option<PathTemplate> {
        let text = key.text.as_str();
        let Some(rest) = text.strip_prefix('/') else {
            self.fail(key.at, format!("path `{text}` must begin with `/`"));
            return None;
        };
        let mut segments = Vec::new();
        for segment in rest.split('/').filter(|_| !rest.is_empty()) {
            match read_segment(segment) {
                Ok(segment) if segments.contains(&segment) && is_parameter(&segment) => {
                    self.fail(key.at, format!("path `{text}` names a parameter twice"));
                    return None;
                }
                Ok(segment) => segments.push(segment),
                Err(problem) => {
                    self.fail(key.at, format!("segment `{segment}` of path `{text}` {problem}"));
                    return None;
                }
            }
        }
        Some(PathTemplate { text: text.to_owned(), segments })
    }

    // SECURITY: which of two templates a path belongs to must never be a matter of order.
    fn check_distinct(&mut self, new: &PathTemplate, others: &[PathTemplate], at: Position) {
        for other in others {
            if may_match_the_same(new, other) {
                let message = format!("paths `{new}` and `{other}` can match the same request");
                self.fail(at, message);
            }
        }
    }

    fn path_item(
        &mut self,
        item: &Located<'a>,
        template: Option<PathTemplate>,
        operations: &mut BTreeMap<OperationId, DeclaredOperation>,
        names: &mut Vec<String>,
    ) {
        let known = &["get", "post", "put", "patch", "delete", "parameters", "summary"];
        self.keys(item, "a path", &[known.as_slice(), &["description"]].concat());
        for method in Method::ALL {
            let Some(operation) = item.child(method.openapi_key()) else { continue };
            let before = self.found.len();
            let id = self.operation_id(&operation, names);
            let declared = self.operation(item, &operation, *method, template.as_ref(), id);
            // An operation with mistakes is of no use, yet its name is known, so that an agreement
            // on it is not reported as well.
            let whole = self.found.len() == before;
            if let Some(declared) = declared.filter(|_| whole) {
                operations.insert(declared.id.clone(), declared);
            }
        }
    }

    fn operation_id(
        &mut self,
        operation: &Located<'a>,
        names: &mut Vec<String>,
    ) -> Option<OperationId> {
        let Some(node) = operation.node.get("operationId") else {
            self.fail(operation.node.at, "key `operationId` is missing");
            return None;
        };
        let id: OperationId = document::parse_text(self.file, node, self.found)?;
        if names.iter().any(|name| name == id.as_str()) {
            self.fail(node.at, format!("operationId `{id}` is used twice"));
            return None;
        }
        names.push(id.as_str().to_owned());
        Some(id)
    }

    fn operation(
        &mut self,
        item: &Located<'a>,
        operation: &Located<'a>,
        method: Method,
        template: Option<&PathTemplate>,
        id: Option<OperationId>,
    ) -> Option<DeclaredOperation> {
        let known = &[
            "operationId",
            "summary",
            "description",
            "tags",
            "deprecated",
            "externalDocs",
            "parameters",
            "requestBody",
            "responses",
        ];
        self.keys(operation, "an operation", known);
        let parameters = self.parameters(item, operation, template);
        let request = self.request(operation, method);
        let answers = self.answers(operation);
        Some(DeclaredOperation {
            id: id?,
            method,
            path: template?.clone(),
            summary: operation.text("summary").unwrap_or_default().to_owned(),
            parameters,
            request,
            answers,
        })
    }

    fn request(&mut self, operation: &Located<'a>, method: Method) -> Option<RequestBody> {
        let body = self.resolve(operation.child("requestBody")?)?;
        if matches!(method, Method::Get | Method::Delete) {
            let message = format!("a {} request has no body", method.as_str());
            self.fail(body.node.at, message);
            return None;
        }
        self.keys(&body, "a request body", &["description", "content", "required"]);
        let required = match body.node.get("required").map(|node| &node.content) {
            None => false,
            Some(Content::Bool(required)) => *required,
            Some(_) => {
                self.fail(body.node.at, "`required` must be true or false");
                return None;
            }
        };
        let Some(content) = body.child("content") else {
            self.fail(body.node.at, "key `content` is missing");
            return None;
        };
        let (media, schema) = self.content(&content, REQUEST_MEDIA)?;
        Some(RequestBody { media, schema, required })
    }

    fn answers(&mut self, operation: &Located<'a>) -> BTreeMap<u16, Answer> {
        let (mut answers, mut succeeds) = (BTreeMap::new(), false);
        let Some(responses) = operation.child("responses") else {
            self.fail(operation.node.at, "key `responses` is missing");
            return answers;
        };
        for (key, node) in responses.entries() {
            if key.text.starts_with("x-") {
                continue;
            }
            let status = self.status(key);
            succeeds |= matches!(status, Some(200..=299));
            let pointer = format!("{}/{}", responses.pointer, escape(&key.text));
            let answer = self.answer(Located { node, pointer }, status);
            if let (Some(status), Some(answer)) = (status, answer) {
                answers.insert(status, answer);
            }
        }
        if !succeeds {
            self.fail(responses.node.at, "no answer with a status of success is declared");
        }
        answers
    }

    fn status(&mut self, key: &Key) -> Option<u16> {
        let status = key.text.parse::<u16>().ok().filter(|_| key.text.len() == 3);
        match status {
            Some(200..=299 | 400..=599) => status,
            Some(_) => {
                self.fail(key.at, format!("status `{}` never passes; leave it out", key.text));
                None
            }
            None => {
                let help = "declare each status; one that is not declared is refused";
                let message = format!("`{}` is not one status of three digits", key.text);
                self.fail_with(key.at, message, help);
                None
            }
        }
    }

    fn answer(&mut self, answer: Located<'a>, status: Option<u16>) -> Option<Answer> {
        let answer = self.resolve(answer)?;
        self.keys(&answer, "an answer", &["description", "content"]);
        let Some(content) = answer.child("content") else {
            return Some(Answer { media: Media::Json, schema: None });
        };
        if matches!(status, Some(204 | 205)) {
            self.fail(content.node.at, "an answer with this status has no content");
            return None;
        }
        let succeeds = matches!(status, Some(200..=299));
        let known = if succeeds { ANSWER_MEDIA } else { REFUSAL_MEDIA };
        let (media, schema) = self.content(&content, known)?;
        Some(Answer { media, schema: Some(schema) })
    }

    fn schema(&mut self, schema: &Located<'a>) -> Option<Schema> {
        self.schema_of(&schema.node.to_json(), &schema.pointer)
    }

    /// The schema `value`, which is written at `pointer`.
    fn schema_of(&mut self, value: &Value, pointer: &str) -> Option<Schema> {
        match Schema::read(self.json, value, pointer) {
            Ok(schema) => Some(schema),
            Err(errors) => {
                for error in errors {
                    self.schema_error(&error);
                }
                None
            }
        }
    }

    fn schema_error(&mut self, error: &SchemaError) {
        let at = locate(self.root, &error.at);
        self.fail(at, format!("{} (at `#{}`)", error.problem, error.at));
    }

    /// Follows `$ref`s of parameters, bodies and answers.
    fn resolve(&mut self, mut located: Located<'a>) -> Option<Located<'a>> {
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = located.node.get("$ref") else { return Some(located) };
            let at = reference.at;
            let Content::Text(text) = &reference.content else {
                self.fail(at, "`$ref` must be a text");
                return None;
            };
            let Some(pointer) = text.strip_prefix('#') else {
                self.fail(at, "only local references `#/...` are read");
                return None;
            };
            let Some(node) = follow(self.root, pointer) else {
                self.fail(at, format!("reference `#{pointer}` leads nowhere"));
                return None;
            };
            located = Located { node, pointer: pointer.to_owned() };
        }
        self.fail(located.node.at, "references lead to references without end");
        None
    }
}

fn help_for(name: &str) -> &'static str {
    match name {
        "servers" => "addresses of providers stand in the gateway's configuration",
        "head" | "options" | "trace" => "this method never reaches a provider",
        "headers" => "headers of a provider's answer do not pass; leave them out",
        "callbacks" | "webhooks" | "links" => "the gateway does not follow these; leave them out",
        "security" => "the gateway's own authentication stands in its configuration",
        "cookie" => "cookies do not pass",
        _ => "leave it out",
    }
}

fn is_parameter(segment: &Segment) -> bool {
    matches!(segment, Segment::Parameter(_))
}

fn read_segment(text: &str) -> Result<Segment, &'static str> {
    if let Some(name) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
        return if parameter::is_name(name) {
            Ok(Segment::Parameter(name.to_owned()))
        } else {
            Err("must name a parameter of letters, digits, `-`, `_` and `.`")
        };
    }
    // Characters that mean the same in every reading of a URL, so that comparing decoded is safe.
    let plain = |c: char| c.is_alphanumeric() || "-_.~".contains(c);
    match text {
        "" => Err("is empty"),
        "." | ".." => Err("is a dot segment"),
        _ if text.contains(['{', '}']) => Err("must be a parameter as a whole or not at all"),
        _ if !text.chars().all(plain) => Err("must be letters, digits, `-`, `_`, `.` and `~`"),
        _ => Ok(Segment::Literal(text.to_owned())),
    }
}

fn may_match_the_same(a: &PathTemplate, b: &PathTemplate) -> bool {
    a.segments.len() == b.segments.len()
        && a.segments.iter().zip(&b.segments).all(|pair| match pair {
            (Segment::Literal(a), Segment::Literal(b)) => a == b,
            _ => true,
        })
}

/// The node at a JSON Pointer.
fn follow<'a>(root: &'a Node, pointer: &str) -> Option<&'a Node> {
    let mut node = root;
    for token in pointer.split('/').skip(1) {
        node = step(node, &unescape(token))?.0;
    }
    Some(node)
}

/// The place of a JSON Pointer, or of the last part of it that exists.
fn locate(root: &Node, pointer: &str) -> Position {
    let (mut node, mut at) = (root, root.at);
    for token in pointer.split('/').skip(1) {
        let Some((next, place)) = step(node, &unescape(token)) else { break };
        (node, at) = (next, place);
    }
    at
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

fn step<'a>(node: &'a Node, token: &str) -> Option<(&'a Node, Position)> {
    match &node.content {
        Content::Map(entries) => {
            entries.iter().find(|(key, _)| key.text == token).map(|(key, node)| (node, key.at))
        }
        Content::List(items) => {
            let node = items.get(token.parse::<usize>().ok()?)?;
            Some((node, node.at))
        }
        _ => None,
    }
}

/// The leaves of a request: each parameter, and each leaf of the body.
pub(crate) fn request_leaves<'a>(
    parameters: &'a [Parameter],
    request: Option<&'a RequestBody>,
) -> Vec<(FieldPath, &'a Schema)> {
    let parameters =
        parameters.iter().map(|p| (FieldPath::Parameter(p.place, p.name.clone()), &p.schema));
    let body = request.into_iter().flat_map(|body| body.schema.leaves());
    parameters.chain(body.map(|(pointer, schema)| (FieldPath::Body(pointer), schema))).collect()
}

/// The name of a place in OpenAPI.
pub(crate) fn place_name(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
        Place::Body => "body",
    }
}

#[cfg(test)]
mod tests;
