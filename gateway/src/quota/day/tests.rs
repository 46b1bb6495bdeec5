use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::date};
use proptest::{collection::vec, prelude::*};

use super::*;

const LIMIT: u64 = 500;

/// What a store that survives every crash would have written.
#[derive(Debug, Default)]
struct Disk {
    usage: Option<Usage>,
}

impl Disk {
    fn lease(&mut self, wish: &Wish) -> Lease {
        let known = self.usage.clone().filter(|usage| usage.day >= wish.today);
        let mut usage = known.unwrap_or(Usage { day: wish.today, used: 0 });
        let granted = wish.units.min(wish.limit.saturating_sub(usage.used));
        usage.used += granted;
        self.usage = Some(usage.clone());
        Lease { granted, usage }
    }

    fn give_back(&mut self, taken: Taken) {
        if let Some(usage) = self.usage.as_mut().filter(|usage| usage.day == taken.date) {
            usage.used -= taken.units;
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Take { least: u64, more: u64 },
    GiveBack,
    Crash,
    Drain,
    Clock(i8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..20_u64, 0..2000_u64).prop_map(|(least, more)| Step::Take { least, more }),
        2 => Just(Step::GiveBack),
        1 => Just(Step::Crash),
        1 => Just(Step::Drain),
        2 => (-2..3_i8).prop_map(Step::Clock),
    ]
}

/// Takes as a request does, with a disk that never fails.
fn take(day: &mut Day, disk: &mut Disk, today: Date, least: u64, most: u64) -> Option<Taken> {
    for _ in 0..3 {
        match day.take(today, LIMIT, least, most) {
            Take::Taken { taken, .. } => return Some(taken),
            Take::UsedUp(_) => return None,
            Take::Wait { wish, .. } => day.leased(&disk.lease(&wish.expect("nobody else asks"))),
        }
    }
    panic!("a lease that came did not suffice");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, no day has more than its limit, and a day that has been
    /// left is not entered again.
    #[test]
    fn no_day_has_more_than_its_limit(steps in vec(step(), 1..200)) {
        let (mut day, mut disk) = (Day::default(), Disk::default());
        let mut today = date(2026, 3, 1);
        let mut spent: BTreeMap<Date, u64> = BTreeMap::new();
        let mut held: Vec<Taken> = Vec::new();
        for step in steps {
            match step {
                Step::Take { least, more } => {
                    if let Some(taken) = take(&mut day, &mut disk, today, least, least + more) {
                        prop_assert!(taken.units >= least && taken.units <= least + more);
                        prop_assert!(spent.keys().all(|earlier| *earlier <= taken.date));
                        let units = spent.entry(taken.date).or_default();
                        *units += taken.units;
                        prop_assert!(*units <= LIMIT);
                        held.push(taken);
                    }
                }
                Step::GiveBack => if let Some(taken) = held.pop() {
                    *spent.get_mut(&taken.date).unwrap() -= taken.units;
                    day.give_back(taken);
                },
                Step::Crash => {
                    // Nobody is left who could give anything back.
                    held.clear();
                    day = disk.usage.as_ref().map(Day::known).unwrap_or_default();
                }
                Step::Drain => {
                    held.clear();
                    if let Some(unused) = day.drain() {
                        disk.give_back(unused);
                    }
                    day = disk.usage.as_ref().map(Day::known).unwrap_or_default();
                    let known = disk.usage.as_ref().map_or(0, |usage| usage.used);
                    prop_assert!(known >= spent.values().last().copied().unwrap_or(0));
                }
                Step::Clock(days) => today = today.saturating_add(i64::from(days).days()),
            }
        }
    }
}

#[test]
fn a_wish_is_made_once_and_again_after_a_failure() {
    let (mut day, today) = (Day::default(), date(2026, 3, 1));
    let wish = Wish { today, units: 5, limit: LIMIT };
    assert_eq!(day.take(today, LIMIT, 1, 1), Take::Wait { wish: Some(wish), failures: 0 });
    assert_eq!(day.take(today, LIMIT, 1, 1), Take::Wait { wish: None, failures: 0 });
    day.failed();
    let wish = Wish { today, units: 5, limit: LIMIT };
    assert_eq!(day.take(today, LIMIT, 1, 1), Take::Wait { wish: Some(wish), failures: 1 });
}
