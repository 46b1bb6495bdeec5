//! The portal's catalogues: read through the gateway, kept as files, and asked before a record is
//! sent.
//!
//! The last good one is used while the portal is away, up to an age. Without one that may be used
//! nothing passes: the flow waits.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, rngs::StdRng};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Npsp, listing::Pages};
use crate::{
    config::CatalogueConfig,
    outcome::{Outcome, Reason},
    platform::{
        Listed,
        kept::{Kept, blocking, name_of},
    },
};

/// Largest file of a catalogue.
const MAX_FILE: u64 = 128 << 20;
/// Longest wait after a reading that failed, and the one after the first.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// How soon a catalogue may be read again because it lacks a code.
const SOON: SignedDuration = SignedDuration::from_mins(15);

/// The catalogues.
#[derive(Debug)]
pub(super) struct Catalogues {
    kept: Arc<Kept>,
    all: Vec<One>,
    rng: Mutex<StdRng>,
}

#[derive(Debug)]
struct One {
    config: CatalogueConfig,
    held: RwLock<Option<Arc<Held>>>,
    plan: Mutex<Plan>,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    due: Timestamp,
    failures: u32,
}

/// A catalogue as it was read.
#[derive(Debug)]
struct Held {
    read_at: Timestamp,
    codes: BTreeSet<String>,
}

/// What is kept of it on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    call: String,
    read_at: Timestamp,
    entries: Vec<Value>,
}

impl Catalogues {
    /// Reads what is kept. A file that cannot be used is as good as none.
    pub(super) fn open(configs: &[CatalogueConfig], kept: Arc<Kept>, rng: StdRng) -> Self {
        let all = configs.iter().map(|config| {
            let held = recall(&kept, config);
            let due = held.as_ref().map_or(Timestamp::MIN, |held| {
                held.read_at.saturating_add(config.refresh).unwrap_or(Timestamp::MAX)
            });
            One {
                config: config.clone(),
                held: RwLock::new(held.map(Arc::new)),
                plan: Mutex::new(Plan { due, failures: 0 }),
            }
        });
        Self { all: all.collect(), kept, rng: Mutex::new(rng) }
    }

    /// Whether the codes of a record are listed.
    pub(super) fn listed(&self, call: &str, record: &Map<String, Value>, now: Timestamp) -> Listed {
        let mut missing = Vec::new();
        for one in &self.all {
            let checks = one.config.checks.iter().filter(|(checked, _)| checked == call);
            for (_, field) in checks {
                // A field that is not there is for the schema to judge.
                let Some(code) = record.get(field).and_then(Value::as_str) else { continue };
                let name = &one.config.call;
                let Some(held) = one.held() else {
                    return Listed::Wait(format!("catalogue `{name}` has not been read yet"));
                };
                if now.duration_since(held.read_at) > one.config.stale {
                    return Listed::Wait(format!("catalogue `{name}` is stale"));
                }
                if !held.codes.contains(code) {
                    one.hurry(held.read_at);
                    missing.push(format!("`{field}` is not listed in `{name}`"));
                }
            }
        }
        if missing.is_empty() { Listed::Yes } else { Listed::No(missing.join("; ")) }
    }

    /// When the next one is due. Never, when there is none.
    pub(super) fn due(&self) -> Timestamp {
        self.all.iter().map(|one| one.plan().due).min().unwrap_or(Timestamp::MAX)
    }

    /// A tenth more or less, so that not every city asks at the same time.
    fn jittered(&self, wait: SignedDuration) -> SignedDuration {
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let tenth = (millis / 10).max(1);
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        SignedDuration::from_millis(millis.saturating_add(rng.random_range(-tenth..=tenth)))
    }
}

impl One {
    fn held(&self) -> Option<Arc<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A code may be new at the portal: look again before the catalogue is old.
    fn hurry(&self, read_at: Timestamp) {
        let mut plan = self.plan();
        if plan.failures == 0 {
            plan.due = plan.due.min(read_at.saturating_add(SOON).unwrap_or(Timestamp::MAX));
        }
    }

