//! The structure of the repository, as tests: who may import whom, what stands where, which
//! documents belong to which code. A failure names the file to mend.

mod crates;
mod documents;
mod hygiene;
mod keys;
mod layout;
mod reasons;
mod stages;
mod telemetry;
mod tree;
