//! Reads the two disclosures of an agreement operation: which fields pass, and how masked.
//!
//! Default deny: a field that is not named does not pass, a status that is not named is not
//! disclosed. What the provider needs and the agreement withholds is a mistake here, not a surprise
//! at run time.

use std::{collections::BTreeMap, sync::Arc};

use lienthong_model::{
    diagnostic::{Diagnostics, Position, nearest},
    document::{self, Content, MapReader, Node},
    field::{FieldPath, Pointer},
    mask::{Mask, MaskError},
    opaque::OpaqueTerms,
    schema::{Kind, Schema},
};

use super::FieldMasks;
use crate::{
    compile::Disclosed,
    legal_basis::Citation,
    openapi,
    service::{
        Operation, RequestForm,
        read::{check_leaf, parse_field},
    },
};

/// Reads what one operation of an agreement discloses.
pub(super) struct DisclosureReader<'a> {
    pub(super) file: &'a str,
    pub(super) operation: &'a Arc<Operation>,
    /// What the agreement rests on.
    pub(super) legal_bases: &'a [Citation],
}

type Named = BTreeMap<FieldPath, Option<Mask>>;

impl DisclosureReader<'_> {
    pub(super) fn read(&self, node: &Node, found: &mut Diagnostics) -> Option<Disclosed> {
        let keys = &["request", "answers"];
        let mut map = MapReader::new(self.file, node, "a disclosure", keys, found)?;
        let operation = self.operation;
        let leaves = openapi::request_leaves(&operation.parameters, operation.request.as_ref());
        let request = map.optional("request");
        let place = request.map_or(node.at, |node| node.at);
        let limit = operation.request_limit;
        let request = self.fields(request, &leaves, ("a request field", limit), map.found());
        self.check_fulfillable(&request, place, map.found());
        self.check_signed(&request, place, map.found());
        let answers = map.required("answers");
        let answers = answers.map(|node| self.answers(node, map.found()));
        let (mut request_parameters, mut request_body) = (BTreeMap::new(), BTreeMap::new());
        for (field, mask) in request {
            match field {
                FieldPath::Parameter(place, name) => {
                    request_parameters.insert((place, name), mask);
                }
                FieldPath::Body(pointer) => {
                    request_body.insert(pointer, mask);
                }
            }
        }
        let operation = Arc::clone(operation);
        Some(Disclosed { operation, request_parameters, request_body, answers: answers? })
    }

    fn answers(&self, node: &Node, found: &mut Diagnostics) -> BTreeMap<u16, FieldMasks> {
        let mut answers = BTreeMap::new();
        for (key, node) in document::entries(self.file, node, "the answers", found) {
            let declared = self.operation.answers.iter();
            let declared = declared.map(|(status, answer)| (status.to_string(), (status, answer)));
            let declared: BTreeMap<_, _> = declared.collect();
            let Some((status, answer)) = declared.get(&key.text) else {
                let names: Vec<&str> = declared.keys().map(String::as_str).collect();
                let message = format!("the service declares no answer `{}`", key.text);
                let help = format!("expected one of `{}`", names.join("`, `"));
                found.add_with_help(self.file, key.at, message, help);
                continue;
            };
            let leaves = answer.schema.iter().flat_map(Schema::leaves);
            let leaves: Vec<_> = leaves.map(|(p, s)| (FieldPath::Body(p), s)).collect();
            let what = format!("a field of answer {status}");
            let limit = self.operation.answer_limit;
            let named = self.fields(Some(node), &leaves, (&what, limit), found);
            let masks = named.into_iter().filter_map(|(field, mask)| match field {
                FieldPath::Body(pointer) => Some((pointer, mask)),
                FieldPath::Parameter(..) => None,
            });
            answers.insert(**status, masks.collect());
        }
        if !answers.keys().any(|status| (200..300).contains(status)) {
            found.add(self.file, node.at, "no answer with a status of success is disclosed");
        }
        answers
    }

    /// The named leaves, each with its mask. `limit` is that of the body, in bytes.
    fn fields(
        &self,
        node: Option<&Node>,
        leaves: &[(FieldPath, &Schema)],
        (what, limit): (&str, usize),
        found: &mut Diagnostics,
    ) -> Named {
        let file = self.file;
        let mut fields = Named::new();
        let entries = match node {
            Some(node) => document::entries(file, node, "the fields", found),
            None => &[],
        };
        for (key, node) in entries {
            let Some(field) = parse_field(file, &key.text, key.at, found) else { continue };
            let Some(schema) = check_leaf((file, key.at), &field, leaves, what, found) else {
                continue;
            };
            let Some(mask) = read_mask(file, node, found) else { continue };
            if let Some(mask) = &mask
                && let Err(error) = fits(mask, &field, schema)
            {
                found.add(file, node.at, format!("`{field}`: {error}"));
            }
            match (&mask, &schema.kind) {
                (None, Kind::Opaque(_)) => {
                    let message = format!("`{field}` is a file, which never just passes");
                    let help = "write `{opaque: {article: ARTICLE, bytes: N}}`";
                    found.add_with_help(file, node.at, message, help);
                }
                (Some(Mask::Opaque(terms)), Kind::Opaque(_)) => {
                    self.check_terms(terms, node, (&field, limit), found);
                }
                _ => {}
            }
            fields.insert(field, mask);
        }
        fields
    }

    /// Checks on what terms a file passes.
    fn check_terms(
        &self,
        terms: &OpaqueTerms,
        node: &Node,
        (field, limit): (&FieldPath, usize),
        found: &mut Diagnostics,
    ) {
        let at = |key: &str| {
            let value = node.get("opaque").and_then(|node| node.get(key));
            value.map_or(node.at, |value| value.at)
        };
        let cited: Vec<String> = self.legal_bases.iter().map(ToString::to_string).collect();
        // A file tells all that is written in it: the agreement says on which article it passes.
        if !cited.contains(&terms.article) {
            let article = &terms.article;
            let message = format!("`{field}` passes on `{article}`, which `legal_bases` lacks");
            let help = match nearest(article, cited.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected one of `{}`", cited.join("`, `")),
            };
            found.add_with_help(self.file, at("article"), message, help);
        }
        if terms.bytes > limit as u64 {
            let message = format!("`{field}`: the service's limit is {limit} bytes");
            let help = "allow as many or fewer, or raise the limit of the operation";
            found.add_with_help(self.file, at("bytes"), message, help);
        }
    }

    /// Reports masks of what the consumer has signed: a request with such a field would never leave.
    fn check_signed(&self, named: &Named, place: Position, found: &mut Diagnostics) {
        if self.operation.request_form != RequestForm::Signed {
            return;
        }
        for (field, mask) in named {
            if let (FieldPath::Body(_), Some(_)) = (field, mask) {
                let id = &self.operation.id;
                let message = format!("`{field}` is masked, and the consumer signs `{id}`");
                let help = "let it pass, or leave it out: a request that has it is then refused";
                found.add_with_help(self.file, place, message, help);
            }
        }
    }

    /// Reports what the provider needs and the agreement withholds.
    fn check_fulfillable(&self, named: &Named, place: Position, found: &mut Diagnostics) {
        let operation = self.operation;
        let passes =
            |field: &FieldPath| matches!(named.get(field), Some(mask) if *mask != Some(Mask::Drop));
        let mut withheld = Vec::new();
        for parameter in operation.parameters.iter().filter(|p| p.required) {
            let field = FieldPath::Parameter(parameter.place, parameter.name.clone());
            if !passes(&field) {
                withheld.push(field);
            }
        }
        if let Some(body) = &operation.request {
            let used = |at: &Pointer| {
                named.keys().any(|f| matches!(f, FieldPath::Body(p) if at.contains(p) && passes(f)))
            };
            if body.required || used(&Pointer::root()) {
                withheld_below(&body.schema, &Pointer::root(), &passes, &used, &mut withheld);
            }
        }
        for field in withheld {
            let message = format!("the provider needs `{field}`, which the agreement withholds");
            let body = operation.request.as_ref().map(|body| &body.schema);
            let schema = match &field {
                FieldPath::Body(at) => body.and_then(|body| body.at(at)),
                FieldPath::Parameter(..) => None,
            };
            let passes = match schema.map(|schema| &schema.kind) {
                Some(Kind::Opaque(_)) => "{opaque: {article: ARTICLE, bytes: N}}",
                _ => "pass",
            };
            let help = format!("add `{field}: {passes}` to the request of `{}`", operation.id);
            found.add_with_help(self.file, place, message, help);
        }
    }
}

