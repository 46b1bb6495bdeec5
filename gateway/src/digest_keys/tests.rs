use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

fn write(directory: &TempDir, name: &str, mode: u32) {
    let path = directory.path().join(name);
    fs::write(&path, "5a".repeat(32)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_day_has_the_key_of_its_quarter() {
    let directory = TempDir::new().unwrap();
    write(&directory, "2026-q4.key", 0o600);
    write(&directory, "2027-q1.key", 0o400);
    write(&directory, "README", 0o644);
    let keys = DigestKeys::load(directory.path()).unwrap();
    let period = |day: &str| {
        let noon: Timestamp = format!("{day}T12:00:00+07:00").parse().unwrap();
        keys.current(noon).and_then(|key| key.period().map(|p| p.as_str().to_owned()))
    };
    assert_eq!(period("2026-12-31").as_deref(), Some("2026-q4"));
    assert_eq!(period("2027-01-01").as_deref(), Some("2027-q1"));
    assert_eq!(period("2026-09-30"), None);
    assert_eq!(keys.quarters().map(|q| q.to_string()).collect::<Vec<_>>(), ["2026-q4", "2027-q1"]);
}

#[test]
fn tells_every_file_that_is_no_key() {
    let directory = TempDir::new().unwrap();
    write(&directory, "2026-q4.key", 0o644);
    write(&directory, "2026-q5.key", 0o600);
    write(&directory, "26-q1.key", 0o600);
    fs::write(directory.path().join("2026-q3.key"), "short").unwrap();
    let found = DigestKeys::load(directory.path()).unwrap_err().to_string();
    for name in ["2026-q4", "2026-q5", "26-q1", "2026-q3"] {
        assert!(found.contains(name), "{found}");
    }
    assert!(!found.contains("5a5a"), "{found}");
    assert!(DigestKeys::load(&directory.path().join("none")).is_err());
}

#[test]
fn a_missing_key_is_told_thirty_days_ahead_and_the_quarter_turns_in_the_city() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let directory = TempDir::new().unwrap();
    write(&directory, "2026-q4.key", 0o600);
    let keys = DigestKeys::load(directory.path()).unwrap();
    assert_eq!(keys.trouble(at("2026-12-01T16:59:59Z")), None);
    let soon = keys.trouble(at("2026-12-01T17:00:00Z")).unwrap();
    assert_eq!(soon, "digest key `2027-q1` is missing and needed on 2027-01-01");
    assert!(keys.current(at("2026-12-31T16:59:59.999Z")).is_some());
    // Midnight in the city: nothing can be recorded, so nothing moves.
    let midnight = at("2026-12-31T17:00:00Z");
    assert!(keys.current(midnight).is_none());
    let now = keys.trouble(midnight).unwrap();
    assert_eq!(now, "digest key `2027-q1` is missing: exchanges are refused");
    write(&directory, "2027-q1.key", 0o600);
    let keys = DigestKeys::load(directory.path()).unwrap();
    assert_eq!(keys.trouble(at("2026-12-31T16:59:59Z")), None);
    assert!(keys.current(midnight).is_some());
}

#[test]
fn the_mark_of_a_destroyed_key_is_no_key() {
    let directory = TempDir::new().unwrap();
    write(&directory, "2026-q4.key", 0o600);
    write(&directory, "2019-q3.destroyed", 0o644);
    assert_eq!(DigestKeys::load(directory.path()).unwrap().quarters().count(), 1);
}
