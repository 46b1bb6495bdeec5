//! Numbers of a ministry on their way back to the city: laid where its officers see them, at least
//! once each.
//!
//! That a number is owed to the city is kept on disk before the number itself is, and forgotten when
//! it lies there for good. So whatever instant a crash comes at, the number is laid afterwards; one
//! that was laid already is left as it is.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::MAX_NUMBER;
use crate::{
    npsp::Npsp,
    platform::kept::{Kept, blocking, name_of},
    tray::{Item, Laid, Tray, TrayError},
};

/// Most numbers that are laid in one go, and the largest file of one that is owed.
const AT_ONCE: usize = 1_000;
const MAX_OWED: u64 = 16_384;
/// Waits after a failure: the first, and the longest, to which it doubles.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// How often what is owed is looked through although nothing new is known.
const REST: SignedDuration = SignedDuration::from_hours(1);
/// How long a dossier is remembered for which no number was ever kept.
const FORGET: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Where numbers are laid, and which are owed.
#[derive(Debug)]
pub(in crate::npsp) struct Back {
    pub(in crate::npsp) tray: Tray,
    owed: Arc<Kept>,
    /// The names of dossiers whose numbers were laid.
    told: Arc<Kept>,
    plan: Mutex<Plan>,
}

#[derive(Debug)]
struct Plan {
    due: Timestamp,
    failures: u32,
}

/// What is kept of a number that is owed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owed {
    /// The city's key of the dossier.
    dossier: String,
    since: Timestamp,
}

impl Back {
    pub(in crate::npsp) fn new(tray: Tray, owed: Arc<Kept>, told: Arc<Kept>) -> Self {
        let plan = Mutex::new(Plan { due: Timestamp::MIN, failures: 0 });
        Self { tray, owed, told, plan }
    }

    /// Keeps that a dossier's number is owed.
    pub(super) fn owe(&self, city: &str, since: Timestamp) -> io::Result<()> {
        let bytes = serde_json::to_vec(&Owed { dossier: city.to_owned(), since })?;
        self.owed.write(&name_of(&[city]), &bytes)
    }

    /// The same for a number that was kept before, such as one from before there was a tray.
    pub(super) fn remind(&self, city: &str, since: Timestamp) -> io::Result<()> {
        let name = name_of(&[city]);
        if !self.told.has(&name)? && !self.owed.has(&name)? {
            self.owe(city, since)?;
            self.hurry();
        }
        Ok(())
    }

    /// A number can be laid now.
    pub(super) fn hurry(&self) {
        let mut plan = self.plan();
        if plan.failures == 0 {
            plan.due = Timestamp::MIN;
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays what is owed. Gives whether there is more; nothing when some could not be laid.
    async fn pay(&self, numbers: &Arc<Kept>, now: Timestamp) -> Result<Option<bool>, TrayError> {
        let (owed, kept) = (Arc::clone(&self.owed), Arc::clone(numbers));
        let is_file = self.tray.is_folder();
        let (items, more) = blocking(move || read(&owed, &kept, is_file, now)).await?;
        if !items.is_empty() {
            self.tray.verify().await?;
        }
        let mut is_whole = true;
        for item in items {
            let name = item.name.clone();
            if let Laid::Not(reason) = self.tray.lay(item).await? {
                tracing::error!(reason, "a number of a ministry cannot be laid for the city");
                is_whole = false;
                continue;
            }
            let (owed, told) = (Arc::clone(&self.owed), Arc::clone(&self.told));
            blocking(move || {
                told.write(&name, now.to_string().as_bytes())?;
                owed.remove(&name)
            })
            .await?;
        }
        Ok(is_whole.then_some(more))
    }
}

impl Npsp {
    /// Lays the numbers that are owed to the city. Gives when that is due again.
    pub(in crate::npsp) async fn give_back(&self) -> Timestamp {
        let now = self.clock.now();
        let after = |wait| now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let Some(back) = &self.numbers.back else { return after(REST) };
        {
            let mut plan = back.plan();
            if now < plan.due {
                return plan.due;
            }
            // A number that is kept from here on sets it anew.
            plan.due = after(REST);
        }
        let paid = back.pay(&self.numbers.kept, now).await;
        let mut plan = back.plan();
        match paid {
            Ok(Some(more)) => {
                plan.failures = 0;
                if more {
                    plan.due = now;
                }
            }
            failed => {
                if let Err(error) = failed {
                    tracing::error!(%error, "numbers of a ministry wait to be laid for the city");
                }
                plan.failures = plan.failures.saturating_add(1);
                let doubled = 2_i32.saturating_pow(plan.failures.saturating_sub(1).min(20));
                plan.due = after(FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT));
            }
        }
        plan.due
    }
}

/// What is owed and can be laid: some of it, and whether there is more.
fn read(
    owed: &Kept,
    numbers: &Kept,
    is_file: bool,
    now: Timestamp,
) -> io::Result<(Vec<Item>, bool)> {
    let mut items = Vec::new();
    for name in owed.names()? {
        if items.len() == AT_ONCE {
            return Ok((items, true));
        }
        let Some(bytes) = owed.read(&name, MAX_OWED)? else { continue };
        let Owed { dossier, since } = serde_json::from_slice(&bytes)?;
        let Some(number) = numbers.read(&name, MAX_NUMBER)? else {
            // The answer was lost: the next attempt asks again, if one comes.
            if now.duration_since(since) > FORGET {
                owed.remove(&name)?;
            }
            continue;
        };
        let number = String::from_utf8_lossy(&number).into_owned();
        let text = match is_file {
            true => format!("{:#}", json!({"key": dossier, "number": number})),
            false => number,
        };
        items.push(Item { name, key: dossier, text, at: now });
    }
    Ok((items, false))
}

#[cfg(test)]
mod tests;
