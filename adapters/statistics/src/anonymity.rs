//! Whether a record set can be published: k-anonymity and l-diversity.
//!
//! In: rows, one after the other, with the values of stated quasi-identifiers and sensitive
//! columns. Out: whether every group of equal quasi-identifiers has enough records and enough
//! different sensitive values; if not, how large the groups are that do not, and which levels of
//! generalisation would do.
//!
//! Must never name a value, nor remember more groups than the bound allows.

use std::{collections::BTreeMap, fmt};

mod ladder;
mod lattice;
mod values;

pub use ladder::{Ladder, LadderError};
use lattice::Lattice;
pub use lattice::Suggestion;
pub use values::Value;
use values::Values;

/// An entropy so little below the one asked for counts as equal: sums of logarithms are not exact.
const ROUNDING: f64 = 1e-9;

/// How different the sensitive values of a group must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diversity {
    /// At least so many different values.
    Distinct(u64),
    /// An entropy of at least the logarithm of this number.
    Entropy(u64),
}

/// What is asked of a record set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Criteria {
    /// The least number of records of a group.
    pub k: u64,
    /// What is asked of each sensitive column in each group.
    pub diversity: Option<Diversity>,
}

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Groups of equal quasi-identifiers.
    pub most_groups: usize,
    /// Different values, of all columns together.
    pub most_values: usize,
    /// Different sensitive values of each group, of all groups and columns together.
    pub most_pairs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most_groups: 1_000_000, most_values: 1_000_000, most_pairs: 4_000_000 }
    }
}

/// Why there is no answer. A record set without an answer is not to be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnonymityError {
    /// No quasi-identifier was named.
    #[error("no quasi-identifier was named")]
    NoColumns,
    /// No row was given.
    #[error("the record set is empty")]
    Empty,
    /// A row with more or fewer values than columns were named.
    #[error("a row does not have one value for each column")]
    WrongRow,
    /// More groups than the bound allows.
    #[error("there are more groups than the bound allows")]
    TooManyGroups,
    /// More different values than the bound allows.
    #[error("there are more different values than the bound allows")]
    TooManyValues,
    /// A value whose text is too long.
    #[error("a value is longer than the bound allows")]
    TextTooLong,
    /// A criterion that asks for nothing.
    #[error("k and l are at least 2")]
    Criteria,
    /// Diversity of a record set without sensitive columns.
    #[error("diversity was asked for and no sensitive column was named")]
    NoSensitiveColumn,
    /// Another number of ladders than of quasi-identifiers.
    #[error("there is not one ladder for each quasi-identifier")]
    WrongLadders,
    /// A value that the ladder of its column does not know.
    #[error("the ladder of column `{0}` lacks a value of the record set")]
    OffLadder(String),
}

/// Groups of one size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many groups.
    pub groups: u64,
    /// How many records they have together.
    pub records: u64,
}

/// Groups by their size.
pub type Sizes = BTreeMap<u64, Tally>;

/// Whether a record set meets its criteria. Sizes only, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assessment {
    /// Every group does.
    Passes {
        /// How many groups there are.
        groups: u64,
        /// How many records.
        records: u64,
        /// The size of the smallest group.
        smallest: u64,
    },
    /// Some groups do not.
    Refused {
        /// Groups with too few records.
        too_small: Sizes,
        /// By sensitive column, groups whose values are not different enough.
        too_uniform: BTreeMap<String, Sizes>,
    },
}

/// A record set while it is read: its groups, without the order of its rows.
#[derive(Clone)]
pub struct Records {
    quasi: Vec<Column>,
    sensitive: Vec<Column>,
    groups: BTreeMap<Box<[u32]>, Group>,
    limits: Limits,
    values: usize,
    pairs: usize,
    /// Why nothing can be said of the record set any more.
    refused: Option<AnonymityError>,
}

#[derive(Clone)]
struct Column {
    name: String,
    values: Values,
}

/// The records of equal quasi-identifiers.
#[derive(Clone, Default)]
struct Group {
    records: u64,
    /// By sensitive column, how often each value stands.
    counts: Vec<BTreeMap<u32, u64>>,
}

