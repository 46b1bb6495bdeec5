//! `lienthong evidence`: verify a log off line, prove what is in it, search, export and archive it.

mod accept_loss;
mod access;
mod anchors;
mod archive;
mod export;
mod prove;
mod row;
mod search;
mod stamps;
mod verify;
mod verify_proof;
mod wanted;

use clap::Subcommand;

use crate::output::{Exit, Output};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verifies a log off line: every entry, every tile, the checkpoint, and the order of exchanges.
    ///
    /// Only the directory and the key of the log are needed; nothing is changed. With a checkpoint
    /// that was kept elsewhere (--against) it also shows that nothing was taken away or rewritten
    /// since. Intents without an outcome count as disclosed and are told. Seals and time stamps that
    /// are there are judged too.
    ///
    /// Exit code: 0 when the log is good, 1 when it is not (the first bad place is told first), 3 when
    /// it could not run.
    ///
    /// Example: lienthong evidence verify /srv/evidence --key node-1.vkey --against copy/checkpoint
    Verify(verify::Verify),
    /// Writes proofs that entries are in the log, which verify without it.
    ///
    /// Each entry gets two files: the entry itself, and its C2SP tlog-proof. With the log's key these
    /// two are all that is needed to check it. Of a data subject (--subject) everything of a time is
    /// proven, what may be about the person too, with a list of it in proofs.json.
    ///
    /// Exit code: 0 when done, 1 when the log has no such entry, 3 when it could not run.
    ///
    /// Example: lienthong evidence prove /srv/evidence --config gateway.yaml --why "request of the data
    /// subject" --subject citizen_number --subject-file number --out proofs
    Prove(prove::Prove),
    /// Checks proofs without the log.
    ///
    /// Exit code: 0 when all are proven, 1 when one is not, 3 when it could not run.
    ///
    /// Example: lienthong evidence verify-proof proofs/proofs.json --key node-1.vkey
    VerifyProof(verify_proof::VerifyProof),
    /// Finds exchanges by data subject, official, case, participant, reason or time.
    ///
    /// All conditions have to hold. Identifiers of people are never arguments and never printed. What
    /// went without an outcome may be about anybody, and is listed apart when a data subject is
    /// looked for. That it is searched, by whom and why, is an entry of the log before it happens.
    ///
    /// Exit code: 0 when something was found, 1 when not, 3 when it could not run.
    ///
    /// Example: lienthong evidence search /srv/evidence --config gateway.yaml --why "complaint 17" --subject
    /// citizen_number < number
    Search(search::Search),
    /// Writes entries as JSON lines or as a table.
    ///
    /// That it is exported, by whom and why, is an entry of the log before it happens.
    ///
    /// Exit code: 0 when done, 3 when it could not run.
    ///
    /// Example: lienthong evidence export /srv/evidence --config gateway.yaml --why "yearly report" --format csv
    /// --from 2026-01-01 --until 2026-12-31 --out 2026.csv
    Export(export::Export),
    /// Compresses older entries in place.
    ///
    /// The log stays verifiable, provable and searchable as it is. What is younger than the months
    /// that have to stay on line is left alone.
    ///
    /// Exit code: 0 when done, 1 when the date is too young, 3 when it could not run.
    ///
    /// Example: lienthong evidence archive /srv/evidence --config gateway.yaml --why "yearly archive" --before
    /// 2025-01-01
    Archive(archive::Archive),
    /// Goes on with a log that has lost entries, and makes the loss its next entry.
    ///
    /// A node whose log ends before its newest checkpoint, differs from it or is damaged does not
    /// start. This command keeps what is left, puts what is damaged and the checkpoint of what was
    /// lost under `losses`, and records when and why; exchanges that were under way are closed as
    /// disclosed. The gateway of the node must not run. What is gone stays gone: copy the directory
    /// first.
    ///
    /// Exit code: 0 when done, 1 when nothing is lost, 3 when it could not run.
    ///
    /// Example: lienthong evidence accept-loss --config gateway.yaml --why 'disk replaced, case 12'
    AcceptLoss(accept_loss::AcceptLoss),
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Verify(arguments) => verify::run(&arguments, output).await,
        Command::Prove(arguments) => prove::run(&arguments, output).await,
        Command::VerifyProof(arguments) => verify_proof::run(&arguments, output),
        Command::Search(arguments) => search::run(&arguments, output).await,
        Command::Export(arguments) => export::run(&arguments, output).await,
        Command::Archive(arguments) => archive::run(&arguments, output).await,
        Command::AcceptLoss(arguments) => accept_loss::run(&arguments, output),
    }
}
