use jiff::civil::date;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Tết of the year of the Goat as an example: 5 to 11 February 2027, of which Saturday and Sunday need
/// no naming.
fn tet() -> Holidays {
    let days = [5, 8, 9, 10, 11].map(|day| date(2027, 2, day));
    Holidays::try_from(days.to_vec()).unwrap()
}

#[test]
fn refuses_a_holiday_named_twice() {
    assert!(serde_json::from_str::<Holidays>(r#"["2027-01-01","2027-01-01"]"#).is_err());
    assert!(serde_json::from_str::<Holidays>(r#"["2027-02-29"]"#).is_err());
    assert!(Holidays::try_from(vec![date(2027, 1, 1)]).is_ok());
}

#[test]
fn working_days_pass_over_weekends_and_holidays() {
    let none = Holidays::default();
    // 27 November 2026 is a Friday.
    assert_eq!(none.after(date(2026, 11, 27), 2), date(2026, 12, 1));
    assert_eq!(none.after(date(2026, 11, 28), 2), date(2026, 12, 1));
    assert_eq!(none.after(date(2026, 11, 29), 2), date(2026, 12, 1));
    assert_eq!(none.after(date(2026, 11, 30), 2), date(2026, 12, 2));
    let new_year = Holidays::try_from(vec![date(2027, 1, 1)]).unwrap();
    assert_eq!(none.after(date(2026, 12, 30), 2), date(2027, 1, 1));
    assert_eq!(new_year.after(date(2026, 12, 30), 2), date(2027, 1, 4));
}

#[test]
fn a_deadline_ends_with_its_day() {
    let day = date(2026, 12, 31);
    assert!(!is_over(day, at("2026-12-31T16:59:59.999999999Z")));
    assert!(is_over(day, at("2026-12-31T17:00:00Z")));
    assert_eq!(end_of(day), at("2026-12-31T17:00:00Z"));
}

#[test]
fn a_deadline_over_tet_is_later_by_the_days_that_nobody_works() {
    // 2 February 2027 is a Tuesday.
    let found = date(2027, 2, 2);
    assert_eq!(Holidays::default().after(found, 5), date(2027, 2, 9));
    assert_eq!(tet().after(found, 5), date(2027, 2, 16));
    assert_eq!(tet().after(found, 15), date(2027, 3, 2));
}

#[test]
fn what_began_before_is_overdue_and_what_began_later_is_not() {
    for holidays in [Holidays::default(), tet()] {
        for today in [date(2027, 2, 9), date(2027, 2, 17), date(2027, 2, 20), date(2027, 3, 3)] {
            let since = holidays.overdue_since(today, 5);
            assert!(holidays.after(since, 5) < today, "{since} {today}");
            assert!(holidays.after(since.tomorrow().unwrap(), 5) >= today, "{since} {today}");
        }
    }
    assert_eq!(Holidays::default().overdue_since(Date::MIN, 5), Date::MIN);
}

#[test]
fn the_end_of_the_calendar_is_no_endless_loop() {
    assert_eq!(Holidays::default().after(Date::MAX, 2), Date::MAX);
    assert_eq!(end_of(Date::MAX), Timestamp::MAX);
}