    fn pages(&self) -> Pages<'_> {
        match &self.config.each {
            Some((member, values)) => Pages::Each(member, values),
            None if self.config.is_paged => Pages::Numbered,
            None => Pages::One,
        }
    }

    /// The catalogue that entries make, when it can be believed.
    fn believe(&self, entries: &[Value], now: Timestamp) -> Result<Held, Outcome> {
        let codes = codes(&self.config, entries);
        if codes.is_empty() {
            return Err(Outcome::Failed(Reason::new("catalogue holds no code")));
        }
        // A list that broke off would put every record of the rest aside.
        if let Some(last) = self.held()
            && now.duration_since(last.read_at) <= self.config.stale
            && codes.len() < last.codes.len() / 2
        {
            let reason = Reason::new("catalogue lost more than half of its codes");
            return Err(Outcome::Failed(reason));
        }
        Ok(Held { read_at: now, codes })
    }
}

impl Npsp {
    /// Reads the catalogues that are due.
    pub(super) async fn refresh_catalogues(&self) {
        for one in &self.catalogues.all {
            if self.clock.now() < one.plan().due {
                continue;
            }
            let outcome = self.refresh(one).await;
            let now = self.clock.now();
            let mut plan = one.plan();
            let wait = match outcome {
                Ok(()) => {
                    plan.failures = 0;
                    one.config.refresh
                }
                Err(reason) => {
                    plan.failures = plan.failures.saturating_add(1);
                    let call = &one.config.call;
                    tracing::warn!(call, %reason, "catalogue cannot be read");
                    let doubled = 2_i32.saturating_pow(plan.failures.saturating_sub(1).min(20));
                    FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT)
                }
            };
            let wait = self.catalogues.jittered(wait);
            plan.due = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        }
    }

    async fn refresh(&self, one: &One) -> Result<(), Reason> {
        let why = |outcome: Outcome| match outcome {
            Outcome::Refused(reason)
            | Outcome::Withheld(reason)
            | Outcome::Failed(reason)
            | Outcome::Unknown(reason)
            | Outcome::Unavailable(reason, _)
            | Outcome::Uncertain(reason, _) => reason,
            Outcome::Delivered | Outcome::Receipted(_) => Reason::new("no answer"),
        };
        let entries = self.list(&one.config.call, one.pages()).await.map_err(why)?;
        let now = self.clock.now();
        let held = one.believe(&entries, now).map_err(why)?;
        let page = Page { call: one.config.call.clone(), read_at: now, entries };
        let kept = Arc::clone(&self.catalogues.kept);
        let written = blocking(move || {
            let bytes = serde_json::to_vec(&page).map_err(std::io::Error::other)?;
            kept.write(&name_of(&[&page.call]), &bytes)
        });
        if let Err(error) = written.await {
            // Good for this process all the same; the next one reads it anew.
            tracing::warn!(call = one.config.call, %error, "catalogue cannot be kept");
        }
        tracing::info!(call = one.config.call, codes = held.codes.len(), "catalogue read");
        *one.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(held));
        Ok(())
    }
}

fn recall(kept: &Kept, config: &CatalogueConfig) -> Option<Held> {
    let bytes = kept.read(&name_of(&[&config.call]), MAX_FILE).ok()??;
    let page: Page = serde_json::from_slice(&bytes).ok()?;
    let codes = codes(config, &page.entries);
    (page.call == config.call && !codes.is_empty()).then_some(Held { read_at: page.read_at, codes })
}

fn codes(config: &CatalogueConfig, entries: &[Value]) -> BTreeSet<String> {
    let code = |entry: &Value| entry.get(&config.code).and_then(Value::as_str).map(str::to_owned);
    entries.iter().filter_map(code).collect()
}

#[cfg(test)]
mod tests;
