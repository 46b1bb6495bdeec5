//! Lists that are polled for the city, such as questions of citizens: each item becomes one file in
//! a folder, once.
//!
//! An item is written before it is remembered: a crash in between writes it again under the same
//! name. Whoever takes a file away has the item; it does not come again.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde_json::Value;

use super::{Npsp, listing::Pages};
use crate::{
    config::InboxConfig,
    platform::kept::{Kept, name_of},
};

/// Largest item.
const MAX_ITEM: usize = 256 << 10;
/// Largest file of what is remembered of one item: a time.
const MAX_MARK: u64 = 64;
/// The end of the name of an item's file.
const END: &str = ".json";

/// A list that is polled.
#[derive(Debug)]
pub(super) struct Inbox {
    config: InboxConfig,
    /// Where items go.
    items: Arc<Kept>,
    /// What is remembered of items that went there.
    had: Arc<Kept>,
    due: Mutex<Timestamp>,
}

/// What one poll came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Polled {
    pub(super) new: usize,
    /// Items that wait at the platform because the folder is full.
    pub(super) waiting: usize,
    /// Entries that are no item: without a name, or too large.
    pub(super) unusable: usize,
}

impl Inbox {
    pub(super) fn new(config: InboxConfig, items: Arc<Kept>, had: Arc<Kept>) -> Self {
        Self { config, items, had, due: Mutex::new(Timestamp::MIN) }
    }

    pub(super) fn due(&self) -> Timestamp {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Timestamp> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Npsp {
    /// Polls a list that is due.
    pub(super) async fn poll(&self, inbox: &Inbox) {
        let now = self.clock.now();
        if now < inbox.due() {
            return;
        }
        *inbox.lock() = now.saturating_add(inbox.config.poll).unwrap_or(Timestamp::MAX);
        let id = &inbox.config.id;
        let pages = if inbox.config.is_paged { Pages::Numbered } else { Pages::One };
        let entries = match self.list(&inbox.config.call, pages).await {
            Ok(entries) => entries,
            Err(outcome) => {
                tracing::warn!(inbox = %id, ?outcome, "inbox cannot be polled");
                return;
            }
        };
        let (config, items, had) =
            (inbox.config.clone(), Arc::clone(&inbox.items), Arc::clone(&inbox.had));
        let work = move || hand_over(&config, &items, &had, &entries, now);
        match tokio::task::spawn_blocking(work).await.map_err(io::Error::other).flatten() {
            Err(error) => tracing::error!(inbox = %id, %error, "items cannot be written"),
            Ok(polled) => {
                let Polled { new, waiting, unusable } = polled;
                if waiting > 0 {
                    tracing::warn!(inbox = %id, waiting, "inbox is full: items wait at the portal");
                }
                if unusable > 0 {
                    tracing::warn!(inbox = %id, unusable, "entries cannot be taken as items");
                }
                if new > 0 {
                    tracing::info!(inbox = %id, new, "items taken");
                }
            }
        }
    }
}

fn hand_over(
    config: &InboxConfig,
    items: &Kept,
    had: &Kept,
    entries: &[Value],
    now: Timestamp,
) -> io::Result<Polled> {
    let mut polled = Polled::default();
    let mut listed = BTreeSet::new();
    let mut there = items.names()?.iter().filter(|name| name.ends_with(END)).count();
    for entry in entries {
        let key = match entry.get(&config.key) {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                polled.unusable += 1;
                continue;
            }
        };
        let bytes = serde_json::to_vec_pretty(entry).map_err(io::Error::other)?;
        if bytes.len() > MAX_ITEM {
            polled.unusable += 1;
            continue;
        }
        let name = name_of(&[&config.call, &key]);
        listed.insert(name.clone());
        let file = format!("{name}{END}");
        if had.has(&name)? {
            continue;
        }
        if !items.has(&file)? {
            if there >= config.most {
                polled.waiting += 1;
                continue;
            }
            items.write(&file, &bytes)?;
            there += 1;
            polled.new += 1;
        }
        had.write(&name, now.to_string().as_bytes())?;
    }
    forget(config, had, &listed, now)?;
    Ok(polled)
}

/// Forgets items that the platform does not list any more and that were taken long ago.
fn forget(
    config: &InboxConfig,
    had: &Kept,
    listed: &BTreeSet<String>,
    now: Timestamp,
) -> io::Result<()> {
    for name in had.names()?.iter().filter(|name| !listed.contains(*name)) {
        let mark = had.read(name, MAX_MARK)?.unwrap_or_default();
        let at = String::from_utf8_lossy(&mark).parse::<Timestamp>().unwrap_or(now);
        if now.duration_since(at) > config.remember {
            had.remove(name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
