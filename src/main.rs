//! The command line: one file per subcommand, no logic.
//!
//! Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 could not run.

mod adapters;
mod clock;
mod consent;
mod demo;
mod evidence;
mod gateway;
mod keys;
mod output;
mod participant;
mod pki;
mod policy;
mod sandbox;
mod service;
mod socket;
mod store;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lienthong_model::text::Language;

use crate::output::{Exit, Output};

// PERF: `lienthong-bench bus`: what the system's allocator does took a third of a row's time.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Data-sharing gateway and integration bus of a city.
#[derive(Debug, Parser)]
#[command(name = "lienthong", version, arg_required_else_help = true)]
struct Cli {
    /// Language of messages: `vi` or `en`; by default that of `LANG`.
    #[arg(long, global = true, value_name = "LANG")]
    lang: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the whole system at work on synthetic data.
    Demo(demo::Arguments),
    /// Runs or checks the gateway.
    #[command(subcommand)]
    Gateway(gateway::Command),
    /// Runs or checks the adapters.
    #[command(subcommand)]
    Adapters(adapters::Command),
    /// Runs stand-ins of the national platforms.
    #[command(subcommand)]
    Sandbox(sandbox::Command),
    /// Checks, tests and explains policies.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Brings what a participant has today into its file.
    #[command(subcommand)]
    Participant(participant::Command),
    /// Records what people said of their data, looks at it, verifies receipts.
    #[command(subcommand)]
    Consent(Box<consent::Command>),
    /// Verifies logs of evidence and proves their entries.
    #[command(subcommand)]
    Evidence(Box<evidence::Command>),
    /// Lists, makes, changes and destroys the secrets of a gateway.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Drafts services and rehearses the answers of providers.
    #[command(subcommand)]
    Service(service::Command),
    /// Looks after the durable state: version, soundness, copies.
    #[command(subcommand)]
    Store(store::Command),
    /// Tells why an exchange ended as it did.
    Why(why::Arguments),
    /// Makes throw-away certificates.
    #[command(subcommand)]
    Pki(pki::Command),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let locale = std::env::var("LANG").unwrap_or_default();
    let language = Language::negotiate(cli.lang.as_deref().unwrap_or(&locale));
    let output = Output::new(language);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&error.into()),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Demo(arguments) => demo::run(arguments, &output).await,
            Command::Gateway(command) => gateway::run(command, &output).await,
            Command::Adapters(command) => adapters::run(command, &output).await,
            Command::Sandbox(command) => sandbox::run(command, &output).await,
            Command::Policy(command) => policy::run(command, &output),
            Command::Participant(command) => participant::run(command, &output),
            Command::Consent(command) => consent::run(*command, &output).await,
            Command::Evidence(command) => evidence::run(*command, &output).await,
            Command::Keys(command) => keys::run(command, &output).await,
            Command::Service(command) => service::run(command, &output),
            Command::Store(command) => store::run(command, &output).await,
            Command::Why(arguments) => why::run(arguments, &output).await,
            Command::Pki(command) => pki::run(command, &output),
        }
    });
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => output.fail(&error),
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
