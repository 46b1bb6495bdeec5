//! Every mode in one go, and what came of it on one page.

mod page;

use std::{fs, path::PathBuf, time::Instant};

use anyhow::Context as _;
use serde::Serialize;

use super::{Machine, Options, agreements, compare, handshake, idle, refused, stream};
use crate::{note, process::open_files, records::Size, say};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Requests a second of the fixed rate at 1 KB; a third of it at 16 KB, a 250th at 1 MB.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 5_000)]
    rate: u32,
    /// Agreements of the large set.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=60_000))]
    agreements: u32,
    /// Connections that are kept open.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=25_000))]
    idle: u32,
    /// Size of the streamed answer.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    mebibytes: u32,
    /// Also write the page to this file, as Markdown.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Everything that was measured. What failed is missing, and said so when it did.
#[derive(Debug, Serialize)]
struct Measured {
    compare: compare::Measured,
    /// Everything on one core.
    one_core: Option<compare::Measured>,
    handshake: Option<handshake::Measured>,
    idle: Option<idle::Measured>,
    refused: Option<refused::Measured>,
    agreements: Option<agreements::Measured>,
    stream: Option<stream::Measured>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let began = Instant::now();
    let machine = Machine::here();
    let options = &arguments.options;
    let measured = measure(arguments).await?;
    let page = page::write(arguments, &machine, &measured);
    say(format!("\n{page}"));
    note(format!("all of it took {} s", began.elapsed().as_secs()));
    if let Some(file) = &arguments.write {
        fs::write(file, &page).with_context(|| format!("writing {}", file.display()))?;
    }
    options.keep(&measured)
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Measured> {
    let options = &arguments.options;
    let two_cores = compare::Arguments {
        options: options.clone(),
        sizes: Size::ALL.to_vec(),
        rate: Some(arguments.rate),
        rate_rounds: Some(options.rounds.div_ceil(2)),
        only: Vec::new(),
    };
    let compare = compare::measure(&two_cores).await?;
    let one_core = compare::Arguments {
        options: Options { load_core: options.proxy_core, ..options.clone() },
        sizes: vec![Size::One],
        rate: None,
        ..two_cores
    };
    let one_core = told("one core", compare::measure(&one_core).await);
    let handshake = told("handshake", handshake::measure(options).await);
    let idle = told("idle", idle(arguments).await);
    let fewer = Options { rounds: options.rounds.div_ceil(2), ..options.clone() };
    let refused = told("refused", refused::measure(&fewer).await);
    let many = arguments.agreements;
    let agreements = agreements::Arguments { options: options.clone(), few: 10, many, whole: many };
    let agreements = told("agreements", agreements::measure(&agreements).await);
    let stream = stream::Arguments { options: fewer, mebibytes: arguments.mebibytes };
    let stream = told("stream", stream::measure(&stream).await);
    Ok(Measured { compare, one_core, handshake, idle, refused, agreements, stream })
}

/// `HAProxy` would need two files a connection even when it opens one.
async fn idle(arguments: &Arguments) -> anyhow::Result<idle::Measured> {
    let mut options = arguments.options.clone();
    let needed = u64::from(arguments.idle) * 2 + 500;
    if open_files().is_none_or(|limit| limit < needed) {
        options.without_haproxy();
    }
    idle::measure(&idle::Arguments { options, idle: arguments.idle }).await
}

/// What a mode measured; one that fails must not take the others with it.
fn told<T>(mode: &str, measured: anyhow::Result<T>) -> Option<T> {
    measured.map_err(|error| note(format!("{mode} failed: {error:#}"))).ok()
}
