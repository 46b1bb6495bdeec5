//! Releases of indicators as rows: what was computed here goes out like anything else, in order, once.
//!
//! A row's position is the number of its release. Numbers have no gap and become visible in their
//! order, so every release is read. There is nothing in a row that readers may not see.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use lienthong_store::{Store, StoreError, indicator::Release};
use serde::{Deserialize, Serialize};

use super::{Guarantee, Keys, Mark, Reach, Reading, SourceError, again::Again, layout};
use crate::{
    config::FlowConfig,
    row::{Cell, Row},
};

/// What the source is called in messages.
const NAME: &str = "releases";
/// Most releases that are read at once: each can be as large as a row may be.
const MOST: u32 = 16;

/// The columns, sorted.
static COLUMNS: LazyLock<Arc<[String]>> = LazyLock::new(|| {
    let names = [
        "computed_at",
        "content",
        "digest",
        "indicator",
        "key",
        "number",
        "period",
        "period_from",
        "period_kind",
        "period_to",
        "revision",
        "statistic",
        "why",
    ];
    names.map(str::to_owned).into_iter().collect()
});

/// The releases of the durable state.
#[derive(Debug)]
pub(crate) struct Releases {
    store: Arc<Store>,
}

/// How far they were read.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Far {
    #[serde(default)]
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

/// What a release says of its period.
#[derive(Deserialize)]
struct Said {
    statistic: String,
    period: Time,
}

#[derive(Deserialize)]
struct Time {
    kind: String,
    from: String,
    to: String,
}

impl Releases {
    /// The releases of a durable state, for a flow that maps columns which they have.
    pub(crate) fn open(flow: &FlowConfig, store: &Arc<Store>) -> Result<Self, SourceError> {
        Self::verify(flow)?;
        Ok(Self { store: Arc::clone(store) })
    }

    /// Names a column that no release has.
    pub(crate) fn verify(flow: &FlowConfig) -> Result<(), SourceError> {
        match layout::columns(flow).into_iter().find(|name| !COLUMNS.contains(name)) {
            None => Ok(()),
            Some(column) => Err(SourceError::NoColumn { table: NAME.to_owned(), column }),
        }
    }

    pub(super) fn guarantee() -> Guarantee {
        Guarantee { reach: Reach::Complete, unseen: &[] }
    }

    pub(super) async fn next(
        &self,
        mark: Option<&Mark>,
        limit: u32,
    ) -> Result<Reading, SourceError> {
        let mut far: Far = Mark::read(mark)?;
        let (limit, is_again) = (limit.min(MOST), far.again.is_some());
        let behind = far.again.as_ref().map_or(far.at, |again| again.behind);
        let releases = self.store.indicators().behind(behind, limit).await?;
        let more = u32::try_from(releases.len()).is_ok_and(|count| count >= limit);
        let until = far.again.as_ref().map_or(i64::MAX, |again| again.until);
        let releases: Vec<Release> =
            releases.into_iter().filter(|one| one.number <= until).collect();
        let last = releases.last().map(|one| one.number);
        let moved = match far.again.take() {
            Some(again) => {
                far.again = again.onward(last, more);
                true
            }
            None => {
                far.at = last.unwrap_or(far.at);
                last.is_some()
            }
        };
        let mark = if moved { Some(Mark::write(&far)?) } else { None };
        let more = more || is_again;
        Ok(Reading { rows: releases.into_iter().map(row).collect(), mark, more })
    }

    pub(super) async fn taken(&self, rows: &[Row], now: Timestamp) -> Result<(), SourceError> {
        let numbers: Vec<i64> = rows.iter().map(|row| row.position).collect();
        Ok(self.store.indicators().published(&numbers, now).await?)
    }

    pub(super) async fn with_keys(&self, keys: &[String]) -> Result<Vec<Row>, SourceError> {
        let mut found = Vec::new();
        for key in keys {
            // A key is `INDICATOR/PERIOD/REVISION`.
            let mut parts = key.split('/');
            let (Some(indicator), Some(period), Some(revision)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let (Ok(indicator), Ok(revision)) = (indicator.parse(), revision.parse::<u32>()) else {
                continue;
            };
            let releases = self.store.indicators().of_period(&indicator, period, u32::MAX).await?;
            found.extend(releases.into_iter().filter(|one| one.revision == revision).map(row));
        }
        Ok(found)
    }

    pub(super) async fn keys(&self, after: Option<&str>, limit: u32) -> Result<Keys, SourceError> {
        let (after, limit) = (super::position(after)?.max(0), limit.min(MOST));
        let releases = self.store.indicators().behind(after, limit).await?;
        let rows = releases.iter().map(|one| (one.number, Some(key(one)))).collect();
        Ok(Keys::page(rows, limit))
    }

    pub(super) async fn again(
        &self,
        mark: Option<&Mark>,
        from: Option<&str>,
    ) -> Result<Mark, SourceError> {
        let until = self.store.indicators().highest().await?;
        let again = Again { behind: super::position(from)?.max(0), until };
        Mark::write(&Far { again: Some(again), ..Mark::read(mark)? })
    }
}

impl From<StoreError> for SourceError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn key(release: &Release) -> String {
    format!("{}/{}/{}", release.indicator, release.period, release.revision)
}

fn row(release: Release) -> Row {
    let key = key(&release);
    let Ok(said) = serde_json::from_str::<Said>(&release.content) else {
        return Row::unusable(release.number, key, "release cannot be read");
    };
    let cell = |name: &String| match name.as_str() {
        "computed_at" => Cell::Text(release.computed_at.to_string()),
        "content" => Cell::Text(release.content.clone()),
        "digest" => Cell::Text(release.digest.clone()),
        "indicator" => Cell::Text(release.indicator.to_string()),
        "key" => Cell::Text(key.clone()),
        "number" => Cell::Integer(release.number),
        "period" => Cell::Text(release.period.clone()),
        "period_from" => Cell::Text(said.period.from.clone()),
        "period_kind" => Cell::Text(said.period.kind.clone()),
        "period_to" => Cell::Text(said.period.to.clone()),
        "revision" => Cell::Integer(i64::from(release.revision)),
        "statistic" => Cell::Text(said.statistic.clone()),
        _ => release.why.clone().map_or(Cell::Null, Cell::Text),
    };
    let cells = COLUMNS.iter().map(cell).collect();
    Row::new(release.number, key, &COLUMNS, cells)
}

#[cfg(test)]
mod tests;
