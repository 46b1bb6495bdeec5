//! Lists that are polled for the city, such as questions of citizens: each item is laid into a
//! folder or a table, once.
//!
//! An item is laid before it is remembered: a crash in between lays it again under the same name
//! or key. Whoever takes it away has the item; it does not come again.

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
    platform::kept::{Kept, blocking, name_of},
    tray::{Item, Laid, Tray, TrayError},
};

/// Largest item.
const MAX_ITEM: usize = 256 << 10;
/// Largest file of what is remembered of one item: a time.
const MAX_MARK: u64 = 64;

/// A list that is polled.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) config: InboxConfig,
    /// Where items go.
    pub(super) tray: Tray,
    /// What is remembered of items that went there.
    had: Arc<Kept>,
    due: Mutex<Timestamp>,
}

/// What one poll came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Polled {
    pub(super) new: usize,
    /// Items that wait at the platform because there is no room.
    pub(super) waiting: usize,
    /// Entries that are no item: without a name, or too large.
    pub(super) unusable: usize,
}

impl Inbox {
    pub(super) fn new(config: InboxConfig, tray: Tray, had: Arc<Kept>) -> Self {
        Self { config, tray, had, due: Mutex::new(Timestamp::MIN) }
    }

    pub(super) fn due(&self) -> Timestamp {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Timestamp> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Npsp {
    /// Polls a list that is due. Gives when it is next.
    pub(super) async fn poll(&self, inbox: &Inbox) -> Timestamp {
        let now = self.clock.now();
        if now >= inbox.due() {
            self.poll_at(inbox, now).await;
        }
        inbox.due()
    }

    async fn poll_at(&self, inbox: &Inbox, now: Timestamp) {
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
        let polled = match inbox.hand_over(entries, now).await {
            Ok(polled) => polled,
            // What was laid is remembered; the rest is still listed next time.
            Err(error) => return tracing::error!(inbox = %id, %error, "items wait at the portal"),
        };
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

/// What a list holds for the city.
#[derive(Default)]
struct Sorted {
    /// Items that were not had.
    items: Vec<Item>,
    /// The names of all.
    listed: BTreeSet<String>,
    unusable: usize,
}

impl Inbox {
    async fn hand_over(&self, entries: Vec<Value>, now: Timestamp) -> Result<Polled, TrayError> {
        let (config, had, is_file) =
            (self.config.clone(), Arc::clone(&self.had), self.tray.is_folder());
        let sorted = blocking(move || sort(&config, &had, is_file, &entries, now)).await?;
        let mut polled = Polled { unusable: sorted.unusable, ..Polled::default() };
        if !sorted.items.is_empty() {
            self.lay(sorted.items, &mut polled).await?;
        }
        let (config, had) = (self.config.clone(), Arc::clone(&self.had));
        blocking(move || forget(&config, &had, &sorted.listed, now)).await?;
        Ok(polled)
    }

    async fn lay(&self, items: Vec<Item>, polled: &mut Polled) -> Result<(), TrayError> {
        self.tray.verify().await?;
        let mut room = self.tray.room(self.config.most).await?;
        for item in items {
            if room == 0 {
                polled.waiting += 1;
                continue;
            }
            let (name, at) = (item.name.clone(), item.at);
            match self.tray.lay(item).await? {
                Laid::New => {
                    room -= 1;
                    polled.new += 1;
                }
                Laid::There => {}
                Laid::Not(reason) => {
                    polled.unusable += 1;
                    tracing::warn!(inbox = %self.config.id, reason, "an item cannot be laid");
                    continue;
                }
            }
            let had = Arc::clone(&self.had);
            blocking(move || had.write(&name, at.to_string().as_bytes())).await?;
        }
        Ok(())
    }
}

fn sort(
    config: &InboxConfig,
    had: &Kept,
    is_file: bool,
    entries: &[Value],
    now: Timestamp,
) -> io::Result<Sorted> {
    let mut sorted = Sorted::default();
    for entry in entries {
        let key = match entry.get(&config.key) {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                sorted.unusable += 1;
                continue;
            }
        };
        let text = if is_file { format!("{entry:#}") } else { entry.to_string() };
        if text.len() > MAX_ITEM {
            sorted.unusable += 1;
            continue;
        }
        let name = name_of(&[&config.call, &key]);
        if sorted.listed.insert(name.clone()) && !had.has(&name)? {
            sorted.items.push(Item { name, key, text, at: now });
        }
    }
    Ok(sorted)
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
