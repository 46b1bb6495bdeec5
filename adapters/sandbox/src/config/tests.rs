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
  faults: [{call: x, fault: fire}, {call: x, fault: drift, after: 3}, {call: x, fault: quota}]
";
    let told = Config::read(&write(&folder, text)).unwrap_err().to_string();
    for mistake in [
        "`citizens` must be a whole number from 100",
        "`everywhere` is not an address",
        "did you mean `session_seconds`?",
        "`quota` is a fault of the portal and the Agent Node only",
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

#[test]
fn tells_every_mistake_of_the_portal_at_once() {
    let folder = TempDir::new().unwrap();
    let text = "
database: {file: city.db}
portal:
  listen: 127.0.0.1:0
  quotas: {per_hour: 5}
  keep_bodies: many
  report: 0.0.0.0:0
";
    let told = Config::read(&write(&folder, text)).unwrap_err().to_string();
    for mistake in ["`per_hour`", "`keep_bodies` must be", "`report` must be a loopback address"] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[tokio::test]
async fn another_file_puts_its_faults_and_clock_in_the_place_of_those_in_force() {
    let folder = TempDir::new().unwrap();
    let text = |faults: &str| {
        format!(
            "
database: {{file: city.db, citizens: 100}}
portal:
  listen: 127.0.0.1:0
  quotas: {{per_minute: 7}}
  state_dir: state
  questions: 3
  future_seconds: 60
  faults: [{faults}]
"
        )
    };
    let first = text("{call: login, fault: slow}, {call: x, fault: quota}");
    let config = Config::read(&write(&folder, &first)).unwrap();
    let settings = &config.portal.as_ref().unwrap().settings;
    assert_eq!((settings.quotas.per_minute, settings.future_seconds), (Some(7), Some(60)));
    let clock = Arc::new(ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap()));
    let handles = start(&config, clock).await.unwrap();
    assert!(folder.path().join("state/portal.journal").exists());
    let portal = handles.portal.as_ref().unwrap();
    assert_eq!((portal.faults.next("x"), portal.report().questions), (Some(Fault::Quota), 3));
    let second = text("{call: login, fault: unavailable}");
    handles.rearm(&Config::read(&write(&folder, &second)).unwrap());
    assert_eq!(portal.faults.next("login"), Some(Fault::Unavailable));
    assert_eq!(portal.faults.next("x"), None);
}
