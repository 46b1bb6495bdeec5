//! From city databases to the national platforms: source, map, check, outbox, deliver.
//!
//! Takes a configuration file that describes flows; gives a report per flow. Everything is sent
//! through the gateway over mutual TLS, like any other participant. No payload value ever reaches
//! a log, an error or a `Debug`.

mod breaker;
mod check;
mod client;
pub mod config;
mod deliver;
mod desk;
mod flow;
mod gate;
mod indicator;
mod keep;
mod map;
mod ndc;
mod npsp;
mod open_data;
mod outcome;
pub mod package;
mod platform;
pub mod quality;
mod query;
mod rate;
mod receipts;
mod report;
mod row;
mod run;
mod seal;
mod settle;
mod source;
#[cfg(test)]
mod testing;
mod tray;

pub use config::{Config, PackagesConfig};
pub use desk::{Desk, DeskError, Letter, Shown};
pub use indicator::{
    Definition, IndicatorReport, Outcome, PeriodKind, PeriodReport, PeriodState, WrongPeriod, page,
};
pub use open_data::{Intent, OpenDataError, RecordSet, RecordSetReport, SizeReport, open_data};
pub use receipts::{Proof, receipts};
pub use report::{CheckOutcome, FlowReport, Report};
pub use run::{check, run, run_until_idle, status};

/// Why the adapters could not run. Says nothing about what is in a message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The durable state cannot be used.
    #[error("durable state")]
    Store(#[from] lienthong_store::StoreError),
    /// A source cannot be read.
    #[error("source of flow `{flow}`: {problem}")]
    Source {
        /// The flow.
        flow: lienthong_model::id::FlowId,
        /// What is wrong.
        problem: String,
    },
    /// The client of the gateway cannot be built.
    #[error("client of the gateway: {0}")]
    Client(String),
    /// What is kept of a platform cannot be used.
    #[error("platform: {0}")]
    Platform(String),
    /// The operator's socket or the address of the metrics cannot be listened on.
    #[error("cannot listen on `{what}`: {problem}")]
    Listen {
        /// The path or address.
        what: String,
        /// Why.
        problem: String,
    },
    /// The operator's socket failed.
    #[error("the operator's socket failed")]
    Desk(#[source] std::io::Error),
    /// A schema cannot be compiled.
    #[error("schema of `{0}` cannot be compiled")]
    Schema(String),
    /// A part of the program ended without an answer.
    #[error("a flow ended without an answer")]
    Interrupted,
}
