//! Open data: record sets that are published for everyone, once nobody in them can be told apart.
//!
//! In: one file per record set, with SQL over a city database and a role for each column. Out: whether it
//! may be published, with the sizes of the groups that speak against it; and, where it may, a CSV file with its
//! description in a folder, both or neither.
//!
//! Must never publish an identifier, nor name a value in a refusal.

mod csv;
mod gate;
mod ladder;
mod publish;
mod record_set;

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

pub use self::record_set::RecordSet;
use crate::{
    config::Config,
    query::{QueryError, Question, Span},
};

/// Groups of one size that speak against publishing.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub struct SizeReport {
    /// How many records each has.
    pub size: u64,
    /// How many groups.
    pub groups: u64,
    /// How many records they have together.
    pub records: u64,
}

/// What is said of a record set.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct RecordSetReport {
    /// Its id.
    pub id: String,
    /// Whether it may be published.
    pub passes: bool,
    /// How many records it has.
    pub records: u64,
    /// How many groups of equal quasi-identifiers.
    pub groups: u64,
    /// The size of the smallest.
    pub smallest: u64,
    /// Groups that are too small.
    pub too_small: Vec<SizeReport>,
    /// By sensitive column, groups whose values are too much alike.
    pub too_uniform: BTreeMap<String, Vec<SizeReport>>,
    /// By quasi-identifier, the levels that would do; nothing where none would.
    pub suggestion: Option<BTreeMap<String, u64>>,
    /// Why nothing can be said of it.
    pub reason: Option<String>,
    /// Where it was published.
    pub published: Option<String>,
}

/// Why a record set cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum OpenDataError {
    /// Nothing is configured.
    #[error("no `open_data` is configured")]
    NotConfigured,
    /// No record set has this id.
    #[error("there is no record set `{0}`")]
    NoRecordSet(String),
    /// What was found cannot be written.
    #[error("record set `{id}` cannot be written to `{folder}`")]
    Write {
        /// The record set.
        id: String,
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A part of the program ended without an answer.
    #[error("the work on record set `{0}` ended without an answer")]
    Interrupted(String),
}

/// Why a record set is not published. Names columns, never a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("{0}")]
    Query(#[from] QueryError),
    #[error("{0}")]
    Anonymity(#[from] lienthong_statistics::anonymity::AnonymityError),
    #[error("column `{0}`: the ladder has no level for a value")]
    OffLadder(String),
    #[error("column `{column}`: {error}")]
    Ladder { column: String, error: lienthong_statistics::anonymity::LadderError },
    #[error("column `{0}` holds what looks like a personal number")]
    PersonalNumber(String),
    #[error("column `{0}` holds what a spreadsheet would carry out")]
    Formula(String),
    #[error("column `{0}` holds a control character")]
    Control(String),
    #[error("column `{0}` has a value of more than {MAX_VALUE} bytes")]
    TooLong(String),
}

/// Longest value.
const MAX_VALUE: usize = 4_096;

/// What is done beside looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Nothing.
    Check,
    /// It is published, where it may be.
    Publish,
}

/// Looks at a record set of a configuration, and publishes it when that is meant and nothing speaks
/// against it.
///
/// # Errors
/// When it is not configured or cannot be written. What speaks against it stands in the report.
pub async fn open_data(
    config: &Config,
    id: &str,
    intent: Intent,
    now: Timestamp,
) -> Result<RecordSetReport, OpenDataError> {
    let open_data = config.open_data.as_ref().ok_or(OpenDataError::NotConfigured)?;
    let found = open_data.record_sets.iter().find(|one| one.id.as_str() == id);
    let set = found.cloned().ok_or_else(|| OpenDataError::NoRecordSet(id.to_owned()))?;
    let refused = |reason: Reason| RecordSetReport {
        id: id.to_owned(),
        reason: Some(reason.to_string()),
        ..RecordSetReport::default()
    };
    let Some(connection) = config.connections.get(&set.source) else {
        return Err(OpenDataError::NoRecordSet(id.to_owned()));
    };
    let columns = set.asked();
    // Neither is named in the query.
    let span = Span { from: Date::MIN, to: Date::MIN };
    let question = Question { template: &set.template, columns: &columns, span };
    let rows = match question.ask(connection).await {
        Ok(rows) => rows,
        Err(error) => return Ok(refused(error.into())),
    };
    let folder = open_data.publish_to.clone();
    let work = tokio::task::spawn_blocking(move || {
        let (mut report, records) = match gate::look(&set, &rows) {
            Ok(looked) => looked,
            Err(reason) => return Ok(Err(reason)),
        };
        if report.passes && intent == Intent::Publish {
            let place = publish::publish(&set, &records, &report, &folder, now);
            let place = place.map_err(|source| OpenDataError::Write {
                id: set.id.to_string(),
                folder: folder.display().to_string(),
                source,
            })?;
            report.published = Some(place.display().to_string());
        }
        Ok(Ok(report))
    });
    let done = work.await.map_err(|_| OpenDataError::Interrupted(id.to_owned()))?;
    done.map(|looked| looked.unwrap_or_else(refused))
}

#[cfg(test)]
mod tests;