// SECURITY: of values of the record set nothing is shown, at any level of logging.
impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("groups", &self.groups.len()).finish_non_exhaustive()
    }
}

impl Records {
    /// An empty record set with these quasi-identifiers and sensitive columns.
    ///
    /// # Errors
    ///
    /// When no quasi-identifier is named.
    pub fn new(quasi: &[&str], sensitive: &[&str], limits: Limits) -> Result<Self, AnonymityError> {
        if quasi.is_empty() {
            return Err(AnonymityError::NoColumns);
        }
        let column = |name: &&str| Column { name: (*name).to_owned(), values: Values::default() };
        Ok(Self {
            quasi: quasi.iter().map(column).collect(),
            sensitive: sensitive.iter().map(column).collect(),
            groups: BTreeMap::new(),
            limits,
            values: 0,
            pairs: 0,
            refused: None,
        })
    }

    /// Takes a row: the values of its quasi-identifiers and of its sensitive columns.
    ///
    /// # Errors
    ///
    /// When the row does not fit or a bound is reached. Nothing can be said of the record set then,
    /// whatever follows.
    pub fn push(
        &mut self,
        quasi: &[Value<'_>],
        sensitive: &[Value<'_>],
    ) -> Result<(), AnonymityError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        let taken = self.take(quasi, sensitive);
        self.refused = taken.as_ref().err().cloned();
        taken
    }

    fn take(&mut self, quasi: &[Value<'_>], sensitive: &[Value<'_>]) -> Result<(), AnonymityError> {
        if quasi.len() != self.quasi.len() || sensitive.len() != self.sensitive.len() {
            return Err(AnonymityError::WrongRow);
        }
        let key = numbers(&mut self.quasi, quasi, &mut self.values)?;
        let counted = numbers(&mut self.sensitive, sensitive, &mut self.values)?;
        if self.values > self.limits.most_values {
            return Err(AnonymityError::TooManyValues);
        }
        if !self.groups.contains_key(&key) && self.groups.len() >= self.limits.most_groups {
            return Err(AnonymityError::TooManyGroups);
        }
        let group = self.groups.entry(key).or_default();
        group.records += 1;
        group.counts.resize(self.sensitive.len(), BTreeMap::new());
        for (counts, value) in group.counts.iter_mut().zip(&counted) {
            let count = counts.entry(*value).or_default();
            self.pairs += usize::from(*count == 0);
            *count += 1;
        }
        if self.pairs > self.limits.most_pairs {
            return Err(AnonymityError::TooManyValues);
        }
        Ok(())
    }

    /// Whether the record set meets the criteria.
    ///
    /// # Errors
    ///
    /// When a bound was reached, there are no records, or the criteria do not fit.
    pub fn assess(&self, criteria: &Criteria) -> Result<Assessment, AnonymityError> {
        self.check(criteria)?;
        let mut too_small = Sizes::new();
        let mut too_uniform: BTreeMap<String, Sizes> = BTreeMap::new();
        for group in self.groups.values() {
            if group.records < criteria.k {
                group.add_to(&mut too_small);
            }
            for (column, counts) in self.sensitive.iter().zip(&group.counts) {
                if !is_diverse(counts, criteria.diversity) {
                    group.add_to(too_uniform.entry(column.name.clone()).or_default());
                }
            }
        }
        if !too_small.is_empty() || !too_uniform.is_empty() {
            return Ok(Assessment::Refused { too_small, too_uniform });
        }
        let sizes = || self.groups.values().map(|group| group.records);
        Ok(Assessment::Passes {
            groups: self.groups.len() as u64,
            records: sizes().sum(),
            smallest: sizes().min().unwrap_or_default(),
        })
    }

    /// Which levels of generalisation would make the record set meet the criteria, with one ladder
    /// for each quasi-identifier and at most so many combinations looked at.
    ///
    /// # Errors
    ///
    /// As [`Records::assess`], or when the ladders do not fit the columns.
    pub fn suggest(
        &self,
        criteria: &Criteria,
        ladders: &[Ladder],
        most_steps: usize,
    ) -> Result<Suggestion, AnonymityError> {
        self.check(criteria)?;
        if ladders.len() != self.quasi.len() {
            return Err(AnonymityError::WrongLadders);
        }
        let climb = |(ladder, column): (&Ladder, &Column)| {
            ladder.climb(&column.name, &column.values.in_order())
        };
        let climbed: Result<Vec<Vec<Vec<u32>>>, AnonymityError> =
            ladders.iter().zip(&self.quasi).map(climb).collect();
        let climbed = climbed?;
        let tops: Vec<usize> = ladders.iter().map(Ladder::levels).collect();
        let passes = |levels: &[usize]| {
            let merged = self.merged(&climbed, levels);
            merged.is_some_and(|groups| groups.values().all(|group| group.meets(criteria)))
        };
        Ok(Lattice::new(&tops, &passes, most_steps).search())
    }

    fn check(&self, criteria: &Criteria) -> Result<(), AnonymityError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        let l = match criteria.diversity {
            Some(Diversity::Distinct(l) | Diversity::Entropy(l)) => l,
            None => 2,
        };
        if criteria.k < 2 || l < 2 {
            return Err(AnonymityError::Criteria);
        }
        if criteria.diversity.is_some() && self.sensitive.is_empty() {
            return Err(AnonymityError::NoSensitiveColumn);
        }
        if self.groups.is_empty() {
            return Err(AnonymityError::Empty);
        }
        Ok(())
    }

