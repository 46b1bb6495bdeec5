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
    /// for the gateway, one for providers, one for each participant of the shipped policies, one
    /// that the gateway shows to providers, and those that sign messages and packages or open
    /// packages in the shipped examples. Beside them the keys that a gateway needs to
    /// begin: for its evidence log, for digests of this quarter and the next, for pseudonyms.
    ///
    /// Example: lienthong pki example ./pki
    Example {
        /// Directory to write to; existing files are never overwritten.
        directory: PathBuf,
        /// Names of client certificates.
        #[arg(long = "client", value_name = "NAME")]
        clients: Vec<String>,
        /// Names of certificates that sign messages, receipts and packages.
        #[arg(long = "signer", value_name = "NAME")]
        signers: Vec<String>,
        /// Names of certificates for which packages are encrypted.
        #[arg(long = "opener", value_name = "NAME")]
        openers: Vec<String>,
    },
}

/// Participants of the shipped policies.
pub(crate) const PARTICIPANTS: &[&str] = &[
    "h29-12", "h29-15", "h29-18", "h29-20", "h29-26", "h29-40", "h29-41", "h29-42", "h29-43",
    "h29-60", "h29-90", "h29-99", "g01", "g22",
];
/// Who signs in the shipped examples of adapters: the city's messages, receipts of the Agent Node,
/// packages of the city and of a former province.
pub(crate) const SIGNERS: &[&str] =
    &["h29-signature", "agent-node-signature", "h29-20-sign", "h09-12-sign"];
/// For whom packages are encrypted in the shipped examples.
pub(crate) const OPENERS: &[&str] = &["h29-20-open", "h09-12-open"];
/// What the gateway shows to providers.
pub(crate) const GATEWAY_CLIENT: &str = "gateway-client";

/// Name of the example log.
const ORIGIN: &str = "node-1.gov.example";

pub(crate) fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    let Command::Example { directory, clients, signers, openers } = command;
    let usual: Vec<&str> = PARTICIPANTS.iter().copied().chain([GATEWAY_CLIENT]).collect();
    let clients = named(&clients, &usual);
    let (signers, openers) = (named(&signers, SIGNERS), named(&openers, OPENERS));
    let names = pki::Names { clients: &clients, signers: &signers, openers: &openers };
    let now = clock::system().now();
    pki::write_example(&directory, now, &names)?;
    let key_files = (directory.join("evidence.key"), directory.join("digest"));
    evidence::create_keys((&key_files.0, &key_files.1), ORIGIN, now).map_err(anyhow::Error::msg)?;
    keys::symmetric(keys::Purpose::Pseudonym, &directory.join("pseudonym.key"))?;
    let text = output.choose("đã ghi chứng thư mẫu vào", "example certificates written to");
    output.line(format!("{text} {}", directory.display()));
    Ok(Exit::Done)
}

/// Those that were asked for, or the usual ones where none were.
fn named<'a>(asked: &'a [String], usual: &[&'a str]) -> Vec<&'a str> {
    if asked.is_empty() { usual.to_vec() } else { asked.iter().map(String::as_str).collect() }
}
