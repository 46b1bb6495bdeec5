use rand::SeedableRng as _;

use super::*;

fn back_off(seed: u64) -> BackOff {
    let rng = StdRng::seed_from_u64(seed);
    BackOff::new(Duration::from_secs(1), Duration::from_secs(60), rng)
}

#[test]
fn waits_stay_below_a_bound_that_doubles_up_to_the_longest() {
    let back_off = back_off(1);
    for (failures, bound) in [(1, 1), (2, 2), (4, 8), (7, 60), (40, 60), (u32::MAX, 60)] {
        let waits: Vec<_> = (0..200).map(|_| back_off.wait(failures)).collect();
        let bound = SignedDuration::from_secs(bound);
        assert!(waits.iter().all(|wait| *wait > SignedDuration::ZERO && *wait <= bound));
        // Full jitter: the waits fill the whole range.
        assert!(waits.iter().any(|wait| *wait < bound / 4));
        assert!(waits.iter().any(|wait| *wait > bound / 4 * 3));
    }
}

#[test]
fn the_same_seed_gives_the_same_waits() {
    let waits = |seed| (1..20).map(|n| back_off(seed).wait(n)).collect::<Vec<_>>();
    assert_eq!(waits(4), waits(4));
    assert_ne!(waits(4), waits(5));
}

#[test]
fn the_id_of_a_message_is_the_same_each_time_and_tells_nothing() {
    let flow: FlowId = "ward-cases".parse().unwrap();
    let other: FlowId = "other".parse().unwrap();
    let id = message_id(&flow, "H29.40-261102-0001/1");
    assert_eq!(id, message_id(&flow, "H29.40-261102-0001/1"));
    assert_ne!(id, message_id(&flow, "H29.40-261102-0001/2"));
    assert_ne!(id, message_id(&other, "H29.40-261102-0001/1"));
    assert_eq!(id.len(), 36);
    assert!(!id.contains("261102"));
}

#[test]
fn debug_shows_nothing_of_a_message() {
    let record = serde_json::json!({"ChuHoSo": "secret"});
    let envelope = Envelope {
        dossier: Some("secret".to_owned()),
        officer: None,
        record: record.as_object().unwrap().clone(),
    };
    assert!(!format!("{envelope:?}").contains("secret"));
}
