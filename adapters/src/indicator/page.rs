//! A page on the indicators for people: what is late, and each indicator over time. One file, without
//! scripts and without anything from elsewhere.
//!
//! In: reports and releases as they are published. So it cannot show what is withheld; it says where.

mod chart;
mod style;

use std::fmt::Write as _;

use jiff::{Timestamp, tz};
use lienthong_model::{
    clock::civil_zone,
    text::{Bilingual, Language},
};
use serde_json::Value;

use self::{chart::chart, style::STYLE};
use super::{
    content::{Content, Told},
    status::{IndicatorReport, PeriodReport, PeriodState},
};

/// Most periods that are drawn.
const MOST_DRAWN: usize = 60;
/// Most cells of a release that are written out.
const MOST_CELLS: usize = 60;
/// Most periods without figures that are listed.
const MOST_LISTED: usize = 20;

/// The page on these indicators, each with its releases.
#[must_use]
pub fn page(
    indicators: &[(IndicatorReport, Vec<Value>)],
    language: Language,
    at: Timestamp,
) -> String {
    let words = Words(language);
    let mut html = String::new();
    let title = words.of("Chỉ số điều hành", "Indicators");
    let at = at.to_zoned(civil_zone()).strftime("%d/%m/%Y %H:%M").to_string();
    let made = words.of("Lập lúc", "Made on");
    let late: u64 = indicators.iter().map(|(report, _)| report.late()).sum();
    let refused: u64 =
        indicators.iter().map(|(report, _)| report.count(PeriodState::Refused)).sum();
    put(
        &mut html,
        format_args!(
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<header><h1>{title}</h1>\
         <p>{made} {at} (UTC{})</p></header>\n<main>\n",
            language.tag(),
            tz::offset(7),
        ),
    );
    put(
        &mut html,
        format_args!(
            "<ul class=\"sums\"><li><b>{}</b> {}</li><li class=\"{}\"><b>{late}</b> {}</li>\
         <li class=\"{}\"><b>{refused}</b> {}</li></ul>\n",
            indicators.len(),
            words.of("chỉ số", "indicators"),
            if late > 0 { "bad" } else { "good" },
            words.of("kỳ quá hạn", "periods late"),
            if refused > 0 { "bad" } else { "good" },
            words.of("kỳ chưa tính được", "periods refused"),
        ),
    );
    for (report, releases) in indicators {
        let releases: Vec<Content> =
            releases.iter().filter_map(|one| serde_json::from_value(one.clone()).ok()).collect();
        section(&mut html, words, report, &releases);
    }
    html.push_str("</main></body></html>\n");
    html
}

fn section(html: &mut String, words: Words, report: &IndicatorReport, releases: &[Content]) {
    put(
        html,
        format_args!(
            "<section id=\"{id}\"><h2>{name} <code>{id}</code></h2><p class=\"facts\">{group} · {steward} \
         · {basis} · {unit}</p>\n",
            id = report.id,
            name = escape(words.one(&report.name)),
            group = escape(&report.group),
            steward = escape(&report.steward),
            basis = escape(&report.legal_basis.join("; ")),
            unit = escape(words.one(&report.unit)),
        ),
    );
    let drawn = report.periods.len().saturating_sub(MOST_DRAWN);
    let periods = report.periods.get(drawn..).unwrap_or_default();
    html.push_str(&chart(words, periods, releases));
    if let Some(newest) = releases.first() {
        table(html, words, newest);
    }
    open(html, words, &report.periods);
    html.push_str("</section>\n");
}

