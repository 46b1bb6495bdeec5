//! `lienthong evidence archive`: older entries in a fifth of the room, still verifiable in place.

use clap::Args;
use jiff::{ToSpan as _, civil::Date};
use lienthong_evidence::{archive::archive, entry::Action};
use lienthong_model::{clock::civil_date, text::Language};
use serde_json::json;

use super::access::{Access, Deed, Span, bar, begins_ms};
use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Args)]
pub(crate) struct Archive {
    #[command(flatten)]
    access: Access,
    /// Entries before this day, as 2026-01-31, are compressed.
    #[arg(long, value_name = "DATE")]
    before: Date,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Archive, output: &Output) -> anyhow::Result<Exit> {
    let Archive { access, before, .. } = arguments;
    let config = access.config()?;
    let verifier = access.verifier(config.as_ref())?;
    let retention = config.as_ref().map(|config| config.evidence.retention).unwrap_or_default();
    let months = i64::from(retention.online_months);
    let newest = civil_date(clock::system().now()).checked_sub(months.months())?;
    if *before > newest {
        output.line(match output.language() {
            Language::English => {
                format!("the last {months} months stay as they are: {newest} is the latest date")
            }
            Language::Vietnamese => {
                format!("{months} tháng gần nhất được giữ nguyên: ngày muộn nhất là {newest}")
            }
        });
        return Ok(Exit::No);
    }
    let before_ms = begins_ms(*before)?;
    let span = Span { from_ms: None, until_ms: before_ms.checked_sub(1) };
    access.record(config.as_ref(), &Deed { span, ..Deed::of(Action::Archive) }, output).await?;
    let mut opened = access.open(&verifier, output)?;
    let progress = bar(output.choose("nén", "archiving"), 0);
    let done = archive(&opened.reader, &mut opened.index, before_ms, &mut |done, of| {
        progress.set_length(of);
        progress.set_position(done);
    })?;
    progress.finish_and_clear();
    let (bundles, plain, packed) = (done.bundles, done.plain, done.packed);
    if arguments.json {
        output.json(&json!({"bundles": bundles, "bytes": plain, "archived_bytes": packed}))?;
    } else {
        output.line(match output.language() {
            Language::English => {
                format!("{bundles} bundles of 256 entries archived: {plain} bytes are now {packed}")
            }
            Language::Vietnamese => {
                format!("đã nén {bundles} gói, mỗi gói 256 mục: {plain} byte còn {packed}")
            }
        });
    }
    Ok(Exit::Done)
}
