use std::time::Duration;

use rand::{SeedableRng as _, rngs::StdRng};

use super::*;

fn breaker() -> Breaker {
    let rng = StdRng::seed_from_u64(4);
    Breaker::new(BackOff::new(Duration::from_secs(1), Duration::from_secs(600), rng))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn away() -> Attempted {
    Attempted::Away(Reason::new("no connection to the gateway"), None)
}

#[test]
fn while_a_platform_is_away_one_message_at_a_time_finds_out() {
    let breaker = breaker();
    assert_eq!(breaker.admit(at(0), 8), 8);
    for _ in 0..8 {
        breaker.ended(at(0), &away());
    }
    let condition = breaker.condition();
    assert_eq!(condition.outages, 1, "eight pieces of the same news are one");
    assert!(condition.again > at(0) && condition.again <= at(1));
    assert_eq!(breaker.admit(at(0), 8), 0);
    assert_eq!(breaker.admit(at(1), 8), 1);
    assert_eq!(breaker.admit(at(1), 8), 0);
    breaker.ended(at(1), &away());
    assert_eq!(breaker.condition().outages, 2);
}

#[test]
fn a_platform_that_is_back_gets_its_backlog_little_by_little() {
    let breaker = breaker();
    assert_eq!(breaker.admit(at(0), 1), 1);
    breaker.ended(at(0), &away());
    let mut seen = Vec::new();
    for _ in 0..5 {
        let admitted = breaker.admit(at(1), 64);
        seen.push(admitted);
        for _ in 0..admitted {
            breaker.ended(at(1), &Attempted::Answered);
        }
    }
    assert_eq!(seen, [1, 2, 8, 64, 64]);
    assert_eq!(breaker.condition().reason, None);
}

#[test]
fn a_platform_is_away_as_long_as_it_asks_for() {
    let breaker = breaker();
    breaker.admit(at(0), 1);
    let hour = SignedDuration::from_secs(3_600);
    breaker.ended(at(0), &Attempted::Away(Reason::new("busy"), Some(hour)));
    assert_eq!(breaker.admit(at(3_599), 1), 0);
    assert_eq!(breaker.admit(at(3_600), 1), 1);
}

#[test]
fn many_failures_one_after_the_other_count_as_away_and_a_success_between_them_does_not() {
    let breaker = breaker();
    let failed = Attempted::Failed(Reason::new("status without a reason"));
    breaker.admit(at(0), 30);
    for round in 0..9 {
        breaker.ended(at(0), &failed);
        assert_eq!(breaker.condition().outages, 0, "{round}");
    }
    breaker.ended(at(0), &Attempted::Answered);
    for _ in 0..9 {
        breaker.ended(at(0), &failed);
    }
    assert_eq!(breaker.condition().outages, 0);
    breaker.ended(at(0), &failed);
    assert_eq!(breaker.condition().outages, 1);
}

#[test]
fn an_hour_away_costs_few_questions() {
    let breaker = breaker();
    let mut asked = 0;
    for second in 0..3_600 {
        let admitted = breaker.admit(at(second), 64);
        asked += u64::from(admitted);
        for _ in 0..admitted {
            breaker.ended(at(second), &away());
        }
    }
    assert!(asked < 64 + 40, "{asked}");
}

#[test]
fn what_was_admitted_and_not_used_can_be_admitted_again() {
    let breaker = breaker();
    breaker.admit(at(0), 1);
    breaker.ended(at(0), &away());
    assert_eq!(breaker.admit(at(1), 5), 1);
    breaker.unused(1);
    assert_eq!(breaker.admit(at(1), 5), 1);
}
