//! `lienthong adapters status` and `backfill`: how far the flows are.

use std::time::Duration;

use clap::Args;
use hyper::Method;
use lienthong_adapters::{Config, FlowReport, Report, status as told};
use lienthong_model::{id::FlowId, text::Language};
use serde_json::json;

use super::{
    desk::{self, OfFlow, call},
    read,
};
use crate::{
    clock,
    output::{self, Exit, Output},
};

/// How often a backfill is looked at.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct Backfill {
    #[command(flatten)]
    of: OfFlow,
    /// Position behind which to begin (of a folder: the name of a file); everything when it is missing.
    #[arg(long, value_name = "POSITION")]
    from: Option<String>,
    /// Does not wait until everything has been read.
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn status(config: &Config, json: bool, output: &Output) -> anyhow::Result<Exit> {
    // A process that runs the flows knows more than the durable state does.
    let report = match crate::socket::connect(&config.socket).await? {
        Some(stream) => {
            let (status, body) =
                crate::socket::call(stream, Method::GET, "/status", Vec::new()).await?;
            anyhow::ensure!(status.is_success(), "the adapters answered {status}");
            serde_json::from_slice(&body)?
        }
        None => told(config, clock::system()).await?,
    };
    if json {
        output.json(&report)?;
    } else {
        table(&report, output);
    }
    Ok(Exit::Done)
}

fn table(report: &Report, output: &Output) {
    for flow in &report.flows {
        for line in lines(flow, output.language()) {
            output.line(line);
        }
        if let Some(held) = &flow.quality.held {
            output.line(format!("  {}", held.told(output.language())));
        }
        if let Some(lag) = flow.lag_seconds {
            output.line(match output.language() {
                Language::Vietnamese => format!("  nguồn được đọc hết cách đây {lag} giây"),
                Language::English => format!("  source read to its end {lag} s ago"),
            });
        }
        if let Some(why) = &flow.paused {
            output.line(format!("  {}: {why}", output.choose("tạm dừng", "paused")));
        }
        if let Some(reason) = &flow.away {
            let words = output.choose("nền tảng không trả lời", "the platform does not answer");
            output.line(format!("  {words}: {reason}"));
        }
        for row in &flow.quarantine {
            let word = output.choose("cách ly", "quarantined");
            output.line(format!("  {word} {}: {}", row.key, row.reason));
        }
        for letter in &flow.dead_letters {
            let word = output.choose("cần người xử lý", "dead");
            output.line(format!("  {word} {}: {}", letter.key, letter.reason));
        }
    }
}

fn lines(flow: &FlowReport, language: Language) -> [String; 3] {
    let oldest = flow.oldest_seconds.unwrap_or(0);
    match language {
        Language::Vietnamese => [
            format!("{} ({})", flow.name, flow.guarantee_vi),
            format!(
                "  {} dòng, {} đã giao, {} đang chờ ({} bị giữ, lâu nhất {oldest} giây), {} cách ly, {} cần người xử lý",
                flow.rows, flow.delivered, flow.waiting, flow.held, flow.quarantined, flow.dead
            ),
            format!(
                "  {} gửi lại, {} đã gửi trước đó, {} được thay thế, {} không gửi vì thiếu đồng ý, {} đã bỏ",
                flow.retried, flow.duplicates, flow.superseded, flow.withheld, flow.dropped
            ),
        ],
        Language::English => [
            format!("{} ({})", flow.name, flow.guarantee),
            format!(
                "  {} rows, {} delivered, {} waiting ({} held, oldest {oldest} s), {} quarantined, {} dead",
                flow.rows, flow.delivered, flow.waiting, flow.held, flow.quarantined, flow.dead
            ),
            format!(
                "  {} retried, {} sent before, {} superseded, {} withheld for want of consent, {} dropped",
                flow.retried, flow.duplicates, flow.superseded, flow.withheld, flow.dropped
            ),
        ],
    }
}

pub(super) async fn backfill(backfill: Backfill, output: &Output) -> anyhow::Result<Exit> {
    let config = match read(&backfill.of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let flow = &backfill.of.flow;
    let before = match flow_of(&config, flow, output).await? {
        Ok(before) => before,
        Err(exit) => return Ok(exit),
    };
    let path = desk::path(flow, "backfill");
    let body = json!({ "from": backfill.from });
    if let Err(exit) = call(&config, Method::POST, &path, Some(body), output).await? {
        return Ok(exit);
    }
    if backfill.no_wait {
        output.line(output.choose("đang đọc lại", "reading again"));
        return Ok(Exit::Done);
    }
    let bar = output.is_terminal().then(|| output::bar(flow.as_str(), before.rows));
    let mut last = before.rows;
    let mut still = 0;
    // Until nothing has been read for a while.
    while still < 10 {
        tokio::time::sleep(LOOK).await;
        let now = match flow_of(&config, flow, output).await? {
            Ok(now) => now,
            Err(exit) => return Ok(exit),
        };
        still = if now.rows == last { still + 1 } else { 0 };
        last = now.rows;
        let again = last.saturating_sub(before.rows);
        match &bar {
            Some(bar) => {
                bar.set_length(before.rows.max(again));
                bar.set_position(again);
            }
            None if still == 0 => output.line(format!("{again}")),
            None => {}
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let after = match flow_of(&config, flow, output).await? {
        Ok(after) => after,
        Err(exit) => return Ok(exit),
    };
    let rows = after.rows.saturating_sub(before.rows);
    let new = after.enqueued.saturating_sub(before.enqueued);
    output.line(match output.language() {
        Language::Vietnamese => format!("đã đọc lại {rows} dòng, {new} dòng mới"),
        Language::English => format!("{rows} rows read again, {new} of them new"),
    });
    Ok(Exit::Done)
}

async fn flow_of(
    config: &Config,
    flow: &FlowId,
    output: &Output,
) -> anyhow::Result<Result<FlowReport, Exit>> {
    let report = match call(config, Method::GET, "/status", None, output).await? {
        Err(exit) => return Ok(Err(exit)),
        Ok(report) => report,
    };
    let report: Report = serde_json::from_value(report)?;
    let found = report.flows.into_iter().find(|one| one.name == *flow);
    Ok(found.ok_or_else(|| {
        output.note(match output.language() {
            Language::Vietnamese => format!("không có luồng `{flow}`"),
            Language::English => format!("there is no flow `{flow}`"),
        });
        Exit::No
    }))
}
