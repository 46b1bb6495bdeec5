use std::sync::Mutex;

use jiff::SignedDuration;

use super::*;

#[derive(Debug)]
struct Set(Mutex<Timestamp>);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

#[test]
fn no_more_than_the_rate_is_admitted_and_the_wait_is_told() {
    let clock = Arc::new(Set(Mutex::new("2026-11-21T01:00:00Z".parse().unwrap())));
    let number = |n| NonZeroU32::new(n).unwrap();
    let config = RateConfig { per_second: number(10), burst: number(3) };
    let rate = Rate::new(config, clock.clone());
    let (admitted, wait) = rate.admit(5);
    assert_eq!(admitted, 3);
    let wait = wait.unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
    *clock.0.lock().unwrap() += SignedDuration::from_millis(100);
    assert_eq!(rate.admit(5).0, 1);
    *clock.0.lock().unwrap() += SignedDuration::from_hours(1);
    assert_eq!(rate.admit(5).0, 3, "a rest gives no more than the burst");
    assert_eq!(rate.admit(0), (0, None));
}
