//! The records of a part as a CSV file that a CSV source reads.

use std::io::{self, Write};

use serde_json::{Map, Value};

/// A table that is written: its columns, and what comes of each.
#[derive(Debug)]
pub(super) struct Table<W> {
    output: W,
    columns: Vec<String>,
}

impl<W: Write> Table<W> {
    /// Begins a table with these columns.
    pub(super) fn new(mut output: W, columns: Vec<String>) -> io::Result<Self> {
        line(&mut output, columns.iter().map(|name| Some(name.clone())))?;
        Ok(Self { output, columns })
    }

    /// Adds a record. What is missing or null is an empty value, and so is an empty text: CSV does
    /// not tell them apart. A list or an object is its JSON.
    pub(super) fn row(&mut self, record: &Map<String, Value>) -> io::Result<()> {
        line(&mut self.output, self.columns.iter().map(|column| record.get(column).and_then(text)))
    }

    /// What it was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn line(output: &mut impl Write, values: impl Iterator<Item = Option<String>>) -> io::Result<()> {
    for (place, value) in values.enumerate() {
        if place > 0 {
            output.write_all(b",")?;
        }
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            write!(output, "\"{}\"", value.replace('"', "\"\""))?;
        }
    }
    output.write_all(b"\n")
}
