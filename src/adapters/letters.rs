//! `lienthong adapters dead`: messages that need a person.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hyper::Method;
use lienthong_evidence::entry::{Action, Why};
use lienthong_gateway::{
    administration::{About, Recorded, administer},
    config::Config as GatewayConfig,
};
use lienthong_model::{id::FlowId, text::Language};
use serde_json::{Value, json};

use super::{
    desk::{self, OfFlow, call},
    read,
};
use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the dead messages of a flow, the newest first: key, call, why, attempts.
    ///
    /// Example: lienthong adapters dead list ward-cases --config adapters.yaml
    List(List),
    /// Shows what a message says, with every value hidden. With --reveal the values are shown; that
    /// needs a reason and the configuration of the gateway, whose evidence log gets an entry first.
    ///
    /// Example: lienthong adapters dead show ward-cases KEY --config adapters.yaml
    Show(Show),
    /// Tries a message again. When an attempt may have been taken, the platform is asked first where its
    /// type says so; with --not-taken you have made sure yourself that it was not.
    ///
    /// Example: lienthong adapters dead retry ward-cases KEY --why 'the procedure is in the catalogue now' --config adapters.yaml
    Retry(Retry),
    /// Drops a message for good: its payload is erased, and later messages of its case go on. With
    /// --taken the platform has it, so that it counts as delivered.
    ///
    /// Example: lienthong adapters dead drop ward-cases KEY --taken --why 'the portal shows the step' --config adapters.yaml
    Drop(Drop),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    of: OfFlow,
    /// Most messages that are listed.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    of: OfFlow,
    /// Key of the message, as `list` tells it.
    key: String,
    /// Shows the values.
    #[arg(long, requires_all = ["why", "gateway"])]
    reveal: bool,
    /// Why the values must be seen: one sentence, without anything about a person.
    #[arg(long, value_name = "SENTENCE")]
    why: Option<String>,
    /// Configuration of the gateway whose log gets the entry.
    #[arg(long, value_name = "FILE")]
    gateway: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    of: OfFlow,
    /// Key of the message, as `list` tells it.
    key: String,
    /// You have made sure that the platform does not have it.
    #[arg(long)]
    not_taken: bool,
    /// Why: one sentence, without anything about a person.
    #[arg(long, value_name = "SENTENCE")]
    why: String,
}

#[derive(Debug, Args)]
pub(crate) struct Drop {
    #[command(flatten)]
    of: OfFlow,
    /// Key of the message, as `list` tells it.
    key: String,
    /// The platform has it.
    #[arg(long)]
    taken: bool,
    /// Why: one sentence, without anything about a person.
    #[arg(long, value_name = "SENTENCE")]
    why: String,
}

pub(super) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::List(list) => self::list(list, output).await,
        Command::Show(show) => self::show(show, output).await,
        Command::Retry(retry) => {
            let body = json!({ "why": retry.why, "not_taken": retry.not_taken });
            let said = ("sẽ được gửi lại", "is tried again");
            decide(&retry.of, &retry.key, "/retry", body, said, output).await
        }
        Command::Drop(drop) => {
            let body = json!({ "why": drop.why });
            let (path, said) = if drop.taken {
                ("/taken", ("được tính là đã giao", "counts as delivered"))
            } else {
                ("/drop", ("đã bỏ", "is dropped"))
            };
            decide(&drop.of, &drop.key, path, body, said, output).await
        }
    }
}

async fn list(list: List, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&list.of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let path = format!("{}?limit={}", desk::path(&list.of.flow, "dead"), list.limit);
    let letters = match call(&config, Method::GET, &path, None, output).await? {
        Err(exit) => return Ok(exit),
        Ok(letters) => letters,
    };
    if list.json {
        output.json(&letters)?;
        return Ok(Exit::Done);
    }
    let letters = letters.as_array().map(Vec::as_slice).unwrap_or_default();
    if letters.is_empty() {
        output.line(
            output.choose("không có thông điệp nào cần người xử lý", "no message needs a person"),
        );
    }
    for letter in letters {
        let text = |name: &str| letter.get(name).and_then(Value::as_str).unwrap_or_default();
        let attempts = letter.get("attempts").and_then(Value::as_u64).unwrap_or(0);
        let erased = if letter.get("erased") == Some(&Value::Bool(true)) {
            output.choose(", nội dung đã xóa", ", payload erased")
        } else {
            ""
        };
        let tries = output.choose("lần thử", "attempts");
        output.line(format!("{}  {}", text("key"), text("call")));
        output.line(format!("  {}  {}, {attempts} {tries}{erased}", text("since"), text("reason")));
    }
    Ok(Exit::Done)
}

async fn show(show: Show, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&show.of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    if show.reveal {
        let (Some(why), Some(gateway)) = (&show.why, &show.gateway) else {
            anyhow::bail!("--reveal needs --why and --gateway");
        };
        let recorded = record(gateway, Action::Reveal, &show.of.flow, why, output).await?;
        if let Some(exit) = recorded {
            return Ok(exit);
        }
    }
    let query = if show.reveal { "?reveal=true" } else { "" };
    let path = desk::letter(&show.of.flow, &show.key, query);
    Ok(match call(&config, Method::GET, &path, None, output).await? {
        Err(exit) => exit,
        Ok(shown) => {
            output.json(&shown)?;
            Exit::Done
        }
    })
}

/// Records what is about to be done with a flow. Where that cannot be recorded, it must not be done.
pub(super) async fn record(
    gateway: &Path,
    action: Action,
    flow: &FlowId,
    why: &str,
    output: &Output,
) -> anyhow::Result<Option<Exit>> {
    let gateway = match GatewayConfig::read(gateway) {
        Ok(gateway) => gateway,
        Err(found) => return Ok(Some(output.mistakes(&found))),
    };
    let why = format!("flow {flow}: {why}");
    let Some(why) = Why::new(&why) else {
        output.note(output.choose(
            "--why: một câu không có dấu ngoặc kép, dấu gạch chéo ngược và dãy số dài",
            "--why: expected one sentence without quotation marks, backslashes and long numbers",
        ));
        return Ok(Some(Exit::WrongUse));
    };
    let about = About { count: Some(1), why: Some(why), ..About::default() };
    match administer(&gateway, action, clock::system(), about).await? {
        Recorded::Gateway(_) | Recorded::Log(_) => Ok(None),
        Recorded::NoLog => {
            output.note(match output.language() {
                Language::Vietnamese => "chưa có nhật ký chứng cứ, nên không làm được việc này",
                Language::English => "there is no evidence log yet, so nothing is done",
            });
            Ok(Some(Exit::No))
        }
    }
}

async fn decide(
    of: &OfFlow,
    key: &str,
    what: &str,
    body: Value,
    said: (&str, &str),
    output: &Output,
) -> anyhow::Result<Exit> {
    let config = match read(&of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let path = desk::letter(&of.flow, key, what);
    Ok(match call(&config, Method::POST, &path, Some(body), output).await? {
        Err(exit) => exit,
        Ok(_) => {
            output.line(format!("{key} {}", output.choose(said.0, said.1)));
            Exit::Done
        }
    })
}
