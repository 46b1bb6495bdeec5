//! Receipts: fetching one, and verifying one off line.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use lienthong_consent::receipt::ReceiptKeys;
use serde_json::{Value, json};

use super::{
    Connection,
    client::{Call, Client, read_text},
    said,
};
use crate::output::{Exit, Output};

#[derive(Debug, Args)]
pub(crate) struct Receipt {
    /// Id of the record.
    #[arg(required_unless_present = "verify", conflicts_with = "verify")]
    id: Option<String>,
    /// Writes the receipt to a new file, and not to standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "verify")]
    out: Option<PathBuf>,
    /// Verifies the receipt in this file, or `-` for standard input. Nothing is sent anywhere.
    #[arg(long, value_name = "FILE", requires = "jwks")]
    verify: Option<PathBuf>,
    /// The public keys of the gateway: its /.well-known/jwks.json.
    #[arg(long, value_name = "FILE", requires = "verify")]
    jwks: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(receipt: &Receipt, output: &Output) -> anyhow::Result<Exit> {
    if let Some((file, keys)) = receipt.verify.as_deref().zip(receipt.jwks.as_deref()) {
        return verify(file, keys, receipt.connection.json, output);
    }
    let id = receipt.id.as_deref().context("an id is needed")?;
    let id = match said::id(id, output) {
        Ok(id) => id,
        Err(exit) => return Ok(exit),
    };
    let client = match Client::new(&receipt.connection, output)? {
        Ok(client) => client,
        Err(exit) => return Ok(exit),
    };
    let call = Call::get(format!("/v1/service/consent-records/{id}/receipt"));
    let body = match client.call(call, output).await? {
        Ok(body) => body,
        Err(exit) => return Ok(exit),
    };
    let text = String::from_utf8(body).context("the receipt is not text")?;
    match &receipt.out {
        Some(path) => write(path, &text)?,
        None if receipt.connection.json => output.json(&json!({ "receipt": text }))?,
        None => output.line(&text),
    }
    Ok(Exit::Done)
}

/// Writes a receipt to a new file, for its owner only.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(cannot)?;
    writeln!(file, "{text}").and_then(|()| file.sync_all()).with_context(cannot)
}

fn verify(file: &Path, keys: &Path, as_json: bool, output: &Output) -> anyhow::Result<Exit> {
    let text = read_text(file)?;
    let document = read_text(keys)?;
    let keys = ReceiptKeys::read(document.expose().as_bytes())
        .with_context(|| format!("{} is no set of keys of receipts", keys.display()))?;
    let claims = match keys.verify(text.expose().trim()) {
        Ok(claims) => claims,
        Err(error) => {
            if as_json {
                output.json(&json!({ "verified": false, "why": error.to_string() }))?;
            } else {
                let word = output.choose("biên nhận không hợp lệ", "the receipt does not verify");
                output.line(format!("{word}: {error}"));
            }
            return Ok(Exit::No);
        }
    };
    if as_json {
        output.json(&json!({ "verified": true, "claims": claims }))?;
        return Ok(Exit::Done);
    }
    output.line(output.choose("biên nhận hợp lệ", "the receipt verifies"));
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or("-");
    output.line(format!("{} {issuer}", output.choose("bên cấp:", "issuer:")));
    if let Some(record) = claims.get("consent") {
        said::record(record, output);
    }
    Ok(Exit::Done)
}
