use std::collections::HashMap;

use jiff::civil::date;
use lienthong_model::{clock::civil_zone, sensitive::Sensitive};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{keys::SubjectKey, period::Period, testing::statement};

fn person(n: u64) -> SubjectDigest {
    SubjectKey::new(&Sensitive::new([7; 32])).digest("other", &n.to_string())
}

fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(civil_zone()).unwrap().timestamp()
}

fn scope(recipients: &[&str]) -> Scope {
    let recipients = recipients.iter().map(|id| id.parse().unwrap());
    let [controller, ..] = ["H29.12"];
    Scope::new(
        controller.parse().unwrap(),
        recipients,
        "health-book".parse().unwrap(),
        "health_care".parse().unwrap(),
    )
}

fn find(index: &Index, subject: &SubjectDigest, recipient: &str, now: Timestamp) -> Standing {
    index.find(
        subject,
        &Asked {
            recipient: &recipient.parse().unwrap(),
            controller: &"H29.12".parse().unwrap(),
            service: &"health-book".parse().unwrap(),
            purpose: &"health_care".parse().unwrap(),
        },
        now,
    )
}

/// A statement of a person that began with this revision.
fn slot(index: &Index, n: u64, created: u64, scope: &Scope, state: State) -> Slot {
    let period = Period::new(date(2026, 11, 1), date(2026, 11, 30)).unwrap();
    Slot {
        id: [u8::try_from(created % 256).unwrap(); 16],
        subject: *person(n).as_bytes(),
        created,
        revision: created,
        scope: index.scopes.intern(scope).unwrap(),
        fields: index.fields.intern(&statement(&json!({})).fields).unwrap(),
        from: PackedDate::new(period.from),
        until: PackedDate::new(period.until),
        state,
        once: false,
    }
}

fn put(index: &Index, n: u64, created: u64, recipients: &[&str], state: State) {
    let slot = slot(index, n, created, &scope(recipients), state);
    index.put(slot).unwrap();
}

const NOW: Date = date(2026, 11, 15);

#[test]
fn nobody_has_consented_to_begin_with() {
    let index = Index::new();
    let found = find(&index, &person(1), "H29.41", noon(NOW));
    assert_eq!(found, Standing::Missing(Missing::NotGiven));
}

#[test]
fn says_why_there_is_no_consent() {
    let index = Index::new();
    for (created, state) in (1..).zip(State::ALL) {
        put(&index, 1, created, &["H29.41"], state);
        let found = find(&index, &person(1), "H29.41", noon(NOW));
        match Missing::of(state) {
            Some(missing) => assert_eq!(found, Standing::Missing(missing)),
            None => assert!(matches!(found, Standing::Active(_))),
        }
    }
    assert_eq!(index.len(), 1);
}

#[test]
fn holds_within_its_period_alone() {
    let index = Index::new();
    put(&index, 1, 1, &["H29.41"], State::Given);
    for day in [date(2026, 10, 31), date(2026, 12, 1)] {
        let found = find(&index, &person(1), "H29.41", noon(day));
        assert_eq!(found, Standing::Missing(Missing::Expired));
    }
    for day in [date(2026, 11, 1), date(2026, 11, 30)] {
        let found = find(&index, &person(1), "H29.41", noon(day));
        let Standing::Active(active) = found else { panic!("it holds") };
        assert_eq!((active.revision, active.until), (1, date(2026, 11, 30)));
        assert_eq!(*active.fields, statement(&json!({})).fields);
    }
}

#[test]
fn the_newest_statement_decides_for_every_recipient_it_names() {
    let index = Index::new();
    put(&index, 1, 1, &["H29.30", "H29.41"], State::Given);
    put(&index, 1, 2, &["H29.41"], State::Refused);
    let refused = Standing::Missing(Missing::Refused);
    assert_eq!(find(&index, &person(1), "H29.41", noon(NOW)), refused);
    assert!(matches!(find(&index, &person(1), "H29.30", noon(NOW)), Standing::Active(_)));
    put(&index, 1, 3, &["H29.30", "H29.41"], State::Withdrawn);
    let withdrawn = Standing::Missing(Missing::Withdrawn);
    assert_eq!(find(&index, &person(1), "H29.41", noon(NOW)), withdrawn);
}

#[test]
fn what_is_older_changes_nothing_in_whatever_order_it_comes() {
    let index = Index::new();
    let scope = scope(&["H29.41"]);
    let given = slot(&index, 1, 1, &scope, State::Given);
    let withdrawn = Slot { revision: 5, state: State::Withdrawn, ..given };
    let newer = slot(&index, 1, 7, &scope, State::Refused);
    for slot in [newer, withdrawn, given, given] {
        index.put(slot).unwrap();
        let found = find(&index, &person(1), "H29.41", noon(NOW));
        assert_eq!(found, Standing::Missing(Missing::Refused));
    }
    let counts: HashMap<State, u64> = index.counts().into_iter().collect();
    assert_eq!((counts[&State::Refused], counts.values().sum::<u64>()), (1, 1));
}

#[test]
fn finds_each_of_many_people() {
    let index = Index::new();
    for n in 0..20_000 {
        let state = if n % 2 == 0 { State::Given } else { State::Refused };
        put(&index, n, n + 1, &["H29.41"], state);
    }
    assert_eq!(index.len(), 20_000);
    for n in 0..20_000 {
        let found = find(&index, &person(n), "H29.41", noon(NOW));
        match (n % 2, found) {
            (0, Standing::Active(active)) => assert_eq!(active.revision, n + 1),
            (1, found) => assert_eq!(found, Standing::Missing(Missing::Refused)),
            (_, found) => panic!("{found:?}"),
        }
    }
    let nobody = find(&index, &person(20_000), "H29.41", noon(NOW));
    assert_eq!(nobody, Standing::Missing(Missing::NotGiven));
    assert!(index.heap_bytes() >= 20_000 * size_of::<Slot>());
}

proptest! {
    /// Whatever comes, each recipient is told what the newest statement says.
    #[test]
    fn agrees_with_a_list_that_is_looked_through(
        statements in prop::collection::vec((0_u64..4, 0_usize..4, 0_usize..7), 0..60),
    ) {
        let sets: [&[&str]; 4] = [&["H29.30"], &["H29.41"], &["H29.30", "H29.41"], &["H29.50"]];
        let index = Index::new();
        for (created, (n, set, state)) in (1_u64..).zip(&statements) {
            put(&index, *n, created, sets[*set], State::ALL[*state]);
        }
        for n in 0..4 {
            for recipient in ["H29.30", "H29.41", "H29.50"] {
                let newest = statements.iter().rev().find(|(who, set, _)| {
                    *who == n && sets[*set].contains(&recipient)
                });
                let expected = newest.map_or(Some(Missing::NotGiven), |(_, _, state)| {
                    Missing::of(State::ALL[*state])
                });
                match (find(&index, &person(n), recipient, noon(NOW)), expected) {
                    (Standing::Missing(found), Some(expected)) => prop_assert_eq!(found, expected),
                    (Standing::Active(_), None) => {}
                    (found, expected) => prop_assert!(false, "{found:?} {expected:?}"),
                }
            }
        }
    }
}
