//! One group of unknown figures as an integer program.
//!
//! The solver computes in floating point, so its word is taken for nothing that protects: a table
//! it finds counts only when its rounded figures fulfil every equation exactly, and the end of an
//! interval that it claims is moved outward by a tolerance.

use std::collections::BTreeMap;

use microlp::{
    ComparisonOp, Error, OptimizationDirection, Problem, Solution, SolutionStatus, SolveOptions,
    Variable,
};

use super::{
    Direction,
    system::{Equation, System},
};

/// How far beyond its lowest possible value a figure without an upper bound is looked for.
pub(super) const FAR: i128 = 1 << 30;

/// Numbers up to here are exact in floating point, with room for sums.
const EXACT: i128 = 1 << 48;

/// By how much the claimed end of an interval is moved outward, absolutely and relatively.
const TOLERANCE: f64 = 1e-6;

/// What a solve tells.
pub(super) enum Answer {
    /// Whole-number figures that fulfil every equation, and the end of the interval if it was
    /// claimed.
    Found { figures: Option<BTreeMap<usize, i128>>, end: Option<i128> },
    /// No figures fulfil the equations.
    Inconsistent,
    /// No answer within the bounds, or none that can be used.
    None,
}

/// What is looked for.
struct Goal {
    weights: BTreeMap<usize, f64>,
    /// Ranges narrower than what is possible.
    within: BTreeMap<usize, (i128, i128)>,
    direction: Direction,
}

/// What the solver found.
struct Found {
    solution: Solution,
    variables: BTreeMap<usize, Variable>,
    /// Its figures, if they are whole and fulfil every equation exactly.
    figures: Option<BTreeMap<usize, i128>>,
}

/// The program of one group.
pub(super) struct Group<'a> {
    system: &'a System,
    members: &'a [usize],
    equations: Vec<&'a Equation>,
    most_nodes: u64,
}

impl<'a> Group<'a> {
    pub(super) fn new(
        system: &'a System,
        members: &'a [usize],
        equations: Vec<&'a Equation>,
        most_nodes: u64,
    ) -> Self {
        Self { system, members, equations, most_nodes }
    }

    /// How small or large one figure can be.
    pub(super) fn solve(&self, target: usize, direction: Direction) -> Answer {
        let goal = Goal { weights: [(target, 1.0)].into(), within: BTreeMap::new(), direction };
        let Some(Found { solution, variables, figures }) = (match self.run(&goal) {
            Ok(found) => found,
            Err(answer) => return answer,
        }) else {
            return Answer::None;
        };
        let proven = solution.status() == SolutionStatus::Optimal;
        let claimed = variables.get(&target).map(|variable| solution.var_value(*variable));
        let end = claimed.filter(|_| proven).and_then(|value| outward(value, direction));
        Answer::Found { figures, end: end.map(|end| end + self.low(target)) }
    }

    /// Figures that fulfil every equation, with many of them as small or as large as they go within
    /// their ranges: those with a negative weight small, the others large.
    pub(super) fn spread(
        &self,
        weights: BTreeMap<usize, f64>,
        within: BTreeMap<usize, (i128, i128)>,
    ) -> Option<BTreeMap<usize, i128>> {
        let goal = Goal { weights, within, direction: Direction::Up };
        self.run(&goal).ok().flatten().and_then(|found| found.figures)
    }

    fn run(&self, goal: &Goal) -> Result<Option<Found>, Answer> {
        let Some((problem, variables)) = self.problem(goal) else { return Ok(None) };
        let mut options = SolveOptions::default();
        options.node_limit = Some(self.most_nodes);
        let solution = match problem.solve_with(options).map(|outcome| outcome.into_solution()) {
            Ok(Ok(solution)) => solution,
            Err(Error::Infeasible) => return Err(Answer::Inconsistent),
            Ok(Err(_)) | Err(_) => return Ok(None),
        };
        let figures = variables.iter().map(|(at, variable)| {
            let figure = whole(solution.var_value(*variable))?;
            Some((*at, figure + self.low(*at)))
        });
        let figures: Option<BTreeMap<usize, i128>> = figures.collect();
        let figures = figures.filter(|figures| self.agree(figures));
        Ok(Some(Found { solution, variables, figures }))
    }

