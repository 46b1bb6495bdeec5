use jiff::{ToSpan as _, civil::date};

use super::*;

#[test]
fn refuses_a_period_that_ends_before_it_begins() {
    assert_eq!(Period::new(date(2026, 12, 2), date(2026, 12, 1)), None);
    assert_eq!(Period::new(date(2026, 12, 1), date(2026, 12, 1)).unwrap().days(), 1);
}

#[test]
fn holds_on_its_first_and_last_day_and_on_none_outside() {
    let period = Period::new(date(2026, 1, 31), date(2026, 12, 31)).unwrap();
    assert!(!period.contains(date(2026, 1, 30)) && period.contains(date(2026, 1, 31)));
    assert!(period.contains(date(2026, 12, 31)) && !period.contains(date(2027, 1, 1)));
    assert_eq!(period.days(), 335);
}

#[test]
fn packs_dates_in_their_order() {
    let mut day = date(-3, 12, 30);
    for _ in 0..3000 {
        let next = day.checked_add(1.day()).unwrap();
        assert!(PackedDate::new(day) < PackedDate::new(next));
        assert_eq!(PackedDate::new(day).date(), Some(day));
        day = next;
    }
    assert_eq!(PackedDate::new(Date::MAX).date(), Some(Date::MAX));
    assert_eq!(PackedDate(0).date(), None);
}
