//! From the columns of a row to the fields of a message.
//!
//! Texts become NFC, codes are translated by table, dates get the platform's form. An unmapped code
//! or an unreadable date is a mistake of that row: nothing is guessed. Mistakes name fields only.

mod date;

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use unicode_normalization::UnicodeNormalization as _;

pub(crate) use date::DateForm;

use crate::row::{Cell, Row};

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
}

/// The shape of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Text,
    Number,
    /// By table; a value that is not in it is a mistake.
    Codes(BTreeMap<String, String>),
    Date(DateForm),
}

/// Why a row cannot be mapped. Names a field, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub(crate) struct MapError {
    pub(crate) field: String,
    pub(crate) problem: &'static str,
}

/// Most elements of a list.
const MAX_LIST: usize = 1_000;

/// The columns that the rules read.
pub(crate) fn columns(rules: &[FieldRule]) -> impl Iterator<Item = &str> {
    rules.iter().filter_map(|rule| match &rule.source {
        FieldSource::Constant(_) => None,
        FieldSource::Column(column, _) | FieldSource::List(column, _) => Some(column.as_str()),
    })
}

/// Makes the record of a row. A column without a value leaves its field out.
pub(crate) fn map(rules: &[FieldRule], row: &Row) -> Result<Map<String, Value>, Vec<MapError>> {
    fields(rules, &|column| row.cell(column).clone())
}

fn fields(
    rules: &[FieldRule],
    cell: &dyn Fn(&str) -> Cell,
) -> Result<Map<String, Value>, Vec<MapError>> {
    let mut record = Map::new();
    let mut wrong = Vec::new();
    for rule in rules {
        match value(&rule.source, cell) {
            Ok(Some(value)) => drop(record.insert(rule.field.clone(), value)),
            Ok(None) => {}
            Err(Problem::Here(problem)) => {
                wrong.push(MapError { field: rule.field.clone(), problem });
            }
            Err(Problem::Below(below)) => wrong.extend(below.into_iter().map(|e| MapError {
                field: format!("{}/{}", rule.field, e.field),
                problem: e.problem,
            })),
        }
    }
    if wrong.is_empty() { Ok(record) } else { Err(wrong) }
}

enum Problem {
    Here(&'static str),
    Below(Vec<MapError>),
}

fn value(source: &FieldSource, cell: &dyn Fn(&str) -> Cell) -> Result<Option<Value>, Problem> {
    match source {
        FieldSource::Constant(text) => Ok(Some(Value::from(text.as_str()))),
        FieldSource::Column(column, shape) => {
            let cell = cell(column);
            match cell {
                Cell::Null => return Ok(None),
                Cell::Bytes(_) => return Err(Problem::Here("is not UTF-8")),
                _ => {}
            }
            shaped(shape, &cell).map(Some).map_err(Problem::Here)
        }
        FieldSource::List(column, rules) => match cell(column) {
            Cell::Null => Ok(None),
            Cell::Bytes(_) => Err(Problem::Here("is not UTF-8")),
            cell => list(&cell.text().unwrap_or_default(), rules).map(Some),
        },
    }
}

fn shaped(shape: &Shape, cell: &Cell) -> Result<Value, &'static str> {
    let text = || cell.text().map(|t| t.nfc().collect::<String>()).unwrap_or_default();
    match shape {
        Shape::Text => Ok(Value::from(text())),
        Shape::Number => match cell {
            Cell::Integer(n) => Ok(Value::from(*n)),
            Cell::Real(n) => Number::from_f64(*n).map(Value::Number).ok_or("is not a number"),
            _ => text().trim().parse::<Number>().map(Value::Number).map_err(|_| "is not a number"),
        },
        Shape::Codes(table) => table
            .get(text().trim())
            .map(|code| Value::from(code.as_str()))
            .ok_or("has an unmapped code"),
        Shape::Date(form) => form.write(&text()).map(Value::from),
    }
}

fn list(text: &str, rules: &[FieldRule]) -> Result<Value, Problem> {
    let items: Vec<Map<String, Value>> =
        serde_json::from_str(text).map_err(|_| Problem::Here("is not a JSON list of objects"))?;
    if items.len() > MAX_LIST {
        return Err(Problem::Here("has too many elements"));
    }
    let mut mapped = Vec::with_capacity(items.len());
    let mut wrong = Vec::new();
    for item in &items {
        match fields(rules, &|column| from_json(item.get(column))) {
            Ok(record) => mapped.push(Value::Object(record)),
            Err(below) => wrong.extend(below),
        }
    }
    wrong.dedup();
    if wrong.is_empty() { Ok(Value::Array(mapped)) } else { Err(Problem::Below(wrong)) }
}

fn from_json(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::Null,
        Some(Value::String(text)) => Cell::Text(text.clone()),
        Some(Value::Number(n)) => match (n.as_i64(), n.as_f64()) {
            (Some(n), _) => Cell::Integer(n),
            (None, Some(n)) => Cell::Real(n),
            (None, None) => Cell::Text(n.to_string()),
        },
        Some(other) => Cell::Text(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
