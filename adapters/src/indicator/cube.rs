//! From the rows of a query to a table with all its totals.
//!
//! A row says one cell: its codes and its figures. Totals that no row says are added up from the cells
//! without parts; those that a row says must be right. Nothing is guessed: a null, a code that is no
//! category, a cell that comes twice, a figure that is none refuse the whole.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_statistics::table::{
    Cell, Contributions, Figure, FigureError, Kind, RawCell, Shape, Table,
};

use super::{
    definition::{ALL, ALONE, Definition, Empty, IN, Measure, OUT},
    reason::Reason,
};
use crate::query::Rows;

/// The contributions to a cell, as the row has them.
struct Told {
    contributors: u64,
    largest: Vec<String>,
}

/// A table while its rows are read, in units of the last decimal.
struct Cube<'a> {
    definition: &'a Definition,
    shape: &'a Shape,
    units: BTreeMap<Cell, u64>,
    told: BTreeMap<Cell, Told>,
    /// Cells that were added up.
    sums: BTreeSet<Cell>,
}

/// The table that these rows make.
pub(crate) fn table(definition: &Definition, rows: &Rows) -> Result<Table, Reason> {
    let shape = &definition.shape;
    let (units, told, sums) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    let mut cube = Cube { definition, shape, units, told, sums };
    if rows.0.is_empty() && definition.empty == Empty::Refuse {
        return Err(Reason::Empty);
    }
    for row in &rows.0 {
        cube.take(row)?;
    }
    cube.add_up()?;
    cube.finish()
}

impl Cube<'_> {
    fn take(&mut self, row: &[Option<String>]) -> Result<(), Reason> {
        let definition = self.definition;
        let (codes, figures) = row.split_at_checked(definition.axes.len()).unwrap_or((row, &[]));
        let mut found = Vec::with_capacity(codes.len() + 1);
        for (axis, code) in definition.axes.iter().zip(codes) {
            let code = code.as_deref().ok_or_else(|| Reason::Null(axis.column.clone()))?;
            let is_category = axis.categories.iter().any(|one| one.code == code);
            if !is_category {
                return Err(Reason::UnknownCategory(axis.column.clone()));
            }
            found.push(code);
        }
        let mut figures = figures.iter().map(Option::as_deref);
        let mut next = || figures.next().flatten();
        match &definition.measure {
            Measure::Count { value } => {
                if found.is_empty() {
                    found.push(ALL);
                }
                let cell = self.cell(&found)?;
                let units = self.units(cell, value, next())?;
                self.put(cell, units)
            }
            Measure::Sum { value, contributors, largest, .. } => {
                if found.is_empty() {
                    found.push(ALL);
                }
                let cell = self.cell(&found)?;
                let units = self.units(cell, value, next())?;
                self.put(cell, units)?;
                let Some(column) = contributors else { return Ok(()) };
                let count = next().ok_or_else(|| Reason::Null(column.clone()))?;
                let count = Figure::Decimal(count).units(Kind::Counts);
                let contributors = count.map_err(|error| self.figure(cell, column, error))?;
                // A cell of few has fewer contributions than columns.
                let largest = largest.iter().filter_map(|_| next()).map(str::to_owned).collect();
                self.told.insert(cell, Told { contributors, largest });
                Ok(())
            }
            Measure::Share { numerator, denominator, .. } => {
                let (part, whole) = (next(), next());
                let [all, inside, outside] =
                    [ALL, IN, OUT].map(|one| [&found[..], &[one]].concat());
                let (all, inside, outside) =
                    (self.cell(&all)?, self.cell(&inside)?, self.cell(&outside)?);
                let part = self.units(inside, numerator, part)?;
                let whole = self.units(all, denominator, whole)?;
                let rest = whole.checked_sub(part).ok_or_else(|| Reason::Larger {
                    column: numerator.clone(),
                    cell: self.shape.name(all),
                })?;
                self.put(all, whole)?;
                self.put(inside, part)?;
                self.put(outside, rest)
            }
        }
    }

    fn cell(&self, codes: &[&str]) -> Result<Cell, Reason> {
        // Every code was found to be a category before.
        self.shape.cell(codes).ok_or_else(|| Reason::UnknownCategory(ALONE.to_owned()))
    }

    fn figure(&self, cell: Cell, column: &str, error: FigureError) -> Reason {
        Reason::Figure { column: column.to_owned(), cell: self.shape.name(cell), error }
    }

    fn units(&self, cell: Cell, column: &str, value: Option<&str>) -> Result<u64, Reason> {
        let value = value.ok_or_else(|| Reason::Null(column.to_owned()))?;
        let units = Figure::Decimal(value).units(self.definition.measure.kind());
        units.map_err(|error| self.figure(cell, column, error))
    }

    fn put(&mut self, cell: Cell, units: u64) -> Result<(), Reason> {
        match self.units.insert(cell, units) {
            None => Ok(()),
            Some(_) => Err(Reason::Twice(self.shape.name(cell))),
        }
    }

    /// Adds up the totals that no row says.
    fn add_up(&mut self) -> Result<(), Reason> {
        let leaves: Vec<(Cell, u64)> =
            self.units.iter().filter(|(cell, _)| self.shape.is_leaf(**cell)).map(own).collect();
        for (leaf, units) in leaves {
            for above in self.shape.upward(leaf) {
                if above == leaf || (self.units.contains_key(&above) && !self.sums.contains(&above))
                {
                    continue;
                }
                let sum = self.units.entry(above).or_default();
                *sum = sum.checked_add(units).ok_or(Reason::Overflow)?;
                self.sums.insert(above);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Table, Reason> {
        let kind = self.definition.measure.kind();
        let decimals = match kind {
            Kind::Counts => 0,
            Kind::Sums { decimals } => decimals,
        };
        let written: Vec<(Cell, Vec<String>, String)> = self
            .units
            .iter()
            .map(|(cell, units)| {
                let codes = self.shape.name(*cell).0.into_iter().map(|(_, code)| code).collect();
                (*cell, codes, decimal(*units, decimals))
            })
            .collect();
        let raw = written.iter().map(|(cell, codes, figure)| RawCell {
            codes: codes.iter().map(String::as_str).collect(),
            figure: Figure::Decimal(figure),
            contributions: self.told.get(cell).map(|told| Contributions {
                contributors: told.contributors,
                largest: told.largest.iter().map(|one| Figure::Decimal(one)).collect(),
            }),
        });
        Table::new(self.shape.clone(), kind, raw).map_err(Reason::of_table)
    }
}

fn own((cell, units): (&Cell, &u64)) -> (Cell, u64) {
    (*cell, *units)
}

/// A figure as it is written: digits, and a point with as many more.
pub(crate) fn decimal(units: u64, decimals: u8) -> String {
    let width = usize::from(decimals);
    let digits = format!("{units:0>width$}", width = width + 1);
    match digits.split_at_checked(digits.len().saturating_sub(width)) {
        Some((whole, after)) if width > 0 => format!("{whole}.{after}"),
        _ => digits,
    }
}

#[cfg(test)]
mod tests;
