//! Indicators: figures that a city computes period by period and publishes.
//!
//! In: one file per indicator, with SQL over a city database. Out: releases in the durable state, of
//! which a flow reads; what is late, missing or refused. A figure that could tell of someone is
//! withheld, together with those from which it could be derived; what cannot be protected waits for
//! a person.
//!
//! Must never keep, log or tell a figure that is withheld.

mod content;
mod cube;
mod definition;
mod outlet;
mod page;
mod period;
mod protect;
mod reason;
mod status;
mod tend;
mod work;

pub use self::{
    definition::Definition,
    page::page,
    period::PeriodKind,
    status::{IndicatorReport, PeriodReport, PeriodState},
    work::{Outcome, WrongPeriod},
};
pub(crate) use self::{tend::LEADER, work::Indicators};

#[cfg(test)]
pub(crate) use self::testing::CASES;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
