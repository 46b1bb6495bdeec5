//! The log as others see it: its proofs, tiles and notes against vectors and code we did not write.

#![cfg(test)]

mod entries;
mod interrupted;
mod kill;
mod log;
mod loss;
mod notes;
mod proofs;
mod published;
mod reference;
mod revisions;
mod samples;
mod search;
mod second;
mod sidecars;
mod tamper;
mod vectors;
mod world;
