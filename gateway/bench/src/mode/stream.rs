//! One long answer, element by element: throughput, CPU time, and whether memory stays level.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Serialize;

use super::{Bench, Machine, Options, ask, order};
use crate::{
    competitor::Kind,
    figures::{Spread, figure, mebibytes, table},
    load::{self, Outcome},
    note,
    process::{self, Listening, Memory},
    records::{BLOCK, NUMBER, REMARK},
    say,
    world::{CONSUMER, World},
};

/// Longest one answer may take.
const LONGEST: Duration = Duration::from_secs(180);
/// Blocks of the answer that is looked at, and of the one that warms a proxy up.
const LOOK: u64 = 1;
const WARM_UP: u64 = 256;
const MEBIBYTE: f64 = 1_048_576.0;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) options: Options,
    /// Size of the answer as the provider sends it.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(super) mebibytes: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    machine: Machine,
    pub(super) mebibytes: u32,
    pub(super) competitors: Vec<Competitor>,
}

#[derive(Debug, Serialize)]
pub(super) struct Competitor {
    pub(super) name: String,
    /// Whether it masks what passes.
    pub(super) masks: bool,
    /// Mebibytes a second, as the provider sends them.
    pub(super) rate: Spread,
    /// Seconds of CPU time for a gibibyte.
    pub(super) cpu: Spread,
    pub(super) before_kib: u64,
    /// Most memory above what it had before, in any round.
    pub(super) growth_kib: u64,
    /// Bytes that came out.
    pub(super) bytes: u64,
}

/// How the elements stand in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Lines,
    Array,
}

impl Shape {
    /// The request for an answer of so many blocks.
    fn request(self, blocks: u64) -> String {
        let path = match self {
            Self::Lines => "lines",
            Self::Array => "array",
        };
        let records = blocks * BLOCK as u64;
        let target = format!("streams/{path}?soDinhDanh=079090000001&soLuong={records}");
        ask(&target, CONSUMER.0)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Lines => "NDJSON",
            Self::Array => "one array",
        }
    }
}

/// One that runs, with what was measured of it so far.
struct Contender {
    kind: Kind,
    shape: Shape,
    proxy: Listening,
    outcomes: Vec<Outcome>,
    before_kib: u64,
    growth_kib: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.options.keep(&measure(arguments).await?)
}

pub(super) async fn measure(arguments: &Arguments) -> anyhow::Result<Measured> {
    let Arguments { options, mebibytes } = arguments;
    let mut bench = options.bench(2)?;
    bench.world = World::with_streams()?;
    let machine = Machine::here();
    say(&machine);
    let provider = bench.provider().await?;
    let block = crate::records::lines().len() as u64;
    let blocks = (u64::from(*mebibytes) << 20).div_ceil(block);
    let mut contenders = start(&bench, provider.port).await?;
    for round in 0..options.rounds {
        for turn in order(contenders.len(), round) {
            let Some(contender) = contenders.get_mut(turn) else { continue };
            contender.turn(&bench, blocks).await?;
        }
        note(format!("stream: round {} of {}", round + 1, options.rounds));
    }
    let sent = blocks * block;
    let competitors: Vec<_> = contenders.iter().map(|c| c.sum(sent)).collect();
    say(report(*mebibytes, &competitors));
    Ok(Measured { machine, mebibytes: *mebibytes, competitors })
}

async fn start(bench: &Bench, provider: u16) -> anyhow::Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    for (kind, shape) in contestants(bench) {
        let proxy = bench.programs.start(kind, &bench.world, provider, 1).await?;
        let (before_kib, growth_kib) = (0, 0);
        let contender =
            Contender { kind, shape, proxy, outcomes: Vec::new(), before_kib, growth_kib };
        contender.look(bench).await?;
        contenders.push(contender);
    }
    Ok(contenders)
}

/// The gateway with both shapes; the others do not look at what they pass on. Lua would collect
/// the whole answer, and the listener alone does.
fn contestants(bench: &Bench) -> Vec<(Kind, Shape)> {
    let kinds = bench.programs.kinds(&bench.options.with);
    let mut contestants = vec![(Kind::Gateway, Shape::Lines), (Kind::Gateway, Shape::Array)];
    for kind in kinds {
        match kind {
            Kind::Gateway
            | Kind::GatewayInMemory
            | Kind::Listener
            | Kind::NginxLua
            | Kind::NginxLimited => {}
            Kind::Nginx => contestants
                .extend([Kind::Nginx, Kind::NginxUnbuffered].map(|kind| (kind, Shape::Lines))),
            Kind::Bare | Kind::Haproxy | Kind::Envoy | Kind::NginxUnbuffered => {
                contestants.push((kind, Shape::Lines));
            }
        }
    }
    contestants
}

