//! Why a period of an indicator has no figures. Names columns, dimensions and categories of the
//! indicator's own file, never a value of the database and never a figure.

use lienthong_model::id::IndicatorId;
use lienthong_statistics::{
    audit::AuditError,
    linked::Finding,
    suppress::SuppressError,
    table::{CellName, Defect, FigureError, TableError},
};

use crate::query::QueryError;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("{0}")]
    Query(#[from] QueryError),
    #[error("the query gives no rows")]
    Empty,
    #[error("column `{0}` has a row without a value")]
    Null(String),
    #[error("column `{0}` has a code that is no category")]
    UnknownCategory(String),
    #[error("`{0}` stands in two rows")]
    Twice(CellName),
    #[error("column `{column}` {error}, in a row of `{cell}`")]
    Figure { column: String, cell: CellName, error: FigureError },
    #[error("column `{column}` is larger than the denominator, in a row of `{cell}`")]
    Larger { column: String, cell: CellName },
    #[error("the figures are too large to be added up")]
    Overflow,
    #[error("{0}")]
    Table(#[from] TableError),
    #[error("no way was found to publish it without telling of anyone: {0}")]
    Suppress(#[from] SuppressError),
    #[error("with earlier releases it would tell of someone: {}", told(.0))]
    Linked(Vec<Finding>),
    #[error("with it what `{name}` withholds would tell of someone: {}", told(.findings))]
    Others { name: IndicatorId, findings: Vec<Finding> },
    #[error(
        "{} was released with other dimensions: it needs an id and a statistic of its own",
        .0.as_ref().map_or_else(|| "it".to_owned(), |id| format!("indicator `{id}` of the same statistic"))
    )]
    Reshaped(Option<IndicatorId>),
    #[error("it cannot be compared with earlier releases: {0}")]
    Audit(#[from] AuditError),
    #[error("there are more than {0} releases of the period and of those to compare it with")]
    TooManyReleases(u32),
    #[error("release {0} is kept and cannot be read")]
    Kept(u32),
    #[error("the release is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the release breaks its schema at `{0}`")]
    Schema(String),
    #[error("other figures than published, {0} days after the period and more: a reason is needed")]
    TooOld(u32),
    #[error("another process computed the same period meanwhile")]
    Overtaken,
    #[error("its computing was cut off")]
    CutOff,
}

/// The first findings.
fn told(findings: &[Finding]) -> String {
    const TOLD: usize = 3;
    let mut words: Vec<String> = findings.iter().take(TOLD).map(ToString::to_string).collect();
    if findings.len() > TOLD {
        words.push(format!("and {} more", findings.len() - TOLD));
    }
    words.join("; ")
}

impl Reason {
    /// What is wrong with a table that was refused; without the codes of rows, which are values.
    pub(crate) fn of_table(error: TableError) -> Self {
        match error.defects.into_iter().next() {
            Some(Defect::UnknownCategory { dimension, .. }) => Self::UnknownCategory(dimension),
            Some(Defect::Twice(cell)) => Self::Twice(cell),
            Some(defect) => Self::Table(TableError { defects: vec![defect] }),
            None => Self::Table(TableError { defects: Vec::new() }),
        }
    }
}
