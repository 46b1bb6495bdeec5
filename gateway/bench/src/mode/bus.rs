//! The bus: rows of a city's database into the outbox, and messages out of it through the gateway to
//! the portal's stand-in.
//!
//! In: a plan on the command line. Out: rates, CPU time by process and memory, each with a long
//! backlog of other messages and without one. Everything runs on this machine; nothing is sent
//! further than loopback, and every turn is bounded in count and time.

mod state;
mod turn;

use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use serde::Serialize;

use self::{
    state::{Engine, State},
    turn::{Plan, Turn},
};
use super::{Machine, order};
use crate::{
    figures::{Spread, figure, mebibytes, table},
    note, say,
    world::bus::{City, Shipped},
};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Measure this part only.
    #[arg(long)]
    part: Option<Part>,
    /// Rounds; every outbox has its turn in each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Rows of a turn that reads.
    #[arg(long, default_value_t = 200_000, value_parser = number(10_000..=5_000_000))]
    rows: u64,
    /// Messages of a turn that delivers.
    #[arg(long, default_value_t = 20_000, value_parser = number(1_000..=1_000_000))]
    messages: u64,
    /// Messages that wait beside those that are measured.
    #[arg(long, default_value_t = 1_000_000, value_parser = number(0..=10_000_000))]
    backlog: u64,
    /// What keeps the outbox.
    #[arg(long, value_delimiter = ',', default_value = "postgres,sqlite")]
    engines: Vec<Engine>,
    /// Rows read at once.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch: u32,
    /// Messages under way at once.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,
    /// Seconds that a turn may last.
    #[arg(long, default_value_t = 300, value_parser = number(1..=3600))]
    most_seconds: u64,
    #[command(flatten)]
    shipped: Shipped,
    /// Also write everything measured to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn number(range: std::ops::RangeInclusive<u64>) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(range)
}

/// A part of the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Part {
    /// Read, map, check, seal, enqueue.
    Ingest,
    /// Claim, open, send, settle.
    Deliver,
}

#[derive(Debug, Serialize)]
struct Measured {
    machine: Machine,
    server: String,
    rows: u64,
    messages: u64,
    backlog: u64,
    batch: u32,
    workers: u32,
    parts: Vec<Figures>,
}

/// The turns of one outbox in one part.
#[derive(Debug, Serialize)]
struct Figures {
    part: Part,
    engine: Engine,
    backlog: bool,
    rate: Spread,
    cpu: BTreeMap<&'static str, Spread>,
    peak_kib: Spread,
    /// By how many hundredths the backlog slows it, round by round.
    slower: Option<Spread>,
    turns: Vec<Turn>,
}

/// An outbox that has its turns.
struct Arm {
    engine: Engine,
    backlog: bool,
    state: State,
    turns: Vec<Turn>,
}

/// Measures.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    ensure!(!arguments.engines.is_empty(), "name an engine");
    let machine = Machine::here();
    say(&machine);
    let city = City::new(&arguments.shipped)?;
    let server = city.server.told()?;
    say(&server);
    city.fill("ingest_rows", arguments.rows)?;
    city.fill("deliver_rows", arguments.messages)?;
    let mut arms = arms(&city, arguments).await?;
    let mut parts = Vec::new();
    for part in [Part::Ingest, Part::Deliver] {
        if arguments.part.is_some_and(|wanted| wanted != part) {
            continue;
        }
        if part == Part::Deliver {
            for arm in &arms {
                let plan = plan(Part::Deliver, arguments);
                turn::take_in(&city, &arm.state, plan).await.context("filling an outbox")?;
                arm.state.settle(&city)?;
            }
        }
        measure(&city, part, &mut arms, arguments).await?;
        let figures = sum_up(part, &mut arms);
        report(part, &figures);
        parts.extend(figures);
    }
    let Arguments { rows, messages, backlog, batch, workers, .. } = *arguments;
    let measured = Measured { machine, server, rows, messages, backlog, batch, workers, parts };
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_string_pretty(&measured)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the outboxes.
async fn arms(city: &City, arguments: &Arguments) -> anyhow::Result<Vec<Arm>> {
    let mut arms = Vec::new();
    for &engine in &arguments.engines {
        for backlog in [false, true] {
            let count = if backlog { arguments.backlog } else { 0 };
            if backlog && count == 0 {
                continue;
            }
            let kept = if backlog { "backlog" } else { "empty" };
            let state = State::new(engine, format!("{kept}_{}", engine.name().to_lowercase()));
            state.make(city, count).await.context("making an outbox")?;
            note(format!("{} with {count} waiting is made", engine.name()));
            arms.push(Arm { engine, backlog, state, turns: Vec::new() });
        }
    }
    Ok(arms)
}

