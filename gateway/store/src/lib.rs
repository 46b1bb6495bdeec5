//! Connections, migrations and contracts of the durable state.
//!
//! One process owns a data directory at a time; a second one is refused. What a call acknowledged
//! is on disk (SQLite, WAL, `synchronous = FULL`) and survives `kill -9`. Time is an argument. No
//! payload reaches an error, a log or a `Debug`.

pub mod checkpoints;
mod connection;
mod directory;
pub mod outbox;
pub mod quota;

pub use connection::{Store, StoreError};
pub use outbox::Outbox;
pub use quota::DailyQuota;
