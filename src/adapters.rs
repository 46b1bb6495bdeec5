//! `lienthong adapters`: run the flows, look at them, and decide about what needs a person.

pub(crate) mod desk;
mod indicators;
mod letters;
mod open_data;
pub(crate) mod package;
mod quality;
mod receipts;
mod status;
mod watch;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lienthong_adapters::{Config, check, run as run_adapters};
use lienthong_gateway::config::LogFormat;

use crate::{
    clock, gateway,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs every flow until SIGTERM or SIGINT. On a terminal it draws what the flows do; elsewhere it
    /// writes its log as JSON lines.
    ///
    /// Example: lienthong adapters run --config adapters.yaml
    Run(Settings),
    /// Shows each flow: rows read, delivered, waiting, quarantined, dead.
    ///
    /// Example: lienthong adapters status --config adapters.yaml
    Status(Look),
    /// Checks configuration, source columns and the way to the gateway; delivers nothing.
    ///
    /// Exit code: 0 when all is in order, 1 when something is not.
    ///
    /// Example: lienthong adapters check --config adapters.yaml
    Check(Look),
    /// Lets a flow's source be read again, from a position or from the beginning. What was sent
    /// before and is remembered is not sent again. The adapters must run.
    ///
    /// Example: lienthong adapters backfill ward-cases --config adapters.yaml
    Backfill(status::Backfill),
    /// Compares the keys of a flow's source with what was read, and takes what was missed. The
    /// adapters must run.
    ///
    /// Example: lienthong adapters compare ward-cases --config adapters.yaml
    Compare(desk::OfFlow),
    /// Pauses a flow: nothing more of it is read or sent, also after a restart, until it is resumed.
    ///
    /// Example: lienthong adapters pause ward-cases --why 'the portal is moved' --config adapters.yaml
    Pause(desk::WithReason),
    /// Lets a paused flow go on.
    ///
    /// Exit code: 0 when it goes on, 1 when it was not paused.
    ///
    /// Example: lienthong adapters resume ward-cases --config adapters.yaml
    Resume(desk::OfFlow),
    /// Lists the receipts that a platform gave for the messages of a flow, and proves each anew.
    ///
    /// Exit code: 0 when there are some and every signature holds, 1 otherwise.
    ///
    /// Example: lienthong adapters receipts registrations-to-centre --config adapters.yaml
    Receipts(receipts::Receipts),
    /// Shows the data quality of flows by the six criteria, their wards, and what has to be mended by
    /// when; works beside a running process.
    ///
    /// Example: lienthong adapters quality ward-cases --html quality.html --config adapters.yaml
    Quality(Box<quality::Quality>),
    /// Messages that need a person: looks at them, and carries out what the person decides.
    #[command(subcommand)]
    Dead(letters::Command),
    /// Data packages: whole data sets in signed and encrypted files, for when they travel on a medium.
    #[command(subcommand)]
    Package(Box<package::Command>),
    /// Indicators: what is computed for each period, what became of it, and computing it again.
    #[command(subcommand)]
    Indicators(Box<indicators::Command>),
    /// Record sets for everyone: whether they may be published, and publishing them.
    #[command(subcommand)]
    OpenData(open_data::Command),
}

#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Configuration of the adapters.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    settings: Settings,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Run(settings) => match read(&settings, output) {
            Ok(config) => run_all(config, output).await,
            Err(exit) => Ok(exit),
        },
        Command::Status(look) => match read(&look.settings, output) {
            Ok(config) => status::status(&config, look.json, output).await,
            Err(exit) => Ok(exit),
        },
        Command::Check(look) => match read(&look.settings, output) {
            Ok(config) => check_all(&config, look.json, output).await,
            Err(exit) => Ok(exit),
        },
        Command::Backfill(backfill) => status::backfill(backfill, output).await,
        Command::Compare(of) => desk::compare(of, output).await,
        Command::Pause(with) => desk::pause(with, output).await,
        Command::Resume(of) => desk::resume(of, output).await,
        Command::Receipts(asked) => receipts::run(asked, output).await,
        Command::Quality(quality) => quality::run(*quality, output).await,
        Command::Dead(command) => letters::run(command, output).await,
        Command::Package(command) => package::run(*command, output).await,
        Command::OpenData(command) => open_data::run(command, output).await,
        Command::Indicators(command) => indicators::run(*command, output).await,
    }
}

/// Reads the configuration, or tells its mistakes.
fn read(settings: &Settings, output: &Output) -> Result<Config, Exit> {
    Config::read(&settings.config).map_err(|found| output.mistakes(&found))
}

async fn run_all(config: Config, output: &Output) -> anyhow::Result<Exit> {
    if output.is_terminal() {
        watch::run(&config, output).await?;
    } else {
        gateway::log(LogFormat::Json);
        run_adapters(&config, clock::system(), ended()).await?;
    }
    Ok(Exit::Done)
}

async fn check_all(config: &Config, json: bool, output: &Output) -> anyhow::Result<Exit> {
    let outcomes = check(config, clock::system()).await;
    if json {
        output.json(&outcomes)?;
    } else {
        for outcome in &outcomes {
            let word = outcome.problem.as_deref().unwrap_or("ok");
            output.line(format!("{}: {word}", outcome.name));
        }
    }
    let good = outcomes.iter().all(|outcome| outcome.problem.is_none());
    Ok(if good { Exit::Done } else { Exit::No })
}

/// Completes on SIGTERM or SIGINT.
pub(crate) async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
