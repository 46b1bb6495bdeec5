//! `lienthong keys`: look at the secrets of a gateway, make them, change them, destroy them.

mod change;
mod destroy;
mod list;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lienthong_evidence::entry::{Action, Period, Why};
use lienthong_gateway::{
    administration::{About, Recorded, administer},
    config::Config,
};
use lienthong_model::{quarter::Quarter, text::Language};

use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists every key that the configurations name, of the gateway, of the adapters, of packages: purpose,
    /// scope, algorithm, id, file, mode, period and state. Nothing of a key is shown; an id tells
    /// nothing about it.
    ///
    /// Example: lienthong keys list --config gateway.yaml --adapters adapters.yaml
    List(Look),
    /// Tells what is wrong with the keys that the configurations name, and what to do.
    ///
    /// Exit code: 0 when nothing is wrong, 1 when something is, 3 when it could not run.
    ///
    /// Example: lienthong keys check --packages packages.yaml
    Check(Look),
    /// Makes a key in a file of its own with mode 0600, never over another, and prints its id and
    /// public part. With --config the file is the one that the configuration names, and the log
    /// gets an entry when there is one.
    ///
    /// PURPOSE is tls, provider, evidence, digest, pseudonym, lgsp, cms, consent-subject, consent-seal,
    /// consent-receipt, outbox-seal, adapters, ndc-signature, package-signature or package-decryption. For
    /// a key that has a certificate a request for one is written beside it.
    ///
    /// Exit code: 0 when done, 1 when there is one already, 3 when it could not run.
    ///
    /// Example: lienthong keys new evidence --name node-1.hcmc.example --out keys/evidence.key
    New(change::New),
    /// Puts a new key in place of one in use. What that means for each purpose stands in
    /// gateway/docs/keys.md; --finish ends it.
    ///
    /// Exit code: 0 when done, 1 when something is in the way, 3 when it could not run.
    ///
    /// Example: lienthong keys rotate evidence --config gateway.yaml
    Rotate(change::Rotate),
    /// Destroys the digest key of a quarter, so that what stands for people in its evidence says nothing
    /// any more. Refused while evidence of the quarter must be kept. Without --yes it only tells
    /// what would end.
    ///
    /// Exit code: 0 when done, 1 when it was not, 3 when it could not run.
    ///
    /// Example: lienthong keys destroy 2026-q4 --config gateway.yaml --why 'retention is over' --yes
    Destroy(destroy::Destroy),
}

#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Look {
    #[command(flatten)]
    files: Files,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

/// Whose keys are looked at.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Files {
    /// Configuration of the gateway.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Configuration of the adapters.
    #[arg(long, value_name = "FILE")]
    adapters: Option<PathBuf>,
    /// Configuration of packages.
    #[arg(long, value_name = "FILE")]
    packages: Option<PathBuf>,
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::List(look) => list::list(&look, output),
        Command::Check(look) => list::check(&look, output),
        Command::New(new) => change::new(new, output).await,
        Command::Rotate(rotate) => change::rotate(rotate, output).await,
        Command::Destroy(destroy) => destroy::run(destroy, output).await,
    }
}

/// Reads the configuration, or tells its mistakes.
fn read(config: &Path, output: &Output) -> Result<Config, Exit> {
    Config::read(config).map_err(|found| output.mistakes(&found))
}

/// A sentence that can stand in an entry.
fn sentence(text: &str) -> Result<String, &'static str> {
    match Why::new(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected one sentence without quotation marks, backslashes and long numbers"),
    }
}

/// Records what is about to be done, and says where.
async fn record(
    config: &Config,
    action: Action,
    period: Option<Quarter>,
    what: &str,
    output: &Output,
) -> anyhow::Result<()> {
    let period = period.map(|quarter| quarter.to_string());
    let period = period.as_deref().and_then(Period::new);
    let why = Why::new(what).ok_or_else(|| anyhow::anyhow!("`{what}` cannot stand in an entry"))?;
    let about = About { key: period, why: Some(why), ..About::default() };
    let recorded = administer(config, action, clock::system(), about).await?;
    output.note(match (recorded, output.language()) {
        (Recorded::Gateway(_) | Recorded::Log(_), Language::English) => {
            "recorded in the evidence log"
        }
        (Recorded::Gateway(_) | Recorded::Log(_), Language::Vietnamese) => {
            "đã ghi vào nhật ký chứng cứ"
        }
        (Recorded::NoLog, Language::English) => "there is no evidence log yet: not recorded",
        (Recorded::NoLog, Language::Vietnamese) => "chưa có nhật ký chứng cứ: không ghi",
    });
    Ok(())
}
