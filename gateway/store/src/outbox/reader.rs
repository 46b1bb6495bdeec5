//! Which process reads the source of a flow, where several share a database. What a reader reads it
//! takes in a transaction in which it is still the reader.

use jiff::{SignedDuration, Timestamp};
use lienthong_model::id::FlowId;

use super::{Outbox, milliseconds};
use crate::{
    StoreError,
    engine::{Transaction, tell},
};

fn prefix(name: &str) -> String {
    format!("{name}/")
}

impl Outbox<'_> {
    /// What a process is called as a reader: `run` tells it from earlier ones in its name.
    #[must_use]
    pub fn reader_name(&self, run: &str) -> String {
        format!("{}{run}", prefix(self.store.name().unwrap_or_default()))
    }

    /// Makes `holder` the reader of a flow for so long, or keeps it that. `false` while another is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lead(
        &self,
        flow: &FlowId,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<bool, StoreError> {
        let until = milliseconds(now.saturating_add(length).unwrap_or(Timestamp::MAX));
        let mut transaction = self.store.write().await?;
        let done = tell!(
            &mut transaction,
            sqlx::query(
                "INSERT INTO reader (flow, holder, until) VALUES ($1, $2, $3)
             ON CONFLICT (flow) DO UPDATE SET holder = excluded.holder, until = excluded.until
             WHERE reader.holder = excluded.holder OR reader.until <= $4"
            )
            .bind(flow.as_str())
            .bind(holder)
            .bind(until)
            .bind(now.as_millisecond())
        )?;
        transaction.commit().await?;
        Ok(done == 1)
    }

    /// Gives the reading of a flow up, so that another may begin at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stop_leading(&self, flow: &FlowId, holder: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        tell!(
            &mut transaction,
            sqlx::query("DELETE FROM reader WHERE flow = $1 AND holder = $2")
                .bind(flow.as_str())
                .bind(holder)
        )?;
        transaction.commit().await
    }

    /// Takes the reading from earlier runs in this name, or from everybody.
    pub(super) async fn stop_reading(&self, name: Option<&str>) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        // A name has hexadecimal digits only.
        let pattern = name.map(|name| format!("{}%", prefix(name)));
        let stop = "DELETE FROM reader WHERE holder LIKE $1 OR $1 IS NULL";
        tell!(&mut transaction, sqlx::query(stop).bind(pattern))?;
        transaction.commit().await
    }
}

/// Makes sure, within a transaction, that `holder` is the reader of a flow.
pub(super) async fn still(
    on: &mut Transaction,
    flow: &str,
    holder: Option<&str>,
) -> Result<(), StoreError> {
    let Some(holder) = holder else { return Ok(()) };
    let done = tell!(
        on,
        sqlx::query("UPDATE reader SET until = until WHERE flow = $1 AND holder = $2")
            .bind(flow)
            .bind(holder)
    )?;
    if done == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}
