//! CPU time of a connection with a full mutual-TLS handshake and no request.

use serde::Serialize;

use super::{Machine, Options, order, request};
use crate::{
    competitor::Kind,
    figures::{Summary, figure, table, times},
    load::{ACCEPTED, Work},
    note,
    records::Size,
    say,
    world::CONSUMER,
};

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    machine: Machine,
    pub(super) competitors: Vec<OfKind>,
}

#[derive(Debug, Serialize)]
pub(super) struct OfKind {
    pub(super) kind: Kind,
    pub(super) summary: Summary,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    options.keep(&measure(options).await?)
}

pub(super) async fn measure(options: &Options) -> anyhow::Result<Measured> {
    let bench = options.bench(10)?;
    let kinds = bench.programs.kinds(&options.with);
    let machine = Machine::here();
    say(&machine);
    let provider = bench.provider().await?;
    let mut proxies = Vec::new();
    for kind in kinds.into_iter().filter(|kind| kind.listens_its_own_way()) {
        let proxy = bench.programs.start(kind, &bench.world, provider.port, 10).await?;
        proxies.push((kind, proxy, Vec::new()));
    }
    for round in 0..options.rounds {
        for turn in order(proxies.len(), round) {
            let Some((_, proxy, outcomes)) = proxies.get_mut(turn) else { continue };
            let identity = bench.world.identity(CONSUMER.1);
            let mut job = bench.job(proxy, identity, &request(Size::One), ACCEPTED);
            job.work = Work::Handshakes;
            outcomes.push(bench.turn(&job).await?);
        }
        note(format!("round {} of {}", round + 1, options.rounds));
    }
    let competitors: Vec<_> = proxies
        .iter()
        .map(|(kind, _, outcomes)| OfKind { kind: *kind, summary: Summary::of(outcomes) })
        .collect();
    let of = |kind| competitors.iter().find(|c| c.kind == kind);
    let base = of(Kind::Nginx).or_else(|| of(Kind::Bare)).map(|c| c.summary.cpu.min);
    let rows: Vec<_> = competitors
        .iter()
        .map(|c| {
            let s = &c.summary;
            vec![
                c.kind.name().to_owned(),
                figure(s.cpu.min),
                figure(s.cpu.median),
                times(s.cpu.min, base.unwrap_or_default()),
                format!("{:.0}", s.rate.median),
                figure(s.latency.p50),
                figure(s.latency.p99),
                (s.other + s.broken).to_string(),
            ]
        })
        .collect();
    let base = if of(Kind::Nginx).is_some() { "of nginx" } else { "of bare" };
    let head = ["", "CPU µs, best", "median", base, "a second", "p50 µs", "p99 µs", "failed"];
    say(format!("\n{}", table(&head, &rows)));
    Ok(Measured { machine, competitors })
}
