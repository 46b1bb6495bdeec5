use proptest::prelude::*;

use super::*;

fn known(text: &str) -> Result<String, DateError> {
    text.parse::<PartialDate>().map(PartialDate::to_known)
}

fn moment(text: &str) -> Option<String> {
    text.parse::<WrittenDate>().unwrap().to_moment()
}

#[test]
fn refuses_days_that_are_not_in_the_calendar() {
    for text in
        ["31/02/1990", "29/02/2025", "11/13/2026", "0/1/2026", "1990-02-31", "19900231", "13/1990"]
    {
        assert_eq!(known(text), Err(DateError::Calendar), "{text}");
    }
    assert_eq!(DateError::Calendar.to_string(), "is not in the calendar");
}

#[test]
fn refuses_what_it_would_have_to_guess() {
    for text in [
        "",
        "x",
        "1/2/26",
        "90",
        "199013",
        "1/2",
        "2026/11/02",
        "2026-1-2",
        "1 January 2026",
        "02.11.2026",
        "1990-02-03-04",
        "1/2/3/2026",
        "0990",
        "31121990",
        "+199",
        "１９９０",
    ] {
        assert!(known(text).is_err(), "{text}");
    }
    for text in ["2026-11-02 25:00:00", "2026 08:00", "2026-11-02 08", "2026-11-02T08:00:00.x"] {
        assert!(text.parse::<WrittenDate>().is_err(), "{text}");
    }
}

#[test]
fn keeps_the_precision_and_never_fills_in() {
    for (text, precision, told) in [
        ("2/9/1945", Precision::Day, "02/09/1945"),
        ("02/09/1945", Precision::Day, "02/09/1945"),
        ("19450902", Precision::Day, "02/09/1945"),
        ("1945-09-02", Precision::Day, "02/09/1945"),
        ("9/1945", Precision::Month, "09/1945"),
        ("1945-09", Precision::Month, "09/1945"),
        ("1945", Precision::Year, "1945"),
    ] {
        let date: PartialDate = text.parse().unwrap();
        assert_eq!((date.precision(), date.to_known().as_str()), (precision, told), "{text}");
    }
    let year: PartialDate = "1945".parse().unwrap();
    assert_eq!(
        (year.to_compact(), year.to_day_month_year(), year.to_month_year()),
        (None, None, None)
    );
    assert_eq!(year.span(), (date(1945, 1, 1), date(1945, 12, 31)));
    let month: PartialDate = "02/1944".parse().unwrap();
    assert_eq!(month.to_compact(), None);
    assert_eq!(month.span(), (date(1944, 2, 1), date(1944, 2, 29)));
}

#[test]
fn writes_what_each_platform_takes() {
    let day: PartialDate = "2/9/1945".parse().unwrap();
    assert_eq!(day.to_compact().as_deref(), Some("19450902"));
    assert_eq!(day.to_month_year().as_deref(), Some("09/1945"));
    assert_eq!(day.to_year(), "1945");
    let insured = |text: &str| {
        let date = text.parse::<PartialDate>().unwrap().to_social_insurance();
        (date.kind, date.digits())
    };
    assert_eq!(insured("02/09/1945"), (0, "19450902".to_owned()));
    assert_eq!(insured("1945"), (1, "1945".to_owned()));
    assert_eq!(insured("09/1945"), (2, "194509".to_owned()));
}

#[test]
fn instants_are_told_in_civil_time_of_the_city() {
    assert_eq!(moment("2026-11-02T20:05:09Z").as_deref(), Some("20261103030509"));
    assert_eq!(moment("2026-11-02 08:05:09+07:00").as_deref(), Some("20261102080509"));
    assert_eq!(moment("2026-11-02T08:05:09.123").as_deref(), Some("20261102080509"));
    assert_eq!(moment("2/11/2026 8:05").as_deref(), Some("20261102080500"));
    assert_eq!(moment("20261102080509").as_deref(), Some("20261102080509"));
    assert_eq!(moment("02/11/2026"), None);
}

#[test]
fn debug_shows_no_birth_date() {
    let written: WrittenDate = "02/09/1945 08:00".parse().unwrap();
    assert!(!format!("{written:?} {:?}", written.date).contains("1945"));
}

proptest! {
    #[test]
    fn every_day_is_written_and_read_back(days in 0..140_000_i32) {
        use jiff::ToSpan as _;
        let day = date(1800, 1, 1).checked_add(days.days()).unwrap();
        let partial = PartialDate::Day(day);
        for text in [partial.to_known(), partial.to_compact().unwrap(), day.to_string()] {
            prop_assert_eq!(text.parse::<PartialDate>(), Ok(partial));
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[0-9/:TZ+. -]{0,30}|.{0,20}") {
        if let Ok(written) = text.parse::<WrittenDate>() {
            prop_assert!(written.to_moment().is_none_or(|moment| moment.len() == 14));
        }
    }
}
