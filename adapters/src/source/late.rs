//! Reading a table where commits may come late, by its [`Coverage`]: first the gaps, then what stands
//! higher than all that was read.
//!
//! The exact coverage is in memory; what is kept in the mark is smaller and never covers more. After a
//! restart some rows may be read twice, none is passed over.

use tokio::sync::Mutex;

use super::{
    SourceError,
    bounded::Bounded,
    coverage::{Coverage, Kept, Known},
};
use crate::row::Row;

/// Ranges in one question for positions.
const RANGES: usize = 64;
/// Positions asked for at once, and how often in one reading.
const POSITIONS: u32 = 50_000;
const PAGES: u32 = 4;
/// Rows asked for by their positions at once.
const ROWS: usize = 500;

/// What is asked of a table.
pub(super) trait Positions: Sync {
    /// The first transaction that has not begun; 0 where the database does not tell.
    fn begun(&self) -> impl Future<Output = Result<u64, SourceError>> + Send;

    /// The positions of rows in these ranges and behind a position, in order.
    fn positions(
        &self,
        ranges: &[(i64, i64)],
        behind: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<i64>, SourceError>> + Send;

    /// The rows at these positions, in order.
    fn rows_at(
        &self,
        positions: &[i64],
    ) -> impl Future<Output = Result<Vec<Row>, SourceError>> + Send;

    /// The rows behind a position, in order, and whether there are more.
    fn rows_behind(
        &self,
        position: i64,
        limit: u32,
    ) -> impl Future<Output = Result<(Vec<Row>, bool), SourceError>> + Send;
}

/// The memory of a table that is read so.
#[derive(Debug, Default)]
pub(super) struct Late {
    memory: Mutex<Option<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    /// What was kept of the coverage when it was like this.
    kept: Kept,
    coverage: Coverage,
    /// A walk through the gaps that did not come to its end.
    walk: Option<Walk>,
    /// The second of the last walk, and whether there was nothing more behind it.
    walked: Option<i64>,
    drained: bool,
}

/// A walk through the gaps.
#[derive(Debug)]
struct Walk {
    behind: i64,
    /// What was known when it began.
    known: Known,
}

/// What was read.
#[derive(Debug)]
pub(super) struct LateReading {
    pub(super) rows: Vec<Row>,
    pub(super) kept: Kept,
    pub(super) more: bool,
}

impl Late {
    /// The next rows behind what was kept.
    pub(super) async fn read(
        &self,
        table: &impl Positions,
        kept: Kept,
        known: Known,
        limit: u32,
    ) -> Result<LateReading, SourceError> {
        // Taken out, so that a reading that fails half-way leaves nothing behind that was not read.
        let memory = self.memory.lock().await.take();
        let mut memory = memory.filter(|memory| memory.kept == kept).unwrap_or_else(|| Memory {
            coverage: Coverage::from(kept.clone()),
            kept,
            drained: true,
            ..Memory::default()
        });
        let mut rows = Bounded::new(limit);
        if memory.coverage.wants_sample(&known) {
            memory.coverage.sample(&known, table.begun().await?);
        }
        let second = known.now.as_second();
        // While much is read, walking through the gaps at every page would cost more than the page.
        let walks = memory.drained || memory.walked != Some(second);
        // A walk that was begun earlier does not see what has come behind it.
        let resumed = memory.walk.is_some();
        if walks {
            memory.walk_gaps(table, known, &mut rows).await?;
            memory.walked = Some(second);
        }
        memory.drained = false;
        if !rows.is_full() {
            let (behind, more) = table.rows_behind(memory.coverage.high(), rows.room()).await?;
            memory.drained = !more;
            for row in behind {
                memory.coverage.note(row.position);
                rows.push(row);
            }
        }
        let more = !memory.drained || !walks || resumed || memory.walk.is_some();
        let (rows, _) = rows.finish();
        if !rows.is_empty() {
            memory.kept = memory.coverage.keep();
        }
        let kept = memory.kept.clone();
        *self.memory.lock().await = Some(memory);
        Ok(LateReading { rows, kept, more })
    }
}

impl Memory {
    /// Takes the rows that have come into gaps; forgets gaps that stay.
    async fn walk_gaps(
        &mut self,
        table: &impl Positions,
        known: Known,
        rows: &mut Bounded,
    ) -> Result<(), SourceError> {
        let mut walk = self.walk.take().unwrap_or(Walk { behind: i64::MIN, known });
        for _ in 0..PAGES {
            let gaps = self.coverage.gaps(RANGES);
            if gaps.is_empty() {
                return Ok(());
            }
            let found = table.positions(&gaps, walk.behind, POSITIONS).await?;
            let full = u32::try_from(found.len()).is_ok_and(|found| found >= POSITIONS);
            let lacking: Vec<i64> =
                found.iter().copied().filter(|at| self.coverage.lacks(*at)).collect();
            for chunk in lacking.chunks(ROWS) {
                for row in table.rows_at(chunk).await? {
                    if rows.is_full() {
                        self.walk = Some(walk);
                        return Ok(());
                    }
                    walk.behind = row.position;
                    self.coverage.note(row.position);
                    rows.push(row);
                }
            }
            let Some(last) = found.last().filter(|_| full) else {
                self.coverage.settle(&walk.known);
                return Ok(());
            };
            walk.behind = *last;
        }
        self.walk = Some(walk);
        Ok(())
    }
}
