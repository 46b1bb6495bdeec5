//! Every competitor side by side, by size of the answer.

use anyhow::ensure;
use serde::Serialize;

use super::{Bench, Machine, Options, order, request};
use crate::{
    competitor::Kind,
    figures::{Spread, Summary, figure, mebibytes, table, times},
    load::{self, Outcome, Work},
    note,
    process::{Listening, Memory},
    records::{NUMBER, REMARK, Size},
    say,
    world::CONSUMER,
};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) options: Options,
    /// Sizes of the answer.
    #[arg(long, value_delimiter = ',', default_value = "1k,16k,1m")]
    pub(super) sizes: Vec<Size>,
    /// Also measure at a fixed rate: requests a second, all connections together; a third of it
    /// for 16 KB, a 250th for 1 MB.
    #[arg(long, value_name = "PER_SECOND")]
    pub(super) rate: Option<u32>,
    /// Rounds at the fixed rate; without it as many as the others.
    #[arg(long, value_name = "ROUNDS")]
    pub(super) rate_rounds: Option<u32>,
    /// Measure these only (the gateway is always there), such as `bare`.
    #[arg(long, value_delimiter = ',')]
    pub(super) only: Vec<Kind>,
}

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) machine: Machine,
    connections: usize,
    seconds: f64,
    pub(super) sizes: Vec<OfSize>,
}

#[derive(Debug, Serialize)]
pub(super) struct OfSize {
    pub(super) size: Size,
    /// The calibration loop of each round, microseconds.
    pub(super) calibration: Spread,
    pub(super) competitors: Vec<Competitor>,
}

#[derive(Debug, Serialize)]
pub(super) struct Competitor {
    pub(super) kind: Kind,
    /// Bytes of the answer that comes out.
    bytes: usize,
    pub(super) closed: Summary,
    pub(super) paced: Option<Summary>,
    pub(super) peak_kib: u64,
}

impl Measured {
    /// What was measured of one competitor at one size.
    pub(super) fn of(&self, size: Size, kind: Kind) -> Option<&Competitor> {
        let of_size = self.sizes.iter().find(|of| of.size == size)?;
        of_size.competitors.iter().find(|c| c.kind == kind)
    }
}

/// One that runs, with what was measured of it so far.
struct Contender {
    kind: Kind,
    proxy: Listening,
    bytes: usize,
    closed: Vec<Outcome>,
    paced: Vec<Outcome>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.options.keep(&measure(arguments).await?)
}

pub(super) async fn measure(arguments: &Arguments) -> anyhow::Result<Measured> {
    let options = &arguments.options;
    let bench = options.bench(10)?;
    let mut kinds = bench.programs.kinds(&options.with);
    if !arguments.only.is_empty() {
        kinds.retain(|kind| *kind == Kind::Gateway || arguments.only.contains(kind));
    }
    let machine = Machine::here();
    say(&machine);
    let mut sizes = Vec::new();
    for size in &arguments.sizes {
        let of_size = of_size(&bench, &kinds, *size, arguments).await?;
        report(&of_size);
        sizes.push(of_size);
    }
    let (connections, seconds) = (options.connections, options.seconds);
    Ok(Measured { machine, connections, seconds, sizes })
}

async fn of_size(
    bench: &Bench,
    kinds: &[Kind],
    size: Size,
    arguments: &Arguments,
) -> anyhow::Result<OfSize> {
    let paced_rounds = arguments.rate_rounds.unwrap_or(bench.options.rounds);
    let provider = bench.provider().await?;
    let mut contenders = Vec::new();
    for kind in kinds {
        let proxy = bench.programs.start(*kind, &bench.world, provider.port, 10).await?;
        let bytes = look(bench, *kind, &proxy, size).await?;
        contenders.push(Contender { kind: *kind, proxy, bytes, closed: vec![], paced: vec![] });
    }
    let mut calibration = Vec::new();
    for round in 0..bench.options.rounds {
        calibration.push(bench.calibrate().await?);
        let rate = arguments.rate.filter(|_| round < paced_rounds);
        for turn in order(contenders.len(), round) {
            let Some(contender) = contenders.get_mut(turn) else { continue };
            contender.turn(bench, size, rate).await?;
        }
        note(format!("{size}: round {} of {}", round + 1, bench.options.rounds));
    }
    let competitors = contenders.into_iter().map(Contender::sum).collect::<Result<_, _>>()?;
    Ok(OfSize { size, calibration: Spread::of(calibration), competitors })
}