/// The newest release, cell by cell.
fn table(html: &mut String, words: Words, release: &Content) {
    let heads: String =
        release.dimensions.iter().map(|one| format!("<th>{}</th>", escape(&one.name))).collect();
    put(
        html,
        format_args!(
            "<details><summary>{} {} ({} {})</summary><table><thead><tr>{heads}<th class=\"n\">{}</th>\
         </tr></thead><tbody>\n",
            words.of("Kỳ", "Period"),
            escape(&release.period.name),
            words.of("lần", "revision"),
            release.revision,
            escape(words.one(&release.unit)),
        ),
    );
    for cell in release.cells.iter().take(MOST_CELLS) {
        html.push_str("<tr>");
        for (dimension, code) in release.dimensions.iter().zip(&cell.at) {
            let named = dimension.categories.iter().find(|one| one.code == *code);
            let name = named.map_or(code.as_str(), |one| words.one(&one.name));
            put(html, format_args!("<td>{}</td>", escape(name)));
        }
        put(html, format_args!("<td class=\"n\">{}</td></tr>\n", figure(words, release, cell)));
    }
    html.push_str("</tbody></table>");
    let left = release.cells.len().saturating_sub(MOST_CELLS);
    if left > 0 {
        put(
            html,
            format_args!(
                "<p class=\"facts\">{left} {}</p>",
                words.of("ô nữa trong bản công bố", "more cells in the release"),
            ),
        );
    }
    html.push_str("</details>\n");
}

/// A figure as it is shown, or that it is withheld.
fn figure(words: Words, release: &Content, cell: &Told) -> String {
    match (&cell.value, cell.withheld) {
        (Some(value), _) if release.kind == "share" => format!("{} %", words.number(value)),
        (Some(value), _) => words.number(value),
        (None, true) => format!("<i>{}</i>", words.withheld()),
        (None, false) => "–".to_owned(),
    }
}

/// The periods that have no figures, or no newer ones.
fn open(html: &mut String, words: Words, periods: &[PeriodReport]) {
    let wanting = |one: &&PeriodReport| one.revision.is_none() || one.reason.is_some();
    let open: Vec<&PeriodReport> = periods.iter().rev().filter(wanting).collect();
    if open.is_empty() {
        return;
    }
    html.push_str("<ul class=\"open\">\n");
    for period in open.iter().take(MOST_LISTED) {
        let late = if period.late { words.of(", quá hạn", ", late") } else { "" };
        let reason = match &period.reason {
            Some(reason) => format!(": {}", escape(reason)),
            None => format!(" – {} {}", words.of("hạn", "due"), escape(&period.due)),
        };
        put(
            html,
            format_args!(
                "<li class=\"{}\"><b>{}</b> {}{late}{reason}</li>\n",
                if period.late { "bad" } else { "" },
                escape(&period.period),
                words.state(period.state),
            ),
        );
    }
    let left = open.len().saturating_sub(MOST_LISTED);
    if left > 0 {
        put(html, format_args!("<li>{left} {}</li>\n", words.of("kỳ trước nữa", "earlier ones")));
    }
    html.push_str("</ul>\n");
}

/// Writing to a text does not fail.
fn put(html: &mut String, what: std::fmt::Arguments<'_>) {
    html.write_fmt(what).unwrap_or_default();
}

/// The words of a language.
#[derive(Debug, Clone, Copy)]
struct Words(Language);

impl Words {
    fn of<'a>(self, vi: &'a str, en: &'a str) -> &'a str {
        match self.0 {
            Language::Vietnamese => vi,
            Language::English => en,
        }
    }

    fn one(self, text: &Bilingual) -> &str {
        text.text(self.0)
    }

    fn withheld(self) -> &'static str {
        self.of("không công bố", "withheld")
    }

    fn state(self, state: PeriodState) -> &'static str {
        match state {
            PeriodState::Published => self.of("đã công bố", "published"),
            PeriodState::Computed => self.of("đã tính", "computed"),
            PeriodState::Refused => self.of("chưa tính được", "refused"),
            PeriodState::Missing => self.of("chưa có", "missing"),
        }
    }

    /// Plain digits with the separators of the language.
    fn number(self, text: &str) -> String {
        let (group, point) = match self.0 {
            Language::Vietnamese => ('.', ','),
            Language::English => (',', '.'),
        };
        let (whole, after) = text.split_once('.').unwrap_or((text, ""));
        let mut told = String::with_capacity(text.len() + 8);
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                told.push(group);
            }
            told.push(digit);
        }
        if !after.is_empty() {
            told.push(point);
            told.push_str(after);
        }
        told
    }
}

/// A text within HTML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
