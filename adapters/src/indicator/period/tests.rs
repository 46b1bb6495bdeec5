use super::*;

fn read(kind: PeriodKind, text: &str) -> Option<(String, String)> {
    let period = Period::parse(kind, text)?;
    Some((period.first_day().to_string(), period.end_day().to_string()))
}

#[test]
fn refuses_what_is_no_period_of_the_kind_or_is_written_otherwise() {
    for (kind, texts) in [
        (PeriodKind::Month, &["2026-13", "2026-1", "2026-00", "2026", "2026-q1", "26-01", "x"][..]),
        (PeriodKind::Quarter, &["2026-q0", "2026-q5", "2026-04", "2026-Q1"]),
        (PeriodKind::Week, &["2026-w54", "2025-w53", "2026-w1", "2026-w00"]),
        (PeriodKind::Day, &["2026-02-29", "2026-2-1", "2026-11"]),
        (PeriodKind::Year, &["2026-", "2026-01", "226", ""]),
    ] {
        for text in texts {
            assert_eq!(read(kind, text), None, "{kind:?} {text}");
        }
    }
}

#[test]
fn a_period_ends_where_the_next_one_begins() {
    for (kind, text, first, end) in [
        (PeriodKind::Day, "2028-02-29", "2028-02-29", "2028-03-01"),
        (PeriodKind::Week, "2026-w53", "2026-12-28", "2027-01-04"),
        (PeriodKind::Month, "2026-12", "2026-12-01", "2027-01-01"),
        (PeriodKind::Quarter, "2026-q4", "2026-10-01", "2027-01-01"),
        (PeriodKind::Year, "2026", "2026-01-01", "2027-01-01"),
    ] {
        assert_eq!(read(kind, text), Some((first.to_owned(), end.to_owned())), "{text}");
        let period = Period::parse(kind, text).unwrap();
        assert_eq!(period.next().first_day(), period.end_day());
    }
}

#[test]
fn every_day_lies_in_one_period_of_each_kind() {
    for (_, kind) in PeriodKind::NAMES {
        let mut day = date(2025, 12, 1);
        while day < date(2027, 2, 1) {
            let period = Period::of(kind, day);
            assert!(period.first_day() <= day && day < period.end_day(), "{period} {day}");
            assert_eq!(Period::parse(kind, &period.to_string()), Some(period));
            day = day.tomorrow().unwrap();
        }
    }
}
