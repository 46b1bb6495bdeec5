//! What readers see of a release, as JSON, and back.
//!
//! A withheld figure says that it is withheld and nothing else: not why, and not whether it is a risk
//! in itself or there to protect another.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use jsonschema::Validator;
use lienthong_model::text::Bilingual;
use lienthong_statistics::{
    release::Release,
    suppress::Zeros,
    table::{Cell, Dimension, Figure, Kind, Shape},
};
use serde::{Deserialize, Serialize};

use super::{
    cube::decimal,
    definition::{ALL, ALONE, Axis, Category, Definition, IN, Measure, OUT, PART},
    period::Period,
    reason::Reason,
};

/// Most bytes of a release: a row of a source holds no more.
pub(crate) const MAX_BYTES: usize = 960 << 10;
/// Most cells of a release that is read.
const MOST_CELLS: usize = 100_000;
/// Name of the form.
const FORM: &str = "lienthong-indicator-release/1";

const SCHEMA: &str = include_str!("../../../schemas/indicators/v1/release.schema.json");

/// What readers see.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    pub(crate) form: String,
    pub(crate) indicator: String,
    pub(crate) name: Bilingual,
    pub(crate) group: String,
    pub(crate) steward: String,
    pub(crate) legal_basis: Vec<String>,
    pub(crate) statistic: String,
    pub(crate) period: Time,
    pub(crate) revision: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    pub(crate) computed_at: Timestamp,
    pub(crate) kind: String,
    pub(crate) unit: Bilingual,
    pub(crate) decimals: u8,
    /// Whether every zero is published, so that what is withheld is known not to be zero.
    pub(crate) zeros_published: bool,
    pub(crate) dimensions: Vec<Breakdown>,
    pub(crate) cells: Vec<Told>,
}

/// A period.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Time {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Its first day.
    pub(crate) from: String,
    /// The first day after it.
    pub(crate) to: String,
}

/// A dimension.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Breakdown {
    pub(crate) name: String,
    pub(crate) categories: Vec<Code>,
}

/// A category; the one without a parent is the total.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    pub(crate) code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<String>,
    pub(crate) name: Bilingual,
}

/// A cell: its codes, and its figures as far as they are published.
#[derive(Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    pub(crate) at: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) numerator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) denominator: Option<String>,
    /// What is left of the denominator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remainder: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) withheld: bool,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told(..)")
    }
}

/// Which release it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edition<'a> {
    pub(crate) period: Period,
    pub(crate) revision: u32,
    pub(crate) why: Option<&'a str>,
    pub(crate) at: Timestamp,
}

impl Content {
    /// What readers see of these figures.
    pub(crate) fn new(definition: &Definition, release: &Release, edition: &Edition<'_>) -> Self {
        let period = edition.period;
        Self {
            form: FORM.to_owned(),
            indicator: definition.id.to_string(),
            name: definition.name.clone(),
            group: definition.group.clone(),
            steward: definition.steward.clone(),
            legal_basis: definition.legal_basis.clone(),
            statistic: definition.statistic.to_string(),
            period: Time {
                name: period.to_string(),
                kind: definition.period.name().to_owned(),
                from: period.first_day().to_string(),
                to: period.end_day().to_string(),
            },
            revision: edition.revision,
            why: edition.why.map(str::to_owned),
            computed_at: edition.at,
            kind: definition.measure.name().to_owned(),
            unit: definition.unit.clone(),
            decimals: definition.measure.decimals(),
            zeros_published: definition.rules.zeros == Zeros::Published,
            dimensions: definition.axes.iter().map(Breakdown::new).collect(),
            cells: cells(definition, release),
        }
    }

    /// The text, if it fits its schema and is not too large.
    pub(crate) fn write(&self) -> Result<String, Reason> {
        let value = serde_json::to_value(self).map_err(|_| Reason::Schema("release".to_owned()))?;
        let unfit = |at: &str| Reason::Schema(at.trim_start_matches('/').to_owned());
        let validator = VALIDATOR.as_ref().ok_or_else(|| unfit("schema"))?;
        if let Some(error) = validator.iter_errors(&value).next() {
            return Err(unfit(error.instance_path().as_str()));
        }
        let text = value.to_string();
        if text.len() > MAX_BYTES { Err(Reason::TooLarge(MAX_BYTES)) } else { Ok(text) }
    }

