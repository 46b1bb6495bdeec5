//! What goes to a person: records of a package that cannot be decided, rows that are not fit to leave.
//!
//! One line of JSON for each. A row of ours is named by its key and told without its values; a record
//! that came is told whole, since nobody else has it.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
};

use serde::Serialize;
use serde_json::{Map, Value};

use super::wards::Undecided;

/// A file of such lines.
#[derive(Debug)]
pub(super) struct Aside {
    output: BufWriter<File>,
    pub(super) lines: u64,
}

/// A record that a person must decide about.
#[derive(Serialize)]
pub(super) struct ForAPerson<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) part: u64,
    pub(super) undecided: &'a [Undecided],
    pub(super) record: &'a Map<String, Value>,
}

/// A row that is not fit to leave.
#[derive(Serialize)]
pub(super) struct Unfit<'a> {
    pub(super) key: &'a str,
    pub(super) reason: &'a str,
}

impl Aside {
    pub(super) fn new(file: File) -> Self {
        Self { output: BufWriter::new(file), lines: 0 }
    }

    pub(super) fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.lines = self.lines.saturating_add(1);
        serde_json::to_writer(&mut self.output, line)?;
        self.output.write_all(b"\n")
    }

    /// Makes what was written durable.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.output.flush()?;
        self.output.get_ref().sync_all()?;
        Ok(self.lines)
    }
}
