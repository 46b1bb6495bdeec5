//! `lienthong store`: the durable state of a gateway or of adapters.

mod copy;
mod look;
mod place;
mod reconcile;

use clap::{Args, Subcommand};

use self::place::Where;
use crate::output::{Exit, Output};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Brings the tables up to date, and makes them where there are none. A gateway and adapters do so
    /// themselves when they start.
    ///
    /// Exit code: 0 when done, 1 when the durable state is in use or of a newer program, 3 when it
    /// could not run.
    ///
    /// Example: lienthong store migrate --config gateway.yaml
    Migrate(Look),
    /// Looks whether the durable state is sound: its version, the database's own checks, revisions
    /// without a gap, every record as its newest event left it, counters. Changes nothing, and may
    /// run beside the process that owns it.
    ///
    /// Exit code: 0 when it is sound, 1 when it is not, 3 when it could not run.
    ///
    /// Example: lienthong store check --config gateway.yaml
    Check(Look),
    /// Copies everything, as it is at one moment, to one new file of mode 0600. May run beside the process
    /// that owns it.
    ///
    /// Exit code: 0 when done, 1 when the file is there already, 3 when it could not run.
    ///
    /// Example: lienthong store backup --config gateway.yaml --out store-2026-11-29.backup
    Backup(copy::Out),
    /// Puts a copy into an empty durable state of either engine, whole or not at all, after its digest was
    /// verified.
    ///
    /// Exit code: 0 when done, 1 when the copy is not sound or something is there already, 3 when it
    /// could not run.
    ///
    /// Example: lienthong store restore --config gateway.yaml --from store-2026-11-29.backup
    Restore(copy::From),
    /// Brings the registry of consents up to the evidence, after the durable state was restored from a
    /// copy. Withdrawals, refusals, restrictions, objections and uses that the copy does not have are
    /// entered again from the evidence log; consents that only the evidence knows are lost and have to
    /// be given anew. Nothing that did not hold comes to hold. The gateway must not run, and refuses
    /// exchanges on consent until this was done. That it was done is an entry of the log.
    ///
    /// Exit code: 0 when done, or there was nothing to do, 1 when the gateway runs or log and registry are not
    /// of one history, 3 when it could not run.
    ///
    /// Example: lienthong store reconcile --config gateway.yaml --why 'restored the copy of last night'
    Reconcile(reconcile::Reconcile),
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    place: Where,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Migrate(look) => look::migrate(&look, output).await,
        Command::Check(look) => look::check(&look, output).await,
        Command::Backup(arguments) => copy::backup(&arguments, output).await,
        Command::Restore(arguments) => copy::restore(&arguments, output).await,
        Command::Reconcile(arguments) => reconcile::run(&arguments, output).await,
    }
}
