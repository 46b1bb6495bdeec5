//! An indicator of which some figures may tell of someone: computed, withheld where it must be, sent.

use anyhow::Context as _;
use hyper::Method;
use lienthong_adapters::{Config, Outcome};
use lienthong_model::text::Language;
use serde::Serialize;
use serde_json::{Value, json};

use super::{super::world::World, run};
use crate::{adapters::desk::call, clock, output::Output};

/// The indicator's file.
pub(super) const DEFINITION: &str = include_str!("elderly.yaml");
/// Its id.
const ID: &str = "elderly";
/// The flow that sends it.
const FLOW: &str = "figures-to-centre";

/// What became of the indicator.
#[derive(Debug, Serialize)]
pub(crate) struct FiguresResult {
    /// Its id and period.
    indicator: String,
    period: String,
    /// Figures that may be read, and those that may not.
    published: usize,
    withheld: usize,
    /// Cells of the release that are withheld and have a value all the same.
    leaked: usize,
    /// Releases that the centre has given a receipt for.
    delivered: u64,
    /// Releases that the centre took.
    accepted: u64,
}

impl FiguresResult {
    pub(super) fn is_sound(&self) -> bool {
        self.published > 0
            && self.withheld > 0
            && self.leaked == 0
            && self.delivered == 1
            && self.accepted == 1
    }
}

/// Computes the indicator of last year, sends it, and tells what can be read of it.
pub(super) async fn play(
    world: &World,
    config: &Config,
    output: &Output,
) -> anyhow::Result<FiguresResult> {
    let year = clock::system().now().to_zoned(lienthong_model::clock::civil_zone()).year() - 1;
    let period = year.to_string();
    let path = format!("/indicators/{ID}/compute");
    let order = json!({ "period": period, "why": null });
    let Ok(outcome) = call(config, Method::POST, &path, Some(order), output).await? else {
        anyhow::bail!("the indicator of the demo")
    };
    let (published, withheld) = match serde_json::from_value(outcome)? {
        Outcome::Kept { shown, withheld, .. } => (shown, withheld),
        Outcome::Unchanged { .. } => (0, 0),
        Outcome::Refused { reason } => anyhow::bail!("the indicator of the demo: {reason}"),
    };
    let path = format!("/indicators/{ID}/releases");
    let Ok(releases) = call(config, Method::GET, &path, None, output).await? else {
        anyhow::bail!("the release of the demo")
    };
    let release = releases.get(0).context("the release of the demo")?.clone();
    let report = run(config, FLOW).await?;
    let seen = world.centre.report();
    let result = FiguresResult {
        indicator: ID.to_owned(),
        period,
        published,
        withheld,
        leaked: cells(&release)
            .filter(|cell| is_withheld(cell) && cell.get("value").is_some())
            .count(),
        delivered: report.delivered,
        accepted: seen.accepted.get("CHISO").copied().unwrap_or_default(),
    };
    tell(&result, &release, output);
    Ok(result)
}

fn cells(release: &Value) -> impl Iterator<Item = &Value> {
    release.get("cells").and_then(Value::as_array).into_iter().flatten()
}

fn is_withheld(cell: &Value) -> bool {
    cell.get("withheld").is_some()
}

fn tell(result: &FiguresResult, release: &Value, output: &Output) {
    let FiguresResult { indicator, period, published, withheld, delivered, .. } = result;
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "  chỉ số `{indicator}` kỳ {period}: {published} số công bố, {withheld} số không công bố; đã giao {delivered}, có biên nhận"
        ),
        Language::English => format!(
            "  indicator `{indicator}` of {period}: {published} figures published, {withheld} withheld; {delivered} delivered, with its receipt"
        ),
    });
    for cell in cells(release) {
        let at: Vec<&str> =
            cell["at"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let unreadable =
            if is_withheld(cell) { output.choose("không công bố", "withheld") } else { "–" };
        let value = cell["value"].as_str().unwrap_or(unreadable);
        output.line(format!("    {:<14} {value:>13}", at.join(" / ")));
    }
}
