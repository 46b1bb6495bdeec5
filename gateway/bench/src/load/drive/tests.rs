use super::*;

#[test]
fn a_rate_gives_its_count_in_its_time() {
    assert_eq!(due(2.5, 1000), 2500);
    assert_eq!(due(0.0, 1000), 0);
}

#[test]
fn requests_are_due_in_turn_and_at_even_times() {
    let (sender, mut one) = mpsc::unbounded_channel();
    let (other, mut two) = mpsc::unbounded_channel();
    let begin = Instant::now();
    let every = Duration::from_micros(10);
    pace(&[sender, other], begin, every, 4);
    assert_eq!(one.try_recv().ok(), Some(begin));
    assert_eq!(two.try_recv().ok(), Some(begin + every));
    assert_eq!(one.try_recv().ok(), Some(begin + 2 * every));
    assert_eq!(two.try_recv().ok(), Some(begin + 3 * every));
    assert!(one.try_recv().is_err());
}

#[test]
fn a_count_is_never_exceeded() {
    let left = AtomicU64::new(2);
    assert_eq!([take(&left), take(&left), take(&left)], [true, true, false]);
}

#[test]
fn latency_of_another_status_does_not_count() {
    let mut tally = Tally::new().expect("a tally");
    tally.ended(200, 200, Instant::now());
    tally.ended(429, 200, Instant::now());
    assert_eq!((tally.done, tally.latency.len()), (1, 1));
    assert_eq!(tally.statuses, BTreeMap::from([(200, 1), (429, 1)]));
}
