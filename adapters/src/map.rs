//! From the columns of a row to the fields of a message.
//!
//! Texts become NFC, codes are translated by table, dates get the platform's form, ward codes those
//! of the wanted day. An unmapped code or an unreadable date is a mistake of that row: nothing is
//! guessed. Mistakes name fields only. What can be worked out when the configuration is read is.

mod cells;
mod codes;
mod date;
mod text;
mod ward;

use std::{borrow::Cow, sync::LazyLock};

use lienthong_model::{identifier::AgencyCode, quality::Criterion, vietnamese::Raw};
use serde_json::{Map, Number, Value};

pub(crate) use cells::Cells;
pub(crate) use codes::{BooleanForm, CodeTable, PlatformCode, Wire};
pub(crate) use date::DateForm;
pub(crate) use text::{Letters, Spaces, TextRule};
pub(crate) use ward::{AsOf, WardRule, WardSide};

use crate::row::Cell;

/// How one field is made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldRule {
    /// Name of the field.
    pub(crate) field: String,
    /// Where its value comes from.
    pub(crate) source: FieldSource,
}

/// Where a field's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FieldSource {
    /// Always this text.
    Constant(String),
    /// A column of the row, in a shape.
    Column(String, Shape),
    /// A column that holds a JSON list of objects, each mapped.
    List(String, Vec<FieldRule>),
    /// An object of fields, each made from the same row; left out when none of them has a value.
    Object(Vec<FieldRule>),
}

/// The shape of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Text(TextRule),
    Number,
    Boolean(BooleanForm),
    /// By table; a value that is not in it is a mistake.
    Codes(CodeTable),
    Date(DateForm),
    Ward(WardRule),
    Agency(AgencySpelling),
    /// A text that holds a JSON value.
    Json,
}

/// How an agency code is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgencySpelling {
    /// `H29.12`, Decision 20/2020/QD-TTg.
    Decision20,
    /// `000.00.12.H29`, QCVN 102:2016.
    Qcvn102,
}

impl AgencySpelling {
    pub(crate) const NAMES: &[(&'static str, Self)] =
        &[("decision_20", Self::Decision20), ("qcvn_102", Self::Qcvn102)];
}

/// Why a row cannot be mapped. Names a field, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {}", wrong.problem)]
pub(crate) struct MapError {
    pub(crate) field: String,
    pub(crate) wrong: Wrong,
}

/// What is wrong with a value, and which criterion of quality it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) criterion: Criterion,
    pub(crate) problem: &'static str,
}

impl Wrong {
    const fn new(criterion: Criterion, problem: &'static str) -> Self {
        Self { criterion, problem }
    }
}

/// Unless it is said otherwise, a value is not right.
impl From<&'static str> for Wrong {
    fn from(problem: &'static str) -> Self {
        Self::new(Criterion::Correct, problem)
    }
}

/// A row that cannot be mapped.
#[derive(Clone, PartialEq)]
pub(crate) struct Unmapped {
    /// Why.
    pub(crate) errors: Vec<MapError>,
    /// The fields that could be made.
    pub(crate) partial: Map<String, Value>,
    pub(crate) texts: TextCounts,
}

/// A record and what was done for it.
#[derive(Clone, PartialEq)]
pub(crate) struct Mapped {
    /// The record, an object.
    pub(crate) record: Value,
    pub(crate) texts: TextCounts,
}

/// What was done with texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TextCounts {
    /// Converted from TCVN3 or VNI.
    pub(crate) converted: u32,
    /// Left as they are although they could be of an old font.
    pub(crate) unclear: u32,
    /// Composed, or cleaned of white space and of what cannot be seen.
    pub(crate) mended: u32,
}

impl TextCounts {
    /// Whether no text was touched or doubtful.
    pub(crate) fn are_clean(self) -> bool {
        self == Self::default()
    }
}

impl Mapped {
    /// The fields of the record, to be looked at.
    pub(crate) fn fields(&self) -> &Map<String, Value> {
        match &self.record {
            Value::Object(record) => record,
            _ => &NO_FIELDS,
        }
    }

    /// The fields of the record.
    pub(crate) fn into_record(self) -> Map<String, Value> {
        match self.record {
            Value::Object(record) => record,
            _ => Map::new(),
        }
    }
}

/// What is no object has no fields.
static NO_FIELDS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
/// Most elements of a list.
const MAX_LIST: usize = 1_000;

/// The columns that the rules read from a row.
pub(crate) fn columns(rules: &[FieldRule]) -> impl Iterator<Item = &str> {
    let mut columns = Vec::new();
    collect(rules, &mut columns);
    columns.into_iter()
}

fn collect<'a>(rules: &'a [FieldRule], columns: &mut Vec<&'a str>) {
    for rule in rules {
        match &rule.source {
            FieldSource::Constant(_) => {}
            FieldSource::Column(column, shape) => {
                columns.push(column);
                if let Shape::Ward(WardRule { as_of: AsOf::Column(as_of), .. }) = shape {
                    columns.push(as_of);
                }
            }
            FieldSource::List(column, _) => columns.push(column),
            FieldSource::Object(fields) => collect(fields, columns),
        }
    }
}

/// Makes the record of a row. A column without a value leaves its field out.
pub(crate) fn map(rules: &[FieldRule], row: &dyn Cells) -> Result<Mapped, Unmapped> {
    let mut texts = TextCounts::default();
    let (record, errors) = made(rules, row, &mut texts);
    match errors.is_empty() {
        true => Ok(Mapped { record: Value::Object(record), texts }),
        false => Err(Unmapped { errors, partial: record, texts }),
    }
}

