//! Data quality by the six criteria: what each row counts for, which flows are held, and what is told
//! of it.
//!
//! Counts come from what mapping and checks find of a row anyway; nothing is guessed. No value of a row
//! goes further than into its counts.

mod draw;
mod hold;
mod judge;
mod page;
mod report;
mod text;

pub(crate) use self::{
    hold::weigh,
    judge::{Found, expected},
};
pub use self::{
    page::{chart, page},
    report::{
        Ask, DefectLine, FlowQuality, FlowScores, Held, HistoryDay, OpenDefects, QualityReport,
        Score, State, UnitScore, quality,
    },
    text::text,
};
