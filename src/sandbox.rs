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
    /// Runs the stand-ins until SIGTERM or SIGINT, then tells in one line of JSON what they have seen.
    ///
    /// Example: lienthong sandbox run --config sandbox.yaml
    Run {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
    },
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    let Command::Run { config: path } = command;
    let config = match Config::read(&path) {
        Ok(config) => config,
        Err(found) => return Ok(output.mistakes(&found)),
    };
    gateway::log(LogFormat::Json);
    let seen = run_sandbox(&path, &config, clock::system(), adapters::ended()).await?;
    output.line(serde_json::to_string(&serde_json::json!({"seen": seen}))?);
    Ok(Exit::Done)
}
