use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use lienthong_evidence::{checkpoint::Checkpoint, hash::Hash, note::Signer};
use lienthong_model::{clock::ManualClock, sensitive::Sensitive};
use tempfile::TempDir;

use self::authority::{Answer, Service, files, must, openssl};
use super::{
    folder::{self, Folder},
    *,
};
use crate::config::{CmsSettings, TimeStampSettings};

mod authority;

/// A log, an agency and a time-stamp service.
struct World {
    files: TempDir,
    /// Entries under the newest checkpoint.
    size: u64,
    clock: ManualClock,
    metrics: StampMetrics,
    service: Service,
}

/// The year 2050. The certificates are good from the instant they were made, for long.
fn start() -> Timestamp {
    Timestamp::from_second(2_524_608_000).expect("an instant")
}

fn signer() -> Signer {
    Signer::from_seed("log.example/node-1", Sensitive::new([7; 32])).expect("a key")
}

impl World {
    async fn new() -> Self {
        let files = files();
        let service = Service::start(files.path()).await;
        fs::create_dir(files.path().join("log")).unwrap();
        let clock = ManualClock::at(start());
        Self { files, size: 0, clock, metrics: StampMetrics::default(), service }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn settings(&self) -> StampSettings {
        StampSettings {
            cms: Some(CmsSettings {
                certificate_file: self.path("agency.pem"),
                key_file: self.path("agency.key"),
                every: Duration::from_secs(60),
            }),
            time_stamp: Some(TimeStampSettings {
                url: format!("http://127.0.0.1:{}/tsa", self.service.port).parse().unwrap(),
                trust_anchor_file: self.path("ca.pem"),
                tls_trust_anchor_file: None,
                every: Duration::from_secs(3600),
                wait: Duration::from_secs(10),
            }),
        }
    }

    fn stamper(&self, settings: &StampSettings) -> Stamper {
        let (log, clock) = (self.path("log"), Arc::new(self.clock.clone()));
        let verifier = signer().verifier().clone();
        Stamper::open(settings, &log, &verifier, clock, self.metrics.clone()).unwrap()
    }

    /// A checkpoint over one more entry.
    fn entry(&mut self) -> u64 {
        self.size += 1;
        self.checkpoint(self.size);
        self.size
    }

    fn checkpoint(&self, size: u64) {
        let root = Hash::of(&size.to_be_bytes());
        let checkpoint = Checkpoint { origin: "log.example/node-1".to_owned(), size, root };
        fs::write(self.path("log/checkpoint"), checkpoint.sign(&signer())).unwrap();
    }

    fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn stamp(&self, size: u64, name: &str) -> PathBuf {
        self.path(&format!("log/stamps/{size}/{name}"))
    }

    fn check(&self, authority: Option<&str>) -> Vec<Checked> {
        let authority = authority.map(|name| self.path(name));
        check(&self.path("log"), signer().verifier(), authority.as_deref()).unwrap()
    }
}

const CMS: &str = "cms -verify -inform DER -in checkpoint.cms -content checkpoint -binary -out \
                   /dev/null -CAfile ../../../";
const TSR: &str = "ts -verify -data checkpoint -in checkpoint.tsr -CAfile ../../../";

#[tokio::test]
async fn openssl_accepts_seal_and_time_stamp() {
    let mut world = World::new().await;
    let size = world.entry();
    world.stamper(&world.settings()).turn().await;
    let folder = world.path(&format!("log/stamps/{size}"));
    for command in [CMS, TSR] {
        must(&folder, &format!("{command}ca.pem"));
        assert!(!openssl(&folder, &format!("{command}other-ca.pem")).status.success());
    }
    let shown = must(&folder, "cms -cmsout -print -noout -inform DER -in checkpoint.cms");
    let shown = String::from_utf8(shown.stdout).unwrap();
    for part in ["sha256", "signingTime", "CN=agency"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    fs::write(folder.join("checkpoint"), "another").unwrap();
    for command in [CMS, TSR] {
        assert!(!openssl(&folder, &format!("{command}ca.pem")).status.success());
    }
}

#[tokio::test]
async fn stamps_come_at_their_pace_while_entries_come_in() {
    let mut world = World::new().await;
    let settings = world.settings();
    let mut stamper = world.stamper(&settings);
    stamper.turn().await;
    world.checkpoint(0);
    stamper.turn().await;
    assert!(!world.path("log/stamps").exists(), "a log of nothing needs no stamp");
    let first = world.entry();
    stamper.turn().await;
    let second = world.entry();
    world.advance(59);
    stamper.turn().await;
    assert!(!world.path(&format!("log/stamps/{second}")).exists());
    world.advance(1);
    stamper.turn().await;
    assert!(world.stamp(second, "checkpoint.cms").exists());
    assert!(!world.stamp(second, "checkpoint.tsr").exists());
    // No entry, no stamp; what has a seal may get a time stamp later.
    world.advance(3540);
    stamper.turn().await;
    assert!(world.stamp(second, "checkpoint.tsr").exists());
    world.advance(7200);
    stamper.turn().await;
    assert_eq!(fs::read_dir(world.path("log/stamps")).unwrap().count(), 2);
    assert_eq!(world.service.queries(), 2);
    assert_eq!(world.metrics.tries(Kind::Seal, "succeeded"), 2);
    // A new start asks for nothing that is there.
    world.stamper(&settings).turn().await;
    assert_eq!(world.service.queries(), 0);
    let good: Vec<Checked> = world.check(Some("ca.pem"));
    assert_eq!(good.iter().map(|stamp| stamp.size).collect::<Vec<_>>(), [first, second]);
    assert!(good.iter().all(|stamp| stamp.problems.is_empty() && stamp.kinds().count() == 2));
    // A clock that was set back does not end the stamps.
    let third = world.entry();
    world.clock = ManualClock::at(start());
    let mut stamper = world.stamper(&settings);
    stamper.turn().await;
    assert!(world.stamp(third, "checkpoint.tsr").exists());
}

#[tokio::test]
async fn a_bad_time_stamp_is_not_kept_and_stops_nothing() {
    let mut world = World::new().await;
    let mut settings = world.settings();
    let faults = [
        (Answer::Refuses, "refused with status 2"),
        (Answer::Garbage, "not a seal or time stamp"),
        (Answer::CutOff, "not a seal or time stamp"),
        (Answer::OtherNonce, "another query"),
        (Answer::OtherBytes, "something else"),
        (Answer::TooLong, "too long"),
        (Answer::Unavailable, "answered 503"),
        (Answer::Stranger, "signature: "),
        (Answer::Agency, "signature: "),
        (Answer::Nameless, "signature: "),
        (Answer::Silence, "in time"),
    ];
    for (answer, why) in faults {
        world.service.answers(answer);
        if answer == Answer::Silence {
            settings.time_stamp.as_mut().unwrap().wait = Duration::from_millis(50);
        }
        let mut stamper = world.stamper(&settings);
        let size = world.entry();
        let before = world.metrics.tries(Kind::TimeStamp, "failed");
        // Ten seconds after the first failure, twenty after the second.
        for (seconds, tries) in [(0, 1), (9, 1), (1, 2), (19, 2), (1, 3)] {
            world.advance(seconds);
            stamper.turn().await;
            assert_eq!(world.metrics.tries(Kind::TimeStamp, "failed") - before, tries, "{why}");
            let told = stamper.troubles.lock().unwrap().time_stamp.clone();
            assert_eq!(told.is_some_and(|told| told.contains(why)), tries == 3, "{why}");
        }
        assert!(!world.stamp(size, "checkpoint.tsr").exists(), "{why}");
        assert!(world.stamp(size, "checkpoint.cms").exists(), "a seal needs no service");
    }
    // Nobody there at all; then it recovers by itself.
    world.service.answers(Answer::Good);
    let good = world.settings();
    settings.time_stamp.as_mut().unwrap().url = "http://127.0.0.1:1/tsa".parse().unwrap();
    let mut stamper = world.stamper(&settings);
    for _ in 0..4 {
        stamper.turn().await;
        world.advance(60);
    }
    let told = stamper.troubles.lock().unwrap().time_stamp.clone();
    assert!(told.unwrap().contains("cannot be reached"));
    world.service.answers(Answer::Silence);
    let mut stamper = world.stamper(&good);
    world.service.answers(Answer::Refuses);
    stamper.turn().await;
    world.service.answers(Answer::Good);
    world.advance(10);
    stamper.turn().await;
    assert!(stamper.troubles.lock().unwrap().time_stamp.is_none());
    assert_eq!(world.metrics.tries(Kind::TimeStamp, "succeeded"), 1);
}

#[tokio::test]
async fn the_thread_ends_while_a_service_is_silent() {
    let mut world = World::new().await;
    world.entry();
    world.service.answers(Answer::Silence);
    let (log, clock) = (world.path("log"), Arc::new(world.clock.clone()));
    let (settings, verifier) = (world.settings(), signer().verifier().clone());
    let stamps = Stamps::start(&settings, &log, &verifier, clock, world.metrics.clone()).unwrap();
    world.service.asked().await;
    assert!(stamps.troubles().is_empty());
    drop(stamps);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_told_together() {
    let mut world = World::new().await;
    let mut settings = world.settings();
    assert!(check_settings(&settings).is_ok());
    fs::set_permissions(world.path("agency.key"), fs::Permissions::from_mode(0o640)).unwrap();
    settings.time_stamp.as_mut().unwrap().trust_anchor_file = world.path("nowhere.pem");
    let found = told(&settings);
    assert!(found.contains("lets others read") && found.contains("nowhere.pem"), "{found}");
    settings.cms.as_mut().unwrap().key_file = world.path("tsa.key");
    settings.time_stamp = None;
    assert!(told(&settings).contains("not the key of the certificate"));
    settings.cms.as_mut().unwrap().certificate_file = world.path("tsa.key");
    assert!(told(&settings).contains("holds no certificate"));
    must(world.files.path(), "pkey -in tsa.key -aes256 -passout pass:word -out locked.key");
    settings.cms.as_mut().unwrap().key_file = world.path("locked.key");
    assert!(told(&settings).contains("has a password"));
    // What cannot be read at the start is a mistake; later it is a failure like another.
    let mut stamper = world.stamper(&settings);
    world.entry();
    stamper.turn().await;
    assert_eq!(world.metrics.tries(Kind::Seal, "failed"), 1);
}

fn told(settings: &StampSettings) -> String {
    check_settings(settings).unwrap_err().to_string()
}

#[tokio::test]
async fn a_stamp_that_was_tampered_with_is_found() {
    let mut world = World::new().await;
    let size = world.entry();
    let settings = world.settings();
    world.stamper(&settings).turn().await;
    assert!(world.check(None).iter().all(|stamp| stamp.problems.is_empty()));
    let foreign = &world.check(Some("other-ca.pem"))[0];
    assert_eq!((foreign.problems.len(), foreign.kinds().count()), (2, 0));
    for name in ["checkpoint", "checkpoint.cms", "checkpoint.tsr"] {
        let path = world.stamp(size, name);
        let good = fs::read(&path).unwrap();
        let (mut tried, mut unnoticed) = (0, Vec::new());
        let end = good.len().saturating_sub(64);
        for at in (0..end).step_by(7).chain(end..good.len()) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            fs::write(&path, bad).unwrap();
            tried += 1;
            let checked = &world.check(Some("ca.pem"))[0];
            if checked.problems.is_empty() {
                unnoticed.push(at);
            }
        }
        // Versions and names of algorithms around a signature are not signed, and say nothing of
        // whose it is or what it is over. The signature stands at the end.
        let few = if name == "checkpoint" { 0 } else { tried / 20 };
        assert!(unnoticed.len() <= few, "{name}: {unnoticed:?}");
        assert!(unnoticed.iter().all(|at| *at < end), "{name}: {unnoticed:?}");
        fs::write(&path, &good).unwrap();
    }
    fs::rename(world.path(&format!("log/stamps/{size}")), world.path("log/stamps/9")).unwrap();
    let checked = &world.check(None)[0];
    assert!(matches!(checked.problems[..], [StampError::Size]) && checked.checkpoint.is_none());
    let other = Signer::from_seed("log.example/node-1", Sensitive::new([8; 32])).unwrap();
    let checked = check(&world.path("log"), other.verifier(), None).unwrap();
    assert!(checked[0].checkpoint.is_none());
}

#[test]
fn of_seals_without_a_time_stamp_the_newest_stay_and_one_an_hour() {
    let files = tempfile::tempdir().unwrap();
    let mut folder = Folder::open(files.path()).unwrap();
    let start = Timestamp::from_second(1_767_225_600).unwrap();
    for minute in 1..=300_u64 {
        let now = start + SignedDuration::from_mins(minute.cast_signed());
        folder.checkpoint(minute, b"note", |_| true).unwrap();
        if minute == 100 {
            folder.keep_time_stamp(minute, b"answer").unwrap();
        }
        folder.keep_seal(minute, b"seal", now).unwrap();
    }
    let left = folder::sizes(files.path()).unwrap();
    let older = [1, 60, 100, 120, 180, 240];
    let newest = 241..=300;
    assert_eq!(left, older.into_iter().chain(newest).collect::<Vec<_>>());
    let again = Folder::open(files.path()).unwrap();
    assert_eq!((again.sealed, again.stamped), (300, 100));
}
