//! The ward codes of a record, as of today. What a table cannot decide is not guessed.

use jiff::civil::Date;
use lienthong_model::{
    identifier::WardCode,
    ward::{Today, Unit, today},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{config::WardField, map::AsOf};

/// Why a record goes to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Undecided {
    /// The field.
    pub(super) field: String,
    /// In words.
    pub(super) reason: &'static str,
    /// The units that it may be; none where the code is not known.
    pub(super) candidates: Vec<Candidate>,
}

/// A unit of today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Candidate {
    pub(super) code: String,
    pub(super) name: &'static str,
}

impl From<Unit> for Candidate {
    fn from(unit: Unit) -> Self {
        Self { code: unit.code.as_str().to_owned(), name: unit.name }
    }
}

/// Puts the codes of today into a record, or tells what a person must decide. A field that is
/// missing stays so.
pub(super) fn bring_up_to_date(
    wards: &[WardField],
    record: &mut Map<String, Value>,
) -> Result<(), Vec<Undecided>> {
    let mut changes = Vec::new();
    let mut undecided = Vec::new();
    for ward in wards {
        let Some(text) = record.get(&ward.field).and_then(Value::as_str) else { continue };
        match decide(text, &ward.as_of, record) {
            Ok(code) => changes.push((ward, text.to_owned(), code)),
            Err((reason, candidates)) => {
                undecided.push(Undecided { field: ward.field.clone(), reason, candidates });
            }
        }
    }
    if !undecided.is_empty() {
        return Err(undecided);
    }
    for (ward, came, code) in changes {
        record.insert(ward.field.clone(), Value::from(code.as_str()));
        if let Some(keep) = &ward.keep {
            record.insert(keep.clone(), Value::from(came));
        }
    }
    Ok(())
}

fn decide(
    text: &str,
    as_of: &AsOf,
    record: &Map<String, Value>,
) -> Result<WardCode, (&'static str, Vec<Candidate>)> {
    let code: WardCode =
        text.parse().map_err(|_| ("is not a ward code of 5 digits", Vec::new()))?;
    let on: Date = as_of.day(record).map_err(|wrong| (wrong.problem, Vec::new()))?;
    match today(code, on) {
        Today::One(unit) => Ok(unit.code),
        Today::Split(units) => {
            let units = units.into_iter().map(Candidate::from).collect();
            Err(("is a ward that was split: a person must decide", units))
        }
        Today::Unknown => Err(("is no ward code of its date in the table", Vec::new())),
    }
}
