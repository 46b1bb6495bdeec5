//! Outboxes as a turn finds them: empty, with a long backlog, with messages that can be sent.
//!
//! Each is made once and copied for every turn, so that turns find the same.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use lienthong_model::{id::FlowId, sensitive::Sensitive};
use lienthong_store::{
    Place, Store,
    outbox::{Batch, NewMessage},
};
use serde::Serialize;

use crate::world::{
    bus::{City, FLOW_ID, copy},
    clock,
};

/// Messages put in at once.
const AT_ONCE: u64 = 10_000;
/// Bytes of a payload of the backlog, about those of a sealed dossier.
const PAYLOAD: usize = 1_300;
/// How long the backlog waits.
const WAIT: SignedDuration = SignedDuration::from_hours(24 * 365);

/// What keeps the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Engine {
    /// A server.
    Postgres,
    /// A file in the adapters' own process.
    Sqlite,
}

impl Engine {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

/// The durable state of the adapters, kept or of one turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) engine: Engine,
    /// Of the database and of the directory.
    pub(super) name: String,
}

impl State {
    pub(super) fn new(engine: Engine, name: impl Into<String>) -> Self {
        Self { engine, name: name.into() }
    }

    /// The data directory.
    pub(super) fn directory(&self, city: &City) -> PathBuf {
        city.path(&self.name)
    }

    /// The database on the server, where there is one.
    pub(super) fn database(&self) -> Option<&str> {
        (self.engine == Engine::Postgres).then_some(self.name.as_str())
    }

    pub(super) fn place(&self, city: &City) -> anyhow::Result<Place> {
        let database = self.database().map(|name| city.server.url(name).parse()).transpose()?;
        Ok(Place::new(self.directory(city), database))
    }

    /// Makes the state, with so many messages that wait for a day that is far away.
    pub(super) async fn make(&self, city: &City, backlog: u64) -> anyhow::Result<()> {
        if let Some(name) = self.database() {
            city.server.create(name, None)?;
        }
        let store = Store::open(self.place(city)?).await?;
        let flow: FlowId = FLOW_ID.parse()?;
        let later = clock().now().saturating_add(WAIT).unwrap_or(Timestamp::MAX);
        let mut from = 0;
        while from < backlog {
            let to = backlog.min(from + AT_ONCE);
            let batch = Batch {
                rows: to - from,
                messages: (from..to).map(waiting).collect(),
                ..Batch::default()
            };
            store.outbox().enqueue(&flow, &batch, later).await?;
            from = to;
        }
        store.close().await;
        self.settle(city)
    }

    /// Lets the database find its plans, as it does by itself after a while.
    pub(super) fn settle(&self, city: &City) -> anyhow::Result<()> {
        if let Some(name) = self.database() {
            city.server.ask(name, "VACUUM ANALYZE")?;
            city.server.ask(name, "CHECKPOINT")?;
        }
        Ok(())
    }

    /// A copy under another name.
    pub(super) fn copied(&self, city: &City, name: &str) -> anyhow::Result<Self> {
        let copied = Self::new(self.engine, name);
        let directory = copied.directory(city);
        match self.database() {
            Some(template) => {
                city.server.create(name, Some(template))?;
                fs::create_dir(&directory)?;
                fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
            }
            None => copy(&self.directory(city), &directory)?,
        }
        Ok(copied)
    }

    /// Removes it.
    pub(super) fn remove(&self, city: &City) -> anyhow::Result<()> {
        if let Some(name) = self.database() {
            city.server.remove(name)?;
        }
        fs::remove_dir_all(self.directory(city))?;
        Ok(())
    }
}

/// A message of a case of its own.
fn waiting(number: u64) -> NewMessage {
    // Sealed payloads cannot be compressed; neither can this.
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let payload = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    NewMessage {
        kind: "DongBoHoSoMC".to_owned(),
        idempotency_key: format!("H29.40-251102-{number:07}/1"),
        ordering_key: format!("H29.40-251102-{number:07}"),
        position: i64::try_from(number).unwrap_or(i64::MAX),
        payload: Sensitive::new(payload.flatten().take(PAYLOAD).collect()),
        replaces: None,
    }
}
