use super::*;

fn answer(status: u16) -> Answer {
    Answer { status, body: 0 }
}

#[test]
fn data_after_the_acknowledgement_is_wrong() {
    let mut tally = Tally::new().expect("a tally");
    tally.after(Heard::Data);
    tally.after(Heard::Other);
    tally.after(Heard::NotGiven);
    let Withdrawn { wrong, refused, .. } = tally.withdrawn(Duration::ZERO);
    assert_eq!((wrong.data, wrong.other, wrong.all(), refused), (1, 1, 2, 1));
}

#[test]
fn data_to_a_request_that_began_before_is_late_and_not_wrong() {
    let mut tally = Tally::new().expect("a tally");
    tally.before(Heard::Data, None);
    tally.before(Heard::Data, Some(Duration::from_millis(3)));
    tally.before(Heard::NotGiven, None);
    let counts = tally.withdrawn(Duration::ZERO);
    assert_eq!((counts.late, counts.early, counts.wrong.all()), (1, 1, 0));
    assert_eq!(counts.under_way.count, 1);
}

#[test]
fn only_the_refusal_for_want_of_consent_is_the_one_expected() {
    let told = br#"{"reason":"consent.not_given"}"#;
    assert_eq!(Heard::of(answer(200), told), Heard::Data);
    assert_eq!(Heard::of(answer(403), b"{}"), Heard::Other);
    assert_eq!(Heard::of(answer(503), told), Heard::Other);
    assert_eq!(Heard::of(answer(403), told), Heard::NotGiven);
}

#[test]
fn a_plot_has_every_time_once() {
    let mut histogram = Histogram::new_with_bounds(1, LONGEST_NANOS, 3).expect("a histogram");
    for micros in [1, 300, 3_000, 90_000, 2_000_000] {
        histogram.record(micros * 1000).expect("in bounds");
    }
    let timed = Timed::of(&histogram);
    assert_eq!(timed.plot, [1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1]);
    assert_eq!(timed.plot.iter().sum::<u64>(), timed.count);
}
