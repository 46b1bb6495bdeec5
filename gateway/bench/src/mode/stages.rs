//! Microseconds of each stage of the gateway's pipeline, as its own traces tell them.
//!
//! The gateway runs with every exchange traced and this process as the collector, under one
//! connection: with more, the stages that wait would tell of each other. A stage that waits for
//! the provider or the body has that wait in it.

mod collector;

use std::collections::BTreeMap;

use anyhow::ensure;
use serde::Serialize;

use super::{Machine, Options, request};
use crate::{
    competitor::Kind,
    figures::{Spread, figure, table},
    note,
    records::Size,
    say,
    world::CONSUMER,
};

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
    /// Microseconds by the name of the span.
    spans: BTreeMap<String, Spread>,
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
        // What the gateway still holds comes within the second that its batches wait.
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        let spans = collector.take();
        let exchanges = spans.get("exchange").map_or(0, Vec::len);
        ensure!(exchanges > 0, "no trace came");
        note(format!("{size}: {exchanges} traces"));
        let micros = |nanos: Vec<u64>| {
            #[expect(clippy::cast_precision_loss, reason = "nanoseconds far below 2^52")]
            Spread::of(nanos.into_iter().map(|nanos| nanos as f64 / 1e3))
        };
        let spans = spans.into_iter().map(|(name, nanos)| (name, micros(nanos))).collect();
        measured.push(OfSize { size: *size, cpu: outcome.cpu_each(), exchanges, spans });
    }
    say(report(&measured));
    options.keep(&Measured { machine, sizes: measured })
}

/// The stages in the order in which most of them end.
fn report(sizes: &[OfSize]) -> String {
    let mut names: Vec<&String> = sizes.iter().flat_map(|of| of.spans.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let rows: Vec<_> = names
        .into_iter()
        .map(|name| {
            let figures = sizes
                .iter()
                .map(|of| of.spans.get(name).map_or_else(|| "–".to_owned(), |s| figure(s.median)));
            std::iter::once(name.clone()).chain(figures).collect()
        })
        .chain([std::iter::once("CPU time of all of it".to_owned())
            .chain(sizes.iter().map(|of| figure(of.cpu)))
            .collect()])
        .collect();
    let names: Vec<String> = sizes.iter().map(|of| format!("{}, µs", of.size)).collect();
    let head: Vec<&str> =
        std::iter::once("stage, median").chain(names.iter().map(String::as_str)).collect();
    format!("\n{}", table(&head, &rows))
}
