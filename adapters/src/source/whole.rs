//! A source read once from its first row to its last, without anything being remembered of it or
//! taken from it.
//!
//! Of a table: the rows up to the position that was the last when the reading began. Of a folder: the
//! files that wait in it, which stay there.

use jiff::Timestamp;

use super::{Mark, Source, SourceError};
use crate::row::Row;

/// A reading of everything.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    source: &'a Source,
    mark: Option<Mark>,
}

impl<'a> Whole<'a> {
    /// Begins to read a source.
    pub(crate) async fn new(source: &'a Source) -> Result<Self, SourceError> {
        let mark = match source {
            Source::Csv(source) => source.waiting().await?,
            _ => source.again(None, None).await?,
        };
        Ok(Self { source, mark: Some(mark) })
    }

    /// The next rows, at most `limit`; nothing at the end. There may be none although there are more.
    pub(crate) async fn next(
        &mut self,
        limit: u32,
        now: Timestamp,
    ) -> Result<Option<Vec<Row>>, SourceError> {
        let Some(mark) = self.mark.take().filter(Mark::is_again) else { return Ok(None) };
        let reading = self.source.next(Some(&mark), limit, now).await?;
        self.mark = reading.mark;
        Ok(Some(reading.rows))
    }
}

#[cfg(test)]
mod tests;