/// The required leaves below a value that will be sent, and that do not pass.
fn withheld_below(
    schema: &Schema,
    at: &Pointer,
    passes: &impl Fn(&FieldPath) -> bool,
    used: &impl Fn(&Pointer) -> bool,
    withheld: &mut Vec<FieldPath>,
) {
    match &schema.kind {
        Kind::Object(rules) => {
            for (name, property) in &rules.properties {
                let child = at.child(name);
                if rules.required.contains(name) || used(&child) {
                    withheld_below(property, &child, passes, used, withheld);
                }
            }
        }
        Kind::Array(rules) => {
            let child = at.child("*");
            if rules.min_items > 0 || used(&child) {
                withheld_below(&rules.items, &child, passes, used, withheld);
            }
        }
        _ => {
            let field = FieldPath::Body(at.clone());
            if !passes(&field) {
                withheld.push(field);
            }
        }
    }
}

/// `pass` is no mask; everything else is one. `None` when it cannot be read.
#[expect(clippy::option_option, reason = "the outer one tells of a mistake, the inner of `pass`")]
fn read_mask(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Option<Mask>> {
    let help = "expected `pass`, `drop`, `redact`, `{keep_first: N}`, `{keep_last: N}`, \
                `{generalise: TO}`, `pseudonymise`, `\"null\"` or, of a file, \
                `{opaque: {article: ARTICLE, bytes: N}}`";
    match &node.content {
        Content::Text(text) if text == "pass" => Some(None),
        Content::Null => {
            let message = "`null` without quotes is not a mask";
            found.add_with_help(file, node.at, message, "write \"null\" for the mask");
            None
        }
        _ => match Mask::parse(&node.to_json()) {
            Ok(mask) => Some(Some(mask)),
            Err(error @ MaskError::Unknown) => {
                let message = error.to_string();
                let message = message.split(';').next().unwrap_or_default();
                found.add_with_help(file, node.at, message, help);
                None
            }
            Err(error) => {
                found.add_with_help(file, node.at, error.to_string(), help);
                None
            }
        },
    }
}

/// Whether a mask can be applied to a field. A parameter's values are masked one by one.
fn fits(mask: &Mask, field: &FieldPath, schema: &Schema) -> Result<(), MaskError> {
    let schema = match (field, &schema.kind) {
        (FieldPath::Parameter(..), Kind::Array(rules)) => &rules.items,
        _ => schema,
    };
    mask.fits(schema)
}
