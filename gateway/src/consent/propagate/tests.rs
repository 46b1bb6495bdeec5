use super::*;

#[test]
fn what_is_overdue_is_told_as_trouble_and_nothing_else() {
    let owed = Owed::default();
    assert_eq!(owed.troubles(), [] as [String; 0]);
    owed.requests.store(2, Ordering::Relaxed);
    owed.notices.store(1, Ordering::Relaxed);
    owed.failing.store(true, Ordering::Relaxed);
    let troubles = owed.troubles();
    assert_eq!(troubles.len(), 3);
    assert!(troubles[0].starts_with("2 requests") && troubles[1].starts_with("1 notices"));
    assert!(troubles.iter().all(|trouble| trouble.len() < 100));
}
