//! Whether a record is fit to be sent: the platform's schema and the rules of its identifiers.
//!
//! Says which field breaks which rule, never with what value.

mod identifier;

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

pub(crate) use identifier::Identifier;

use self::identifier::Verdict;

/// Most mistakes told of one row.
const MAX_TOLD: usize = 8;

/// The checks of one message type.
#[derive(Debug)]
pub(crate) struct Checks {
    validator: Validator,
    identifiers: BTreeMap<String, Identifier>,
}

/// What the checks say of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Rules that must hold.
    pub(crate) wrong: Vec<String>,
    /// Rules that had better hold.
    pub(crate) doubtful: Vec<String>,
}

impl Checks {
    /// Compiles the schema of a record. `None` when it cannot be compiled.
    pub(crate) fn new(schema: &Value, identifiers: BTreeMap<String, Identifier>) -> Option<Self> {
        let digits =
            |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        // SECURITY: nothing is fetched, patterns run in linear time, unknown formats are refused.
        let validator = jsonschema::draft202012::options()
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(PatternOptions::regex())
            .with_format("citizen-number", move |text: &str| digits(text, 12))
            .with_format("ward-code", move |text: &str| digits(text, 5))
            .build(schema)
            .ok()?;
        Some(Self { validator, identifiers })
    }

    /// Checks a record.
    pub(crate) fn check(&self, record: &Map<String, Value>) -> Findings {
        let mut findings = Findings::default();
        for (field, identifier) in &self.identifiers {
            let Some(text) = record.get(field).and_then(Value::as_str) else { continue };
            match identifier.check(text, record) {
                Verdict::Right => {}
                Verdict::Doubtful(rule) => findings.doubtful.push(format!("`{field}` {rule}")),
                Verdict::Wrong(rule) => findings.wrong.push(format!("`{field}` {rule}")),
            }
        }
        let instance = Value::Object(record.clone());
        for error in self.validator.iter_errors(&instance).take(MAX_TOLD) {
            let at = error.instance_path().as_str().trim_start_matches('/');
            let keyword = error.kind().keyword();
            let at = if at.is_empty() { "record" } else { at };
            findings.wrong.push(format!("`{at}` breaks `{keyword}`"));
        }
        findings.wrong.truncate(MAX_TOLD);
        findings
    }
}

#[cfg(test)]
mod tests;
