//! Pictures of scores, as SVG that stands in a page or alone.
//!
//! Each has a title and a description in words. Nothing is told by colour alone: what is below what is
//! aimed at has a sign too, and the two colours are told apart by everybody.

use lienthong_model::{
    quality::{Criterion, Ratio},
    text::Language,
};
use maud::{Markup, html};

use super::{
    report::{FlowScores, Score, UnitScore},
    text::{choose, name, percent},
};

/// Good enough, and not.
const GOOD: &str = "#0072b2";
const LOW: &str = "#d55e00";
const QUIET: &str = "#e6e6e6";
const INK: &str = "#222222";
/// Height of a line of bars.
const LINE: usize = 26;
/// Columns of wards, and the height of a ward.
const COLUMNS: usize = 3;
const WARD: usize = 17;

/// The bars of a flow's criteria, in a frame of its own.
pub(super) fn bars(flow: &FlowScores, language: Language) -> Markup {
    let height = flow.scores.len() * LINE + 8;
    let heading = format!("{}: {}", flow.flow, choose(language, "điểm theo tiêu chí", "scores"));
    frame(
        &format!("bars-{}", flow.flow),
        &heading,
        &told(flow, language),
        (720, height),
        &html! {
            (lines(flow, language))
        },
    )
}

/// The bars of all flows, below each other.
pub(super) fn all(flows: &[FlowScores], title: &str, language: Language) -> Markup {
    let each = Criterion::ALL.len() * LINE + 40;
    let told: Vec<String> =
        flows.iter().map(|flow| format!("{}: {}", flow.flow, told(flow, language))).collect();
    frame(
        "all",
        title,
        &told.join(" "),
        (720, flows.len() * each + 8),
        &html! {
            @for (place, flow) in flows.iter().enumerate() {
                g transform=(format!("translate(0 {})", place * each + 24)) {
                    text x="0" y="0" font-size="14" font-weight="bold" fill=(INK) { (flow.flow) }
                    g transform="translate(0 6)" { (lines(flow, language)) }
                }
            }
        },
    )
}

/// The scores in words.
fn told(flow: &FlowScores, language: Language) -> String {
    let words = flow.scores.iter().map(|score| {
        let aim = score.aim.map_or_else(String::new, |aim| {
            let word = choose(language, "ngưỡng", "aim");
            format!(" ({word} {} %)", percent(Some(aim.value())))
        });
        format!("{} {} %{aim}", name(score.criterion, language), percent(score.score))
    });
    words.collect::<Vec<_>>().join(", ") + "."
}

fn lines(flow: &FlowScores, language: Language) -> Markup {
    html! {
        @for (place, score) in flow.scores.iter().enumerate() {
            g transform=(format!("translate(0 {})", place * LINE)) { (bar(score, language)) }
        }
    }
}

fn bar(score: &Score, language: Language) -> Markup {
    let is_low = score.aim.is_some_and(|aim| score.share.is_below(aim));
    let (left, width) = (110.0, 380.0);
    let length = score.score.unwrap_or(0.0) * width;
    let counts = format!("{}/{}", score.share.good, score.share.all);
    html! {
        text x="100" y="17" font-size="13" text-anchor="end" fill=(INK) {
            (name(score.criterion, language))
        }
        rect x=(left) y="4" width=(width) height="16" fill=(QUIET) {}
        rect x=(left) y="4" width=(round(length)) height="16" fill=(if is_low { LOW } else { GOOD }) {}
        @if let Some(aim) = score.aim { (tick(left + aim.value() * width, aim)) }
        text x="500" y="17" font-size="13" fill=(INK) {
            (percent(score.score)) @if score.score.is_some() { " %" }
            @if is_low { " ▼" }
        }
        text x="590" y="17" font-size="12" fill="#555555" { @if score.share.all > 0 { (counts) } }
    }
}

/// What is aimed at.
fn tick(at: f64, aim: Ratio) -> Markup {
    html! {
        line x1=(round(at)) x2=(round(at)) y1="1" y2="23" stroke=(INK) stroke-width="2" {
            title { (percent(Some(aim.value()))) " %" }
        }
    }
}

/// The history of one criterion: a line over the days.
pub(super) fn history(flow: &FlowScores, score: &Score, language: Language) -> Markup {
    let of =
        |scores: &std::collections::BTreeMap<Criterion, f64>| scores.get(&score.criterion).copied();
    let points: Vec<(String, f64)> = flow
        .history
        .iter()
        .filter_map(|day| Some((day.day.to_string(), of(&day.scores)?)))
        .collect();
    let title = name(score.criterion, language);
    let id = format!("history-{}-{}", flow.flow, score.criterion.as_str());
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return html! {};
    };
    let heading = format!("{}: {title}", flow.flow);
    let words =
        format!("{} {} %, {} {} %", first.0, percent(Some(first.1)), last.0, percent(Some(last.1)));
    let lowest = points.iter().map(|point| point.1).fold(1.0, f64::min);
    let lowest = lowest.min(score.aim.map_or(1.0, Ratio::value));
    // The scale begins at a whole tenth below all of it.
    let bottom = ((lowest * 10.0 - 0.001).floor() / 10.0).max(0.0);
    frame(
        &id,
        &heading,
        &words,
        (240, 130),
        &html! {
            text x="4" y="14" font-size="13" font-weight="bold" fill=(INK) { (title) }
            text x="236" y="14" font-size="12" text-anchor="end" fill=(INK) { (percent(Some(last.1))) " %" }
            (curve(&points, bottom, score.aim))
            text x="38" y="124" font-size="10" fill="#555555" { (first.0) }
            @if points.len() > 1 {
                text x="234" y="124" font-size="10" text-anchor="end" fill="#555555" { (last.0) }
            }
        },
    )
}

