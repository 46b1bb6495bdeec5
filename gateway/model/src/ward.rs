//! Wards of Ho Chi Minh City, Binh Duong and Ba Ria - Vung Tau, before and after 1 July 2025.
//!
//! A ward code means nothing without a day: 167 of the 168 new units took over the code of one of
//! the wards they were made from, 15 of them the code of one that was split. The table says *that* a
//! ward was split and not which streets went where: such a question goes to a person. It knows one
//! change, with the day of its effect; a later one is a further version, not an edit.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::civil::{Date, date};

use crate::identifier::WardCode;

/// The day from which the new units and their codes are in force.
pub const MERGED_ON: Date = date(2025, 7, 1);

const TABLE: &str = include_str!("../../../schemas/code-tables/v1/hcmc-ward-old-new.csv");

/// What kind of unit there is since the merger. No districts: wards are the second and last level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// Phường.
    Ward,
    /// Xã.
    Commune,
    /// Đặc khu.
    SpecialZone,
}

/// A unit since 1 July 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Its code.
    pub code: WardCode,
    /// Its name with its kind.
    pub name: &'static str,
    /// Its kind.
    pub kind: UnitKind,
}

/// A unit before 1 July 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldUnit {
    /// Its code. The district of Con Dao had no wards, and so no code at this level.
    pub code: Option<WardCode>,
    /// Its name with its kind; that of the district where there is no ward.
    pub name: &'static str,
    /// The code of its district: 3 digits, which some schemas still ask for.
    pub district: &'static str,
    /// The old code of its province: 74, 77 or 79.
    pub province: &'static str,
}

/// How much of an old unit a new one took over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// All of it.
    Whole,
    /// A part. Which one is not in the table.
    Part,
}

/// The unit of today for a code and a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Today {
    /// This one.
    One(Unit),
    /// The ward was split among these: a person must decide.
    Split(Vec<Unit>),
    /// The table has no such code for that day.
    Unknown,
}

/// The old units for a code and a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// This one, which today's unit consists of, or which the code named that day.
    One(OldUnit),
    /// Today's unit was made from these: a person must decide.
    Several(Vec<(OldUnit, Coverage)>),
    /// The table has no such code for that day.
    Unknown,
}

#[derive(Debug)]
struct Edge {
    old: OldUnit,
    new: Unit,
    coverage: Coverage,
}

#[derive(Debug)]
struct Table {
    edges: Vec<Edge>,
    /// Places in `edges` by old code, and by new code.
    old: BTreeMap<WardCode, Vec<usize>>,
    new: BTreeMap<WardCode, Vec<usize>>,
}

static WARDS: LazyLock<Table> = LazyLock::new(Table::read);

impl Table {
    fn read() -> Self {
        let edges: Vec<Edge> = TABLE.lines().skip(1).filter_map(edge).collect();
        let mut table = Self { edges, old: BTreeMap::new(), new: BTreeMap::new() };
        for (at, edge) in table.edges.iter().enumerate() {
            if let Some(code) = edge.old.code {
                table.old.entry(code).or_default().push(at);
            }
            table.new.entry(edge.new.code).or_default().push(at);
        }
        table
    }

    fn of<'a>(
        &'a self,
        index: &'a BTreeMap<WardCode, Vec<usize>>,
        code: WardCode,
    ) -> impl Iterator<Item = &'a Edge> {
        let places = index.get(&code).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.edges.get(*at))
    }
}

fn edge(line: &'static str) -> Option<Edge> {
    let mut columns = line.split(',');
    let mut next = || columns.next();
    let (province, district, code) = (next()?, next()?, next()?);
    let (_, district_name, name) = (next()?, next()?, next()?);
    let (new_code, new_name, coverage) = (next()?, next()?, next()?);
    let kind = match new_name.split(' ').next()? {
        "Phường" => UnitKind::Ward,
        "Xã" => UnitKind::Commune,
        _ => UnitKind::SpecialZone,
    };
    let name = if name.is_empty() { district_name } else { name };
    Some(Edge {
        old: OldUnit { code: code.parse().ok(), name, district, province },
        new: Unit { code: new_code.parse().ok()?, name: new_name, kind },
        coverage: if coverage == "whole" { Coverage::Whole } else { Coverage::Part },
    })
}

/// The units since 1 July 2025, by code.
pub fn units() -> impl Iterator<Item = Unit> {
    let table = &*WARDS;
    table.new.keys().filter_map(|code| Some(table.of(&table.new, *code).next()?.new))
}

/// The unit of today that a code named on a day.
#[must_use]
pub fn today(code: WardCode, on: Date) -> Today {
    let table = &*WARDS;
    if on >= MERGED_ON {
        let unit = table.of(&table.new, code).next();
        return unit.map_or(Today::Unknown, |edge| Today::One(edge.new));
    }
    let mut edges = table.of(&table.old, code);
    match (edges.next(), edges.next()) {
        (None, _) => Today::Unknown,
        (Some(edge), None) => Today::One(edge.new),
        _ => Today::Split(table.of(&table.old, code).map(|edge| edge.new).collect()),
    }
}

/// The unit of before 1 July 2025 that a code named on a day, or those that its unit was made from.
#[must_use]
pub fn before(code: WardCode, on: Date) -> Before {
    let table = &*WARDS;
    if on < MERGED_ON {
        let unit = table.of(&table.old, code).next();
        return unit.map_or(Before::Unknown, |edge| Before::One(edge.old));
    }
    let mut edges = table.of(&table.new, code);
    match (edges.next(), edges.next()) {
        (None, _) => Before::Unknown,
        (Some(Edge { old, coverage: Coverage::Whole, .. }), None) => Before::One(*old),
        _ => Before::Several(
            table.of(&table.new, code).map(|edge| (edge.old, edge.coverage)).collect(),
        ),
    }
}

#[cfg(test)]
mod tests;
