//! `lienthong consent`: record what people said of their data, look at it, verify receipts.
//!
//! Each command is one call of the consent API with a client certificate. Identifiers of people come
//! from files or standard input, never as arguments, and are never printed.

mod advice;
mod client;
mod disclosures;
mod look;
mod participant_notices;
mod receipt;
mod record;
mod rights;
mod said;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::output::{Exit, Output};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Records what a person said, yes or no, and gives a receipt.
    ///
    /// The statement is a file in JSON or YAML, or `-` for standard input; its form stands in
    /// gateway/docs/consent-api.md. With --idempotency-key the command can be run again without
    /// recording anything twice.
    ///
    /// Exit code: 0 when recorded, 1 when it was refused (with the reason and what to do), 2 when
    /// it was used wrongly, 3 when it could not run.
    ///
    /// Example: lienthong consent give --statement statement.yaml --profile desk.yaml
    Give(record::Give),
    /// Records that the person does not agree any more. Final; the next request is refused.
    ///
    /// Exit code: 0 when done, 1 when it was refused, 3 when it could not run.
    ///
    /// Example: lienthong consent withdraw 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --channel officer
    /// --profile desk.yaml
    Withdraw(record::Change),
    /// Records that the person does not want the data processed for now.
    ///
    /// Example: lienthong consent restrict 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --channel paper
    /// --profile desk.yaml
    Restrict(record::Change),
    /// Ends a restriction.
    ///
    /// Example: lienthong consent release 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --channel paper
    /// --profile desk.yaml
    Release(record::Change),
    /// Records that the person objects to the processing. Final.
    ///
    /// Example: lienthong consent object 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --channel officer
    /// --profile desk.yaml
    Object(record::Change),
    /// Shows one record, without an identifier.
    ///
    /// Exit code: 0 when shown, 1 when there is none that the collector may see, 3 when it could not run.
    ///
    /// Example: lienthong consent show 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --profile desk.yaml
    Show(look::One),
    /// Lists the records of a person. That it was asked is on record.
    ///
    /// Exit code: 0 when there are some, 1 when there are none, 3 when it could not run.
    ///
    /// Example: lienthong consent list --subject citizen_number --profile desk.yaml < number
    List(look::List),
    /// Tells what happened to a record.
    ///
    /// Example: lienthong consent history 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --profile desk.yaml
    History(look::One),
    /// Fetches a signed receipt, or verifies one off line.
    ///
    /// Exit code: 0 when done, 1 when the receipt does not verify, 3 when it could not run.
    ///
    /// Example: lienthong consent receipt 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --profile desk.yaml
    /// --out receipt.jws; lienthong consent receipt --verify receipt.jws --jwks jwks.json
    Receipt(receipt::Receipt),
    /// Lists the notices in force with their hashes, or shows one word for word.
    ///
    /// Example: lienthong consent notices --profile desk.yaml
    Notices(look::Notices),
    /// Requests of data subjects: to withdraw, view, correct, delete, restrict or object.
    #[command(subcommand)]
    Rights(rights::Command),
    /// Tells who received what about a person, with proofs. That it was asked is on record.
    ///
    /// Exit code: 0 when somebody did, 1 when nobody did, 3 when it could not run.
    ///
    /// Example: lienthong consent disclosures --subject citizen_number --out proofs
    /// --profile desk.yaml < number; lienthong evidence verify-proof proofs/proofs.json --key log.pub
    Disclosures(disclosures::Disclosures),
    /// What a participant is told about people whose data it received.
    #[command(subcommand)]
    ParticipantNotices(participant_notices::Command),
}

/// How the consent API is reached.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// Address of the consent listener, such as `https://gateway.example:8444`.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The collector's certificate, PEM.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Its key, PEM, readable by its owner only.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The authority that issued the gateway's certificate, PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// File with `url`, `certificate`, `key` and `ca`, for what is not given as an option.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

/// Over which channel a person said it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Channel {
    /// After a log-in with VNeID.
    Vneid,
    /// On a signed form.
    Paper,
    /// To an officer.
    Officer,
}

impl Channel {
    fn word(self) -> &'static str {
        match self {
            Self::Vneid => "vneid",
            Self::Paper => "paper",
            Self::Officer => "officer",
        }
    }
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Give(give) => record::give(&give, output).await,
        Command::Withdraw(change) => record::change("withdraw", &change, output).await,
        Command::Restrict(change) => record::change("restrict", &change, output).await,
        Command::Release(change) => record::change("release", &change, output).await,
        Command::Object(change) => record::change("object", &change, output).await,
        Command::Show(one) => look::show(&one, output).await,
        Command::List(list) => look::list(&list, output).await,
        Command::History(one) => look::history(&one, output).await,
        Command::Receipt(receipt) => receipt::run(&receipt, output).await,
        Command::Notices(notices) => look::notices(&notices, output).await,
        Command::Rights(command) => rights::run(command, output).await,
        Command::Disclosures(asked) => disclosures::run(&asked, output).await,
        Command::ParticipantNotices(command) => participant_notices::run(command, output).await,
    }
}
