//! One value without members: its rules and what becomes of it.

use lienthong_model::{
    field::Pointer,
    mask::{Mask, REDACTED},
    schema::{Kind, Schema},
};
use serde_json::Value;

use crate::{
    Direction, ViewError, ViewProblem,
    mask::Prepared,
    rules::{QuantityRules, TextRules},
    tree::Tree,
};

/// The length of a pseudonym.
const PSEUDONYM_LENGTH: usize = 32;

/// A leaf, compiled.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) kind: LeafKind,
    pub(crate) passage: Passage,
}

/// The rules of a leaf.
#[derive(Debug)]
pub(crate) enum LeafKind {
    Text(TextRules),
    Quantity(QuantityRules),
    Boolean,
    Tree(Box<Tree>),
}

/// What becomes of a leaf.
#[derive(Debug)]
pub(crate) enum Passage {
    Withheld,
    AsItIs,
    Masked(Prepared),
}

impl Leaf {
    /// Compiles a leaf; none when `schema` is an object or array. `mask` is none when the agreement
    /// does not name it.
    pub(crate) fn compile(
        schema: &Schema,
        mask: Option<&Option<Mask>>,
        direction: Direction,
        at: &Pointer,
    ) -> Result<Option<Self>, ViewError> {
        let fail = |problem| ViewError { at: at.clone(), problem };
        let kind = match &schema.kind {
            Kind::Object(_) | Kind::Array(_) => return Ok(None),
            Kind::String(rules) => LeafKind::Text(TextRules::compile(rules).map_err(fail)?),
            Kind::Integer(rules) => LeafKind::Quantity(QuantityRules::compile(schema, rules, true)),
            Kind::Number(rules) => LeafKind::Quantity(QuantityRules::compile(schema, rules, false)),
            Kind::Boolean => LeafKind::Boolean,
            Kind::Opaque(_) => return Err(fail(ViewProblem::Opaque)),
            Kind::Tree => LeafKind::Tree(Box::new(Tree::compile(&schema.source).map_err(fail)?)),
        };
        let passage = match mask {
            None => Passage::Withheld,
            Some(None) => Passage::AsItIs,
            Some(Some(mask)) => {
                mask.fits(schema).map_err(|e| fail(e.into()))?;
                let never = kind.never_allows(mask) || *mask == Mask::Null && !allows_null(schema);
                if never && direction == Direction::Request {
                    return Err(fail(ViewProblem::NeverFulfilled(mask.name())));
                }
                Prepared::new(mask, &field_type(schema, at))
                    .map_or(Passage::Withheld, Passage::Masked)
            }
        };
        Ok(Some(Self { kind, passage }))
    }

    pub(crate) fn is_withheld(&self) -> bool {
        matches!(self.passage, Passage::Withheld)
    }
}

impl LeafKind {
    /// Whether no value under `mask` can satisfy these rules.
    fn never_allows(&self, mask: &Mask) -> bool {
        match (mask, self) {
            (Mask::Drop | Mask::Null, _) => false,
            // A year is no date, a province no ward, a band no integer.
            (Mask::Generalise(_), _) => true,
            (Mask::Redact, Self::Text(rules)) => rules.check(REDACTED).is_err(),
            (Mask::Pseudonymise, Self::Text(rules)) => rules.never_allows_token(PSEUDONYM_LENGTH),
            (Mask::KeepFirst(_) | Mask::KeepLast(_), Self::Text(_)) => false,
            _ => true,
        }
    }
}

/// Whether `null` is a value of the schema: its type says so, and its list if it has one.
pub(crate) fn allows_null(schema: &Schema) -> bool {
    let listed = schema.source.get("enum").and_then(Value::as_array);
    schema.nullable && listed.is_none_or(|values| values.iter().any(Value::is_null))
}

/// What separates the pseudonyms of one type of field from those of another: its format, so that
/// one person's number is one pseudonym in every service, or else its name.
fn field_type(schema: &Schema, at: &Pointer) -> String {
    match &schema.kind {
        Kind::String(rules) if rules.format.is_some() => {
            let format = schema.source.get("format").and_then(Value::as_str).unwrap_or_default();
            format!("format:{format}")
        }
        _ => {
            let name = at.tokens().iter().rev().find(|token| token.as_str() != "*");
            format!("name:{}", name.map_or("", String::as_str))
        }
    }
}
