//! The one pass against a slow reference on document trees and the `jsonschema` crate.

#![cfg(test)]

mod canary;
mod differential;
mod generate;
mod media;
mod reference;
mod robustness;
mod silence;
mod stream;

use lienthong_disclosure::Pseudonymiser;
use lienthong_model::sensitive::Sensitive;
use proptest::test_runner::Config;

/// The key of every pseudonym in these tests.
const KEY: [u8; 32] = [9; 32];
const CONSUMER: &str = "H29.40";
const PERIOD: &str = "2026";

fn pseudonyms() -> Pseudonymiser {
    let consumer = CONSUMER.parse().expect("an agency code");
    Pseudonymiser::new(Sensitive::new(KEY), &consumer, PERIOD)
}

/// At most `cases` cases, unless `PROPTEST_CASES` says otherwise.
fn config(cases: u32) -> Config {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if asked { Config::default().cases } else { cases };
    Config { cases, failure_persistence: None, ..Config::default() }
}