fn plan(part: Part, arguments: &Arguments) -> Plan<'static> {
    let (table, count) = match part {
        Part::Ingest => ("ingest_rows", arguments.rows),
        Part::Deliver => ("deliver_rows", arguments.messages),
    };
    Plan {
        table,
        count,
        batch: arguments.batch,
        workers: arguments.workers,
        most: Duration::from_secs(arguments.most_seconds),
    }
}

async fn measure(
    city: &City,
    part: Part,
    arms: &mut [Arm],
    arguments: &Arguments,
) -> anyhow::Result<()> {
    for round in 0..arguments.rounds {
        for place in order(arms.len(), round) {
            let Some(arm) = arms.get_mut(place) else { continue };
            let plan = plan(part, arguments);
            let turn = match part {
                Part::Ingest => turn::ingest(city, &arm.state, plan).await?,
                Part::Deliver => turn::deliver(city, &arm.state, plan).await?,
            };
            note(format!(
                "round {} of {}: {}{}: {:.0}/s",
                round + 1,
                arguments.rounds,
                arm.engine.name(),
                if arm.backlog { " with backlog" } else { "" },
                turn.rate()
            ));
            arm.turns.push(turn);
        }
    }
    Ok(())
}

/// Takes the turns of the arms and sums them up.
fn sum_up(part: Part, arms: &mut [Arm]) -> Vec<Figures> {
    let taken: Vec<_> = arms
        .iter_mut()
        .map(|arm| (arm.engine, arm.backlog, std::mem::take(&mut arm.turns)))
        .collect();
    let figures = |(engine, backlog, turns): &(Engine, bool, Vec<Turn>)| {
        let names = turns.iter().flat_map(|turn| turn.cpu.keys().copied());
        let of = |name: &str| {
            Spread::of(turns.iter().map(|turn| turn.cpu.get(name).copied().unwrap_or_default()))
        };
        let without = taken.iter().find(|(other, has, _)| other == engine && !has && *backlog);
        Figures {
            part,
            engine: *engine,
            backlog: *backlog,
            rate: Spread::of(turns.iter().map(Turn::rate)),
            cpu: names.map(|name| (name, of(name))).collect(),
            peak_kib: Spread::of(turns.iter().map(|turn| kib(turn.peak_kib))),
            slower: without.map(|(_, _, others)| {
                let pairs = turns.iter().zip(others);
                Spread::of(pairs.map(|(one, other)| 100.0 * (1.0 - one.rate() / other.rate())))
            }),
            turns: turns.clone(),
        }
    };
    taken.iter().map(figures).collect()
}

#[expect(clippy::cast_precision_loss, reason = "memory far below 2^52 KiB")]
fn kib(kib: u64) -> f64 {
    kib as f64
}

fn report(part: Part, figures: &[Figures]) {
    let (title, what) = match part {
        Part::Ingest => ("From the city's database into the outbox", "row"),
        Part::Deliver => ("From the outbox through the gateway to the portal", "message"),
    };
    let mut processes: Vec<&str> =
        figures.iter().flat_map(|figures| figures.cpu.keys().copied()).collect();
    processes.sort_unstable();
    processes.dedup();
    say(format!("\n### {title}, CPU µs a {what} at the median\n"));
    let mut head = vec!["outbox", "a second, best", "median", "slower by %", "MiB, peak", "CPU µs"];
    head.extend(&processes);
    let rows: Vec<_> = figures
        .iter()
        .map(|f| {
            let beside = if f.backlog { ", backlog" } else { "" };
            let mut row = vec![format!("{}{beside}", f.engine.name())];
            row.extend([f.rate.max, f.rate.median].map(|rate| format!("{rate:.0}")));
            row.push(f.slower.map_or_else(|| "–".to_owned(), |slower| figure(slower.median)));
            row.push(figure(f.peak_kib.max * mebibytes(1)));
            row.push(figure(f.cpu.values().map(|cpu| cpu.median).sum()));
            let each = |name: &&str| f.cpu.get(name).map_or_else(String::new, |c| figure(c.median));
            row.extend(processes.iter().map(each));
            row
        })
        .collect();
    say(table(&head, &rows));
}
