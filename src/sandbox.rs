//! `lienthong sandbox`: stand-ins of the national platforms, for trying things out.

use std::path::PathBuf;

use clap::Subcommand;
use lienthong_gateway::config::LogFormat;
use lienthong_sandbox::{Config, run as run_sandbox};

use crate::{
    adapters, clock, gateway,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the stand-ins until SIGTERM or SIGINT.
    ///
    /// Example: lienthong sandbox run --config sandbox.yaml
    Run {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
    },
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    let Command::Run { config } = command;
    let config = match Config::read(&config) {
        Ok(config) => config,
        Err(found) => return Ok(output.mistakes(&found)),
    };
    gateway::log(LogFormat::Json);
    run_sandbox(&config, clock::system(), adapters::ended()).await?;
    Ok(Exit::Done)
}
