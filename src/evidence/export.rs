//! `lienthong evidence export`: entries for other tools, as JSON lines or as a table.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use lienthong_evidence::{
    entry::{Action, Entry},
    tile::{self, WIDTH},
};
use lienthong_model::text::Language;
use serde_json::Value;

use super::{
    access::{Access, Dates, Deed, Opened, Span, bar},
    row::time,
};
use crate::output::{Exit, Output};

/// The columns of a table, in order. New ones are added at the end.
const COLUMNS: [&str; 41] = [
    "index",
    "at",
    "kind",
    "exchange",
    "sequence",
    "node",
    "acting",
    "via",
    "provider",
    "service",
    "operation",
    "agreement",
    "purpose",
    "decision",
    "reason",
    "end",
    "status",
    "elements",
    "bytes",
    "disclosed",
    "masked",
    "dropped",
    "withheld",
    "micros",
    "count",
    "action",
    "operator",
    "role",
    "why",
    "rules",
    "articles",
    "consent",
    "request",
    "revision",
    "right",
    "controller",
    "recipients",
    "collector",
    "channel",
    "participant",
    "due_ms",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A line of JSON for each entry: its place, and the entry as it stands in the log.
    Jsonl,
    /// Comma-separated values with a head; without digests and commitments.
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    access: Access,
    /// In which form.
    #[arg(long, value_enum)]
    format: Form,
    #[command(flatten)]
    dates: Dates,
    /// File to write; by default standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(arguments: &Export, output: &Output) -> anyhow::Result<Exit> {
    let Export { access, dates, .. } = arguments;
    let config = access.config()?;
    let verifier = access.verifier(config.as_ref())?;
    let span = dates.span()?;
    let deed = Deed { span, ..Deed::of(Action::Export) };
    access.record(config.as_ref(), &deed, output).await?;
    let mut opened = access.open(&verifier, output)?;
    let out: Box<dyn Write> = match &arguments.out {
        Some(path) => {
            let file = File::create_new(path);
            Box::new(file.with_context(|| format!("cannot create {}", path.display()))?)
        }
        None => Box::new(io::stdout().lock()),
    };
    let mut writer = Writer { out: BufWriter::new(out), form: arguments.format, span, count: 0 };
    match writer.all(&mut opened, output) {
        Ok(()) => {}
        // Whoever reads has read enough.
        Err(error) if is_closed(&error) => return Ok(Exit::Done),
        Err(error) => return Err(error),
    }
    if arguments.out.is_some() {
        let count = writer.count;
        output.line(match output.language() {
            Language::English => format!("{count} entries"),
            Language::Vietnamese => format!("{count} mục"),
        });
    }
    Ok(Exit::Done)
}

fn is_closed(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

struct Writer {
    out: BufWriter<Box<dyn Write>>,
    form: Form,
    span: Span,
    count: u64,
}

impl Writer {
    fn all(&mut self, opened: &mut Opened, output: &Output) -> anyhow::Result<()> {
        if self.form == Form::Csv {
            writeln!(self.out, "{}", COLUMNS.join(","))?;
        }
        let (from_ms, until_ms) =
            (self.span.from_ms.unwrap_or(0), self.span.until_ms.unwrap_or(u64::MAX));
        let bundles = opened.index.bundles(from_ms, until_ms)?;
        let label = output.choose("xuất", "exporting");
        let progress = bar(label, bundles.len() as u64 * WIDTH);
        for bundle in bundles {
            let bytes = opened.reader.bundle(bundle)?;
            for (index, entry) in (bundle * WIDTH..).zip(tile::entries(bytes)) {
                let Ok(entry) = entry else { break };
                self.entry(index, entry)?;
            }
            progress.inc(WIDTH);
        }
        for (index, entry) in opened.reader.tail() {
            self.entry(index, entry)?;
        }
        self.out.flush()?;
        progress.finish_and_clear();
        Ok(())
    }

    fn entry(&mut self, index: u64, bytes: &[u8]) -> anyhow::Result<()> {
        let Ok(entry) = Entry::decode(bytes) else { return Ok(()) };
        let at_ms = entry.at_ms();
        let early = self.span.from_ms.is_some_and(|from_ms| at_ms < from_ms);
        if early || self.span.until_ms.is_some_and(|until_ms| at_ms > until_ms) {
            return Ok(());
        }
        self.count += 1;
        match self.form {
            Form::Jsonl => {
                write!(self.out, "{{\"index\":{index},\"entry\":")?;
                self.out.write_all(bytes)?;
                writeln!(self.out, "}}")?;
            }
            Form::Csv => {
                let entry: Value = serde_json::from_slice(bytes)?;
                let cells = COLUMNS.map(|column| match column {
                    "index" => index.to_string(),
                    "at" => time(at_ms),
                    name => cell(entry.get(name)),
                });
                writeln!(self.out, "{}", cells.join(","))?;
            }
        }
        Ok(())
    }
}

/// A value in a table. What a spreadsheet would take for a formula is kept from being one.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => {
            let texts = values.iter().map(|v| v.as_str().unwrap_or_default());
            texts.collect::<Vec<_>>().join(" ")
        }
        Some(other) => return other.to_string(),
    };
    let formula = text.starts_with(['=', '+', '-', '@']);
    let text = if formula { format!("'{text}") } else { text };
    let quoted = text.contains([',', '"', '\n', '\r', ';']);
    if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
