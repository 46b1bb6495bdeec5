use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

#[test]
fn a_quarter_turns_at_midnight_in_the_city() {
    for (instant, quarter) in [
        ("2026-12-31T16:59:59.999Z", "2026-q4"),
        ("2026-12-31T17:00:00Z", "2027-q1"),
        ("2026-03-31T16:59:59Z", "2026-q1"),
        ("2026-03-31T17:00:00Z", "2026-q2"),
    ] {
        assert_eq!(Quarter::of(at(instant)).to_string(), quarter);
    }
}

#[test]
fn a_quarter_ends_where_the_next_begins() {
    let mut quarter: Quarter = "2026-q3".parse().expect("a quarter");
    for _ in 0..8 {
        assert_eq!(quarter.ends(), quarter.next().begins());
        assert_eq!(Quarter::of(quarter.begins()), quarter);
        quarter = quarter.next();
    }
    assert_eq!(quarter.to_string(), "2028-q3");
}

#[test]
fn months_are_counted_from_its_end() {
    let quarter: Quarter = "2026-q4".parse().expect("a quarter");
    assert_eq!(quarter.months_after(12), date(2028, 1, 1));
    assert_eq!(quarter.months_after(60), date(2032, 1, 1));
}

#[test]
fn only_one_spelling_counts() {
    for text in ["", "2026", "2026-q0", "2026-q5", "2026-Q4", "26-q4", "02026-q4", "2026-q04"] {
        assert_eq!(text.parse::<Quarter>(), Err(NotAQuarter), "{text}");
    }
    for text in ["2026-q4 ", "../2026-q4", "+026-q1", "٢٠٢٦-q4"] {
        assert_eq!(text.parse::<Quarter>(), Err(NotAQuarter), "{text}");
    }
}
