//! Whether a record set may be published: its columns generalised as the file says, then every group of
//! equal quasi-identifiers counted.

use std::collections::BTreeMap;

use lienthong_model::identifier::CitizenNumber;
use lienthong_statistics::anonymity::{
    Assessment, Ladder, Limits, Records, Sizes, Suggestion, Value,
};

use super::{
    MAX_VALUE, Reason, RecordSetReport, SizeReport,
    ladder::Climb,
    record_set::{Column, Formulas, RecordSet, Role},
};
use crate::query::Rows;

/// Combinations of levels that are tried for a suggestion.
const MOST_STEPS: usize = 10_000;

/// Records as they would be published, in an order that says nothing.
pub(super) type Published = Vec<Vec<String>>;

/// What is said of these rows, and the records that would be published.
pub(super) fn look(set: &RecordSet, rows: &Rows) -> Result<(RecordSetReport, Published), Reason> {
    let columns: Vec<&Column> = set.published().collect();
    let mut records = records(&columns)?;
    let mut published = Vec::with_capacity(rows.0.len());
    for row in &rows.0 {
        let mut cells = Vec::with_capacity(row.len());
        for (column, value) in columns.iter().zip(row) {
            let value = general(column, value.as_deref().unwrap_or_default())?;
            cells.push(harmless(column, value, set.formulas)?);
        }
        push(&mut records, &columns, &cells)?;
        published.push(cells);
    }
    // SECURITY: the order in which the database gave them may tell who is who.
    published.sort_unstable();
    let mut report = RecordSetReport { id: set.id.to_string(), ..RecordSetReport::default() };
    report.records = published.len() as u64;
    match records.assess(&set.criteria)? {
        Assessment::Passes { groups, smallest, .. } => {
            (report.passes, report.groups, report.smallest) = (true, groups, smallest);
        }
        Assessment::Refused { too_small, too_uniform } => {
            report.too_small = sizes(&too_small);
            report.too_uniform =
                too_uniform.iter().map(|(name, found)| (name.clone(), sizes(found))).collect();
            report.suggestion = suggest(set, &columns, rows)?;
        }
    }
    Ok((report, published))
}

fn records(columns: &[&Column]) -> Result<Records, Reason> {
    let named = |is: fn(&Role) -> bool| -> Vec<&str> {
        columns.iter().filter(|one| is(&one.role)).map(|one| one.name.as_str()).collect()
    };
    let quasi = named(|role| matches!(role, Role::Quasi { .. }));
    let sensitive = named(|role| *role == Role::Sensitive);
    Ok(Records::new(&quasi, &sensitive, Limits::default())?)
}

fn push(records: &mut Records, columns: &[&Column], cells: &[String]) -> Result<(), Reason> {
    let (mut quasi, mut sensitive) = (Vec::new(), Vec::new());
    for (column, cell) in columns.iter().zip(cells) {
        match column.role {
            Role::Quasi { .. } => quasi.push(Value::Text(cell)),
            Role::Sensitive => sensitive.push(Value::Text(cell)),
            Role::Identifier | Role::Plain => {}
        }
    }
    Ok(records.push(&quasi, &sensitive)?)
}

/// A value as general as the file says.
fn general(column: &Column, value: &str) -> Result<String, Reason> {
    let Role::Quasi { climb, level, .. } = &column.role else { return Ok(value.to_owned()) };
    let Some(above) = level.checked_sub(1) else { return Ok(value.to_owned()) };
    let becomes = climb.of(value).and_then(|levels| levels.into_iter().nth(above));
    becomes.ok_or_else(|| Reason::OffLadder(column.name.clone()))
}

/// A value that names nobody and does nothing in whatever opens the file.
fn harmless(column: &Column, value: String, formulas: Formulas) -> Result<String, Reason> {
    let name = || column.name.clone();
    if value.len() > MAX_VALUE {
        return Err(Reason::TooLong(name()));
    }
    if value.chars().any(char::is_control) {
        return Err(Reason::Control(name()));
    }
    let digits: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.parse::<CitizenNumber>().is_ok() {
        return Err(Reason::PersonalNumber(name()));
    }
    let begins = value.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let is_number = value.parse::<f64>().is_ok_and(f64::is_finite);
    match (begins && !is_number, formulas) {
        (false, _) => Ok(value),
        (true, Formulas::Mark) => Ok(format!("'{value}")),
        (true, Formulas::Refuse) => Err(Reason::Formula(name())),
    }
}

/// Levels that would do, within what the file permits.
fn suggest(
    set: &RecordSet,
    columns: &[&Column],
    rows: &Rows,
) -> Result<Option<BTreeMap<String, u64>>, Reason> {
    let mut plain = records(columns)?;
    let mut seen: Vec<BTreeMap<String, Vec<String>>> = vec![BTreeMap::new(); columns.len()];
    for row in &rows.0 {
        let cells: Vec<String> = row.iter().map(|one| one.clone().unwrap_or_default()).collect();
        for ((column, cell), seen) in columns.iter().zip(&cells).zip(&mut seen) {
            if let Role::Quasi { climb, at_most, .. } = &column.role
                && !seen.contains_key(cell)
            {
                seen.insert(cell.clone(), above(column, climb, *at_most, cell)?);
            }
        }
        push(&mut plain, columns, &cells)?;
    }
    let (mut ladders, mut names) = (Vec::new(), Vec::new());
    for (column, seen) in columns.iter().zip(&seen) {
        if let Role::Quasi { .. } = column.role {
            names.push(column.name.clone());
            ladders.push(ladder(column, seen)?);
        }
    }
    Ok(match plain.suggest(&set.criteria, &ladders, MOST_STEPS)? {
        Suggestion::Levels(levels) => {
            Some(names.into_iter().zip(levels.into_iter().map(|level| level as u64)).collect())
        }
        Suggestion::Nothing | Suggestion::OutOfSteps => None,
    })
}

fn above(
    column: &Column,
    climb: &Climb,
    at_most: usize,
    cell: &str,
) -> Result<Vec<String>, Reason> {
    let levels = climb.of(cell).ok_or_else(|| Reason::OffLadder(column.name.clone()))?;
    Ok(levels.into_iter().take(at_most).collect())
}

fn ladder(column: &Column, seen: &BTreeMap<String, Vec<String>>) -> Result<Ladder, Reason> {
    if seen.values().all(Vec::is_empty) {
        return Ok(Ladder::none());
    }
    let entries: Vec<(Value<'_>, Vec<Value<'_>>)> = seen
        .iter()
        .map(|(value, levels)| {
            (Value::Text(value), levels.iter().map(|one| Value::Text(one)).collect())
        })
        .collect();
    Ladder::new(&entries).map_err(|error| Reason::Ladder { column: column.name.clone(), error })
}

fn sizes(sizes: &Sizes) -> Vec<SizeReport> {
    let report = |(size, tally): (&u64, &lienthong_statistics::anonymity::Tally)| SizeReport {
        size: *size,
        groups: tally.groups,
        records: tally.records,
    };
    sizes.iter().map(report).collect()
}
