//! Ward codes as of a day. The same five digits mean one territory before 1 July 2025 and another
//! after it, so that a code without a day is nothing that could be sent.

use jiff::civil::Date;
use lienthong_model::{
    identifier::WardCode,
    partial_date::WrittenDate,
    quality::Criterion,
    ward::{Before, MERGED_ON, Today, before, today},
};

use super::{Cells, Wrong, text_of};
use crate::row::Cell;

/// Which code of a ward is wanted, and from when the given one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WardRule {
    pub(crate) as_of: AsOf,
    pub(crate) to: WardSide,
}

/// From when a ward code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// Always from this day.
    Day(Date),
    /// From the date in this column.
    Column(String),
}

/// The codes of before or since 1 July 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WardSide {
    Old,
    /// The district of before, which some schemas still ask for.
    OldDistrict,
    New,
}

impl WardSide {
    pub(crate) const NAMES: &[(&'static str, Self)] =
        &[("old", Self::Old), ("old_district", Self::OldDistrict), ("new", Self::New)];
}

const UNKNOWN: Wrong = unlisted("is no ward code of its date in the table");

/// A code that stands for no one ward of the table.
const fn unlisted(problem: &'static str) -> Wrong {
    Wrong::new(Criterion::Consistent, problem)
}

impl WardRule {
    /// The wanted code of a code.
    pub(crate) fn write(&self, text: &str, row: &dyn Cells) -> Result<String, Wrong> {
        let code: WardCode = text.trim().parse().map_err(|_| "is not a ward code of 5 digits")?;
        let on = self.as_of.day(row)?;
        let code = match self.to {
            WardSide::New => match today(code, on) {
                Today::One(unit) => unit.code,
                Today::Split(_) => {
                    return Err(unlisted("is a ward that was split: a person must decide"));
                }
                Today::Unknown => return Err(UNKNOWN),
            },
            WardSide::OldDistrict => return district(before(code, on)),
            WardSide::Old => match before(code, on) {
                Before::One(unit) => {
                    unit.code.ok_or(unlisted("is a unit that had no ward code before"))?
                }
                Before::Several(_) => {
                    return Err(unlisted("is a ward made of several: a person must decide"));
                }
                Before::Unknown => return Err(UNKNOWN),
            },
        };
        Ok(code.as_str().to_owned())
    }
}

impl AsOf {
    /// The day from which the ward codes of a row are.
    pub(crate) fn day(&self, row: &dyn Cells) -> Result<Date, Wrong> {
        match self {
            Self::Day(day) => Ok(*day),
            Self::Column(column) => day(&row.cell(column)),
        }
    }
}

/// The district that all of the old units were in.
fn district(before: Before) -> Result<String, Wrong> {
    let units = match before {
        Before::One(unit) => vec![unit],
        Before::Several(units) => units.into_iter().map(|(unit, _)| unit).collect(),
        Before::Unknown => return Err(UNKNOWN),
    };
    let mut districts = units.iter().map(|unit| unit.district);
    let first = districts.next().ok_or(UNKNOWN)?;
    match districts.all(|district| district == first) {
        true => Ok(first.to_owned()),
        false => Err(unlisted("is a ward made of several districts: a person must decide")),
    }
}

/// A day of the date in a cell: whichever, when all of them are on one side of the merger.
fn day(cell: &Cell) -> Result<Date, Wrong> {
    if *cell == Cell::Null {
        let missing = "is a ward code without a date: a person must decide";
        return Err(Wrong::new(Criterion::Complete, missing));
    }
    let written: Option<WrittenDate> = text_of(cell).ok().and_then(|text| text.parse().ok());
    let written = written.ok_or("is a ward code whose date cannot be read")?;
    let (first, last) = written.date.span();
    if first < MERGED_ON && last >= MERGED_ON {
        let problem = "is a ward code whose date may be before or after the merger: \
                       a person must decide";
        return Err(problem.into());
    }
    Ok(first)
}
