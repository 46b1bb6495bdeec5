//! Connections, migrations and contracts of the durable state.
//!
//! It is in SQLite (WAL, `synchronous = FULL`) or in PostgreSQL; what a call acknowledged is on disk
//! and survives `kill -9`. One process owns a data directory or a database at a time; a second one
//! is refused. Time is an argument. No payload reaches an error, a log or a `Debug`.

mod address;
pub mod backup;
pub mod check;
pub mod checkpoints;
mod connection;
mod directory;
mod engine;
pub mod indicator;
pub mod ledger;
pub mod outbox;
mod owner;
pub mod package;
mod place;
pub mod quality;
pub mod quota;
pub mod schema;
#[cfg(test)]
mod testing;

pub use address::{Address, AddressError, PasswordError, ServerAddress};
pub use connection::{Store, StoreError};
pub use indicator::Indicators;
pub use ledger::Ledger;
pub use outbox::Outbox;
pub use package::Packages;
pub use place::Place;
pub use quality::Quality;
pub use quota::DailyQuota;
