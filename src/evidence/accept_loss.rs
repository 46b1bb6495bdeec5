//! `lienthong evidence accept-loss`: goes on with a log that has lost entries, and says so in it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use lienthong_evidence::{
    entry::{Entry, Format, IsLoss, Loss, Name, Why},
    log::{Log, Lost, OpenError},
};
use lienthong_gateway::{config::Config, evidence};
use lienthong_model::text::Language;
use serde_json::json;

use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Args)]
pub(crate) struct AcceptLoss {
    /// Configuration file of the node.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Why the loss is accepted: what happened and who decided, without anybody's number.
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &AcceptLoss, output: &Output) -> anyhow::Result<Exit> {
    let config = match Config::read(&arguments.config) {
        Ok(config) => config,
        Err(found) => return Ok(output.mistakes(&found)),
    };
    let why = Why::new(arguments.why.trim()).context(
        "`--why` is a sentence of 1 to 500 bytes without quotation marks, backslashes and long numbers",
    )?;
    let clock = clock::system();
    let at_ms = u64::try_from(clock.now().as_millisecond()).unwrap_or_default();
    let node =
        Name::of_node(&config.evidence.node).context("`evidence.node` is no name of a node")?;
    let record = |lost: &Lost| {
        let entry = Entry::Loss(Loss {
            at_ms,
            clock_offset_ms: None,
            format: Format,
            kept: lost.size,
            kind: IsLoss,
            lost_root: lost.newest.as_ref().map(|newest| newest.root),
            lost_size: lost.newest.as_ref().map(|newest| newest.size),
            node,
            why,
        });
        entry.encode()
    };
    match Log::accept_loss(evidence::log_settings(&config, clock)?, record) {
        Ok((_, lost)) => {
            tell(&lost, arguments.json, output)?;
            Ok(Exit::Done)
        }
        Err(OpenError::NothingLost) => {
            output.line(output.choose(
                "không có gì bị mất: nhật ký mở được",
                "nothing is lost: the log opens as it is",
            ));
            Ok(Exit::No)
        }
        Err(error) => Err(error.into()),
    }
}

fn tell(lost: &Lost, json: bool, output: &Output) -> anyhow::Result<()> {
    let kept = lost.size;
    let signed = lost.newest.as_ref().map(|newest| newest.size);
    if json {
        return output.json(&json!({"kept": kept, "signed": signed, "recorded_as": kept}));
    }
    let signed = signed.map_or_else(|| "?".to_owned(), |signed| signed.to_string());
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "còn {kept} mục; điểm kiểm tra mới nhất đã có {signed}; việc mất được ghi ở mục {kept}"
        ),
        Language::English => format!(
            "{kept} entries are left, the newest checkpoint was of {signed}; the loss is entry {kept}"
        ),
    });
    Ok(())
}