fn fields(
    rules: &[FieldRule],
    row: &dyn Cells,
    texts: &mut TextCounts,
) -> Result<Map<String, Value>, Vec<MapError>> {
    let (record, wrong) = made(rules, row, texts);
    if wrong.is_empty() { Ok(record) } else { Err(wrong) }
}

/// The fields that can be made, and why the others cannot.
fn made(
    rules: &[FieldRule],
    row: &dyn Cells,
    texts: &mut TextCounts,
) -> (Map<String, Value>, Vec<MapError>) {
    let mut record = Map::with_capacity(rules.len());
    let mut wrong = Vec::new();
    for rule in rules {
        match value(&rule.source, row, texts) {
            Ok(Some(value)) => drop(record.insert(rule.field.clone(), value)),
            Ok(None) => {}
            Err(Problem::Here(here)) => {
                wrong.push(MapError { field: rule.field.clone(), wrong: here });
            }
            Err(Problem::Below(below)) => wrong.extend(below.into_iter().map(|e| MapError {
                field: format!("{}/{}", rule.field, e.field),
                wrong: e.wrong,
            })),
        }
    }
    (record, wrong)
}

enum Problem {
    Here(Wrong),
    Below(Vec<MapError>),
}

fn value(
    source: &FieldSource,
    row: &dyn Cells,
    texts: &mut TextCounts,
) -> Result<Option<Value>, Problem> {
    match source {
        FieldSource::Constant(text) => Ok(Some(Value::from(text.as_str()))),
        FieldSource::Column(column, shape) => match &*row.cell(column) {
            Cell::Null => Ok(None),
            cell => shaped(shape, cell, row, texts).map_err(Problem::Here),
        },
        FieldSource::List(column, rules) => match &*row.cell(column) {
            Cell::Null => Ok(None),
            cell => list(&text_of(cell).map_err(Problem::Here)?, rules, texts).map(Some),
        },
        FieldSource::Object(rules) => {
            let object = fields(rules, row, texts).map_err(Problem::Below)?;
            Ok((!object.is_empty()).then_some(Value::Object(object)))
        }
    }
}

/// The text of a cell that is not null.
fn text_of(cell: &Cell) -> Result<Cow<'_, str>, Wrong> {
    match cell {
        Cell::Text(text) => Ok(Cow::Borrowed(text)),
        other => {
            let encoding = Wrong::new(Criterion::Clean, "is not text in UTF-8");
            other.text().map(Cow::Owned).ok_or(encoding)
        }
    }
}

fn shaped(
    shape: &Shape,
    cell: &Cell,
    row: &dyn Cells,
    texts: &mut TextCounts,
) -> Result<Option<Value>, Wrong> {
    if let (Shape::Text(rule), Cell::Bytes(bytes)) = (shape, cell) {
        return Ok(Some(Value::from(rule.write(Raw::Bytes(bytes), texts)?)));
    }
    let text = text_of(cell)?;
    let value = match shape {
        Shape::Text(rule) => Value::from(rule.write(Raw::Text(&text), texts)?),
        Shape::Number => number(cell, &text)?,
        Shape::Boolean(form) => form.write(&text)?,
        Shape::Codes(table) => table.write(&text)?,
        Shape::Date(form) => return Ok(form.write(&text)?),
        Shape::Ward(rule) => Value::from(rule.write(&text, row)?),
        Shape::Agency(spelling) => Value::from(agency(*spelling, &text)?),
        Shape::Json => {
            let value = serde_json::from_str(&text).map_err(|_| "is not a JSON value")?;
            return Ok((value != Value::Null).then_some(value));
        }
    };
    Ok(Some(value))
}

fn number(cell: &Cell, text: &str) -> Result<Value, &'static str> {
    let problem = "is not a number";
    match cell {
        Cell::Integer(n) => Ok(Value::from(*n)),
        Cell::Real(n) => Number::from_f64(*n).map(Value::Number).ok_or(problem),
        _ => text.trim().parse::<Number>().map(Value::Number).map_err(|_| problem),
    }
}

fn agency(spelling: AgencySpelling, text: &str) -> Result<String, &'static str> {
    let code: AgencyCode = text.trim().parse().map_err(|_| "is not an agency code")?;
    match spelling {
        AgencySpelling::Decision20 => Ok(code.as_str().to_owned()),
        AgencySpelling::Qcvn102 => {
            code.reversed().ok_or("is an agency code that the old spelling cannot write")
        }
    }
}

fn list(text: &str, rules: &[FieldRule], texts: &mut TextCounts) -> Result<Value, Problem> {
    let items: Vec<Map<String, Value>> = serde_json::from_str(text)
        .map_err(|_| Problem::Here("is not a JSON list of objects".into()))?;
    if items.len() > MAX_LIST {
        return Err(Problem::Here("has too many elements".into()));
    }
    let mut mapped = Vec::with_capacity(items.len());
    let mut wrong = Vec::new();
    for item in &items {
        match fields(rules, item, texts) {
            Ok(record) => mapped.push(Value::Object(record)),
            Err(below) => wrong.extend(below),
        }
    }
    wrong.dedup();
    if wrong.is_empty() { Ok(Value::Array(mapped)) } else { Err(Problem::Below(wrong)) }
}

#[cfg(test)]
mod bad_rows;
#[cfg(test)]
mod tests;
