use std::collections::BTreeMap;

use jiff::civil::date;
use lienthong_model::quality::Ratio;

use super::*;
use crate::quality::report::{DefectLine, HistoryDay, Score};

/// A report of one flow that is held.
pub(crate) fn report() -> QualityReport {
    let score = |criterion, good, all, aim: Option<&str>, weight| Score {
        criterion,
        share: Share { good, all },
        score: Share { good, all }.value(),
        aim: aim.map(|aim| aim.parse::<Ratio>().unwrap()),
        weight,
    };
    let threshold: Ratio = "0.98".parse().unwrap();
    let unit = |code: &str, name: &str, rows, total| UnitScore {
        code: Some(code.to_owned()),
        name: Some(name.to_owned()),
        rows,
        total,
        scores: BTreeMap::new(),
    };
    let flow = FlowScores {
        flow: "ward-cases".parse().unwrap(),
        from: date(2026, 10, 31),
        rows: 1_000,
        scores: vec![
            score(Criterion::Correct, 970, 1_000, Some("0.98"), 2),
            score(Criterion::Complete, 6_999, 7_000, None, 1),
            score(Criterion::Clean, 900, 1_000, Some("0.8"), 1),
            score(Criterion::Live, 0, 0, None, 1),
            score(Criterion::Consistent, 1_000, 1_000, None, 1),
            score(Criterion::Shared, 600, 660, None, 0),
            score(Criterion::Identifiers, 999, 1_000, Some("1"), 0),
        ],
        total: Some(0.967_97),
        held: Some(Held {
            criterion: Criterion::Correct,
            score: Share { good: 970, all: 1_000 },
            threshold,
        }),
        released: None,
        open: OpenDefects { all: 30, in_time: 20, first: 6, second: 3, overdue: 1, mended: 12 },
        units: vec![
            unit("25747", "Phường Thủ Dầu Một", 40, Some(0.81)),
            unit("26737", "Phường Tân Định", 0, None),
        ],
        unknown: Some(UnitScore { code: None, name: None, ..unit("", "", 7, Some(0.5)) }),
        history: vec![of_day(date(2026, 11, 27), 0.99), of_day(date(2026, 11, 28), 0.95)],
        defects: vec![DefectLine {
            call: Some("DongBoHoSoMC".to_owned()),
            key: "<script>alert('H29')</script>".to_owned(),
            unit: Some("25747".to_owned()),
            unit_name: Some("Phường Thủ Dầu Một".to_owned()),
            criteria: vec![Criterion::Complete],
            reasons: "`Email` is empty".to_owned(),
            found: date(2026, 11, 16),
            due: [date(2026, 11, 23), date(2026, 11, 30), date(2026, 12, 7)],
            state: State::DueFirst,
        }],
    };
    let at = "2026-11-29T03:00:00Z".parse().unwrap();
    QualityReport { at, unit: None, flows: vec![flow] }
}

fn of_day(day: jiff::civil::Date, score: f64) -> HistoryDay {
    let scores = [(Criterion::Correct, score), (Criterion::Clean, 1.0)].into();
    HistoryDay { day, rows: 500, scores }
}

#[test]
fn a_share_is_never_rounded_up() {
    for (score, told) in [(None, "–"), (Some(0.999_999), "99.99"), (Some(1.0), "100.00")] {
        assert_eq!(percent(score), told);
    }
}

#[test]
fn a_key_cannot_command_a_terminal() {
    let mut report = report();
    report.flows[0].defects[0].key = "a\u{1b}[2J\nb".to_owned();
    let text = text(&report, Language::English);
    assert!(text.contains("a\u{fffd}[2J\u{fffd}b") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn scores_in_english() {
    insta::assert_snapshot!(text(&report(), Language::English));
}

#[test]
fn scores_in_vietnamese() {
    insta::assert_snapshot!(text(&report(), Language::Vietnamese));
}
