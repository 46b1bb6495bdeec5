//! How the values of one quasi-identifier become more general, level by level.

use std::{collections::BTreeMap, fmt};

use super::{AnonymityError, Value, values::Values};

/// The most levels of a ladder.
const MOST_LEVELS: usize = 16;

/// The most values of a ladder.
const MOST_VALUES: usize = 1_000_000;

/// The levels of one quasi-identifier. Level zero is the value itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Ladder {
    values: Values,
    /// By value: what it becomes at each level above zero.
    rungs: Vec<Vec<u32>>,
    levels: usize,
}

impl fmt::Debug for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ladder").field("levels", &self.levels).finish_non_exhaustive()
    }
}

/// Why values make no ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LadderError {
    /// More levels or values than a ladder may have.
    #[error("a ladder has at most {MOST_LEVELS} levels and {MOST_VALUES} values")]
    TooLarge,
    /// A value with more or fewer levels than the others.
    #[error("entry {0} has another number of levels than the first")]
    Uneven(usize),
    /// A value that stands twice.
    #[error("entry {0} is of a value that has one already")]
    Twice(usize),
    /// Two values that are one at a level and differ again above it.
    #[error("entry {0} parts from a value above the level at which they are one")]
    Parts(usize),
    /// A value whose text is too long.
    #[error("entry {0} has a text that is too long")]
    TextTooLong(usize),
}

impl Ladder {
    /// A ladder without levels: the column is left as it is.
    #[must_use]
    pub fn none() -> Self {
        Self { values: Values::default(), rungs: Vec::new(), levels: 0 }
    }

    /// A ladder of these values, each with what it becomes at level one, two and so on.
    ///
    /// # Errors
    ///
    /// When it is too large or uneven, or values that became one differ again further up.
    pub fn new(entries: &[(Value<'_>, Vec<Value<'_>>)]) -> Result<Self, LadderError> {
        let levels = entries.first().map_or(0, |(_, above)| above.len());
        if levels > MOST_LEVELS || entries.len() > MOST_VALUES {
            return Err(LadderError::TooLarge);
        }
        let mut values = Values::default();
        let mut classes = vec![Values::default(); levels];
        let mut rungs: Vec<Vec<u32>> = Vec::with_capacity(entries.len());
        let mut above_of: Vec<BTreeMap<u32, u32>> = vec![BTreeMap::new(); levels];
        for (at, (value, above)) in entries.iter().enumerate() {
            if above.len() != levels {
                return Err(LadderError::Uneven(at));
            }
            let (_, new) = values.number(*value).map_err(|_| LadderError::TextTooLong(at))?;
            if !new {
                return Err(LadderError::Twice(at));
            }
            let mut rung = Vec::with_capacity(levels);
            for (class, value) in classes.iter_mut().zip(above) {
                let number = class.number(*value).map_err(|_| LadderError::TextTooLong(at))?;
                rung.push(number.0);
            }
            // SECURITY: the search relies on more general levels never telling groups apart again.
            for ((here, next), known) in rung.iter().zip(rung.iter().skip(1)).zip(&mut above_of) {
                if *known.entry(*here).or_insert(*next) != *next {
                    return Err(LadderError::Parts(at));
                }
            }
            rungs.push(rung);
        }
        Ok(Self { values, rungs, levels })
    }

    /// How many levels there are above the value itself.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// By level, what each value of a column becomes.
    pub(super) fn climb(
        &self,
        column: &str,
        seen: &[Value<'_>],
    ) -> Result<Vec<Vec<u32>>, AnonymityError> {
        let own = (0_u32..).take(seen.len()).collect();
        let mut levels: Vec<Vec<u32>> = vec![own];
        for level in 0..self.levels {
            let mut becomes = Vec::with_capacity(seen.len());
            for value in seen {
                let rung = self.values.find(*value).and_then(|at| self.rungs.get(at as usize));
                let class = rung.and_then(|rung| rung.get(level));
                let missing = || AnonymityError::OffLadder(column.to_owned());
                becomes.push(*class.ok_or_else(missing)?);
            }
            levels.push(becomes);
        }
        Ok(levels)
    }
}

#[cfg(test)]
mod tests;
