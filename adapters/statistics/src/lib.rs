//! Figures that may be published without telling of anyone.
//!
//! In: a [`table::Table`] of counts or sums with all its totals, and [`suppress::Rules`]; or the
//! rows of a record set and what [`anonymity`] is asked of it. Out: which cells are published and
//! which are not, with a proof for each that is not; what a reader can still derive from what was
//! published ([`audit`]), alone or with earlier tables ([`linked`]).
//!
//! Must never mend a table silently, publish what it cannot prove to be protected, name a value in
//! an error, or work or remember without a bound.

pub mod anonymity;
pub mod audit;
pub mod linked;
pub mod release;
pub mod suppress;
pub mod table;

#[cfg(test)]
mod tests;
