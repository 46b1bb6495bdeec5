use jiff::Timestamp;
use lienthong_model::clock::ManualClock;

use super::*;
use crate::testing::Ticking;

fn clock() -> ManualClock {
    ManualClock::at("2026-11-21T01:00:00Z".parse::<Timestamp>().unwrap())
}

fn rate(per_second: u32, burst: u32, clock: Arc<dyn Clock>) -> Rate {
    let number = |n| NonZeroU32::new(n).unwrap();
    Rate::new(RateConfig { per_second: number(per_second), burst: number(burst) }, clock)
}

fn millis(n: i64) -> SignedDuration {
    SignedDuration::from_millis(n)
}

#[test]
fn no_more_than_the_rate_is_admitted_and_the_wait_is_told() {
    let clock = clock();
    let rate = rate(10, 3, Arc::new(clock.clone()));
    let (admitted, wait) = rate.admit(5);
    assert_eq!(admitted, 3);
    let wait = wait.unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
    clock.advance(millis(100));
    assert_eq!(rate.admit(5).0, 1);
    clock.advance(SignedDuration::from_hours(1));
    assert_eq!(rate.admit(5).0, 3, "a rest gives no more than the burst");
    assert_eq!(rate.admit(0), (0, None));
}

#[test]
fn errands_take_from_the_rate_of_the_messages() {
    let clock = clock();
    let rate = rate(10, 3, Arc::new(clock));
    assert_eq!(rate.take(Side::Errands), Ok(()));
    assert_eq!(rate.take(Side::Errands), Ok(()));
    assert_eq!(rate.admit(5).0, 1);
    assert!(rate.take(Side::Errands).is_err());
}

/// Both sides ask for all they can have, at every moment, the first one first.
fn contend(first: Side, second: Side, burst: u32) -> (usize, usize) {
    let clock = clock();
    let rate = rate(10, burst, Arc::new(clock.clone()));
    let ask = |side| {
        let mut had = 0;
        while rate.take(side).is_ok() {
            had += 1;
        }
        had
    };
    // The rest at the beginning belongs to whoever comes first.
    ask(first);
    ask(second);
    let (mut one, mut other) = (0, 0);
    for _ in 0..1_000 {
        clock.advance(millis(20));
        one += ask(first);
        other += ask(second);
    }
    (one, other)
}

#[test]
fn neither_side_starves_the_other_whoever_comes_first() {
    for burst in [1, 2, 50] {
        for (first, second) in [(Side::Messages, Side::Errands), (Side::Errands, Side::Messages)] {
            let (one, other) = contend(first, second, burst);
            // Twenty seconds of ten calls.
            assert!((199..=201).contains(&(one + other)), "{burst}: {one} and {other}");
            assert!(one.abs_diff(other) <= 2, "{burst}: {one} and {other}");
        }
    }
}

#[test]
fn a_side_that_does_not_come_back_keeps_nothing_from_the_other() {
    let clock = clock();
    let rate = rate(10, 1, Arc::new(clock.clone()));
    assert_eq!(rate.take(Side::Messages), Ok(()));
    assert!(rate.take(Side::Errands).is_err());
    clock.advance(millis(100));
    assert!(rate.take(Side::Messages).is_err(), "it is the errand's turn");
    clock.advance(millis(1_100));
    assert_eq!(rate.take(Side::Messages), Ok(()));
    clock.advance(millis(100));
    assert_eq!(rate.take(Side::Messages), Ok(()));
}

#[test]
fn one_side_alone_has_the_whole_rate() {
    for side in [Side::Messages, Side::Errands] {
        let clock = clock();
        let rate = rate(10, 1, Arc::new(clock.clone()));
        let mut had = 0;
        for _ in 0..100 {
            had += usize::from(rate.take(side).is_ok());
            clock.advance(millis(100));
        }
        assert_eq!(had, 100);
    }
}

#[test]
fn a_clock_that_is_set_back_stops_nothing_for_longer_than_the_burst() {
    let clock = Arc::new(SetBack(Mutex::new("2026-11-21T01:00:00Z".parse().unwrap())));
    let rate = rate(10, 3, clock.clone());
    assert_eq!(rate.admit(5).0, 3);
    *clock.0.lock().unwrap() -= SignedDuration::from_hours(1);
    let (admitted, wait) = rate.admit(1);
    assert_eq!(admitted, 0);
    assert_eq!(wait, Some(Duration::from_millis(100)));
}

#[derive(Debug)]
struct SetBack(Mutex<Timestamp>);

impl Clock for SetBack {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

#[tokio::test]
async fn an_errand_that_stood_in_line_for_too_long_goes_without_its_turn() {
    let clock = clock();
    let rate = rate(1, 1, Arc::new(clock.clone()));
    assert_eq!(rate.admit(1).0, 1);
    let first = rate.line.lock().await;
    let turn = tokio::time::timeout(Duration::ZERO, rate.turn()).await;
    assert!(turn.is_err(), "it stands in line");
    let (turn, ()) = tokio::join!(rate.turn(), async {
        clock.advance(SignedDuration::from_secs(40));
        rate.admit(1);
        drop(first);
    });
    assert_eq!(turn, Err(NoTurn));
}

#[tokio::test]
async fn errands_that_wait_have_their_turn_one_by_one() {
    let clock = Ticking::new();
    let rate = rate(100, 1, clock.clone());
    let begun = clock.now();
    for _ in 0..20 {
        assert_eq!(rate.turn().await, Ok(()));
    }
    assert!(clock.now().duration_since(begun) >= millis(190));
}
