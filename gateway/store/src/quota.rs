//! Daily counters of agreements, leased in blocks.
//!
//! A leased block counts as used from the moment it is on disk, so that a process that dies gives
//! no quota back; what is left of it is given back at a clean end only. A counter never goes back
//! to an earlier day, so that a clock set back over midnight opens no day twice.

use jiff::civil::Date;
use lienthong_model::id::AgreementId;

use crate::{
    Store, StoreError,
    engine::{ask, tell},
};

/// The daily counters of a store.
#[derive(Debug, Clone, Copy)]
pub struct DailyQuota<'a> {
    store: &'a Store,
}

/// What of an agreement's day is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The latest day on which anything was counted.
    pub day: Date,
    /// What is used of it, leased blocks included.
    pub used: u64,
}

/// A block of an agreement's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// How much was granted; nothing when the limit is reached.
    pub granted: u64,
    /// The counter after that.
    pub usage: Usage,
}

impl<'a> DailyQuota<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Leases as much of `wanted` as `limit` leaves on `today`, or on the counter's own day when
    /// that is later.
    ///
    /// # Errors
    /// When the database fails; nothing is leased then.
    pub async fn lease(
        &self,
        agreement: &AgreementId,
        today: Date,
        wanted: u64,
        limit: u64,
    ) -> Result<Lease, StoreError> {
        let mut transaction = self.store.write().await?;
        let row: Option<(String, i64)> = ask!(&mut transaction, |c| sqlx::query_as(
            "SELECT day, used FROM quota WHERE agreement = $1"
        )
        .bind(agreement.as_str())
        .fetch_optional(c))?;
        let known = row.map(usage).transpose()?;
        let mut usage =
            known.filter(|known| known.day >= today).unwrap_or(Usage { day: today, used: 0 });
        let granted = wanted.min(limit.saturating_sub(usage.used));
        usage.used = usage.used.saturating_add(granted);
        if granted > 0 {
            tell!(
                &mut transaction,
                sqlx::query(
                    "INSERT INTO quota (agreement, day, used) VALUES ($1, $2, $3)
                 ON CONFLICT (agreement) DO UPDATE SET day = excluded.day, used = excluded.used",
                )
                .bind(agreement.as_str())
                .bind(usage.day.to_string())
                .bind(i64::try_from(usage.used).unwrap_or(i64::MAX))
            )?;
        }
        transaction.commit().await?;
        Ok(Lease { granted, usage })
    }

    /// Gives back what is left of the blocks of `day`. The blocks of an earlier day are gone with
    /// it.
    ///
    /// # Errors
    /// When the database fails; it stays used then.
    pub async fn give_back(
        &self,
        agreement: &AgreementId,
        day: Date,
        unused: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        tell!(
            &mut transaction,
            sqlx::query(
                "UPDATE quota SET used = CASE WHEN used > $1 THEN used - $1 ELSE 0 END
             WHERE agreement = $2 AND day = $3"
            )
            .bind(i64::try_from(unused).unwrap_or(i64::MAX))
            .bind(agreement.as_str())
            .bind(day.to_string())
        )?;
        transaction.commit().await?;
        Ok(())
    }

    /// Every counter.
    ///
    /// # Errors
    /// When the database fails, or holds what is no counter.
    pub async fn all(&self) -> Result<Vec<(AgreementId, Usage)>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(
                "SELECT agreement, day, used FROM quota ORDER BY agreement"
            )
            .fetch_all(c))?;
        rows.into_iter()
            .map(|(agreement, day, used)| {
                let id = agreement.parse().map_err(|_| StoreError::Damaged("agreement"))?;
                Ok((id, usage((day, used))?))
            })
            .collect()
    }
}

/// SECURITY: a counter that cannot be read is an error and not a fresh day.
fn usage((day, used): (String, i64)) -> Result<Usage, StoreError> {
    let day = day.parse().map_err(|_| StoreError::Damaged("day"))?;
    let used = u64::try_from(used).map_err(|_| StoreError::Damaged("used"))?;
    Ok(Usage { day, used })
}

#[cfg(test)]
mod tests;
