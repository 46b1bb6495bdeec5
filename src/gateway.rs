//! `lienthong gateway`: run or check the gateway.

use std::{io, path::PathBuf};

use clap::Subcommand;
use lienthong_gateway::{
    config::{Config, LogFormat},
    gateway::{Gateway, warnings},
    log as exchanges,
    run::{RunError, Running, Signals},
};

use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs until SIGTERM, SIGINT or `drain`; SIGHUP reloads policies, certificates and CRLs.
    ///
    /// Example: lienthong gateway run --config gateway.yaml
    Run {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Reads everything that the configuration names and tells every mistake; opens no socket.
    ///
    /// Example: lienthong gateway check --config gateway.yaml
    Check {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
    },
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Run { config } => {
            let config = match Config::read(&config) {
                Ok(config) => config,
                Err(found) => return Ok(output.mistakes(&found)),
            };
            log(config.log);
            exchanges::begin(config.log, io::stdout())?;
            let signals = Signals::hear()?;
            match Running::start(config, clock::system()).await {
                Ok(running) => {
                    running.until_ended(signals).await;
                    Ok(Exit::Done)
                }
                Err(RunError::Mistakes(found)) => Ok(output.mistakes(&found)),
                Err(error) => Err(error.into()),
            }
        }
        Command::Check { config } => {
            let gateway = Config::read(&config).and_then(|c| Gateway::load(c, clock::system()));
            match gateway {
                Ok(gateway) => {
                    for warning in warnings(&gateway) {
                        output.line(format!("{}: {warning}", output.choose("lưu ý", "warning")));
                    }
                    output.line(output.choose("cấu hình dùng được", "configuration is usable"));
                    Ok(Exit::Done)
                }
                Err(found) => Ok(output.mistakes(&found)),
            }
        }
    }
}

/// Starts the structured log on standard output.
pub(crate) fn log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LIENTHONG_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    // A second start in one process keeps the first log.
    started.ok();
}
