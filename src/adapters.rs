//! `lienthong adapters`: run, look at or check the adapters.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lienthong_adapters::{Config, Report, check, run as run_adapters, status};
use lienthong_gateway::config::LogFormat;
use lienthong_model::text::Language;

use crate::{
    clock, gateway,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs every flow until SIGTERM or SIGINT.
    ///
    /// Example: lienthong adapters run --config adapters.yaml
    Run(Settings),
    /// Shows each flow: rows read, delivered, waiting, quarantined, dead.
    ///
    /// Example: lienthong adapters status --config adapters.yaml
    Status(Settings),
    /// Checks configuration, source columns and the way to the gateway; delivers nothing.
    ///
    /// Example: lienthong adapters check --config adapters.yaml
    Check(Settings),
}

#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Configuration file.
    #[arg(long)]
    config: PathBuf,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    let (Command::Run(settings) | Command::Status(settings) | Command::Check(settings)) = &command;
    let config = match Config::read(&settings.config) {
        Ok(config) => config,
        Err(found) => return Ok(output.mistakes(&found)),
    };
    match command {
        Command::Run(_) => {
            gateway::log(LogFormat::Json);
            run_adapters(&config, clock::system(), ended()).await?;
            Ok(Exit::Done)
        }
        Command::Status(settings) => {
            let report = status(&config, clock::system()).await?;
            if settings.json {
                output.json(&report)?;
            } else {
                table(&report, output);
            }
            Ok(Exit::Done)
        }
        Command::Check(_) => {
            let outcomes = check(&config, clock::system()).await;
            for outcome in &outcomes {
                let word = outcome.problem.as_deref().unwrap_or("ok");
                output.line(format!("{}: {word}", outcome.name));
            }
            let good = outcomes.iter().all(|o| o.problem.is_none());
            Ok(if good { Exit::Done } else { Exit::No })
        }
    }
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

fn table(report: &Report, output: &Output) {
    for flow in &report.flows {
        let oldest = flow.oldest_seconds.unwrap_or(0);
        output.line(match output.language() {
            Language::Vietnamese => format!(
                "{} ({})\n  {} dòng, {} đã giao, {} đang chờ ({} bị giữ, lâu nhất {oldest} giây), {} gửi lại, {} đã gửi trước đó, {} cách ly, {} cần người xử lý",
                flow.name, flow.guarantee, flow.rows, flow.delivered, flow.waiting, flow.held,
                flow.retried, flow.duplicates, flow.quarantined, flow.dead
            ),
            Language::English => format!(
                "{} ({})\n  {} rows, {} delivered, {} waiting ({} held, oldest {oldest} s), {} retried, {} sent before, {} quarantined, {} dead",
                flow.name, flow.guarantee, flow.rows, flow.delivered, flow.waiting, flow.held,
                flow.retried, flow.duplicates, flow.quarantined, flow.dead
            ),
        });
        for row in &flow.quarantine {
            let word = output.choose("cách ly", "quarantined");
            output.line(format!("  {word} {}: {}", row.key, row.reason));
        }
        for letter in &flow.dead_letters {
            let word = output.choose("cần người xử lý", "dead");
            output.line(format!("  {word} {}: {}", letter.key, letter.reason));
        }
    }
}
