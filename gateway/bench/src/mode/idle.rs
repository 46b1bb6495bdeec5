//! Memory with many connections that asked once and are quiet since.

use anyhow::ensure;
use serde::Serialize;

use super::{Machine, Options, request};
use crate::{
    competitor::{Kind, Other},
    figures::{figure, mebibytes, table},
    load::{self, Work, ratio},
    note,
    process::{self, Memory},
    records::Size,
    say,
    world::CONSUMER,
};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) options: Options,
    /// Connections that are kept open.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=25_000))]
    pub(super) idle: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    machine: Machine,
    idle: u32,
    pub(super) competitors: Vec<OfKind>,
}

#[derive(Debug, Serialize)]
pub(super) struct OfKind {
    pub(super) kind: Kind,
    before_kib: u64,
    pub(super) with_kib: u64,
    peak_kib: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    arguments.options.keep(&measure(arguments).await?)
}

pub(super) async fn measure(arguments: &Arguments) -> anyhow::Result<Measured> {
    let Arguments { options, idle } = arguments;
    // HAProxy wants two files a connection even when it opens one.
    let each = if Other::Haproxy.is_in(&options.with) { 2 } else { 1 };
    let needed = u64::from(*idle) * each + 500;
    let limit = process::open_files().unwrap_or_default();
    ensure!(limit >= needed, "{needed} open files are needed; run `ulimit -n {needed}` before");
    let bench = options.bench(10)?;
    let kinds = bench.programs.kinds(&options.with);
    let machine = Machine::here();
    say(&machine);
    let provider = bench.provider().await?;
    let mut competitors = Vec::new();
    for kind in kinds.into_iter().filter(|kind| kind.listens_its_own_way()) {
        let proxy = bench.programs.start(kind, &bench.world, provider.port, 10).await?;
        let before = Memory::of(proxy.pid)?.now;
        let identity = bench.world.identity(CONSUMER.1);
        let mut job = bench.job(&proxy, identity, &request(Size::One), 200);
        job.work = Work::Hold;
        job.connections = usize::try_from(*idle)?;
        let held = load::hold(&job, bench.load).await?;
        let with = Memory::of(proxy.pid)?;
        drop(held);
        note(format!("{}: {} connections held", kind.name(), idle));
        competitors.push(OfKind {
            kind,
            before_kib: before,
            with_kib: with.now,
            peak_kib: with.peak,
        });
    }
    let rows: Vec<_> = competitors
        .iter()
        .map(|c| {
            vec![
                c.kind.name().to_owned(),
                figure(mebibytes(c.before_kib)),
                figure(mebibytes(c.with_kib)),
                figure(mebibytes(c.peak_kib)),
                figure(ratio(c.with_kib.saturating_sub(c.before_kib), u64::from(*idle))),
            ]
        })
        .collect();
    let head = ["", "MiB before", "MiB with", "peak MiB", "KiB each"];
    say(format!("\n{idle} idle connections, each after one exchange of 1 KB\n"));
    say(table(&head, &rows));
    Ok(Measured { machine, idle: *idle, competitors })
}
