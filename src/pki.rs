//! `lienthong pki`: throw-away certificates for trying things out.

use std::path::PathBuf;

use clap::Subcommand;
use lienthong_gateway::{evidence, keys, pki};

use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes an example PKI: a certification authority with its revocation list, a certificate
    /// for the gateway, one for providers, one for each participant of the shipped policies, and
    /// one that the gateway shows to providers. Beside them the keys that a gateway needs to
    /// begin: for its evidence log, for digests of this quarter and the next, for pseudonyms.
    ///
    /// Example: lienthong pki example ./pki
    Example {
        /// Directory to write to; existing files are never overwritten.
        directory: PathBuf,
        /// Names of client certificates.
        #[arg(long = "client", value_name = "NAME")]
        clients: Vec<String>,
    },
}

/// Participants of the shipped policies.
pub(crate) const PARTICIPANTS: &[&str] = &[
    "h29-12", "h29-15", "h29-18", "h29-20", "h29-26", "h29-40", "h29-41", "h29-42", "h29-43",
    "h29-60", "h29-90", "h29-99", "g01", "g22",
];
/// What the gateway shows to providers.
pub(crate) const GATEWAY_CLIENT: &str = "gateway-client";

/// Name of the example log.
const ORIGIN: &str = "node-1.gov.example";

pub(crate) fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    let Command::Example { directory, clients } = command;
    let names: Vec<&str> = if clients.is_empty() {
        PARTICIPANTS.iter().copied().chain([GATEWAY_CLIENT]).collect()
    } else {
        clients.iter().map(String::as_str).collect()
    };
    let now = clock::system().now();
    pki::write_example(&directory, now, &names)?;
    let key_files = (directory.join("evidence.key"), directory.join("digest"));
    evidence::create_keys((&key_files.0, &key_files.1), ORIGIN, now).map_err(anyhow::Error::msg)?;
    keys::symmetric(keys::Purpose::Pseudonym, &directory.join("pseudonym.key"))?;
    let text = output.choose("đã ghi chứng thư mẫu vào", "example certificates written to");
    output.line(format!("{text} {}", directory.display()));
    Ok(Exit::Done)
}
