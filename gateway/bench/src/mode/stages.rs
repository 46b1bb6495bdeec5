//! Microseconds of each stage of the gateway's pipeline, as its own traces tell them.
//!
//! The gateway runs with every exchange traced and this process as the collector, under one
//! connection: with more, the stages that wait would tell of each other. A stage that waits for
//! the provider or the body has that wait in it. Traces count whole microseconds, so the figures are
//! means of many; the slowest hundredth, in which something else ran, is left out.

mod collector;

use std::time::Duration;

use anyhow::ensure;
use serde::Serialize;

use super::{Machine, Options, request};
use crate::{
    competitor::Kind,
    figures::{figure, table},
    load::ratio,
    note,
    records::Size,
    say,
    world::CONSUMER,
};

/// Within this what the gateway still holds has come: its batches wait a second.
const LAST_BATCH: Duration = Duration::from_millis(1500);

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Sizes of the answer.
    #[arg(long, value_delimiter = ',', default_value = "1k,16k,1m")]
    sizes: Vec<Size>,
    /// Share of the exchanges that is traced.
    #[arg(long, default_value_t = 0.2)]
    share: f64,
}

#[derive(Debug, Serialize)]
struct Measured {
    machine: Machine,
    sizes: Vec<OfSize>,
}

#[derive(Debug, Serialize)]
struct OfSize {
    size: Size,
    /// CPU time of a whole exchange under this load, microseconds.
    cpu: f64,
    exchanges: usize,
    /// Mean microseconds by the name of the span.
    spans: Vec<(String, f64)>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { options, sizes, share } = arguments;
    let collector = collector::Collector::start().await?;
    let mut bench = options.bench(10)?;
    bench.world.configure_also(&format!(
        "telemetry: {{otlp: {{endpoint: \"http://127.0.0.1:{}/v1/traces\", sample_share: {share}, \
         queue: 8192}}}}\n",
        collector.port
    ));
    let machine = Machine::here();
    say(&machine);
    let provider = bench.provider().await?;
    let mut measured = Vec::new();
    for size in sizes {
        let proxy = bench.programs.start(Kind::Gateway, &bench.world, provider.port, 10).await?;
        let identity = bench.world.identity(CONSUMER.1);
        let mut job = bench.job(&proxy, identity, &request(*size), 200);
        job.connections = 1;
        let outcome = bench.turn(&job).await?;
        tokio::time::sleep(LAST_BATCH).await;
        let spans = collector.take();
        let exchanges = spans.first().map_or(0, |(_, nanos)| nanos.len());
        ensure!(exchanges > 0, "no trace came");
        note(format!("{size}: {exchanges} traces"));
        let spans = spans.into_iter().map(|(name, nanos)| (name, mean_micros(nanos))).collect();
        measured.push(OfSize { size: *size, cpu: outcome.cpu_each(), exchanges, spans });
    }
    say(report(&measured));
    options.keep(&Measured { machine, sizes: measured })
}

/// The mean of all but the slowest hundredth.
fn mean_micros(mut nanos: Vec<u64>) -> f64 {
    nanos.sort_unstable();
    nanos.truncate(nanos.len() - nanos.len() / 100);
    ratio(nanos.iter().sum(), nanos.len() as u64) / 1e3
}

fn report(sizes: &[OfSize]) -> String {
    let names: Vec<&String> =
        sizes.first().map(|of| of.spans.iter().map(|(name, _)| name).collect()).unwrap_or_default();
    let of = |of: &OfSize, name: &str| {
        let found = of.spans.iter().find(|(known, _)| known == name);
        found.map_or_else(|| "–".to_owned(), |(_, micros)| figure(*micros))
    };
    let mut rows: Vec<Vec<String>> = names
        .into_iter()
        .map(|name| {
            std::iter::once(name.clone()).chain(sizes.iter().map(|size| of(size, name))).collect()
        })
        .collect();
    let cpu = sizes.iter().map(|of| figure(of.cpu));
    rows.push(std::iter::once("CPU time, listener and log too".to_owned()).chain(cpu).collect());
    let names: Vec<String> = sizes.iter().map(|of| format!("{}, µs", of.size)).collect();
    let head: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
    format!("\n{}", table(&head, &rows))
}
