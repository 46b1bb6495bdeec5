//! Recording: what a person said, and what changes it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use lienthong_model::{diagnostic::Diagnostics, document};
use serde_json::{Value, json};

use super::{
    Channel, Connection,
    client::{Call, Client, read_text},
    receipt, said,
};
use crate::output::{Exit, Output};

#[derive(Debug, Args)]
pub(crate) struct Give {
    /// What the person said: a file in JSON or YAML, or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    statement: PathBuf,
    /// The word of a witness, a compact JWS, where the consent is in the collector's own favour.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Made up for this one will of the person; under the same key nothing is recorded twice.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Writes the receipt to a new file.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Id of the record.
    id: String,
    /// Over which channel the person said it.
    #[arg(long, value_enum)]
    channel: Channel,
    /// The revision that the record must still have.
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u64>,
    /// Made up for this one will of the person.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn give(give: &Give, output: &Output) -> anyhow::Result<Exit> {
    let statement = match statement(give, output)? {
        Ok(statement) => statement,
        Err(exit) => return Ok(exit),
    };
    let body = match &give.proof {
        Some(path) => {
            let proof = read_text(path)?;
            json!({ "statement": statement, "proof": proof.expose().trim() })
        }
        None => json!({ "statement": statement }),
    };
    let client = match Client::new(&give.connection, output)? {
        Ok(client) => client,
        Err(exit) => return Ok(exit),
    };
    let mut call = Call::post("/v1/service/consent-records", &body);
    call.headers.extend(give.idempotency_key.as_deref().map(|key| ("idempotency-key", key)));
    let answer = match client.json(call, output).await? {
        Ok(answer) => answer,
        Err(exit) => return Ok(exit),
    };
    if let Some(path) = &give.receipt {
        let text =
            answer.get("receipt").and_then(Value::as_str).context("answer has no receipt")?;
        receipt::write(path, text)?;
    }
    if give.connection.json {
        output.json(&answer)?;
    } else {
        said::changed(&answer, output);
    }
    Ok(Exit::Done)
}

/// The statement as JSON; what it means, the gateway says.
fn statement(give: &Give, output: &Output) -> anyhow::Result<Result<Value, Exit>> {
    let text = read_text(&give.statement)?;
    if let Ok(statement) = serde_json::from_str(text.expose()) {
        return Ok(Ok(statement));
    }
    let mut found = Diagnostics::new();
    let file = give.statement.display().to_string();
    match document::parse(&file, text.expose(), &mut found) {
        Some(node) if found.is_empty() => Ok(Ok(node.to_json())),
        _ => {
            output.mistakes(&found);
            Ok(Err(Exit::WrongUse))
        }
    }
}

pub(super) async fn change(action: &str, change: &Change, output: &Output) -> anyhow::Result<Exit> {
    let client = match Client::new(&change.connection, output)? {
        Ok(client) => client,
        Err(exit) => return Ok(exit),
    };
    let id = match said::id(&change.id, output) {
        Ok(id) => id,
        Err(exit) => return Ok(exit),
    };
    let path = format!("/v1/service/consent-records/{id}/{action}");
    let expected = change.revision.map(|revision| format!("\"{revision}\""));
    let mut call = Call::post(&path, &json!({ "channel": change.channel.word() }));
    call.headers.extend(expected.as_deref().map(|revision| ("if-match", revision)));
    call.headers.extend(change.idempotency_key.as_deref().map(|key| ("idempotency-key", key)));
    let answer = match client.json(call, output).await? {
        Ok(answer) => answer,
        Err(exit) => return Ok(exit),
    };
    if change.connection.json {
        output.json(&answer)?;
    } else {
        said::changed(&answer, output);
    }
    Ok(Exit::Done)
}
