//! Compiles a schema and the masks of an agreement to the one value that says what may leave.
//!
//! In: a schema, the mask of each field that passes, the direction and the bounds. Out: a flat
//! arena of nodes that [`crate::walk`] follows. Must never compile a view that could send a
//! provider less than it requires, or treat a field that nobody named as one that passes.

use std::collections::BTreeMap;

use lienthong_model::{
    field::Pointer,
    mask::Mask,
    schema::{ArrayRules, Kind, ObjectRules, Schema},
};

use crate::{
    Pseudonymiser, Tally, ViewError, ViewProblem, Violation,
    fingerprint::Fingerprint,
    leaf::{Leaf, allows_null},
    properties::{Properties, Property},
    walk::{self, Part},
};

/// Deepest nesting that any bounds allow: the walk is recursive.
const DEEPEST: usize = 64;

/// Which way a body goes; an undeclared field is refused in a request and dropped in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the consumer to the provider.
    Request,
    /// From the provider to the consumer.
    Answer,
}

/// The largest body that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most bytes.
    pub max_bytes: usize,
    /// Deepest nesting of objects and arrays; more than 64 counts as 64.
    pub max_depth: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, max_depth: 32 }
    }
}

/// What may leave of one body in one direction: its schema and masks, compiled.
#[derive(Debug)]
pub struct View {
    /// Children before their parents; the root is last.
    nodes: Vec<Node>,
    direction: Direction,
    bounds: Bounds,
    hash: [u8; 32],
}

/// One place of the schema.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: Pointer,
    /// Whether `null` is allowed.
    pub(crate) null: bool,
    /// Whether the value must satisfy its schema; of a field withheld in an answer only its
    /// grammar is looked at.
    pub(crate) check: bool,
    /// Whether anything of the value passes.
    pub(crate) emit: bool,
    pub(crate) kind: NodeKind,
}

/// What stands at a place.
#[derive(Debug)]
pub(crate) enum NodeKind {
    Object(Properties),
    Array(Elements),
    Leaf(Leaf),
}

/// The elements of an array.
#[derive(Debug)]
pub(crate) struct Elements {
    pub(crate) node: usize,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl View {
    /// Compiles `schema` with `masks`: a leaf that is not named there, or is named with
    /// [`Mask::Drop`], is withheld; one named with `None` passes as it is. A root object of which
    /// nothing passes is disclosed as `{}`.
    ///
    /// # Errors
    /// All fields that cannot be compiled; for a request also those that the provider requires
    /// and the agreement withholds, and masks whose result its schema can never allow.
    pub fn compile(
        schema: &Schema,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        direction: Direction,
        bounds: Bounds,
    ) -> Result<Self, Vec<ViewError>> {
        let mut builder = Builder::new(masks, direction, bounds);
        builder.build(schema, &Pointer::root(), 0);
        check_names(schema, masks, &mut builder.errors);
        builder.finish_root();
        builder.finish(schema, bounds)
    }

    /// [`Self::compile`] of the part of a body that stands at `at`, of which nothing may pass.
    pub(crate) fn compile_part(
        schema: &Schema,
        at: &Pointer,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        direction: Direction,
        bounds: Bounds,
    ) -> Result<Self, Vec<ViewError>> {
        let mut builder = Builder::new(masks, direction, bounds);
        builder.build(schema, at, at.tokens().len());
        builder.finish(schema, bounds)
    }

    /// Whether anything of the body passes.
    pub(crate) fn emits(&self) -> bool {
        self.nodes.last().is_some_and(|root| root.emit)
    }

    /// A hash of everything that decides what may leave.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Appends the disclosed part of `body` to `out`, which is left as it was on a violation.
    ///
    /// # Errors
    /// When the body is not JSON within the bounds, breaks the schema where it counts, or holds a
    /// value that cannot be masked.
    pub fn disclose(
        &self,
        body: &[u8],
        pseudonyms: &Pseudonymiser,
        out: &mut Vec<u8>,
    ) -> Result<Tally, Violation> {
        let part = Part { node: self.root(), depth: 0, max_bytes: self.bounds.max_bytes };
        self.disclose_part(part, body, pseudonyms, out)
    }

    /// [`Self::disclose`] of one value of the body.
    pub(crate) fn disclose_part(
        &self,
        part: Part,
        body: &[u8],
        pseudonyms: &Pseudonymiser,
        out: &mut Vec<u8>,
    ) -> Result<Tally, Violation> {
        let before = out.len();
        let outcome = walk::disclose(self, part, body, pseudonyms, out);
        if outcome.is_err() {
            out.truncate(before);
        }
        outcome
    }

    /// [`walk::disclose_first`]; without it nothing is appended.
    pub(crate) fn disclose_first(
        &self,
        part: Part,
        text: &str,
        pseudonyms: &Pseudonymiser,
        out: &mut Vec<u8>,
    ) -> Option<(Tally, usize)> {
        let before = out.len();
        let outcome = walk::disclose_first(self, part, text, pseudonyms, out);
        if outcome.is_none() {
            out.truncate(before);
        }
        outcome
    }

    /// The index of the node that stands at `at`.
    pub(crate) fn find(&self, at: &Pointer) -> Option<usize> {
        self.nodes.iter().position(|node| node.at == *at)
    }

    pub(crate) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    pub(crate) fn root(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }
}

struct Builder<'a> {
    masks: &'a BTreeMap<Pointer, Option<Mask>>,
    direction: Direction,
    max_depth: usize,
    nodes: Vec<Node>,
    errors: Vec<ViewError>,
}

