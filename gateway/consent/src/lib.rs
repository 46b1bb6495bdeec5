//! Consents and the rights of data subjects: what was said, what holds now, what is still owed.
//!
//! A pure state machine over the store's ledger: statements and requests come in, each change is an
//! event with a revision in commit order, and the newest state of every consent is held in memory for
//! the request path. Knows no policy, no listener and no evidence; time is an argument.

pub mod clocks;
pub mod fields;
mod guard;
mod hex;
pub mod identifier;
pub mod index;
pub mod keys;
pub mod notice;
pub mod period;
pub mod progress;
pub mod receipt;
pub mod record;
pub mod registry;
pub mod rights;
pub mod scope;
pub mod snapshot;
pub mod state;
pub mod statement;
pub mod vneid;

#[cfg(test)]
mod testing;