    /// The groups at certain levels.
    fn merged(
        &self,
        climbed: &[Vec<Vec<u32>>],
        levels: &[usize],
    ) -> Option<BTreeMap<Box<[u32]>, Group>> {
        let mut merged: BTreeMap<Box<[u32]>, Group> = BTreeMap::new();
        for (key, group) in &self.groups {
            let general =
                key.iter().zip(climbed).zip(levels).map(|((value, levels), level)| {
                    levels.get(*level)?.get(*value as usize).copied()
                });
            merged.entry(general.collect::<Option<_>>()?).or_default().absorb(group);
        }
        Some(merged)
    }
}

/// The numbers of a row's values; counts those that are new.
fn numbers(
    columns: &mut [Column],
    row: &[Value<'_>],
    values: &mut usize,
) -> Result<Box<[u32]>, AnonymityError> {
    let mut found = Vec::with_capacity(row.len());
    for (column, value) in columns.iter_mut().zip(row) {
        let (number, new) = column.values.number(*value)?;
        *values += usize::from(new);
        found.push(number);
    }
    Ok(found.into())
}

impl Group {
    fn add_to(&self, sizes: &mut Sizes) {
        let tally = sizes.entry(self.records).or_default();
        tally.groups += 1;
        tally.records += self.records;
    }

    fn absorb(&mut self, other: &Self) {
        self.records += other.records;
        self.counts.resize(other.counts.len(), BTreeMap::new());
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            for (value, count) in more {
                *own.entry(*value).or_default() += count;
            }
        }
    }

    fn meets(&self, criteria: &Criteria) -> bool {
        let diverse = |counts| is_diverse(counts, criteria.diversity);
        self.records >= criteria.k && self.counts.iter().all(diverse)
    }
}

fn is_diverse(counts: &BTreeMap<u32, u64>, asked: Option<Diversity>) -> bool {
    match asked {
        None => true,
        Some(Diversity::Distinct(l)) => counts.len() as u64 >= l,
        // Fewer values than asked for cannot have that entropy; this much is decided exactly.
        Some(Diversity::Entropy(l)) if (counts.len() as u64) < l => false,
        Some(Diversity::Entropy(l)) => entropy(counts) + ROUNDING >= float(l).ln(),
    }
}

/// The entropy of a column in a group: the sum of -p ln p over its values.
fn entropy(counts: &BTreeMap<u32, u64>) -> f64 {
    let all = float(counts.values().sum());
    counts.values().map(|count| float(*count) / all).map(|p| -p * p.ln()).sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts of records stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
