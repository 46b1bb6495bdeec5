//! `lienthong adapters indicators`: what is computed, what became of it, computing a period again.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hyper::Method;
use lienthong_adapters::{Config, IndicatorReport, Outcome, PeriodState, page};
use lienthong_model::{id::IndicatorId, text::Language};
use serde_json::{Value, json};

use super::{Settings, desk::call, read};
use crate::{
    clock,
    output::{self, Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the indicators that are configured.
    ///
    /// Example: lienthong adapters indicators list --config adapters.yaml
    List(Look),
    /// Shows an indicator: what it is, and its releases as they are published.
    ///
    /// Example: lienthong adapters indicators show --indicator group-a-07 --config adapters.yaml
    Show(Of),
    /// Computes a period, again where it was computed. Other figures make a new revision, the same
    /// ones none.
    ///
    /// Exit code: 0 when there are figures, 1 when the period was refused.
    ///
    /// Example: lienthong adapters indicators compute --indicator group-a-07 --period 2026-10 --config adapters.yaml
    Compute(Compute),
    /// Computes every period that is over and has no figures, from a period on.
    ///
    /// Exit code: 0 when all have figures, 1 when some were refused.
    ///
    /// Example: lienthong adapters indicators backfill --from 2026-01-01 --config adapters.yaml
    Backfill(Backfill),
    /// Shows for each indicator and period whether it is published, computed, refused, missing or late.
    ///
    /// Exit code: 0 when nothing is late or refused, 1 when something is.
    ///
    /// Example: lienthong adapters indicators status --html indicators.html --config adapters.yaml
    Status(Status),
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    settings: Settings,
    /// This indicator only.
    #[arg(long, value_name = "ID")]
    indicator: Option<IndicatorId>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Of {
    #[command(flatten)]
    settings: Settings,
    /// The indicator.
    #[arg(long, value_name = "ID")]
    indicator: IndicatorId,
    /// This period only.
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Compute {
    #[command(flatten)]
    settings: Settings,
    /// The indicator.
    #[arg(long, value_name = "ID")]
    indicator: IndicatorId,
    /// The period: `2026-11-29`, `2026-w48`, `2026-11`, `2026-q4` or `2026`.
    #[arg(long, value_name = "PERIOD")]
    period: String,
    /// Why it is computed again: one sentence, which is published with the revision.
    #[arg(long, value_name = "SENTENCE")]
    why: Option<String>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Backfill {
    #[command(flatten)]
    look: Look,
    /// The first day of the earliest period; `since` of the configuration when it is missing.
    #[arg(long, value_name = "DAY")]
    from: Option<jiff::civil::Date>,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    look: Look,
    /// This period only.
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// Writes a page with each indicator over time.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) async fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    let settings = match &command {
        Command::List(look) => &look.settings,
        Command::Show(of) => &of.settings,
        Command::Compute(compute) => &compute.settings,
        Command::Backfill(backfill) => &backfill.look.settings,
        Command::Status(status) => &status.look.settings,
    };
    let config = match read(settings, output) {
        Ok(config) => config,
        Err(exit) => return Ok(exit),
    };
    if config.indicators.is_none() {
        output.note(
            output
                .choose("cấu hình không có `indicators`", "the configuration has no `indicators`"),
        );
        return Ok(Exit::No);
    }
    match command {
        Command::List(look) => list(&config, &look, output),
        Command::Show(of) => show(&config, &of, output).await,
        Command::Compute(order) => compute(&config, order, output).await,
        Command::Backfill(backfill) => backfill_all(&config, &backfill, output).await,
        Command::Status(look) => status(&config, look, output).await,
    }
}

fn list(config: &Config, look: &Look, output: &Output) -> anyhow::Result<Exit> {
    let all = config.indicators.iter().flat_map(|indicators| &indicators.definitions);
    let wanted = |id: &IndicatorId| look.indicator.as_ref().is_none_or(|one| one == id);
    let found: Vec<_> = all.filter(|one| wanted(&one.id)).collect();
    if look.json {
        let told: Vec<Value> = found
            .iter()
            .map(|one| {
                json!({
                    "id": one.id, "name": one.name, "group": one.group, "steward": one.steward,
                    "period": one.period.name(), "due_days": one.due_days, "unit": one.unit,
                    "legal_basis": one.legal_basis, "source": one.source,
                })
            })
            .collect();
        output.json(&told)?;
    } else {
        for one in &found {
            let name = one.name.text(output.language());
            output.line(format!("{}  {}  {name}", one.id, one.period.name()));
        }
    }
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}

async fn show(config: &Config, of: &Of, output: &Output) -> anyhow::Result<Exit> {
    let path = format!("/indicators/{}", of.indicator);
    let report = match call(config, Method::GET, &path, None, output).await? {
        Ok(report) => report,
        Err(exit) => return Ok(exit),
    };
    let releases =
        match call(config, Method::GET, &format!("{path}/releases"), None, output).await? {
            Ok(releases) => releases,
            Err(exit) => return Ok(exit),
        };
    let of_period = |one: &&Value| {
        let name = one.pointer("/period/name").and_then(Value::as_str);
        of.period.as_deref().is_none_or(|wanted| name == Some(wanted))
    };
    let releases: Vec<&Value> =
        releases.as_array().into_iter().flatten().filter(of_period).collect();
    if of.json {
        output.json(&json!({ "indicator": report, "releases": releases }))?;
        return Ok(Exit::Done);
    }
    let report: IndicatorReport = serde_json::from_value(report)?;
    tell(&report, None, output);
    let Some(newest) = releases.first() else { return Ok(Exit::Done) };
    let text = |pointer: &str| newest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    output.line(format!("{} ({})", text("/period/name"), newest["revision"]));
    for cell in newest["cells"].as_array().into_iter().flatten() {
        let at: Vec<&str> =
            cell["at"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let withheld = output.choose("không công bố", "withheld");
        let value = match (cell["value"].as_str(), cell.get("withheld").is_some()) {
            (Some(value), _) => value,
            (None, true) => withheld,
            (None, false) => "–",
        };
        output.line(format!("  {}: {value}", at.join(" / ")));
    }
    Ok(Exit::Done)
}

/// Has one period computed.
async fn ask(
    config: &Config,
    indicator: &IndicatorId,
    period: &str,
    why: Option<&str>,
    output: &Output,
) -> anyhow::Result<Result<Outcome, Exit>> {
    let path = format!("/indicators/{indicator}/compute");
    let body = json!({ "period": period, "why": why });
    Ok(match call(config, Method::POST, &path, Some(body), output).await? {
        Ok(outcome) => Ok(serde_json::from_value(outcome)?),
        Err(exit) => Err(exit),
    })
}

async fn compute(config: &Config, order: Compute, output: &Output) -> anyhow::Result<Exit> {
    let why = order.why.as_deref();
    let outcome = match ask(config, &order.indicator, &order.period, why, output).await? {
        Ok(outcome) => outcome,
        Err(exit) => return Ok(exit),
    };
    if order.json {
        output.json(&outcome)?;
    } else {
        output.line(words(&outcome, output.language()));
    }
    Ok(if matches!(outcome, Outcome::Refused { .. }) { Exit::No } else { Exit::Done })
}

fn words(outcome: &Outcome, language: Language) -> String {
    match (outcome, language) {
        (Outcome::Kept { revision, shown, withheld }, Language::Vietnamese) => {
            format!("đã tính, lần {revision}: {shown} ô công bố, {withheld} ô không công bố")
        }
        (Outcome::Kept { revision, shown, withheld }, Language::English) => {
            format!("computed, revision {revision}: {shown} cells published, {withheld} withheld")
        }
        (Outcome::Unchanged { revision }, Language::Vietnamese) => {
            format!("số liệu như lần {revision}, không có gì mới")
        }
        (Outcome::Unchanged { revision }, Language::English) => {
            format!("the figures are those of revision {revision}, nothing is new")
        }
        (Outcome::Refused { reason }, Language::Vietnamese) => format!("chưa tính được: {reason}"),
        (Outcome::Refused { reason }, Language::English) => format!("refused: {reason}"),
    }
}

async fn reports(
    config: &Config,
    indicator: Option<&IndicatorId>,
    output: &Output,
) -> anyhow::Result<Result<Vec<IndicatorReport>, Exit>> {
    let path = indicator.map_or_else(|| "/indicators".to_owned(), |id| format!("/indicators/{id}"));
    Ok(match call(config, Method::GET, &path, None, output).await? {
        Ok(Value::Array(all)) => Ok(serde_json::from_value(Value::Array(all))?),
        Ok(one) => Ok(vec![serde_json::from_value(one)?]),
        Err(exit) => Err(exit),
    })
}

async fn backfill_all(
    config: &Config,
    backfill: &Backfill,
    output: &Output,
) -> anyhow::Result<Exit> {
    let look = &backfill.look;
    let reports = match reports(config, look.indicator.as_ref(), output).await? {
        Ok(reports) => reports,
        Err(exit) => return Ok(exit),
    };
    let from = backfill.from.map(|day| day.to_string()).unwrap_or_default();
    let mut open = Vec::new();
    for report in &reports {
        let wanting = report.periods.iter().filter(|one| one.revision.is_none());
        open.extend(
            wanting.filter(|one| one.last_day >= from).map(|one| (&report.id, &one.period)),
        );
    }
    let length = u64::try_from(open.len()).unwrap_or(u64::MAX);
    let label = output.choose("tính các kỳ", "computing periods");
    let bar = (output.is_terminal() && !look.json).then(|| output::bar(label, length));
    let mut told = Vec::new();
    let mut refused = 0;
    for (indicator, period) in open {
        let outcome = match ask(config, indicator, period, None, output).await? {
            Ok(outcome) => outcome,
            Err(exit) => return Ok(exit),
        };
        refused += u64::from(matches!(outcome, Outcome::Refused { .. }));
        match &bar {
            Some(bar) => bar.inc(1),
            None if !look.json => {
                let words = words(&outcome, output.language());
                output.line(format!("{indicator} {period}: {words}"));
            }
            None => {}
        }
        told.push(json!({ "indicator": indicator, "period": period, "became": outcome }));
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if look.json {
        output.json(&told)?;
    } else {
        output.line(match output.language() {
            Language::Vietnamese => {
                format!("{} kỳ đã xét, {refused} kỳ chưa tính được", told.len())
            }
            Language::English => format!("{} periods looked at, {refused} refused", told.len()),
        });
    }
    Ok(if refused == 0 { Exit::Done } else { Exit::No })
}

async fn status(config: &Config, look: Status, output: &Output) -> anyhow::Result<Exit> {
    let mut reports = match reports(config, look.look.indicator.as_ref(), output).await? {
        Ok(reports) => reports,
        Err(exit) => return Ok(exit),
    };
    if let Some(file) = &look.html {
        let mut shown = Vec::with_capacity(reports.len());
        for report in &reports {
            let path = format!("/indicators/{}/releases", report.id);
            match call(config, Method::GET, &path, None, output).await? {
                Ok(Value::Array(releases)) => shown.push((report.clone(), releases)),
                Ok(_) => anyhow::bail!("the answer of the desk is no list"),
                Err(exit) => return Ok(exit),
            }
        }
        std::fs::write(file, page(&shown, output.language(), clock::system().now()))?;
    }
    if let Some(period) = &look.period {
        for report in &mut reports {
            report.periods.retain(|one| one.period == *period);
        }
    }
    if look.look.json {
        output.json(&reports)?;
    } else {
        reports.iter().for_each(|report| tell(report, look.period.as_deref(), output));
    }
    let open =
        |report: &IndicatorReport| report.late() > 0 || report.count(PeriodState::Refused) > 0;
    Ok(if reports.iter().any(open) { Exit::No } else { Exit::Done })
}

/// Most periods of an indicator that are told one by one.
const MOST_TOLD: usize = 12;

fn tell(report: &IndicatorReport, period: Option<&str>, output: &Output) {
    let language = output.language();
    output.line(format!("{} ({})", report.id, report.name.text(language)));
    let counts =
        [PeriodState::Published, PeriodState::Computed, PeriodState::Refused, PeriodState::Missing]
            .map(|state| format!("{} {}", report.count(state), state_words(state, language)));
    output.line(format!(
        "  {}, {} {}",
        counts.join(", "),
        report.late(),
        output.choose("quá hạn", "late")
    ));
    let is_told = |one: &&lienthong_adapters::PeriodReport| {
        period.is_some() || one.late || one.reason.is_some()
    };
    for one in report.periods.iter().rev().filter(is_told).take(MOST_TOLD) {
        let late = if one.late { output.choose(", quá hạn", ", late") } else { "" };
        let reason = one.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        output.line(format!("  {} {}{late}{reason}", one.period, state_words(one.state, language)));
    }
}

fn state_words(state: PeriodState, language: Language) -> &'static str {
    match (state, language) {
        (PeriodState::Published, Language::Vietnamese) => "đã công bố",
        (PeriodState::Published, Language::English) => "published",
        (PeriodState::Computed, Language::Vietnamese) => "đã tính",
        (PeriodState::Computed, Language::English) => "computed",
        (PeriodState::Refused, Language::Vietnamese) => "chưa tính được",
        (PeriodState::Refused, Language::English) => "refused",
        (PeriodState::Missing, Language::Vietnamese) => "chưa có",
        (PeriodState::Missing, Language::English) => "missing",
    }
}
