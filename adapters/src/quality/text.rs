//! The scores of flows as a text for a terminal.

use std::fmt::Write as _;

use lienthong_model::{
    quality::{Criterion, Share},
    text::Language,
};

use super::report::{FlowScores, Held, OpenDefects, QualityReport, State, UnitScore};

/// Wards that are named as the worst.
const WORST: usize = 5;
/// Width of a column.
const WIDTH: usize = 10;

/// The scores of flows as lines.
#[must_use]
pub fn text(report: &QualityReport, language: Language) -> String {
    let mut out = String::new();
    table(&mut out, report, language);
    for flow in &report.flows {
        out.push('\n');
        below(&mut out, flow, language);
    }
    out
}

/// One of two texts.
pub(super) fn choose<'a>(language: Language, vi: &'a str, en: &'a str) -> &'a str {
    match language {
        Language::Vietnamese => vi,
        Language::English => en,
    }
}

/// The name of a criterion.
pub(super) fn name(criterion: Criterion, language: Language) -> &'static str {
    choose(language, criterion.vietnamese(), criterion.as_str())
}

/// A share in a hundred, never rounded up to all.
pub(super) fn percent(score: Option<f64>) -> String {
    score.map_or_else(
        || "–".to_owned(),
        |score| {
            // A little more than nothing, as no binary number is 0.57.
            let hundredths = (score * 10_000.0 + 1e-9).floor() / 100.0;
            format!("{hundredths:.2}")
        },
    )
}

/// What a state is called.
pub(super) fn state(state: State, language: Language) -> &'static str {
    match state {
        State::Open => choose(language, "trong hạn", "in time"),
        State::DueFirst => choose(language, "quá hạn lần 1", "past the first deadline"),
        State::DueSecond => choose(language, "quá hạn lần 2", "past the second deadline"),
        State::Overdue => choose(language, "quá hạn cuối", "overdue"),
    }
}

/// Why nothing is sent.
pub(super) fn held(held: &Held, language: Language) -> String {
    let score = percent(held.score.value());
    let aim = percent(Some(held.threshold.value()));
    let Share { good, all } = held.score;
    let criterion = name(held.criterion, language);
    match language {
        Language::Vietnamese => format!(
            "bị giữ vì chất lượng: {criterion} {score} % ({good}/{all}) dưới ngưỡng {aim} %"
        ),
        Language::English => {
            format!("held by quality: {criterion} {score} % ({good}/{all}), threshold {aim} %")
        }
    }
}

/// How many have to be mended.
pub(super) fn open(open: &OpenDefects, language: Language) -> String {
    let OpenDefects { all, in_time, first, second, overdue, mended } = open;
    match language {
        Language::Vietnamese => format!(
            "{all} lỗi phải sửa: {in_time} trong hạn, {first} quá hạn lần 1, {second} quá hạn lần 2, \
             {overdue} quá hạn cuối; {mended} đã sửa"
        ),
        Language::English => format!(
            "{all} to be mended: {in_time} in time, {first} past the first deadline, {second} past \
             the second, {overdue} overdue; {mended} mended"
        ),
    }
}

fn table(out: &mut String, report: &QualityReport, language: Language) {
    let first = choose(language, "luồng", "flow");
    let width = report.flows.iter().map(|flow| flow.flow.as_str().len()).max().unwrap_or(0);
    let width = width.max(first.chars().count()) + 2;
    line(out, first, width, |out| {
        for criterion in Criterion::SIX {
            column(out, name(criterion, language));
        }
        column(out, "DQI");
        column(out, name(Criterion::Identifiers, language));
        column(out, choose(language, "số dòng", "rows"));
    });
    for flow in &report.flows {
        let of = |criterion| {
            let score = flow.scores.iter().find(|score| score.criterion == criterion);
            percent(score.and_then(|score| score.score))
        };
        line(out, flow.flow.as_str(), width, |out| {
            for criterion in Criterion::SIX {
                column(out, &of(criterion));
            }
            column(out, &percent(flow.total));
            column(out, &of(Criterion::Identifiers));
            column(out, &flow.rows.to_string());
        });
        let weights = flow.scores.iter().filter(|score| score.criterion != Criterion::Identifiers);
        line(out, choose(language, "  trọng số", "  weight"), width, |out| {
            for score in weights {
                let weight = score.weight.to_string();
                column(out, if score.weight == 0 { "–" } else { &weight });
            }
        });
    }
}

fn below(out: &mut String, flow: &FlowScores, language: Language) {
    let since = choose(language, "từ ngày", "since");
    say(out, format!("{} ({since} {})", flow.flow, flow.from));
    if let Some(why) = &flow.held {
        say(out, format!("  {}", held(why, language)));
    }
    if let Some(why) = &flow.released {
        let word =
            choose(language, "được cho gửi tiếp dù điểm thấp", "let go on below a threshold");
        say(out, format!("  {word}: {why}"));
    }
    say(out, format!("  {}", open(&flow.open, language)));
    let worst: Vec<&UnitScore> =
        flow.units.iter().filter(|unit| unit.rows > 0).take(WORST).collect();
    if !worst.is_empty() {
        say(out, format!("  {}:", choose(language, "đơn vị thấp điểm nhất", "worst units")));
    }
    for unit in worst {
        let (code, named) = (unit.code.as_deref(), unit.name.as_deref());
        let rows = choose(language, "dòng", "rows");
        let total = percent(unit.total);
        say(
            out,
            format!(
                "    {} {}: {total} % ({} {rows})",
                code.unwrap_or_default(),
                named.unwrap_or_default(),
                unit.rows
            ),
        );
    }
    if let Some(unknown) = &flow.unknown {
        let words = choose(language, "dòng không rõ đơn vị", "rows of no known unit");
        say(out, format!("  {} {words}: {} %", unknown.rows, percent(unknown.total)));
    }
    defects(out, flow, language);
}

fn defects(out: &mut String, flow: &FlowScores, language: Language) {
    if !flow.defects.is_empty() {
        say(out, format!("  {}:", choose(language, "phải sửa", "to be mended")));
    }
    for defect in &flow.defects {
        let [.., last] = defect.due;
        let next = defect.due.get(defect.state as usize).unwrap_or(&last);
        let due = choose(language, "hạn", "due");
        let call = defect.call.as_deref().map(|call| format!(" {call}")).unwrap_or_default();
        let unit = defect.unit.as_deref().map(|unit| format!(" [{unit}]")).unwrap_or_default();
        let standing = state(defect.state, language);
        let key = shown(&defect.key);
        say(out, format!("    {key}{call}{unit}, {due} {next} ({standing})"));
        say(out, format!("      {}", defect.reasons));
    }
}

/// A key as a terminal may have it: what it would obey is shown as something else.
fn shown(key: &str) -> String {
    key.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn say(out: &mut String, line: impl AsRef<str>) {
    out.push_str(line.as_ref());
    out.push('\n');
}

fn line(out: &mut String, first: &str, width: usize, rest: impl FnOnce(&mut String)) {
    pad(out, first, width);
    rest(out);
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// A text at the right of a column.
fn column(out: &mut String, text: &str) {
    let length = text.chars().count();
    // Writing to a string does not fail.
    write!(out, "{}{text} ", " ".repeat(WIDTH.saturating_sub(length))).unwrap_or_default();
}

fn pad(out: &mut String, text: &str, width: usize) {
    out.push_str(text);
    out.push_str(&" ".repeat(width.saturating_sub(text.chars().count())));
}

#[cfg(test)]
pub(super) mod tests;
