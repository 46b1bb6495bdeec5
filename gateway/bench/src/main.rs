//! Measures the gateway beside bare and common proxies. Run by hand, never as part of the tests:
//! `cargo run --profile dist -p lienthong-bench -- compare`.
//!
//! One file a mode in `mode/`; every proxy, the provider and the load generator are processes of
//! their own, so that CPU time and memory are those of one of them. `README.md` tells how to read
//! the figures.

mod competitor;
mod figures;
mod load;
mod mode;
mod postgres;
mod process;
mod records;
mod role;
mod world;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::mode::{
    Options, agreements, all, bus, compare, consent, evidence, handshake, idle, refused, stacks,
    stages, stream,
};

// As `lienthong` has it: what is measured here is what runs there.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Debug, Parser)]
#[command(name = "lienthong-bench", version, arg_required_else_help = true)]
/// Measures the gateway beside bare and common proxies on this machine.
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every mode in one go, and what came of it on one page.
    All(all::Arguments),
    /// From a city's database into the outbox, and from there through the gateway to a portal: rates,
    /// CPU time by process and memory, with a long backlog and without one.
    Bus(bus::Arguments),
    /// CPU time, rate, latency and memory of every competitor, by size of the answer.
    Compare(compare::Arguments),
    /// What consents cost a request, a start and memory, and how soon a withdrawal counts. The exit
    /// code is 1 when an answer came that should not have come.
    Consent(consent::Arguments),
    /// What durable evidence costs: the log on disk, and the same in memory.
    Evidence(Options),
    /// What refused work costs beside accepted work.
    Refused(Options),
    /// CPU time of a full mutual-TLS handshake.
    Handshake(Options),
    /// Whether a decision costs more with 10,000 agreements than with 10.
    Agreements(agreements::Arguments),
    /// Memory with many idle connections.
    Idle(idle::Arguments),
    /// Throughput, CPU time and memory of one long answer.
    Stream(stream::Arguments),
    /// Microseconds of each stage, as the gateway's own traces tell them.
    Stages(stages::Arguments),
    /// Microseconds by kind of work, from the stacks that `perf script` writes.
    Stacks(stacks::Arguments),
    #[command(hide = true)]
    Provider { port: u16 },
    #[command(hide = true)]
    Gateway {
        config: PathBuf,
        /// With a thread for each core, as a city runs it, and not with one.
        #[arg(long)]
        threads: bool,
    },
    #[command(hide = true)]
    Adapters { config: PathBuf },
    #[command(hide = true)]
    Portal { config: PathBuf },
    #[command(hide = true)]
    Listener { config: PathBuf },
    #[command(hide = true)]
    Bare { config: PathBuf },
    #[command(hide = true)]
    Load { job: String },
    #[command(hide = true)]
    Withdraw { job: String },
    #[command(hide = true)]
    Calibrate,
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let as_a_city = matches!(
        command,
        Command::Gateway { threads: true, .. } | Command::Adapters { .. } | Command::Portal { .. }
    );
    let mut builder = match as_a_city {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build();
    let ended = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(command)));
    match ended {
        Ok(code) => code,
        Err(error) => {
            note(format!("error: {error:#}"));
            ExitCode::from(3)
        }
    }
}

/// Runs a command. SIGTERM ends it as an error does: every child process goes with it.
async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    // These drain by themselves.
    let served = match &command {
        Command::Gateway { config, .. } => Some(role::gateway::serve(config).await),
        Command::Adapters { config } => Some(role::adapters::serve(config).await),
        Command::Portal { config } => Some(role::portal::serve(config).await),
        _ => None,
    };
    if let Some(served) = served {
        return served.map(|()| ExitCode::SUCCESS);
    }
    tokio::select! {
        ended = perform(command) => ended,
        _ = terminate.recv() => anyhow::bail!("terminated"),
    }
}

async fn perform(command: Command) -> anyhow::Result<ExitCode> {
    let performed = match command {
        Command::Consent(arguments) => return consent::run(&arguments).await,
        Command::Bus(arguments) => return bus::run(&arguments).await,
        Command::All(arguments) => all::run(&arguments).await,
        Command::Compare(arguments) => compare::run(&arguments).await,
        Command::Evidence(options) => evidence::run(&options).await,
        Command::Refused(options) => refused::run(&options).await,
        Command::Handshake(options) => handshake::run(&options).await,
        Command::Agreements(arguments) => agreements::run(&arguments).await,
        Command::Idle(arguments) => idle::run(&arguments).await,
        Command::Stream(arguments) => stream::run(&arguments).await,
        Command::Stages(arguments) => stages::run(&arguments).await,
        Command::Stacks(arguments) => stacks::run(&arguments),
        Command::Provider { port } => role::provider::serve(port).await,
        Command::Gateway { config, .. } => role::gateway::serve(&config).await,
        Command::Adapters { config } => role::adapters::serve(&config).await,
        Command::Portal { config } => role::portal::serve(&config).await,
        Command::Listener { config } => role::listener::serve(&config).await,
        Command::Bare { config } => role::bare::serve(&config).await,
        Command::Load { job } => load::perform(serde_json::from_str(&job)?).await,
        Command::Withdraw { job } => load::withdraw::perform(serde_json::from_str(&job)?).await,
        Command::Calibrate => {
            say(load::spin());
            Ok(())
        }
    };
    performed.map(|()| ExitCode::SUCCESS)
}

/// A line on standard output. A reader that has gone away is no failure.
fn say(text: impl std::fmt::Display) {
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

/// A line on standard error.
fn note(text: impl std::fmt::Display) {
    writeln!(std::io::stderr().lock(), "{text}").ok();
}
