//! What may leave of the parameters of a request: path, query and header.
//!
//! In: the declared parameters with what the agreement makes of each, and the decoded values of a
//! request. Out: typed values to build the provider's request from. Must never pass a parameter
//! that is not declared, stands twice, or could change the provider's path or headers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use lienthong_model::{
    field::{Place, Pointer},
    mask::Mask,
    schema::{Kind, Schema},
};

use crate::{
    Bounds, Direction, Pseudonymiser, Tally, ViewError, ViewProblem, Violation, ViolationKind,
    fingerprint::Fingerprint,
    leaf::{Leaf, LeafKind, Passage},
    scan::Scanner,
};

/// One declared parameter and what the agreement makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterRule {
    /// Path, query or header.
    pub place: Place,
    /// Its name; of a header in any case.
    pub name: String,
    /// Whether the provider requires it.
    pub required: bool,
    /// Whether it may stand more than once.
    pub array: bool,
    /// What it is: of an array parameter, an array.
    pub schema: Schema,
    /// What the agreement makes of it.
    pub disclosed: Disclosed,
}

/// What an agreement makes of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disclosed {
    /// It does not pass.
    Withheld,
    /// It passes, masked or as it is.
    Passes(Option<Mask>),
}

/// A parameter as it goes to the provider. `Debug` does not show its value.
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosedParameter {
    /// Path, query or header.
    pub place: Place,
    /// Its name, as declared.
    pub name: String,
    /// Its value, not encoded.
    pub value: String,
}

impl fmt::Debug for DisclosedParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DisclosedParameter")
            .field("place", &self.place)
            .field("name", &self.name)
            .field("value", &"[redacted]")
            .finish()
    }
}

/// What may leave of the parameters of one operation.
#[derive(Debug)]
pub struct ParameterView {
    /// By place and name, a header's in lower case.
    parameters: BTreeMap<(Place, String), Parameter>,
    max_bytes: usize,
    hash: [u8; 32],
}

#[derive(Debug)]
struct Parameter {
    /// As declared.
    name: String,
    at: Pointer,
    leaf: Leaf,
    required: bool,
    min: u64,
    max: u64,
}

impl ParameterView {
    /// Compiles the declared parameters. `bounds.max_bytes` bounds names and values together.
    ///
    /// # Errors
    /// All parameters that cannot be compiled, or that the provider requires and the agreement
    /// withholds.
    pub fn compile(parameters: &[ParameterRule], bounds: Bounds) -> Result<Self, Vec<ViewError>> {
        let mut compiled = BTreeMap::new();
        let mut errors = Vec::new();
        let mut seen = BTreeSet::new();
        let mut hash = Fingerprint::new("parameters");
        hash.bounds(bounds);
        for rule in parameters {
            let key = (rule.place, key_name(rule.place, &rule.name));
            if !seen.insert(key.clone()) {
                let problem = ViewProblem::DeclaredTwice;
                errors.push(ViewError { at: pointer(rule.place, &rule.name), problem });
                continue;
            }
            match Parameter::compile(rule) {
                Ok(parameter) => drop(compiled.insert(key, parameter)),
                Err(error) => errors.push(error),
            }
            hash.text(place_name(rule.place)).text(&rule.name).schema(&rule.schema);
            hash.text(if rule.required { "required" } else { "optional" });
            match &rule.disclosed {
                Disclosed::Withheld => hash.text("withheld"),
                Disclosed::Passes(mask) => hash.mask(mask.as_ref()),
            };
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self { parameters: compiled, max_bytes: bounds.max_bytes, hash: hash.finish() })
    }

    /// A hash of everything that decides what may leave.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The disclosed part of `values`: place, name and value as decoded, in the order received.
    ///
    /// # Errors
    /// When a parameter is undeclared, missing, repeated, or breaks its schema.
    pub fn disclose(
        &self,
        values: &[(Place, &str, &str)],
        pseudonyms: &Pseudonymiser,
    ) -> Result<(Vec<DisclosedParameter>, Tally), Violation> {
        let size = values.iter().fold(0_usize, |sum, (_, name, value)| {
            sum.saturating_add(name.len()).saturating_add(value.len()).saturating_add(1)
        });
        if size > self.max_bytes {
            return Err(Violation { kind: ViolationKind::TooLarge, at: Pointer::root() });
        }
        let mut counts: BTreeMap<(Place, &str), u64> = BTreeMap::new();
        let mut disclosed = Vec::with_capacity(values.len());
        let mut tally = Tally::default();
        for (place, name, value) in values {
            let found = self.parameters.get_key_value(&(*place, key_name(*place, name)));
            let Some(((_, key), parameter)) = found else {
                let at = Pointer::root().child(place_name(*place));
                return Err(Violation { kind: ViolationKind::Undeclared, at });
            };
            let count = counts.entry((*place, key)).or_default();
            *count += 1;
            let value = parameter
                .value(*place, value, *count, pseudonyms, &mut tally)
                .map_err(|kind| Violation { kind, at: parameter.at.clone() })?;
            let name = &parameter.name;
            disclosed.extend(value.map(|value| DisclosedParameter {
                place: *place,
                name: name.clone(),
                value,
            }));
        }
        self.check_counts(&counts)?;
        Ok((disclosed, tally))
    }