impl<'a> Builder<'a> {
    fn new(
        masks: &'a BTreeMap<Pointer, Option<Mask>>,
        direction: Direction,
        bounds: Bounds,
    ) -> Self {
        let max_depth = bounds.max_depth.min(DEEPEST);
        Self { masks, direction, max_depth, nodes: Vec::new(), errors: Vec::new() }
    }

    fn finish(self, schema: &Schema, bounds: Bounds) -> Result<View, Vec<ViewError>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let bounds = Bounds { max_depth: self.max_depth, ..bounds };
        let mut hash = Fingerprint::new("view");
        hash.direction(self.direction).bounds(bounds).schema(schema).masks(self.masks);
        let hash = hash.finish();
        Ok(View { nodes: self.nodes, direction: self.direction, bounds, hash })
    }

    fn fail(&mut self, at: &Pointer, problem: ViewProblem) {
        self.errors.push(ViewError { at: at.clone(), problem });
    }

    /// Compiles what stands at `at`; gives its index. None when it has mistakes.
    fn build(&mut self, schema: &Schema, at: &Pointer, depth: usize) -> Option<usize> {
        let (kind, emit) = match &schema.kind {
            Kind::Object(_) | Kind::Array(_) if depth >= self.max_depth => {
                self.fail(at, ViewProblem::TooDeep);
                return None;
            }
            Kind::Object(rules) => self.object(rules, at, depth)?,
            Kind::Array(rules) => self.array(rules, at, depth)?,
            _ => self.leaf(schema, at)?,
        };
        let check = emit || self.direction == Direction::Request;
        let node = Node { at: at.clone(), null: allows_null(schema), check, emit, kind };
        self.nodes.push(node);
        Some(self.nodes.len() - 1)
    }

    fn leaf(&mut self, schema: &Schema, at: &Pointer) -> Option<(NodeKind, bool)> {
        match Leaf::compile(schema, self.masks.get(at), self.direction, at) {
            Ok(leaf) => leaf.map(|leaf| {
                let emit = !leaf.is_withheld();
                (NodeKind::Leaf(leaf), emit)
            }),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn object(
        &mut self,
        rules: &ObjectRules,
        at: &Pointer,
        depth: usize,
    ) -> Option<(NodeKind, bool)> {
        let mut properties = Vec::with_capacity(rules.properties.len());
        let mut good = true;
        for (name, schema) in &rules.properties {
            let Some(node) = self.build(schema, &at.child(name), depth + 1) else {
                good = false;
                continue;
            };
            let emit = self.nodes.get(node).is_some_and(|n| n.emit);
            let check = self.nodes.get(node).is_some_and(|n| n.check);
            let required = check && rules.required.contains(name);
            properties.push(Property::new(name, node, emit, required));
        }
        let emit = depth == 0 || properties.iter().any(|p| p.emit);
        if emit && self.direction == Direction::Request {
            for property in properties.iter().filter(|p| p.required && !p.emit) {
                self.fail(&at.child(&property.name), ViewProblem::RequiredWithheld);
            }
        }
        good.then(|| (NodeKind::Object(Properties::new(properties)), emit))
    }

    fn array(
        &mut self,
        rules: &ArrayRules,
        at: &Pointer,
        depth: usize,
    ) -> Option<(NodeKind, bool)> {
        let node = self.build(&rules.items, &at.child("*"), depth + 1)?;
        let emit = self.nodes.get(node).is_some_and(|n| n.emit);
        let max = rules.max_items.unwrap_or(u64::MAX);
        Some((NodeKind::Array(Elements { node, min: rules.min_items, max }), emit))
    }

    fn finish_root(&mut self) {
        if self.errors.is_empty() && self.nodes.last().is_none_or(|root| !root.emit) {
            self.fail(&Pointer::root(), ViewProblem::NothingPasses);
        }
    }
}

/// Every name of the agreement must be a leaf.
pub(crate) fn check_names(
    schema: &Schema,
    masks: &BTreeMap<Pointer, Option<Mask>>,
    errors: &mut Vec<ViewError>,
) {
    for at in masks.keys() {
        let problem = match schema.at(at) {
            Some(Schema { kind: Kind::Object(_) | Kind::Array(_), .. }) => ViewProblem::NotALeaf,
            Some(_) => continue,
            None => ViewProblem::UnknownField,
        };
        errors.push(ViewError { at: at.clone(), problem });
    }
}

#[cfg(test)]
mod tests;
