//! Signatures on documents that arrive and on what leaves, and packages that only their recipient
//! opens.
//!
//! In: bytes, a [`trust::Trust`] and the time, or a [`signer::Signer`]. Out: who signed what, or
//! the signed or encrypted bytes. What the formats are is in the modules: [`cms`], [`pdf`], [`jws`],
//! [`xml`]; [`canonical`] is the one form of a JSON document that a signature is made over.
//!
//! Must never believe a key because it came with the message, take an algorithm because the message
//! names it, read a clock, a file or a socket, or name a value of what is signed in an error.

pub mod algorithm;
pub mod canonical;
pub mod certificate;
pub mod cms;
pub mod detached;
pub mod jws;
pub mod pdf;
pub mod signer;
pub mod trust;
pub mod xml;

mod raw;
#[cfg(test)]
mod testing;
