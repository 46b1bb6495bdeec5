//! What may leave of the parameters of a request: path, query and header.
//!
//! In: the declared parameters with what the agreement makes of each, and the decoded values of a
//! request. Out: typed values to build the provider's request from. Must never pass a parameter
//! that is not declared, stands twice, or could change the provider's path or headers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use lienthong_model::{
    field::{Place, Pointer},
    mask::Mask,
    schema::Schema,
};

use crate::{
    Bounds, Direction, Pseudonymiser, Tally, ViewError, ViewProblem, Violation, ViolationKind,
    fingerprint::Fingerprint,
    text_field::{TextField, TextFieldRule, Times},
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
    pub name: Arc<str>,
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
    /// In order of place and name, a header's in lower case. PERF: few, so looking at each is
    /// cheaper than a map that is asked with a copy of the name.
    parameters: Vec<Parameter>,
    max_bytes: usize,
    hash: [u8; 32],
}

#[derive(Debug)]
struct Parameter {
    place: Place,
    /// As declared.
    name: Arc<str>,
    field: TextField,
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
        let parameters = compiled.into_values().collect();
        Ok(Self { parameters, max_bytes: bounds.max_bytes, hash: hash.finish() })
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
        let mut counts = vec![0_u64; self.parameters.len()];
        let mut disclosed = Vec::with_capacity(values.len());
        let mut tally = Tally::default();
        for (place, name, value) in values {
            let mut known = self.parameters.iter().zip(&mut counts);
            let Some((parameter, count)) = known.find(|(known, _)| known.is(*place, name)) else {
                let at = Pointer::root().child(place_name(*place));
                return Err(Violation { kind: ViolationKind::Undeclared, at });
            };
            *count += 1;
            let broken = |kind| Violation { kind, at: parameter.field.at.clone() };
            let value =
                parameter.field.value(value, *count, pseudonyms, &mut tally).map_err(broken)?;
            if value.as_ref().is_some_and(|value| is_unsafe(*place, value)) {
                return Err(broken(ViolationKind::Malformed));
            }
            let name = || Arc::clone(&parameter.name);
            let place = *place;
            disclosed.extend(value.map(|value| DisclosedParameter { place, name: name(), value }));
        }
        self.check_counts(&counts)?;
        Ok((disclosed, tally))
    }

    fn check_counts(&self, counts: &[u64]) -> Result<(), Violation> {
        for (Parameter { field, .. }, count) in self.parameters.iter().zip(counts) {
            if let Some(keyword) = field.missing(*count) {
                let kind = ViolationKind::Schema { keyword };
                return Err(Violation { kind, at: field.at.clone() });
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn compile(rule: &ParameterRule) -> Result<Self, ViewError> {
        let at = pointer(rule.place, &rule.name);
        if rule.place == Place::Body {
            return Err(ViewError { at, problem: ViewProblem::NotAText });
        }
        let mask = match &rule.disclosed {
            Disclosed::Withheld => None,
            Disclosed::Passes(mask) => Some(mask),
        };
        let field = TextField::compile(TextFieldRule {
            at,
            schema: &rule.schema,
            mask,
            required: rule.required,
            times: if rule.array { Times::Repeated } else { Times::Once },
            direction: Direction::Request,
        })?;
        Ok(Self { place: rule.place, name: rule.name.as_str().into(), field })
    }

    fn is(&self, place: Place, name: &str) -> bool {
        self.place == place
            && match place {
                Place::Header => self.name.eq_ignore_ascii_case(name),
                Place::Path | Place::Query | Place::Body => *self.name == *name,
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
