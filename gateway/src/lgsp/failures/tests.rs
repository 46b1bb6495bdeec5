use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{FREE, Failures, MOST};

const ONE: [u8; 32] = [1; 32];

fn after(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

#[test]
fn waits_longer_with_every_failure_and_never_without_one() {
    let failures = Failures::default();
    for _ in 0..FREE {
        assert_eq!(failures.admit(&ONE, after(0)), Ok(()));
        failures.failed(&ONE, after(0));
    }
    assert_eq!(failures.admit(&ONE, after(0)), Err(Duration::from_secs(10)));
    assert_eq!(failures.admit(&ONE, after(9)), Err(Duration::from_secs(1)));
    assert_eq!(failures.admit(&ONE, after(10)), Ok(()));
    failures.failed(&ONE, after(10));
    assert_eq!(failures.admit(&ONE, after(10)), Err(Duration::from_secs(20)));
    for _ in 0..100 {
        failures.failed(&ONE, after(30));
    }
    assert_eq!(failures.admit(&ONE, after(30)), Err(Duration::from_secs(15 * 60)));
    // Another certificate is not concerned.
    assert_eq!(failures.admit(&[2; 32], after(30)), Ok(()));
}

#[test]
fn a_success_or_a_long_rest_ends_the_count() {
    let failures = Failures::default();
    for _ in 0..FREE {
        failures.failed(&ONE, after(0));
    }
    failures.succeeded(&ONE);
    assert_eq!(failures.admit(&ONE, after(0)), Ok(()));
    for _ in 0..FREE {
        failures.failed(&ONE, after(0));
    }
    failures.failed(&ONE, after(15 * 60));
    assert_eq!(failures.admit(&ONE, after(15 * 60)), Ok(()));
}

#[test]
fn a_full_table_forgets_the_old_and_holds_back_the_new() {
    let failures = Failures::default();
    let certificate = |n: usize| {
        let mut certificate = [0; 32];
        certificate[..8].copy_from_slice(&n.to_be_bytes());
        certificate
    };
    for n in 0..MOST {
        failures.failed(&certificate(n), after(0));
    }
    assert_eq!(failures.admit(&certificate(MOST), after(1)), Err(Duration::from_secs(10)));
    assert_eq!(failures.admit(&certificate(0), after(1)), Ok(()));
    assert_eq!(failures.admit(&certificate(MOST), after(15 * 60)), Ok(()));
}
