use lienthong_model::clock::ManualClock;
use tempfile::TempDir;

use super::*;

fn write(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("sandbox.yaml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn tells_every_mistake_at_once() {
    let folder = TempDir::new().unwrap();
    let text = "
database: {file: city.db, citizens: 5}
portal:
  listen: everywhere
  sesion_seconds: 5
city:
  listen: 127.0.0.1:0
  faults: [{call: x, fault: fire}, {call: x, fault: drift, after: 3}]
";
    let told = Config::read(&write(&folder, text)).unwrap_err().to_string();
    for mistake in [
        "`citizens` must be a whole number from 100",
        "`everywhere` is not an address",
        "did you mean `session_seconds`?",
        "`fire` is not one of `slow`",
        "`after` belongs to `drift_after` and `break_after`",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[tokio::test]
async fn starts_what_is_configured_over_a_database_that_it_makes() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret"), "other-secret\n").unwrap();
    let text = "
database: {file: city.db, citizens: 100, seed: 4}
portal: {listen: '127.0.0.1:0', password_file: secret, session_seconds: 60}
population:
  listen: 127.0.0.1:0
  random_faults: {seed: 1, per_mille: 1000, kinds: [unavailable]}
city:
  listen: 127.0.0.1:0
  health_records: 500
  faults: [{call: '*', fault: drift}, {call: list, fault: break_after, after: 7}]
";
    let config = Config::read(&write(&folder, text)).unwrap();
    let portal = config.portal.as_ref().unwrap();
    assert_eq!(portal.settings.password, "other-secret");
    assert_eq!(portal.settings.session_seconds, 60);
    assert_eq!(config.city.as_ref().unwrap().settings.health_records, 500);
    let clock = Arc::new(ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap()));
    let handles = start(&config, clock).await.unwrap();
    assert!(folder.path().join("city.db").exists());
    let next = |faults: &Faults| faults.next("x");
    assert_eq!(next(&handles.portal.unwrap().faults), None);
    assert_eq!(next(&handles.population.unwrap().faults), Some(Fault::Unavailable));
    let city = handles.city.unwrap().faults;
    assert_eq!(next(&city), Some(Fault::Drift));
    assert_eq!(city.next("list"), Some(Fault::BreakAfter(7)));
}
