//! The vocabulary every other crate speaks: identifiers, reason codes, schemas, fields, masks.
//!
//! Pure data and pure functions. Nothing here does I/O, runs asynchronously or reads a clock;
//! [`clock::Clock`] is only the shape of one, so that time is always an argument.

pub mod clock;
pub mod diagnostic;
pub mod document;
pub mod exchange_mode;
pub mod field;
pub mod id;
pub mod identifier;
pub mod mask;
pub mod opaque;
pub mod partial_date;
pub mod platform_code;
pub mod quality;
pub mod quarter;
pub mod reason;
pub mod schema;
pub mod secret_file;
pub mod sensitive;
pub mod text;
pub mod vietnamese;
pub mod ward;
pub mod working_days;