    /// Reads what was kept.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|content: &Self| content.form == FORM)
    }

    /// The digest of its figures: the same for the same figures whenever they were computed.
    pub(crate) fn digest(&self) -> String {
        let what = (&self.statistic, &self.kind, self.decimals, &self.dimensions, &self.cells);
        let text = serde_json::to_vec(&what).unwrap_or_default();
        digest(&SHA256, &text).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How many cells are shown, and how many are withheld in part or whole.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let withheld = self.cells.iter().filter(|cell| cell.withheld).count();
        (self.cells.len() - withheld, withheld)
    }

    /// The figure of the whole, where it is shown.
    pub(crate) fn total(&self) -> Option<&str> {
        let total: Vec<&str> = self
            .dimensions
            .iter()
            .filter_map(|one| one.categories.first().map(|code| code.code.as_str()))
            .collect();
        let cell = self.cells.iter().find(|cell| cell.at == total)?;
        cell.value.as_deref()
    }

    /// What readers see, as the crate of statistics reads it.
    pub(crate) fn release(&self, statistic: &str) -> Option<Release> {
        let is_share = self.kind == "share";
        let kind = match self.kind.as_str() {
            "sum" => Kind::Sums { decimals: self.decimals },
            _ => Kind::Counts,
        };
        let shape = self.shape(is_share)?;
        let mut figures = vec![None; shape.len()];
        let places: std::collections::BTreeMap<Cell, usize> =
            shape.cells().enumerate().map(|(place, cell)| (cell, place)).collect();
        let mut put = |codes: &[&str], figure: Option<&String>| -> Option<()> {
            let Some(figure) = figure else { return Some(()) };
            let place = places.get(&shape.cell(codes)?)?;
            *figures.get_mut(*place)? = Some(Figure::Decimal(figure).units(kind).ok()?);
            Some(())
        };
        for cell in &self.cells {
            let mut codes: Vec<&str> = cell.at.iter().map(String::as_str).collect();
            if is_share {
                let parts =
                    [(ALL, &cell.denominator), (IN, &cell.numerator), (OUT, &cell.remainder)];
                for (part, figure) in parts {
                    put(&[&codes[..], &[part]].concat(), figure.as_ref())?;
                }
                continue;
            }
            if codes.is_empty() {
                codes.push(ALL);
            }
            put(&codes, cell.value.as_ref())?;
        }
        Release::new(statistic, shape, figures, u64::from(self.zeros_published)).ok()
    }

    fn shape(&self, is_share: bool) -> Option<Shape> {
        let mut dimensions = Vec::new();
        for one in &self.dimensions {
            let categories: Vec<(&str, Option<&str>)> =
                one.categories.iter().map(|c| (c.code.as_str(), c.parent.as_deref())).collect();
            dimensions.push(Dimension::new(&one.name, &categories).ok()?);
        }
        if is_share {
            dimensions.push(Dimension::flat(PART, ALL, &[IN, OUT]).ok()?);
        } else if dimensions.is_empty() {
            dimensions.push(Dimension::flat(ALONE, ALL, &[]).ok()?);
        }
        Shape::new(dimensions, MOST_CELLS).ok()
    }
}

static VALIDATOR: LazyLock<Option<Validator>> = LazyLock::new(|| {
    let schema = serde_json::from_str(SCHEMA).ok()?;
    let options = jsonschema::draft202012::options().offline();
    options.should_validate_formats(true).build(&schema).ok()
});

impl Breakdown {
    fn new(axis: &Axis) -> Self {
        let code = |one: &Category| Code {
            code: one.code.clone(),
            parent: one.parent.clone(),
            name: one.name.clone(),
        };
        Self { name: axis.name.clone(), categories: axis.categories.iter().map(code).collect() }
    }
}

/// Every cell of the indicator's own dimensions.
fn cells(definition: &Definition, release: &Release) -> Vec<Told> {
    let shape = release.shape();
    let own = definition.axes.len();
    let decimals = match definition.measure.kind() {
        Kind::Counts => 0,
        Kind::Sums { decimals } => decimals,
    };
    let figure = |cell| release.figure(cell).map(|units| decimal(units, decimals));
    let mut told = Vec::new();
    for cell in shape.cells() {
        let codes: Vec<String> = shape.name(cell).0.into_iter().map(|(_, code)| code).collect();
        let at: Vec<String> = codes.iter().take(own).cloned().collect();
        let Measure::Share { decimals, .. } = definition.measure else {
            let value = figure(cell);
            told.push(Told { withheld: value.is_none(), at, value, ..Told::default() });
            continue;
        };
        if codes.get(own).map(String::as_str) != Some(ALL) {
            continue;
        }
        let part = |part: &str| {
            let codes: Vec<&str> = at.iter().map(String::as_str).chain([part]).collect();
            shape.cell(&codes)
        };
        let (inside, outside) = (part(IN), part(OUT));
        let value = share(release, cell, inside, decimals);
        let [denominator, numerator, remainder] =
            [Some(cell), inside, outside].map(|cell| cell.and_then(figure));
        let withheld = denominator.is_none() || numerator.is_none();
        told.push(Told { at, value, numerator, denominator, remainder, withheld });
    }
    told
}

/// The percentage, rounded half up; none where either figure is withheld or the whole is nothing.
fn share(release: &Release, whole: Cell, part: Option<Cell>, decimals: u8) -> Option<String> {
    let whole = release.figure(whole).filter(|whole| *whole > 0)?;
    let part = u128::from(release.figure(part?)?);
    let scale = 100_u128.checked_mul(10_u128.checked_pow(u32::from(decimals))?)?;
    let whole = u128::from(whole);
    let twice = part.checked_mul(scale)?.checked_mul(2)?.checked_add(whole)?;
    let rounded = u64::try_from(twice / (whole * 2)).ok()?;
    Some(decimal(rounded, decimals))
}

#[cfg(test)]
mod tests;
