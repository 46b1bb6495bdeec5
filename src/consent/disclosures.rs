//! Who received what about a person, with proofs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{
    Connection,
    client::{Call, Client},
    look::{MOST_PAGES, Subject},
    said,
};
use crate::output::{Exit, Output};

#[derive(Debug, Args)]
pub(crate) struct Disclosures {
    #[command(flatten)]
    subject: Subject,
    /// First day, as 2026-01-31.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last day.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Why it is asked; stands in the log.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Folder for the entries and their proofs, and a list for `lienthong evidence verify-proof`; is
    /// created.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(asked: &Disclosures, output: &Output) -> anyhow::Result<Exit> {
    let subject = asked.subject.read()?;
    let client = match Client::new(&asked.connection, output)? {
        Ok(client) => client,
        Err(exit) => return Ok(exit),
    };
    let (mut after, mut found, mut whole) = (None, Vec::new(), Value::Null);
    for _ in 0..MOST_PAGES {
        let body = json!({
            "data_subject": subject, "from": asked.from, "until": asked.until, "why": asked.why,
            "after": after, "limit": 50,
        });
        let call = Call::post("/v1/service/disclosures/search", &body);
        let mut page = match client.json(call, output).await? {
            Ok(page) => page,
            Err(exit) => return Ok(exit),
        };
        if let Some(told) = page.get_mut("disclosures").and_then(Value::as_array_mut) {
            found.append(told);
        }
        let next = page.get("next").and_then(Value::as_u64).filter(|next| Some(*next) > after);
        if whole.is_null() {
            whole = page;
        }
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    if let Some(folder) = &asked.out {
        write(folder, &found, &whole)?;
    }
    let exit = if found.is_empty() { Exit::No } else { Exit::Done };
    if let Some(whole) = whole.as_object_mut() {
        whole.remove("next");
        whole.insert("disclosures".to_owned(), found.into());
    }
    if asked.connection.json {
        output.json(&whole)?;
    } else {
        said::disclosures(&whole, output);
    }
    Ok(exit)
}

/// Writes each entry and its proof, and the list of them.
fn write(folder: &Path, found: &[Value], whole: &Value) -> anyhow::Result<()> {
    let cannot = || format!("cannot write to {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    let mut exchanges = Vec::with_capacity(found.len());
    for told in found {
        let mut entries = Vec::new();
        for proven in told.get("proofs").and_then(Value::as_array).into_iter().flatten() {
            let index =
                proven.get("index").and_then(Value::as_u64).context("a proof has no index")?;
            let mut listed = json!({ "index": index });
            let parts = [
                ("entry", format!("{index}.entry.json")),
                ("proof", format!("{index}.tlog-proof")),
                ("sidecar_proof", format!("{index}.sidecar-proof")),
            ];
            for (part, name) in parts {
                let Some(text) = proven.get(part).and_then(Value::as_str) else { continue };
                let bytes = STANDARD.decode(text).context("a proof is not base 64")?;
                fs::write(folder.join(&name), bytes).with_context(cannot)?;
                said::put(&mut listed, part, name.into());
            }
            if let Some(digest) = proven.get("digest") {
                said::put(&mut listed, "digest", digest.clone());
            }
            // What is newer than the checkpoint is kept, and proves nothing yet.
            if listed.get("proof").is_some() {
                entries.push(listed);
            }
        }
        if !entries.is_empty() {
            let exchange = told.get("exchange").cloned().unwrap_or_default();
            exchanges.push(json!({ "exchange": exchange, "entries": entries }));
        }
    }
    let of = |name: &str| whole.get(name).cloned().unwrap_or_default();
    let list = json!({
        "format": 1, "checkpoint": of("checkpoint"), "subject": of("digests"),
        "exchanges": exchanges,
    });
    let text = serde_json::to_vec_pretty(&list)?;
    fs::write(folder.join("proofs.json"), text).with_context(cannot)
}
