//! Reads the two disclosures of an agreement operation: which fields pass, and how masked.
//!
//! Default deny: a field that is not named does not pass, a status that is not named is not
//! disclosed. What the provider needs and the agreement withholds is a mistake here, not a surprise
//! at run time.

use std::{collections::BTreeMap, sync::Arc};

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, Content, MapReader, Node},
    field::{FieldPath, Pointer},
    mask::{Mask, MaskError},
    schema::{Kind, Schema},
};

use super::FieldMasks;
use crate::{
    compile::Disclosed,
    openapi,
    service::{
        Operation,
        read::{check_leaf, parse_field},
    },
};

/// Reads what one operation of an agreement discloses.
pub(super) struct DisclosureReader<'a> {
    pub(super) file: &'a str,
    pub(super) operation: &'a Arc<Operation>,
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
        let request = self.fields(request, &leaves, "a request field", map.found());
        self.check_fulfillable(&request, place, map.found());
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
            let named = self.fields(Some(node), &leaves, &what, found);
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

    /// The named leaves, each with its mask.
    fn fields(
        &self,
        node: Option<&Node>,
        leaves: &[(FieldPath, &Schema)],
        what: &str,
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
            fields.insert(field, mask);
        }
        fields
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
            let help = format!("add `{field}: pass` to the request of `{}`", operation.id);
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
