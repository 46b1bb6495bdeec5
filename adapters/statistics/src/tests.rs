//! Properties of whole tables, proven by an exact check that shares nothing with the code.

mod exact;
mod properties;
pub(crate) mod tables;