fn curve(points: &[(String, f64)], bottom: f64, aim: Option<Ratio>) -> Markup {
    let (left, right, top, floor) = (38.0, 232.0, 26.0, 108.0);
    let height = |score: f64| floor - (score - bottom) / (1.0 - bottom).max(0.1) * (floor - top);
    let steps = count(points.len().saturating_sub(1)).max(1.0);
    let at = |place: usize| left + (right - left) * count(place) / steps;
    let places = points.iter().enumerate().map(|(place, (_, score))| (at(place), height(*score)));
    let places: Vec<(f64, f64)> = places.collect();
    let path: Vec<String> =
        places.iter().map(|(x, y)| format!("{},{}", round(*x), round(*y))).collect();
    html! {
        line x1=(left) x2=(right) y1=(top) y2=(top) stroke=(QUIET) {}
        line x1=(left) x2=(right) y1=(floor) y2=(floor) stroke="#999999" {}
        text x="34" y="30" font-size="10" text-anchor="end" fill="#555555" { "100" }
        text x="34" y="111" font-size="10" text-anchor="end" fill="#555555" {
            (format!("{:.0}", bottom * 100.0))
        }
        @if let Some(aim) = aim {
            line x1=(left) x2=(right) y1=(round(height(aim.value()))) y2=(round(height(aim.value())))
                stroke=(LOW) stroke-dasharray="5 3" {}
        }
        polyline points=(path.join(" ")) fill="none" stroke=(GOOD) stroke-width="2" {}
        @if let Some((x, y)) = places.last() {
            circle cx=(round(*x)) cy=(round(*y)) r="3" fill=(GOOD) {}
        }
    }
}

/// All wards, the worst first, down the columns.
pub(super) fn wards(flow: &FlowScores, language: Language) -> Markup {
    let each = flow.units.len().div_ceil(COLUMNS).max(1);
    let heading = format!("{}: {}", flow.flow, choose(language, "các đơn vị", "units"));
    let read = flow.units.iter().filter(|unit| unit.rows > 0).count();
    let words = match language {
        Language::Vietnamese => format!("{read} đơn vị có dữ liệu, thấp điểm nhất đứng trước."),
        Language::English => format!("{read} units of which rows were read, the worst first."),
    };
    let size = (1_080, each * WARD + 8);
    frame(
        &format!("units-{}", flow.flow),
        &heading,
        &words,
        size,
        &html! {
            @for (place, unit) in flow.units.iter().enumerate() {
                g transform=(format!("translate({} {})", place / each * 362, place % each * WARD)) {
                    (ward(unit, language))
                }
            }
        },
    )
}

fn ward(unit: &UnitScore, language: Language) -> Markup {
    let (code, named) = (unit.code.as_deref(), unit.name.as_deref());
    let (left, width) = (206.0, 90.0);
    let ink = if unit.rows > 0 { INK } else { "#767676" };
    html! {
        title {
            (named.unwrap_or_default()) ": " (percent(unit.total)) " %, " (unit.rows) " "
            (choose(language, "dòng", "rows"))
        }
        text x="0" y="12" font-size="11" fill=(ink) { (code.unwrap_or_default()) }
        text x="42" y="12" font-size="11" fill=(ink) { (named.unwrap_or_default()) }
        rect x=(left) y="3" width=(width) height="10" fill=(QUIET) {}
        @if let Some(total) = unit.total {
            rect x=(left) y="3" width=(round(total * width)) height="10" fill=(GOOD) {}
        }
        text x="301" y="12" font-size="11" fill=(ink) { (percent(unit.total)) }
    }
}

/// A picture with its title and description.
fn frame(
    id: &str,
    title: &str,
    description: &str,
    (width, height): (usize, usize),
    inside: &Markup,
) -> Markup {
    let (of_title, of_description) = (format!("{id}-title"), format!("{id}-desc"));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" role="img" width=(width) height=(height)
            viewBox=(format!("0 0 {width} {height}")) font-family="sans-serif"
            aria-labelledby=(format!("{of_title} {of_description}")) {
            title id=(of_title) { (title) }
            desc id=(of_description) { (description) }
            (inside)
        }
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
