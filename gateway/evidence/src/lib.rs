//! The log of what moved: append-only, durable, signed, provable.
//!
//! Bytes come in, and a receipt goes out when they are on disk. The bytes hang in a Merkle tree
//! (RFC 6962, RFC 9162) whose head is signed, so that whoever holds an older head can tell whether
//! anything was changed since. No payload of an exchange ever comes here.

pub mod archive;
pub mod checkpoint;
mod edge;
pub mod entry;
pub mod files;
pub mod hash;
pub mod index;
pub mod log;
pub mod note;
pub mod proof;
pub mod published;
pub mod reader;
pub mod revisions;
pub mod search;
pub mod sidecar;
pub mod tile;
pub mod tree;
pub mod verify;
