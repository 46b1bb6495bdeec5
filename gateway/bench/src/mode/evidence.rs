//! What durable evidence costs: the gateway with its log on disk, the same with it in memory, where
//! `fdatasync` is free, and nginx, which leaves none.

use serde::Serialize;

use super::{Machine, Options, order, request};
use crate::{
    competitor::Kind,
    figures::{Summary, figure, table, times},
    note,
    records::Size,
    say,
    world::CONSUMER,
};

#[derive(Debug, Serialize)]
pub(super) struct Measured {
    machine: Machine,
    connections: usize,
    pub(super) proxies: Vec<OfProxy>,
}

#[derive(Debug, Serialize)]
pub(super) struct OfProxy {
    pub(super) kind: Kind,
    pub(super) summary: Summary,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    options.keep(&measure(options).await?)
}

pub(super) async fn measure(options: &Options) -> anyhow::Result<Measured> {
    let bench = options.bench(10)?;
    let machine = Machine::here();
    say(&machine);
    let provider = bench.provider().await?;
    let mut kinds = vec![Kind::Gateway, Kind::GatewayInMemory];
    kinds.extend(bench.programs.kinds(&options.with).into_iter().filter(|k| *k == Kind::Nginx));
    let mut proxies = Vec::new();
    for kind in &kinds {
        proxies.push(bench.programs.start(*kind, &bench.world, provider.port, 10).await?);
    }
    let mut outcomes = vec![Vec::new(); kinds.len()];
    for round in 0..options.rounds {
        for turn in order(kinds.len(), round) {
            let (Some(proxy), Some(outcomes)) = (proxies.get(turn), outcomes.get_mut(turn)) else {
                continue;
            };
            let identity = bench.world.identity(CONSUMER.1);
            let job = bench.job(proxy, identity, &request(Size::One), 200);
            outcomes.push(bench.turn(&job).await?);
        }
        note(format!("round {} of {}", round + 1, options.rounds));
    }
    let proxies: Vec<_> = kinds
        .iter()
        .zip(&outcomes)
        .map(|(kind, rounds)| OfProxy { kind: *kind, summary: Summary::of(rounds) })
        .collect();
    let memory = proxies.iter().find(|p| p.kind == Kind::GatewayInMemory);
    let (rate, cpu) =
        memory.map(|p| (p.summary.rate.median, p.summary.cpu.min)).unwrap_or_default();
    let rows: Vec<_> = proxies
        .iter()
        .map(|OfProxy { kind, summary: s }| {
            vec![
                kind.name().to_owned(),
                format!("{:.0}", s.rate.median),
                times(s.rate.median, rate),
                figure(s.cpu.min),
                figure(s.cpu.median),
                times(s.cpu.min, cpu),
                (s.other + s.broken).to_string(),
            ]
        })
        .collect();
    let head = ["1 KB", "a second", "of memory", "CPU µs, best", "median", "of memory", "failed"];
    say(format!("\n{}", table(&head, &rows)));
    Ok(Measured { machine, connections: options.connections, proxies })
}
