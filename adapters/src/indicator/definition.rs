//! What an indicator is: one YAML file, read strictly, every mistake told at once.
//!
//! Out of it come the shape of its tables and the rules by which figures are withheld. Rules that
//! do not fit and categories that make no tree are mistakes of the file.

mod categories;
mod read;
mod rules;

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use lienthong_model::{clock::civil_date, id::IndicatorId, text::Bilingual};
use lienthong_statistics::{
    suppress::{self, Bounds, Rules, SuppressError},
    table::{Dimension, Kind, RawCell, Shape, ShapeError, Table},
};

pub(crate) use self::categories::{Axis, Category};
use super::period::{Period, PeriodKind};
use crate::query::Template;

/// Most cells of a table, all totals included.
const MOST_CELLS: usize = 20_000;
/// The dimension that a share has beside its own: the whole, what is in it, the rest.
pub(crate) const PART: &str = "part";
/// The dimension of an indicator without any.
pub(crate) const ALONE: &str = "total";
/// The whole of a share, and of an indicator without dimensions.
pub(crate) const ALL: &str = "all";
/// Of a share, the numerator.
pub(crate) const IN: &str = "in";
/// Of a share, what is left of the denominator.
pub(crate) const OUT: &str = "out";

/// An indicator.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its id.
    pub id: IndicatorId,
    /// Its name.
    pub name: Bilingual,
    /// The group that it belongs to.
    pub group: String,
    /// The unit that answers for it.
    pub steward: String,
    /// The documents that it rests on.
    pub legal_basis: Vec<String>,
    /// What is counted: indicators that break down the same figures have the same. Default: the id.
    pub statistic: IndicatorId,
    /// How long its periods are.
    pub period: PeriodKind,
    /// Days after the end of a period from which it is computed. Default 0.
    pub ready_days: u32,
    /// Days after the end of a period by which there must be figures.
    pub due_days: u32,
    /// Days after the end of a period in which figures may be revised without a reason. Default 90.
    pub revise_for_days: u32,
    /// In what it is measured.
    pub unit: Bilingual,
    /// The connection that is asked.
    pub source: String,
    /// What no rows mean.
    pub(crate) empty: Empty,
    pub(crate) measure: Measure,
    pub(crate) axes: Vec<Axis>,
    pub(crate) rules: Rules,
    pub(crate) template: Template,
    pub(crate) shape: Shape,
}

/// What no rows mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    /// That every figure is zero.
    Zero,
    /// That something is wrong.
    Refuse,
}

/// What the figures are, and in which columns they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measure {
    /// How many.
    Count { value: String },
    /// How much.
    Sum { value: String, decimals: u8, contributors: Option<String>, largest: Vec<String> },
    /// How many of how many, told as a percentage.
    Share { numerator: String, denominator: String, decimals: u8 },
}

impl Measure {
    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Count { .. } => "count",
            Self::Sum { .. } => "sum",
            Self::Share { .. } => "share",
        }
    }

    /// What the figures of its table are.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Sum { decimals, .. } => Kind::Sums { decimals: *decimals },
            Self::Count { .. } | Self::Share { .. } => Kind::Counts,
        }
    }

    /// Digits after the point of what is told.
    pub(crate) fn decimals(&self) -> u8 {
        match self {
            Self::Count { .. } => 0,
            Self::Sum { decimals, .. } | Self::Share { decimals, .. } => *decimals,
        }
    }

    /// The columns of the figures.
    pub(crate) fn columns(&self) -> Vec<&str> {
        match self {
            Self::Count { value } => vec![value],
            Self::Sum { value, contributors, largest, .. } => {
                let others = contributors.iter().chain(largest).map(String::as_str);
                std::iter::once(value.as_str()).chain(others).collect()
            }
            Self::Share { numerator, denominator, .. } => vec![numerator, denominator],
        }
    }
}

impl Definition {
    /// Every column that its query must give: those of the dimensions first.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let of_dimensions = self.axes.iter().map(|axis| axis.column.as_str());
        of_dimensions.chain(self.measure.columns()).collect()
    }

    /// Periods that are over and ready to be computed, from the one in which `since` lies on.
    pub(crate) fn over(&self, since: Date, now: Timestamp) -> Vec<Period> {
        let today = civil_date(now);
        let first = Period::of(self.period, since);
        std::iter::successors(Some(first), |period| Some(period.next()))
            .take_while(|period| period.days_after(self.ready_days) <= today)
            .take(super::status::MOST_PERIODS)
            .collect()
    }

    /// Whether figures of a period should have been there.
    pub(crate) fn is_due(&self, period: Period, now: Timestamp) -> bool {
        civil_date(now) > period.days_after(self.due_days)
    }

    /// Whether figures of a period may be revised without a reason.
    pub(crate) fn may_revise(&self, period: Period, now: Timestamp) -> bool {
        civil_date(now) <= period.days_after(self.revise_for_days)
    }

    /// Whether two indicators of one statistic describe the same figures; what they differ in, if not.
    pub(crate) fn agrees(&self, other: &Self) -> Result<(), &'static str> {
        let checks = [
            ("`period`", self.period == other.period),
            ("`kind`", self.measure.name() == other.measure.name()),
            ("`decimals`", self.measure.kind() == other.measure.kind()),
            ("`unit`", self.unit == other.unit),
            ("`zeros`", self.rules.zeros == other.rules.zeros),
            ("the categories of a dimension", self.same_categories(other)),
        ];
        match checks.iter().find(|(_, agrees)| !agrees) {
            Some((what, _)) => Err(what),
            None => Ok(()),
        }
    }

    fn same_categories(&self, other: &Self) -> bool {
        let named = |name: &str| other.shape.dimensions().find(move |one| one.name() == name);
        self.shape.dimensions().all(|one| named(one.name()).is_none_or(|other| one == other))
    }
}

/// The shape of the tables of an indicator.
fn shape(axes: &[Axis], measure: &Measure) -> Result<Shape, String> {
    let mut dimensions = Vec::with_capacity(axes.len() + 1);
    for axis in axes {
        dimensions.push(axis.dimension().map_err(|error| error.to_string())?);
    }
    let own = match measure {
        Measure::Share { .. } => Some(Dimension::flat(PART, ALL, &[IN, OUT])),
        _ if axes.is_empty() => Some(Dimension::flat(ALONE, ALL, &[])),
        _ => None,
    };
    if let Some(own) = own {
        dimensions.push(own.map_err(|error| error.to_string())?);
    }
    Shape::new(dimensions, MOST_CELLS).map_err(|error: ShapeError| error.to_string())
}

/// Whether rules fit figures of this kind: tried on a table of nothing.
fn fit(rules: &Rules, kind: Kind) -> Result<(), String> {
    let dimension = Dimension::flat(ALONE, ALL, &[IN, OUT]).map_err(|error| error.to_string())?;
    let shape = Shape::new(vec![dimension], MOST_CELLS).map_err(|error| error.to_string())?;
    let none: [RawCell<'_>; 0] = [];
    let table = Table::new(shape, kind, none).map_err(|error| error.to_string())?;
    match suppress::suppress(&table, rules, &BTreeSet::new(), &Bounds::default()) {
        Err(SuppressError::Rules(error)) => Err(error.to_string()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
