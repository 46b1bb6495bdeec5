//! An indicator over time, as a drawing: a line where there are figures, a hatched band where the figure
//! is withheld, an empty band where there is none.

use super::{Words, escape, put};
use crate::indicator::{content::Content, status::PeriodReport};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 28.0;
/// Labels of periods at most.
const LABELS: usize = 8;
/// What is above the highest figure.
const HEADROOM: f64 = 1.1;

/// What is drawn of a period.
enum Mark<'a> {
    Figure(f64, &'a str),
    Withheld,
    Nothing,
}

/// The drawing, with the figure of the whole of each period.
pub(super) fn chart(words: Words, periods: &[PeriodReport], releases: &[Content]) -> String {
    if periods.is_empty() {
        let none = words.of("Chưa có kỳ nào kết thúc.", "No period is over yet.");
        return format!("<p class=\"facts\">{none}</p>\n");
    }
    let marks: Vec<Mark<'_>> = periods.iter().map(|period| mark(period, releases)).collect();
    let highest = marks.iter().fold(0.0_f64, |most, mark| match mark {
        Mark::Figure(value, _) => most.max(*value),
        Mark::Withheld | Mark::Nothing => most,
    });
    let frame =
        Frame { count: periods.len(), top: if highest > 0.0 { highest * HEADROOM } else { 1.0 } };
    let mut svg = String::new();
    put(
        &mut svg,
        format_args!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\"><defs><pattern id=\"hatch\" \
         width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>\n",
            words.of("Diễn biến theo kỳ", "Over time"),
        ),
    );
    axes(&mut svg, words, &frame, highest, periods);
    bands(&mut svg, words, &frame, periods, &marks);
    line(&mut svg, words, &frame, periods, &marks);
    svg.push_str("</svg>\n");
    svg.push_str(&key(words, &marks));
    svg
}

struct Frame {
    count: usize,
    top: f64,
}

impl Frame {
    #[expect(clippy::cast_precision_loss, reason = "at most some dozens of periods")]
    fn x(&self, at: usize) -> f64 {
        LEFT + self.step() * (at as f64 + 0.5)
    }

    #[expect(clippy::cast_precision_loss, reason = "at most some dozens of periods")]
    fn step(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.count.max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value / self.top).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }
}

fn mark<'a>(period: &PeriodReport, releases: &'a [Content]) -> Mark<'a> {
    let Some(release) = releases.iter().find(|one| one.period.name == period.period) else {
        return Mark::Nothing;
    };
    match release.total() {
        Some(text) => text.parse().map_or(Mark::Nothing, |value| Mark::Figure(value, text)),
        None => Mark::Withheld,
    }
}

fn axes(svg: &mut String, words: Words, frame: &Frame, highest: f64, periods: &[PeriodReport]) {
    let right = WIDTH - RIGHT;
    for share in [0.0, 0.5, 1.0] {
        let value = highest * share;
        let y = frame.y(value);
        let decimals = usize::from(highest < 10.0 && highest > 0.0);
        let label = words.number(&format!("{value:.decimals$}"));
        put(
            svg,
            format_args!(
                "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                LEFT - 8.0,
                y + 4.0,
            ),
        );
        if highest <= 0.0 {
            break;
        }
    }
    let every = periods.len().div_ceil(LABELS);
    for (at, period) in periods.iter().enumerate().filter(|(at, _)| at.is_multiple_of(every)) {
        put(
            svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                frame.x(at),
                HEIGHT - 8.0,
                escape(&period.period),
            ),
        );
    }
}

fn bands(
    svg: &mut String,
    words: Words,
    frame: &Frame,
    periods: &[PeriodReport],
    marks: &[Mark<'_>],
) {
    for (at, (period, mark)) in periods.iter().zip(marks).enumerate() {
        let (class, what) = match mark {
            Mark::Figure(..) => continue,
            Mark::Withheld => ("kept", words.withheld()),
            Mark::Nothing => ("gap", words.state(period.state)),
        };
        let width = (frame.step() - 2.0).max(1.0);
        put(
            svg,
            format_args!(
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{:.1}\">\
             <title>{}: {what}</title></rect>\n",
                frame.x(at) - width / 2.0,
                HEIGHT - TOP - BOTTOM,
                escape(&period.period),
            ),
        );
    }
}

/// The figures, joined where they follow each other.
fn line(
    svg: &mut String,
    words: Words,
    frame: &Frame,
    periods: &[PeriodReport],
    marks: &[Mark<'_>],
) {
    let (mut path, mut dots, mut joins) = (String::new(), String::new(), false);
    for (at, (period, mark)) in periods.iter().zip(marks).enumerate() {
        let Mark::Figure(value, text) = mark else {
            joins = false;
            continue;
        };
        let (x, y) = (frame.x(at), frame.y(*value));
        put(&mut path, format_args!("{}{x:.1} {y:.1}", if joins { 'L' } else { 'M' }));
        put(
            &mut dots,
            format_args!(
                "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"><title>{}: {}</title></circle>\n",
                escape(&period.period),
                words.number(text),
            ),
        );
        joins = true;
    }
    if !path.is_empty() {
        put(svg, format_args!("<path class=\"line\" d=\"{path}\"/>\n{dots}"));
    }
}

/// What the bands mean, where there are any.
fn key(words: Words, marks: &[Mark<'_>]) -> String {
    let mut key = String::new();
    let mut add = |class: &str, what: &str| {
        put(
            &mut key,
            format_args!(
                "<span><svg viewBox=\"0 0 18 12\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"18\" \
             height=\"12\"/></svg>{what}</span>"
            ),
        );
    };
    if marks.iter().any(|mark| matches!(mark, Mark::Withheld)) {
        add("kept", words.withheld());
    }
    if marks.iter().any(|mark| matches!(mark, Mark::Nothing)) {
        add("gap", words.of("không có số liệu", "no figures"));
    }
    if key.is_empty() { key } else { format!("<p class=\"key\">{key}</p>\n") }
}
