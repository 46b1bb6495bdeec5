//! `lienthong adapters open-data`: whether a record set may be published, and publishing it.

use clap::{Args, Subcommand};
use lienthong_adapters::{Intent, OpenDataError, RecordSetReport, SizeReport, open_data};
use lienthong_model::{id::RecordSetId, text::Language};

use super::{Settings, read};
use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tells whether a record set may be published: the sizes of groups that speak against it, and the
    /// levels of generalisation that would do. Publishes nothing.
    ///
    /// Exit code: 0 when it may, 1 when not.
    ///
    /// Example: lienthong adapters open-data check visits --config adapters.yaml
    Check(Of),
    /// Publishes a record set as CSV with its description, when nothing speaks against it.
    ///
    /// Exit code: 0 when it is published, 1 when not.
    ///
    /// Example: lienthong adapters open-data publish visits --config adapters.yaml
    Publish(Of),
}

#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The record set.
    record_set: RecordSetId,
    #[command(flatten)]
    settings: Settings,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    let (of, intent) = match command {
        Command::Check(of) => (of, Intent::Check),
        Command::Publish(of) => (of, Intent::Publish),
    };
    let config = match read(&of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let now = clock::system().now();
    let report = match open_data(&config, of.record_set.as_str(), intent, now).await {
        Ok(report) => report,
        Err(error @ (OpenDataError::NotConfigured | OpenDataError::NoRecordSet(_))) => {
            output.note(error.to_string());
            return Ok(Exit::No);
        }
        Err(error) => return Err(error.into()),
    };
    if of.json {
        output.json(&report)?;
    } else {
        tell(&report, output);
    }
    Ok(if report.passes { Exit::Done } else { Exit::No })
}

fn tell(report: &RecordSetReport, output: &Output) {
    let language = output.language();
    if let Some(reason) = &report.reason {
        output.line(format!("{}: {reason}", output.choose("từ chối", "refused")));
        return;
    }
    if report.passes {
        let RecordSetReport { records, groups, smallest, .. } = report;
        output.line(match language {
            Language::Vietnamese => {
                format!("đạt: {records} bản ghi, {groups} nhóm, nhóm nhỏ nhất có {smallest}")
            }
            Language::English => {
                format!("passes: {records} records, {groups} groups, the smallest of {smallest}")
            }
        });
        if let Some(place) = &report.published {
            output.line(format!("{} {place}", output.choose("đã công bố tại", "published in")));
        }
        return;
    }
    output.line(
        output.choose("từ chối: có người có thể bị nhận ra", "refused: people could be told apart"),
    );
    report.too_small.iter().for_each(|size| {
        let what = output.choose("quá nhỏ", "too small");
        output.line(sizes(size, what, language));
    });
    for (column, found) in &report.too_uniform {
        let what = format!("`{column}` {}", output.choose("quá giống nhau", "too much alike"));
        found.iter().for_each(|size| output.line(sizes(size, &what, language)));
    }
    match &report.suggestion {
        None => output.line(output.choose(
            "không mức khái quát nào được phép là đủ",
            "no level that is permitted would do",
        )),
        Some(levels) => {
            let levels: Vec<String> =
                levels.iter().map(|(column, level)| format!("{column}: {level}")).collect();
            let words = output.choose("mức khái quát đủ", "levels that would do");
            output.line(format!("{words}: {}", levels.join(", ")));
        }
    }
}

fn sizes(size: &SizeReport, what: &str, language: Language) -> String {
    let SizeReport { size, groups, records } = size;
    match language {
        Language::Vietnamese => {
            format!("  {what}: {groups} nhóm có {size} bản ghi ({records} bản ghi)")
        }
        Language::English => format!("  {what}: {groups} groups of {size} ({records} records)"),
    }
}
