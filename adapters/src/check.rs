//! Whether a record is fit to be sent: the platform's schema and the rules of its identifiers.
//!
//! Says which field breaks which rule, never with what value.

mod identifier;

use jsonschema::{PatternOptions, Validator};
use lienthong_model::{
    identifier::{CitizenNumber, WardCode},
    quality::Criterion,
};
use serde_json::Value;

pub(crate) use identifier::{IdentifierKind, IdentifierRule};

/// Most mistakes told of one row.
const MAX_TOLD: usize = 8;

/// The checks of one message type.
#[derive(Debug)]
pub(crate) struct Checks {
    validator: Validator,
    identifiers: Vec<IdentifierRule>,
}

/// What the checks say of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Rules that must hold.
    pub(crate) wrong: Vec<Finding>,
    /// Rules that had better hold: whoever breaks one is not clean.
    pub(crate) doubtful: Vec<String>,
}

impl Findings {
    /// What must hold and does not, in one text.
    pub(crate) fn told(&self) -> String {
        let told: Vec<&str> = self.wrong.iter().map(|finding| finding.told.as_str()).collect();
        told.join("; ")
    }
}

/// A rule that a record breaks, and which criterion of quality it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) criterion: Criterion,
    /// Whether it is a rule of identifiers.
    pub(crate) is_of_identifier: bool,
    /// Names of field and rule.
    pub(crate) told: String,
}

impl Checks {
    /// Compiles the schema of a record. `None` when it cannot be compiled.
    pub(crate) fn new(schema: &Value, identifiers: Vec<IdentifierRule>) -> Option<Self> {
        // SECURITY: nothing is fetched, patterns run in linear time, unknown formats are refused.
        let validator = jsonschema::draft202012::options()
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(PatternOptions::regex())
            .with_format("citizen-number", |text: &str| text.parse::<CitizenNumber>().is_ok())
            .with_format("ward-code", |text: &str| text.parse::<WardCode>().is_ok())
            .build(schema)
            .ok()?;
        Some(Self { validator, identifiers })
    }

    /// Checks a record.
    pub(crate) fn check(&self, record: &Value) -> Findings {
        let mut findings = Findings::default();
        for identifier in &self.identifiers {
            identifier.check(record, &mut findings);
        }
        // Asking only whether it holds is several times cheaper than asking what does not.
        if !self.validator.is_valid(record) {
            for error in self.validator.iter_errors(record).take(MAX_TOLD) {
                let at = error.instance_path().as_str().trim_start_matches('/');
                let keyword = error.kind().keyword();
                let at = if at.is_empty() { "record" } else { at };
                findings.wrong.push(Finding {
                    criterion: criterion(keyword),
                    is_of_identifier: false,
                    told: format!("`{at}` breaks `{keyword}`"),
                });
            }
        }
        findings.wrong.truncate(MAX_TOLD);
        findings
    }
}

/// What a record fails that breaks a keyword of its schema.
fn criterion(keyword: &str) -> Criterion {
    match keyword {
        "required" | "dependentRequired" | "minProperties" => Criterion::Complete,
        _ => Criterion::Correct,
    }
}

#[cfg(test)]
mod tests;