    fn low(&self, at: usize) -> i128 {
        self.system.possible.get(at).map_or(0, |(low, _)| *low)
    }

    fn agree(&self, figures: &BTreeMap<usize, i128>) -> bool {
        let value = |at: usize| match self.system.possible.get(at)? {
            (low, Some(high)) if low == high => Some(*low),
            _ => figures.get(&at).copied(),
        };
        let within = figures.iter().all(|(at, figure)| {
            self.system
                .possible
                .get(*at)
                .is_some_and(|(low, high)| low <= figure && high.is_none_or(|high| *figure <= high))
        });
        within && self.equations.iter().all(|equation| equation.holds(&value))
    }

    /// The program: every figure less the least that it can be, which keeps numbers small.
    fn problem(&self, goal: &Goal) -> Option<(Problem, BTreeMap<usize, Variable>)> {
        let mut problem = Problem::new(match goal.direction {
            Direction::Down => OptimizationDirection::Minimize,
            Direction::Up => OptimizationDirection::Maximize,
        });
        let mut variables = BTreeMap::new();
        for at in self.members {
            let (low, high) = self.system.possible.get(*at).copied()?;
            let weight = goal.weights.get(at).copied();
            // Without an end, a figure that is looked for would be found nowhere.
            let high = high.or_else(|| weight.map(|_| low + FAR));
            let (from, to) = match goal.within.get(at) {
                Some((from, to)) => (low.max(*from), Some(high.map_or(*to, |high| high.min(*to)))),
                None => (low, high),
            };
            let (from, to) = (from - low, to.map(|to| to - low));
            let whole = (i32::try_from(from), to.map_or(Ok(i32::MAX), i32::try_from));
            let variable = match whole {
                (Ok(from), Ok(to)) => problem.add_integer_var(weight.unwrap_or(0.0), (from, to)),
                _ => {
                    let to = to.map_or(Some(f64::INFINITY), float)?;
                    problem.add_var(weight.unwrap_or(0.0), (float(from)?, to))
                }
            };
            variables.insert(*at, variable);
        }
        for equation in &self.equations {
            let mut right = equation.right;
            let mut terms = Vec::with_capacity(equation.terms.len());
            for (at, adds) in &equation.terms {
                right -= if *adds { self.low(*at) } else { -self.low(*at) };
                if let Some(variable) = variables.get(at) {
                    terms.push((*variable, if *adds { 1.0 } else { -1.0 }));
                }
            }
            problem.add_constraint(terms, ComparisonOp::Eq, float(right)?);
        }
        Some((problem, variables))
    }
}

#[expect(clippy::cast_precision_loss, reason = "the number is small enough to be exact")]
fn float(number: i128) -> Option<f64> {
    (number.abs() <= EXACT).then_some(number as f64)
}

#[expect(clippy::cast_possible_truncation, reason = "the value was checked to be in range")]
fn whole(value: f64) -> Option<i128> {
    let rounded = value.round();
    let limit = float(EXACT)?;
    let near = (value - rounded).abs() <= TOLERANCE * value.abs().max(1.0);
    (near && rounded.abs() <= limit).then_some(rounded as i128)
}

#[expect(clippy::cast_possible_truncation, reason = "the value was checked to be in range")]
fn outward(value: f64, direction: Direction) -> Option<i128> {
    let slack = TOLERANCE * value.abs().max(1.0);
    let moved = match direction {
        // A value just above a whole number is taken for that number, never for the next one.
        Direction::Down => (value - slack).ceil(),
        Direction::Up => (value + slack).floor(),
    };
    (moved.abs() <= float(EXACT)?).then_some(moved as i128)
}

#[cfg(test)]
mod tests;
