//! What consents cost, and how soon a withdrawal counts.
//!
//! Two parts. `revocation`: withdrawals under load, each followed by a request about the same person,
//! which must be refused. `requests`: the same terms on consent and on another basis, side by side in
//! one process, and what the registry takes of start and memory.

mod requests;
mod revocation;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::ensure;
use clap::ValueEnum;
use lienthong_consent::record::ConsentId;
use serde::Serialize;

use super::{Bench, Machine, Options, ask};
use crate::{
    competitor::Kind,
    note,
    process::{self, Listening},
    records::{MOST_PEOPLE, citizen},
    say,
    world::World,
};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Measure this part only.
    #[arg(long)]
    part: Option<Part>,
    /// People with a consent while requests are measured.
    #[arg(long, default_value_t = 100_000, value_parser = people())]
    people: u64,
    /// People with a consent while withdrawals are measured.
    #[arg(long, default_value_t = 20_000, value_parser = people())]
    crowd: u64,
    /// Withdrawals; fewer than there are people.
    #[arg(long, default_value_t = 10_000, value_parser = people())]
    withdrawals: u64,
    /// Connections that withdraw, one person after another.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    collectors: u32,
    /// Requests a second beside the withdrawals, half of them on consent.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    beside: u32,
}

fn people() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=MOST_PEOPLE)
}

/// Services of the world.
const SERVICES: usize = 2;

/// A part of the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Withdrawals under load.
    Revocation,
    /// CPU time, memory and start.
    Requests,
}

#[derive(Debug, Serialize)]
struct Measured {
    machine: Machine,
    revocation: Option<revocation::Measured>,
    requests: Option<requests::Measured>,
}

/// Measures. The code tells whether an answer came that should not have come.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { options, part, withdrawals, crowd, .. } = arguments;
    ensure!(withdrawals < crowd, "somebody has to stay whose consent holds");
    let machine = Machine::here();
    say(&machine);
    let wanted = |of| part.is_none_or(|part| part == of);
    let revocation = match wanted(Part::Revocation) {
        true => Some(revocation::measure(arguments).await?),
        false => None,
    };
    let requests = match wanted(Part::Requests) {
        true => Some(requests::measure(arguments).await?),
        false => None,
    };
    let wrong = revocation.as_ref().map_or(0, revocation::Measured::wrong);
    options.keep(&Measured { machine, revocation, requests })?;
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A request for an answer of 1 KB about [`citizen`] 1.
fn about(member: &str) -> String {
    ask(&format!("records/records?soDinhDanh={}&soLuong=1", citizen(1)), member)
}

/// A world in which people consent, and its ports.
struct Consenting {
    bench: Bench,
    provider: Listening,
    port: u16,
    desk: u16,
    consents: Vec<ConsentId>,
}

impl Consenting {
    /// With so many people, each with one consent.
    async fn new(options: &Options, people: u64) -> anyhow::Result<Self> {
        let (world, desk) = World::with_consents()?;
        let bench = options.bench_in(world)?;
        let provider = bench.provider().await?;
        let port = process::free_port()?;
        let began = Instant::now();
        let consents = bench.world.consent(people, port).await?;
        note(format!("{people} consents recorded in {:.1} s", began.elapsed().as_secs_f64()));
        Ok(Self { bench, provider, port, desk, consents })
    }

    /// Starts the gateway in front of the provider; milliseconds until it is ready.
    async fn start(&self, port: u16) -> anyhow::Result<(Listening, f64)> {
        let Self { bench, provider, .. } = self;
        let began = Instant::now();
        let ports = (port, provider.port);
        let gateway = bench.programs.start_at(Kind::Gateway, &bench.world, ports, SERVICES).await?;
        let ready = process::administration(&self.socket(port), "/ready").await?;
        ensure!(ready.contains(r#""status":"ready""#), "the gateway is not ready: {ready}");
        Ok((gateway, began.elapsed().as_secs_f64() * 1e3))
    }

    fn socket(&self, port: u16) -> PathBuf {
        self.bench.world.path(&format!("admin-{port}.sock"))
    }
}
