//! The policy enforcement point: the running proxy.
//!
//! Start reading at [`pipeline`], which carries one request through every stage. [`run`] opens the
//! listeners around it, [`gateway`] holds what is in force, [`snapshot`] compiles it.

mod account;
pub mod admin;
pub mod administration;
pub mod cases;
pub mod certificate;
pub mod clock_offset;
pub mod coding;
pub mod config;
pub mod consent;
pub mod data_path;
pub mod digest_keys;
pub mod evidence;
pub mod framing;
pub mod gateway;
pub mod key_file;
pub mod keys;
pub mod lgsp;
pub mod limit;
pub mod listen;
pub mod log;
pub mod media;
pub mod metaservice;
pub mod metrics;
pub mod monitor;
pub mod operator;
pub mod path;
pub mod pipeline;
pub mod pki;
pub mod provider;
pub mod quota;
pub mod record;
pub mod refusal;
pub mod rehearse;
pub mod run;
pub mod second_place;
pub mod snapshot;
pub mod stamp;
pub mod telemetry;
pub mod tls;
pub mod xroad;