impl Contender {
    /// Looks at a short answer, then lets a longer one warm everything up.
    async fn look(&self, bench: &Bench) -> anyhow::Result<()> {
        let name = self.kind.name();
        let identity = bench.world.identity(CONSUMER.1);
        let request = self.shape.request(LOOK);
        let (status, body) = load::once(self.proxy.address(), &identity, &request).await?;
        ensure!(status == 200, "{name} answers {status}: {body}");
        let records = body.matches("\"HoVaTen\":\"Nguyễn Thị").count();
        let wanted = BLOCK + usize::from(self.shape == Shape::Array);
        ensure!(records == wanted, "{name} passes {records} of {wanted} records on");
        let hidden = [REMARK, NUMBER].iter().filter(|secret| !body.contains(**secret)).count();
        let wanted = if self.kind.masks() { 2 } else { 0 };
        ensure!(hidden == wanted, "{name} hides {hidden} of 2 fields, not {wanted}");
        self.ask(bench, WARM_UP).await?;
        Ok(())
    }

    async fn turn(&mut self, bench: &Bench, blocks: u64) -> anyhow::Result<()> {
        process::forget_peak(self.proxy.pid)?;
        let before = Memory::of(self.proxy.pid)?;
        let outcome = self.ask(bench, blocks).await?;
        ensure!(outcome.broken == 0, "{} broke the answer off", self.kind.name());
        let after = Memory::of(self.proxy.pid)?;
        let growth = after.peak.saturating_sub(before.now);
        if growth >= self.growth_kib {
            (self.before_kib, self.growth_kib) = (before.now, growth);
        }
        self.outcomes.push(outcome);
        Ok(())
    }

    async fn ask(&self, bench: &Bench, blocks: u64) -> anyhow::Result<Outcome> {
        let identity = bench.world.identity(CONSUMER.1);
        let mut job = bench.job(&self.proxy, identity, &self.shape.request(blocks), 200);
        (job.connections, job.most, job.warm_up) = (1, 1, 0.0);
        job.seconds = LONGEST.as_secs_f64();
        let ended = tokio::time::timeout(LONGEST, bench.turn(&job)).await;
        ended.with_context(|| format!("{} takes too long", self.kind.name()))?
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes far below 2^52")]
    fn sum(&self, sent: u64) -> Competitor {
        let mebibytes = sent as f64 / MEBIBYTE;
        let cpu = |o: &Outcome| o.cpu.total() as f64 / 1e6 / (mebibytes / 1024.0);
        let name = match self.kind {
            Kind::Gateway => format!("{}, {}", self.kind.name(), self.shape.name()),
            _ => self.kind.name().to_owned(),
        };
        Competitor {
            name,
            masks: self.kind.masks(),
            rate: Spread::of(self.outcomes.iter().map(|o| mebibytes / o.seconds)),
            cpu: Spread::of(self.outcomes.iter().map(cpu)),
            before_kib: self.before_kib,
            growth_kib: self.growth_kib,
            bytes: self.outcomes.first().map(|o| o.bytes).unwrap_or_default(),
        }
    }
}

fn report(mebibytes_sent: u32, competitors: &[Competitor]) -> String {
    let rows: Vec<_> = competitors
        .iter()
        .map(|c| {
            vec![
                c.name.clone(),
                figure(c.rate.max),
                figure(c.rate.median),
                figure(c.cpu.min),
                figure(c.cpu.median),
                figure(mebibytes(c.before_kib)),
                figure(mebibytes(c.growth_kib)),
                figure(mebibytes(c.bytes >> 10)),
            ]
        })
        .collect();
    let head = [
        "",
        "MiB/s, best",
        "median",
        "CPU s/GiB, best",
        "median",
        "MiB before",
        "MiB more at most",
        "MiB out",
    ];
    format!("\n### One answer of {mebibytes_sent} MiB\n\n{}", table(&head, &rows))
}
