//! Rows as they come, up to a number and a size.

use std::pin::pin;

use futures_util::{Stream, TryStreamExt as _};

use super::{MAX_BYTES, SourceError};
use crate::row::Row;

/// The limit of rows that were asked for one by one.
pub(super) const ALL: u32 = u32::MAX;

/// Rows of one reading.
#[derive(Debug)]
pub(super) struct Bounded {
    rows: Vec<Row>,
    limit: usize,
    bytes: usize,
    most_bytes: usize,
}

impl Bounded {
    pub(super) fn new(limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { rows: Vec::new(), limit, bytes: 0, most_bytes: MAX_BYTES }
    }

    /// For rows that were asked for one by one: none of them may be left out.
    pub(super) fn whole() -> Self {
        Self { rows: Vec::new(), limit: usize::MAX, bytes: 0, most_bytes: usize::MAX }
    }

    /// Takes rows while there is room; the rest is never asked for.
    pub(super) async fn fill<R>(
        &mut self,
        rows: impl Stream<Item = Result<R, sqlx::Error>>,
        make: impl Fn(R) -> Result<Row, SourceError>,
    ) -> Result<(), SourceError> {
        let mut rows = pin!(rows);
        while !self.is_full() {
            let Some(row) = rows.try_next().await? else { return Ok(()) };
            self.push(make(row)?);
        }
        Ok(())
    }

    /// Takes one row.
    pub(super) fn push(&mut self, row: Row) {
        self.bytes = self.bytes.saturating_add(row.size());
        self.rows.push(row);
    }

    /// Whether there is no room for another row.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.limit || self.bytes >= self.most_bytes
    }

    /// How many rows there is room for.
    pub(super) fn room(&self) -> u32 {
        u32::try_from(self.limit.saturating_sub(self.rows.len())).unwrap_or(u32::MAX)
    }

    /// The rows, and whether there may be more.
    pub(super) fn finish(self) -> (Vec<Row>, bool) {
        let full = self.is_full();
        (self.rows, full)
    }
}
