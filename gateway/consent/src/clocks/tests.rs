use jiff::civil::date;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn due(kind: RightKind, involved: Involved, text: &str) -> Due {
    Due::new(kind, involved, at(text), &Holidays::default())
}

#[test]
fn every_kind_has_the_clock_of_its_row() {
    let rows = [
        (RightKind::Withdraw, 15, 20, 15),
        (RightKind::View, 10, 15, 10),
        (RightKind::Correct, 10, 15, 10),
        (RightKind::Delete, 20, 30, 20),
        (RightKind::Restrict, 15, 20, 15),
        (RightKind::Object, 15, 20, 15),
    ];
    assert_eq!(rows.map(|row| row.0), RightKind::ALL);
    for (kind, alone, others, extension) in rows {
        let clock = AnswerClock::of(kind);
        assert_eq!((clock.kind, clock.days, clock.days_with_others), (kind, alone, others));
        assert_eq!(clock.extension, extension);
        assert_eq!(clock.cites, "decree-356-2025#5");
        assert!(ANSWER_CLOCKS.contains(&clock));
    }
}

#[test]
fn calendar_days_pass_year_ends_and_leap_days() {
    let alone = Involved::ControllerAlone;
    let cases = [
        (RightKind::View, "2026-12-25T03:00:00Z", date(2027, 1, 4)),
        (RightKind::Delete, "2026-12-25T03:00:00Z", date(2027, 1, 14)),
        (RightKind::View, "2028-02-19T03:00:00Z", date(2028, 2, 29)),
        (RightKind::View, "2027-02-19T03:00:00Z", date(2027, 3, 1)),
        (RightKind::Withdraw, "2028-02-29T03:00:00Z", date(2028, 3, 15)),
    ];
    for (kind, came, answer_by) in cases {
        assert_eq!(due(kind, alone, came).answer_by, answer_by, "{kind:?} {came}");
    }
}

#[test]
fn the_day_is_that_of_ho_chi_minh_city() {
    let alone = Involved::ControllerAlone;
    let before = due(RightKind::View, alone, "2026-11-30T16:59:59.999999999Z");
    let after = due(RightKind::View, alone, "2026-11-30T17:00:00Z");
    assert_eq!(before.answer_by, date(2026, 12, 10));
    assert_eq!(after.answer_by, date(2026, 12, 11));
    assert_eq!(before.acknowledge_by, date(2026, 12, 2));
    assert_eq!(after.acknowledge_by, date(2026, 12, 3));
}

#[test]
fn others_give_more_time_and_an_extension_follows_the_first_deadline() {
    let first = due(RightKind::Delete, Involved::OthersToo, "2026-12-01T03:00:00Z");
    assert_eq!(first.answer_by, date(2026, 12, 31));
    assert_eq!(first.extended(RightKind::Delete).answer_by, date(2027, 1, 20));
    assert_eq!(first.extended(RightKind::Delete).acknowledge_by, first.acknowledge_by);
}

#[test]
fn the_end_of_the_calendar_is_no_endless_loop() {
    assert_eq!(days_after(Date::MAX, 30), Date::MAX);
}