/// Looks at one answer before anything is measured: a proxy that fails fast would look good.
async fn look(bench: &Bench, kind: Kind, proxy: &Listening, size: Size) -> anyhow::Result<usize> {
    let identity = bench.world.identity(CONSUMER.1);
    let (status, body) = load::once(proxy.address(), &identity, &request(size)).await?;
    ensure!(status == 200, "{} answers {status}: {body}", kind.name());
    let hidden = [REMARK, NUMBER].iter().filter(|secret| !body.contains(**secret)).count();
    let wanted = if kind.masks() { 2 } else { 0 };
    ensure!(hidden == wanted, "{} hides {hidden} of 2 fields, not {wanted}", kind.name());
    Ok(body.len())
}

impl Contender {
    async fn turn(&mut self, bench: &Bench, size: Size, rate: Option<u32>) -> anyhow::Result<()> {
        let identity = bench.world.identity(CONSUMER.1);
        let mut job = bench.job(&self.proxy, identity, &request(size), 200);
        job.connections = size.connections(job.connections);
        self.closed.push(bench.turn(&job).await?);
        if let Some(per_second) = rate {
            job.work = Work::Paced { per_second: size.paced(per_second) };
            self.paced.push(bench.turn(&job).await?);
        }
        Ok(())
    }

    fn sum(self) -> anyhow::Result<Competitor> {
        Ok(Competitor {
            kind: self.kind,
            bytes: self.bytes,
            closed: Summary::of(&self.closed),
            paced: (!self.paced.is_empty()).then(|| Summary::of(&self.paced)),
            peak_kib: Memory::of(self.proxy.pid)?.peak,
        })
    }
}

/// The one that the others are held against: nginx when it ran, else the bare proxy.
fn base(competitors: &[Competitor]) -> Option<&Competitor> {
    let of = |kind| competitors.iter().find(|c| c.kind == kind);
    of(Kind::Nginx).or_else(|| of(Kind::Bare))
}

fn report(of_size: &OfSize) {
    let OfSize { size, calibration, competitors } = of_size;
    say(format!(
        "\n### {size}, closed loop (calibration {} ms, {} ms in the worst round)\n",
        figure(calibration.min / 1e3),
        figure(calibration.max / 1e3)
    ));
    let base = base(competitors);
    let name = base.map(|c| c.kind.name()).unwrap_or_default();
    let head = [
        "",
        "CPU µs, best",
        "median",
        "system %",
        &format!("of {name}"),
        "requests/s",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "peak MiB",
        "bytes",
        "failed",
    ];
    let base_cpu = base.map(|c| c.closed.cpu.min).unwrap_or_default();
    let rows: Vec<_> = competitors
        .iter()
        .map(|c| {
            let mut row = of_summary(c.kind, &c.closed, base_cpu);
            row.extend([figure(mebibytes(c.peak_kib)), c.bytes.to_string(), failed(&c.closed)]);
            row
        })
        .collect();
    say(table(&head, &rows));
    let paced: Vec<_> =
        competitors.iter().filter_map(|c| Some((c.kind, c.paced.as_ref()?))).collect();
    if !paced.is_empty() {
        report_paced(*size, paced);
    }
}

fn report_paced(size: Size, paced: Vec<(Kind, &Summary)>) {
    say(format!("### {size}, fixed rate, latency from the intended start\n"));
    let head = [
        "",
        "CPU µs, best",
        "median",
        "system %",
        "",
        "requests/s",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "pacer p50 µs",
        "pacer p99 µs",
        "failed",
    ];
    let rows: Vec<_> = paced
        .into_iter()
        .map(|(kind, summary)| {
            let mut row = of_summary(kind, summary, 0.0);
            let pacer = [summary.pacer.p50, summary.pacer.p99].map(figure);
            row.extend(pacer);
            row.push(failed(summary));
            row
        })
        .collect();
    say(table(&head, &rows));
}

fn of_summary(kind: Kind, summary: &Summary, base: f64) -> Vec<String> {
    let latency = summary.latency;
    vec![
        kind.name().to_owned(),
        figure(summary.cpu.min),
        figure(summary.cpu.median),
        format!("{:.0}", summary.system_share * 100.0),
        times(summary.cpu.min, base),
        format!("{:.0}", summary.rate.median),
        figure(latency.p50),
        figure(latency.p99),
        figure(latency.p999),
    ]
}

fn failed(summary: &Summary) -> String {
    (summary.other + summary.broken + summary.unsent).to_string()
}
