//! `lienthong adapters quality`: the scores of flows, what has to be mended, and letting a flow go on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use hyper::Method;
use lienthong_adapters::{
    Config,
    quality::{Ask, QualityReport, chart, page, quality, text},
};
use lienthong_evidence::entry::Action;
use lienthong_model::{id::FlowId, identifier::WardCode, text::Language, ward};
use serde_json::json;

use super::{
    Settings,
    desk::{self, WithReason, call},
    letters, read,
};
use crate::{
    clock,
    output::{Exit, Output},
};

/// Defects that are listed unless it is said otherwise.
const LISTED: u32 = 20;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Quality {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lets a flow go on although a score holds it, until that score is worse. The evidence log of the
    /// gateway gets an entry with the reason first; where that cannot be written, nothing is done.
    ///
    /// Exit code: 0 when it goes on, 1 when no score holds it.
    ///
    /// Example: lienthong adapters quality release ward-cases --why 'the ward has mended its table' --gateway gateway.yaml --config adapters.yaml
    Release(Release),
}

#[derive(Debug, Args)]
pub(crate) struct Release {
    #[command(flatten)]
    with: WithReason,
    /// Configuration of the gateway whose log gets the entry.
    #[arg(long, value_name = "FILE")]
    gateway: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    /// One flow alone.
    flow: Option<FlowId>,
    /// One ward alone, by its code of today.
    #[arg(long, value_name = "CODE", value_parser = of_today)]
    unit: Option<WardCode>,
    /// Days that the scores are of; the window of each flow by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: Option<u32>,
    /// Lists everything that has to be mended, up to --limit.
    #[arg(long)]
    defects: bool,
    /// Most that is listed of each flow: 20, or 10,000 with --defects.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    limit: Option<u32>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
    /// Writes a page to a file: one HTML document that needs no other.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes the scores as a picture to a file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Configuration of the adapters.
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
}

fn of_today(text: &str) -> Result<WardCode, String> {
    let code = text.parse::<WardCode>().map_err(|error| error.to_string())?;
    let known = ward::units().any(|unit| unit.code == code);
    known.then_some(code).ok_or_else(|| "no code of a ward of today".to_owned())
}

pub(super) async fn run(quality: Quality, output: &Output) -> anyhow::Result<Exit> {
    match quality.command {
        Some(Command::Release(release)) => self::release(release, output).await,
        None => look(quality.look, output).await,
    }
}

async fn look(look: Look, output: &Output) -> anyhow::Result<Exit> {
    let settings = Settings { config: look.config.context("--config is missing")? };
    let config = match read(&settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    if let Some(flow) = &look.flow
        && !has(&config, flow)
    {
        output.note(match output.language() {
            Language::Vietnamese => format!("không có luồng `{flow}`"),
            Language::English => format!("there is no flow `{flow}`"),
        });
        return Ok(Exit::No);
    }
    let limit = look.limit.unwrap_or(if look.defects { 10_000 } else { LISTED });
    let ask = Ask { flow: look.flow, unit: look.unit, days: look.days, limit };
    let report = quality(&config, clock::system(), &ask).await?;
    for (file, draw) in [(&look.html, page as Draw), (&look.svg, chart as Draw)] {
        if let Some(file) = file {
            write(file, &draw(&report, output.language()))?;
        }
    }
    if look.json {
        output.json(&report)?;
    } else {
        output.line(text(&report, output.language()).trim_end());
    }
    Ok(Exit::Done)
}

/// Makes a document of a report.
type Draw = fn(&QualityReport, Language) -> String;

fn has(config: &Config, flow: &FlowId) -> bool {
    config.flows.iter().any(|known| known.id == *flow)
}

fn write(file: &Path, document: &str) -> anyhow::Result<()> {
    fs::write(file, document).with_context(|| format!("`{}` cannot be written", file.display()))
}

async fn release(release: Release, output: &Output) -> anyhow::Result<Exit> {
    let WithReason { of, why } = &release.with;
    let config = match read(&of.settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    let ask = Ask { flow: Some(of.flow.clone()), ..Ask::default() };
    let report = quality(&config, clock::system(), &ask).await?;
    if report.flows.iter().all(|flow| flow.held.is_none()) {
        output.note(match output.language() {
            Language::Vietnamese => format!("luồng {} không bị giữ vì chất lượng", of.flow),
            Language::English => format!("flow {} is not held by quality", of.flow),
        });
        return Ok(Exit::No);
    }
    let action = Action::QualityRelease;
    if let Some(exit) = letters::record(&release.gateway, action, &of.flow, why, output).await? {
        return Ok(exit);
    }
    let path = desk::path(&of.flow, "release");
    let body = json!({ "why": why });
    Ok(match call(&config, Method::POST, &path, Some(body), output).await? {
        Err(exit) => exit,
        Ok(_) => {
            output.line(match output.language() {
                Language::Vietnamese => format!("luồng {} được gửi tiếp", of.flow),
                Language::English => format!("flow {} goes on", of.flow),
            });
            Exit::Done
        }
    })
}
