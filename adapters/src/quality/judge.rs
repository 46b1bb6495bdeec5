//! What a row counts for.

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{
    clock::civil_zone,
    identifier::WardCode,
    partial_date::WrittenDate,
    quality::{Criteria, Criterion, Marks, Share},
    schema::Kind,
};
use serde_json::{Map, Value};

use crate::{
    check::Findings,
    config::{MessageConfig, QualityConfig, UnitRule},
    map::{MapError, TextCounts},
    row::Row,
};

/// What was found of a row.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The ward that it is about.
    pub(crate) unit: Option<WardCode>,
    /// Which criteria it fails.
    failed: Criteria,
    live: Option<bool>,
    /// Whether its identifiers are right, when it was to have any.
    identifiers: Option<bool>,
    expected: Share,
    /// Whether fields were made of it, all or some.
    is_mapped: bool,
    /// Names of fields that are expected and empty.
    empty: Vec<String>,
    doubts: Vec<String>,
}

impl Found {
    /// What can be told of a row before anything is made of it.
    pub(crate) fn of(config: &QualityConfig, row: &Row, now: Timestamp) -> Self {
        let unit = config.unit.as_ref().and_then(|rule| unit(rule, row));
        let changed = config.changed_at.as_ref().and_then(|column| moment(row, column));
        let within = SignedDuration::try_from(config.live_within).unwrap_or(SignedDuration::MAX);
        let live = changed.map(|changed| now.duration_since(changed) <= within);
        Self { unit, live, ..Self::default() }
    }

    /// It fails a criterion.
    pub(crate) fn fail(&mut self, criterion: Criterion) {
        self.failed.insert(criterion);
    }

    /// Fields were made of it.
    pub(crate) fn mapped(
        &mut self,
        expected: &[String],
        record: &Map<String, Value>,
        errors: &[MapError],
        texts: TextCounts,
    ) {
        self.is_mapped = true;
        if !texts.are_clean() {
            self.fail(Criterion::Clean);
            self.doubts.push("a text had to be mended".to_owned());
        }
        for error in errors {
            self.fail(error.wrong.criterion);
        }
        // A value that is wrong is there all the same.
        let is_wrong = |field: &str| {
            errors.iter().any(|error| {
                let of_field = error.field.strip_prefix(field);
                error.wrong.criterion != Criterion::Complete
                    && of_field.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        for field in expected {
            let good = record.get(field).is_some_and(is_filled) || is_wrong(field);
            self.expected += Share::one(good);
            if !good {
                self.fail(Criterion::Complete);
                self.empty.push(field.clone());
            }
        }
    }

    /// Its record was checked.
    pub(crate) fn checked(&mut self, has_identifiers: bool, findings: &Findings) {
        for finding in &findings.wrong {
            self.fail(finding.criterion);
        }
        if !findings.doubtful.is_empty() {
            self.fail(Criterion::Clean);
            self.doubts.extend(findings.doubtful.iter().cloned());
        }
        let wrong = findings.wrong.iter().any(|finding| finding.is_of_identifier);
        self.identifiers = has_identifiers.then_some(!wrong);
    }

    /// Which of some criteria it fails.
    pub(crate) fn failed_of(&self, some: Criteria) -> Criteria {
        self.failed.iter().filter(|criterion| some.contains(*criterion)).collect()
    }

    /// All that it fails.
    pub(crate) fn failed(&self) -> Criteria {
        self.failed
    }

    /// Why a row that is sent has to be mended: names of fields and rules.
    pub(crate) fn reasons(&self, of: Criteria) -> String {
        let mut told = Vec::new();
        if of.contains(Criterion::Complete) {
            told.extend(self.empty.iter().map(|field| format!("`{field}` is empty")));
        }
        if of.contains(Criterion::Clean) {
            told.extend(self.doubts.iter().cloned());
        }
        told.join("; ")
    }

    /// What it counts for.
    pub(crate) fn marks(&self) -> Marks {
        let mut marks = Marks::default();
        for criterion in [Criterion::Correct, Criterion::Clean, Criterion::Consistent] {
            let fails = self.failed.contains(criterion);
            // Of what nothing could be made only what it fails is known.
            if self.is_mapped || fails {
                marks.set(criterion, Share::one(!fails));
            }
        }
        let mut complete = self.expected;
        if self.failed.contains(Criterion::Complete) && complete.good == complete.all {
            // Something inside a field is missing, or there is no telling which fields.
            complete += Share::one(false);
        }
        marks.set(Criterion::Complete, complete);
        marks.set(Criterion::Live, self.live.map(Share::one).unwrap_or_default());
        marks.set(Criterion::Identifiers, self.identifiers.map(Share::one).unwrap_or_default());
        marks
    }
}

/// The fields that are expected of a message type.
pub(crate) fn expected(config: &QualityConfig, message: &MessageConfig) -> Vec<String> {
    let mut names = match &message.schema.kind {
        Kind::Object(object) => object.required.iter().cloned().collect(),
        _ => Vec::new(),
    };
    let made = |name: &&String| message.fields.iter().any(|rule| rule.field == **name);
    names.extend(config.expected.iter().filter(made).cloned());
    names.sort_unstable();
    names.dedup();
    names
}

fn unit(rule: &UnitRule, row: &Row) -> Option<WardCode> {
    match rule {
        UnitRule::Fixed(code) => Some(*code),
        UnitRule::Column(column, rule) => {
            rule.write(&row.text(column)?, row).ok().and_then(|code| code.parse().ok())
        }
    }
}

/// The time in a column, when a time of a day is written there.
fn moment(row: &Row, column: &str) -> Option<Timestamp> {
    let written: WrittenDate = row.text(column)?.parse().ok()?;
    let moment = written.moment()?.to_zoned(civil_zone()).ok()?;
    Some(moment.timestamp())
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests;
