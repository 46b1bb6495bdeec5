//! What a participant is told about people whose data it received, and what it did.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Connection,
    client::{Call, Client},
    look::{MOST_PAGES, answer},
    said,
};
use crate::output::{Exit, Output};

const NOTICES: &str = "/v1/participant/notices";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists what this participant has to act on.
    ///
    /// Who each is about goes into a new file with --out, and is not printed.
    ///
    /// Exit code: 0 when there are some, 1 when there are none, 3 when it could not run.
    ///
    /// Example: lienthong consent participant-notices list --out notices.json --profile clinic.yaml
    List(List),
    /// Says what was done about one.
    ///
    /// Exit code: 0 when it is on record, 1 when it was refused, 3 when it could not run.
    ///
    /// Example: lienthong consent participant-notices acknowledge
    /// 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b --handled stopped --profile clinic.yaml
    Acknowledge(Acknowledge),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Writes the notices with the identifiers to a new file that only its owner can read.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    /// Id of the notice.
    id: String,
    /// What was done.
    #[arg(long, value_enum)]
    handled: Handled,
    #[command(flatten)]
    connection: Connection,
}

/// What was done about a notice.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Handled {
    /// The data are used no longer.
    Stopped,
    /// The data were corrected.
    Corrected,
    /// The data were deleted.
    Deleted,
    /// There are no such data here.
    NotHeld,
}

impl Handled {
    fn word(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Corrected => "corrected",
            Self::Deleted => "deleted",
            Self::NotHeld => "not_held",
        }
    }
}

pub(super) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::List(list) => listed(&list, output).await,
        Command::Acknowledge(acknowledge) => acknowledged(&acknowledge, output).await,
    }
}

async fn listed(list: &List, output: &Output) -> anyhow::Result<Exit> {
    let client = match Client::new(&list.connection, output)? {
        Ok(client) => client,
        Err(exit) => return Ok(exit),
    };
    let (mut after, mut notices) = (0, Vec::new());
    for _ in 0..MOST_PAGES {
        let call = Call::get(format!("{NOTICES}?after={after}&limit=100"));
        let mut page = match client.json(call, output).await? {
            Ok(page) => page,
            Err(exit) => return Ok(exit),
        };
        if let Some(found) = page.get_mut("notices").and_then(Value::as_array_mut) {
            notices.append(found);
        }
        match page.get("next").and_then(Value::as_u64).filter(|next| *next > after) {
            Some(next) => after = next,
            None => break,
        }
    }
    if let Some(path) = &list.out {
        let text = serde_json::to_vec_pretty(&json!({ "notices": notices }))?;
        let cannot = || format!("cannot write {}", path.display());
        said::write_private(path, &text).with_context(cannot)?;
    }
    // SECURITY: a list on a screen tells who; the file does, for whoever has to act.
    for notice in notices.iter_mut().filter_map(Value::as_object_mut) {
        notice.remove("data_subject");
    }
    let exit = if notices.is_empty() { Exit::No } else { Exit::Done };
    if list.connection.json {
        output.json(&json!({ "notices": notices }))?;
    } else if notices.is_empty() {
        output.line(output.choose("không có thông báo nào", "there is no notice"));
    } else {
        notices.iter().for_each(|notice| said::participant_notice(notice, output));
    }
    Ok(exit)
}

async fn acknowledged(acknowledge: &Acknowledge, output: &Output) -> anyhow::Result<Exit> {
    let id = match said::id(&acknowledge.id, output) {
        Ok(id) => id,
        Err(exit) => return Ok(exit),
    };
    let body = json!({ "handled": acknowledge.handled.word() });
    let call = Call::post(&format!("{NOTICES}/{id}/acknowledge"), &body);
    let mut answer = match answer(&acknowledge.connection, call, output).await? {
        Ok(answer) => answer,
        Err(exit) => return Ok(exit),
    };
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("data_subject");
    }
    if acknowledge.connection.json {
        output.json(&answer)?;
    } else {
        said::participant_notice(&answer, output);
    }
    Ok(Exit::Done)
}
