//! Which levels of generalisation suffice.
//!
//! The combinations of levels are a lattice in which a combination that passes keeps passing when
//! any level rises: groups only merge. So the smallest sum of levels is found by halving, and what
//! failed rules out everything below it.

/// A combination of levels, one for each quasi-identifier.
pub(super) type Levels = Vec<usize>;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// The combination of levels that passes with the smallest sum; of several the one that
    /// generalises the first quasi-identifiers least.
    Levels(Vec<usize>),
    /// Not even the most general levels pass.
    Nothing,
    /// The search was ended by its bound.
    OutOfSteps,
}

/// A search through combinations.
pub(super) struct Lattice<'a> {
    tops: &'a [usize],
    passes: &'a dyn Fn(&[usize]) -> bool,
    failed: Vec<Levels>,
    steps_left: usize,
}

/// The search was ended by its bound.
struct OutOfSteps;

impl<'a> Lattice<'a> {
    /// A lattice up to these levels; of at most so many combinations looked at.
    pub(super) fn new(
        tops: &'a [usize],
        passes: &'a dyn Fn(&[usize]) -> bool,
        most_steps: usize,
    ) -> Self {
        Self { tops, passes, failed: Vec::new(), steps_left: most_steps }
    }

    /// The combination that passes with the smallest sum.
    pub(super) fn search(mut self) -> Suggestion {
        let (mut low, mut high) = (0_usize, self.tops.iter().sum::<usize>());
        let mut best = match self.first_at(high) {
            Ok(Some(levels)) => levels,
            Ok(None) => return Suggestion::Nothing,
            Err(OutOfSteps) => return Suggestion::OutOfSteps,
        };
        while low < high {
            let middle = low + (high - low) / 2;
            match self.first_at(middle) {
                Ok(Some(levels)) => {
                    best = levels;
                    high = middle;
                }
                Ok(None) => low = middle + 1,
                Err(OutOfSteps) => return Suggestion::OutOfSteps,
            }
        }
        Suggestion::Levels(best)
    }

    /// The first combination of this sum that passes, in order from the first quasi-identifier.
    fn first_at(&mut self, sum: usize) -> Result<Option<Levels>, OutOfSteps> {
        self.extend(&mut Vec::with_capacity(self.tops.len()), sum)
    }

    fn extend(&mut self, so_far: &mut Levels, left: usize) -> Result<Option<Levels>, OutOfSteps> {
        let Some((top, rest)) = self.tops.get(so_far.len()..).and_then(<[usize]>::split_first)
        else {
            return self.try_out(so_far);
        };
        let most_later: usize = rest.iter().sum();
        for level in left.saturating_sub(most_later)..=left.min(*top) {
            so_far.push(level);
            let found = self.extend(so_far, left - level);
            so_far.pop();
            if let Ok(None) = found {
                continue;
            }
            return found;
        }
        Ok(None)
    }

    fn try_out(&mut self, levels: &[usize]) -> Result<Option<Levels>, OutOfSteps> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or(OutOfSteps)?;
        let is_below = |failed: &Levels| levels.iter().zip(failed).all(|(level, top)| level <= top);
        if self.failed.iter().any(is_below) {
            return Ok(None);
        }
        if (self.passes)(levels) {
            return Ok(Some(levels.to_vec()));
        }
        self.failed.push(levels.to_vec());
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