    fn check_counts(&self, counts: &BTreeMap<(Place, &str), u64>) -> Result<(), Violation> {
        for ((place, key), parameter) in &self.parameters {
            let keyword = match counts.get(&(*place, key.as_str())) {
                None if parameter.required => "required",
                Some(count) if *count < parameter.min => "minItems",
                _ => continue,
            };
            let at = parameter.at.clone();
            return Err(Violation { kind: ViolationKind::Schema { keyword }, at });
        }
        Ok(())
    }
}

impl Parameter {
    fn compile(rule: &ParameterRule) -> Result<Self, ViewError> {
        let at = pointer(rule.place, &rule.name);
        let fail = |problem| ViewError { at: at.clone(), problem };
        let (schema, min, max) = match &rule.schema.kind {
            Kind::Array(array) if rule.array => {
                (&*array.items, array.min_items, array.max_items.unwrap_or(u64::MAX))
            }
            _ if rule.array => return Err(fail(ViewProblem::NotAParameter)),
            _ => (&rule.schema, 1, 1),
        };
        let mask = match &rule.disclosed {
            Disclosed::Withheld => None,
            // A parameter has no text that is `null`.
            Disclosed::Passes(Some(Mask::Null)) => {
                return Err(fail(ViewProblem::NeverFulfilled("null")));
            }
            Disclosed::Passes(mask) => Some(mask),
        };
        let leaf = Leaf::compile(schema, mask, Direction::Request, &at)?
            .filter(|leaf| !matches!(leaf.kind, LeafKind::Tree(_)) && rule.place != Place::Body)
            .ok_or_else(|| fail(ViewProblem::NotAParameter))?;
        if rule.required && leaf.is_withheld() {
            return Err(fail(ViewProblem::RequiredWithheld));
        }
        Ok(Self { name: rule.name.clone(), at, leaf, required: rule.required, min, max })
    }

    /// The `count`th value of this parameter as it goes to the provider; none when it is withheld.
    fn value(
        &self,
        place: Place,
        value: &str,
        count: u64,
        pseudonyms: &Pseudonymiser,
        tally: &mut Tally,
    ) -> Result<Option<String>, ViolationKind> {
        if count > self.max {
            let repeated = ViolationKind::Schema { keyword: "maxItems" };
            return Err(if self.max == 1 { ViolationKind::DuplicateKey } else { repeated });
        }
        self.check(value)?;
        let counter = match &self.leaf.passage {
            Passage::Withheld => &mut tally.dropped,
            Passage::AsItIs => &mut tally.disclosed,
            Passage::Masked(_) => &mut tally.masked,
        };
        *counter = counter.saturating_add(1);
        let value = match &self.leaf.passage {
            Passage::Withheld => return Ok(None),
            Passage::AsItIs => value.to_owned(),
            Passage::Masked(mask) => {
                let mut masked = String::new();
                mask.text(value, pseudonyms, &mut masked)
                    .map_err(|_| ViolationKind::Unfulfillable)?;
                self.check(&masked).map_err(|_| ViolationKind::Unfulfillable)?;
                masked
            }
        };
        if is_unsafe(place, &value) {
            return Err(ViolationKind::Malformed);
        }
        Ok(Some(value))
    }

    fn check(&self, value: &str) -> Result<(), ViolationKind> {
        let schema = |keyword| ViolationKind::Schema { keyword };
        match &self.leaf.kind {
            LeafKind::Text(rules) => rules.check(value).map_err(schema),
            LeafKind::Quantity(rules) => {
                let mut scan = Scanner::new(value, 0);
                let number = scan.number().ok().filter(|number| number.raw.len() == value.len());
                let number = number.ok_or_else(|| schema("type"))?;
                // JSON Schema counts 1.0 as an integer; in an address it is another spelling.
                if rules.is_integer() && !number.is_whole() {
                    return Err(schema("type"));
                }
                rules.check(number).map_err(schema)
            }
            LeafKind::Boolean if matches!(value, "true" | "false") => Ok(()),
            LeafKind::Boolean | LeafKind::Tree(_) => Err(schema("type")),
        }
    }
}

/// Whether the value could be read as more than a value where it stands.
fn is_unsafe(place: Place, value: &str) -> bool {
    match place {
        // SECURITY: a segment that a provider decodes again must still be one segment.
        Place::Path => {
            matches!(value, "" | "." | "..")
                || value
                    .chars()
                    .any(|c| matches!(c, '/' | '\\' | '%' | '?' | '#') || c.is_control())
        }
        Place::Header => value.chars().any(char::is_control),
        Place::Query | Place::Body => value.contains('\0'),
    }
}

fn key_name(place: Place, name: &str) -> String {
    if place == Place::Header { name.to_ascii_lowercase() } else { name.to_owned() }
}

fn place_name(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
        Place::Body => "body",
    }
}

fn pointer(place: Place, name: &str) -> Pointer {
    Pointer::root().child(place_name(place)).child(name)
}

#[cfg(test)]
mod tests;
