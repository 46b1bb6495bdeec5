use super::*;

fn key(acting: &str, service: &str, reason: ReasonCode) -> Key {
    let acting = (!acting.is_empty()).then(|| acting.parse().unwrap());
    Key { acting, service: Some(service.parse().unwrap()), reason }
}

#[test]
fn counts_by_consumer_service_reason_and_minute() {
    let mut refusals = Refusals::default();
    let rate = ReasonCode::ConsumerRateLimited;
    for at in [0, 1, 59_999] {
        refusals.count(key("T01.20", "people", rate), at);
    }
    refusals.count(key("T01.20", "roll", rate), 5);
    refusals.count(key("", "people", ReasonCode::ConsumerUnknown), 6);
    assert!(refusals.ended(59_999).is_empty());
    let mut ended = refusals.ended(60_000);
    ended.sort_by_key(|counted| counted.from_ms);
    let counts: Vec<_> = ended.iter().map(|counted| (counted.from_ms, counted.count)).collect();
    assert_eq!(counts, [(0, 3), (5, 1), (6, 1)]);
    assert!(refusals.ended(120_000).is_empty());
    let node = Name::of_node("node-1").unwrap();
    let entry = ended[0].entry(node, 60_000, None);
    assert_eq!((entry.count, entry.acting.unwrap().as_str()), (3, "T01.20"));
}

#[test]
fn whoever_asks_for_everything_leaves_a_bounded_number_of_entries() {
    let mut refusals = Refusals::default();
    for service in 0..10_000 {
        let service = format!("service-{service}");
        refusals.count(key("T01.20", &service, ReasonCode::ServiceNotAvailable), 0);
    }
    let ended = refusals.ended(60_000);
    assert_eq!(ended.len(), MAX_KINDS + 1);
    assert_eq!(ended.iter().map(|counted| counted.count).sum::<u64>(), 10_000);
    let acting = "T01.20".parse().unwrap();
    let single = (0..10_000).filter(|_| refusals.is_single(&acting, 60_000)).count();
    assert_eq!(single, 600);
    assert!(refusals.is_single(&acting, 120_000), "a new minute");
}

#[test]
fn a_count_that_cannot_be_written_waits() {
    let mut refusals = Refusals::default();
    refusals.count(key("T01.20", "people", ReasonCode::ServiceNotAvailable), 0);
    let ended = refusals.ended(60_000).pop().unwrap();
    refusals.put_back(ended);
    assert_eq!(refusals.ended(60_001).len(), 1);
}
