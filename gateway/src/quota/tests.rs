use std::{fs, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use lienthong_evidence::entry::{DigestKey, Domain, Period};
use lienthong_model::{clock::ManualClock, sensitive::Sensitive};
use lienthong_policy::NotFoundLimit;
use tempfile::TempDir;

use super::*;

/// The shipped policies and schemas, by name.
pub(crate) fn shipped() -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("policies"), PathBuf::from("schemas")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                files.push((path.display().to_string(), text));
            }
        }
    }
    files
}

struct World {
    folder: TempDir,
    store: Arc<Store>,
    clock: ManualClock,
    metrics: QuotaMetrics,
    quotas: Quotas,
}

fn quotas(clock: &ManualClock, metrics: &QuotaMetrics) -> Quotas {
    Quotas::new(Arc::new(clock.clone()), metrics.clone())
}

impl World {
    /// Ten in the morning in Ho Chi Minh City.
    async fn new() -> Self {
        let clock = ManualClock::at("2026-03-01T03:00:00Z".parse::<Timestamp>().unwrap());
        let metrics = QuotaMetrics::default();
        let quotas = quotas(&clock, &metrics);
        let folder = TempDir::new().unwrap();
        let store = Arc::new(Store::open(folder.path()).await.unwrap());
        quotas.open(Arc::clone(&store)).await.unwrap();
        Self { folder, store, clock, metrics, quotas }
    }

    /// The next process on the same data directory.
    async fn restart(&mut self) {
        self.quotas.close().await;
        self.store.close().await;
        self.store = Arc::new(Store::open(self.folder.path()).await.unwrap());
        self.quotas = quotas(&self.clock, &self.metrics);
        self.quotas.open(Arc::clone(&self.store)).await.unwrap();
    }

    fn pass(&self, time: SignedDuration) {
        self.clock.advance(time);
    }

    async fn ask_as(
        &self,
        officer: &'static str,
        limits: DataLimits,
        about: &[&str],
    ) -> Result<Charge, ReasonCode> {
        let subjects: Vec<_> = about.iter().map(|who| self.subject(who)).collect();
        let officer = key().digest(Domain::Officer, officer);
        let charge = self.quotas.admit(&agreement(), limits, Some(officer), &subjects).await;
        charge.map_err(|refusal| refusal.reason)
    }

    /// Asks, and the provider is asked.
    async fn ask(&self, limits: DataLimits, about: &[&str]) -> Result<(), ReasonCode> {
        self.ask_as("OFFICER", limits, about).await.map(|mut charge| charge.commit())
    }

    fn subject(&self, who: &str) -> KeyedDigest {
        key().digest(Domain::DataSubject("other"), who)
    }

    fn used(&self) -> u64 {
        let today = civil_date(self.clock.now());
        self.quotas.known(&agreement()).map_or(0, |counters| counters.day().used(today))
    }

    async fn answered(&self, limits: DataLimits, statuses: &[(u16, usize)]) {
        for (status, times) in statuses {
            for _ in 0..*times {
                let charge = self.ask_as("OFFICER", limits, &[]).await.unwrap();
                self.quotas.answered(&charge, StatusCode::from_u16(*status).unwrap());
            }
        }
    }

    fn near(&self) -> usize {
        let mut text = String::new();
        let registry = self.metrics.registry();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let line = text.lines().filter(|line| line.starts_with("gateway_quota_near_limit_total"));
        line.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    }
}

fn key() -> DigestKey {
    DigestKey::new(Period::new("2026-q1").unwrap(), &Sensitive::new([7; 32]))
}

fn agreement() -> AgreementId {
    "ward-civil-status".parse().unwrap()
}

fn daily(limit: u32) -> DataLimits {
    DataLimits { data_subjects_per_day: Some(limit), ..DataLimits::default() }
}

fn hourly(limit: u32) -> DataLimits {
    DataLimits { subjects_per_officer_hour: Some(limit), ..DataLimits::default() }
}

fn guesses(share: f64, after: u32) -> DataLimits {
    DataLimits { not_found: Some(NotFoundLimit { share, after }), ..DataLimits::default() }
}

fn streams(limit: u64) -> DataLimits {
    DataLimits { elements_per_stream: Some(limit), ..DataLimits::default() }
}

const DAY: Result<(), ReasonCode> = Err(ReasonCode::QuotaDataSubjects);
const OFFICER: Result<(), ReasonCode> = Err(ReasonCode::QuotaOfficerSubjects);

#[tokio::test]
async fn refuses_the_data_subject_after_the_last_of_the_day() {
    let world = World::new().await;
    assert_eq!(world.ask(daily(3), &["a", "b", "c", "d"]).await, DAY);
    assert_eq!(world.used(), 0);
    for _ in 0..3 {
        // The day counts whom a request is about, not whom the day was about.
        assert_eq!(world.ask(daily(3), &["a"]).await, Ok(()));
    }
    assert_eq!(world.ask(daily(3), &["a"]).await, DAY);
    // What is about nobody is not counted, and no limit is no limit.
    assert_eq!(world.ask(daily(3), &[]).await, Ok(()));
    assert_eq!(world.ask(DataLimits::default(), &["a"]).await, Ok(()));
    assert_eq!(world.used(), 3);
}

#[tokio::test]
async fn tells_how_long_the_day_lasts() {
    let world = World::new().await;
    world.ask(daily(1), &["a"]).await.unwrap();
    let subjects = [world.subject("a")];
    let refused = world.quotas.admit(&agreement(), daily(1), None, &subjects).await.unwrap_err();
    assert!(matches!(refused.cause, Cause::Wait(wait) if wait == Duration::from_secs(14 * 3600)));
}

#[tokio::test]
async fn a_request_that_did_not_reach_the_provider_costs_nothing() {
    let world = World::new().await;
    let charge = world.ask_as("OFFICER", daily(2), &["a", "b"]).await.unwrap();
    assert_eq!(world.used(), 2);
    drop(charge);
    assert_eq!(world.used(), 0);
    let mut charge = world.ask_as("OFFICER", daily(2), &["a"]).await.unwrap();
    charge.commit();
    charge.release();
    drop(charge);
    assert_eq!(world.used(), 0);
}

#[tokio::test]
async fn a_limit_that_is_lowered_counts_at_once_and_a_raised_one_too() {
    let world = World::new().await;
    for _ in 0..5 {
        world.ask(daily(500), &["a"]).await.unwrap();
    }
    assert_eq!(world.ask(daily(5), &["a"]).await, DAY);
    assert_eq!(world.ask(daily(6), &["a"]).await, Ok(()));
    assert_eq!(world.ask(daily(6), &["a"]).await, DAY);
    assert_eq!(world.ask(daily(1000), &["a"]).await, Ok(()));
}

#[tokio::test]
async fn a_day_ends_at_midnight_of_the_city_and_never_comes_back() {
    let world = World::new().await;
    world.ask(daily(1), &["a"]).await.unwrap();
    world.pass(SignedDuration::from_hours(14) - SignedDuration::from_secs(1));
    assert_eq!(world.ask(daily(1), &["a"]).await, DAY);
    world.pass(SignedDuration::from_secs(1));
    assert_eq!(world.ask(daily(2), &["a"]).await, Ok(()));
    // The clock is set back over midnight: the new day goes on.
    world.pass(SignedDuration::from_hours(-2));
    assert_eq!(world.ask(daily(2), &["a"]).await, Ok(()));
    assert_eq!(world.ask(daily(2), &["a"]).await, DAY);
    world.pass(SignedDuration::from_hours(2));
    assert_eq!(world.ask(daily(2), &["a"]).await, DAY);
}

#[tokio::test]
async fn what_is_left_of_a_lease_comes_back_at_a_clean_end_only() {
    let mut world = World::new().await;
    world.ask(daily(1000), &["a"]).await.unwrap();
    world.restart().await;
    assert_eq!(world.used(), 1);
    world.ask(daily(1000), &["a"]).await.unwrap();
    assert_eq!(world.used(), 2);
    // Whoever cannot lease any more refuses.
    world.quotas.close().await;
    let refused = world.ask(daily(1000), &["a"; 1]).await;
    assert_eq!(refused, Err(ReasonCode::QuotaUnavailable));
}

#[tokio::test]
async fn what_cannot_be_counted_is_refused() {
    let world = World::new().await;
    let second = quotas(&world.clock, &world.metrics);
    let refused = second.admit(&agreement(), daily(5), None, &[world.subject("a")]).await;
    assert_eq!(refused.unwrap_err().reason, ReasonCode::QuotaUnavailable);
    world.store.close().await;
    assert!(second.open(Arc::clone(&world.store)).await.is_err());
    assert_eq!(world.ask(daily(5), &["a"]).await, Err(ReasonCode::QuotaUnavailable));
}

/// Many at once lease together and never take more than there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_take_no_more_than_the_limit() {
    let world = Arc::new(World::new().await);
    let asks = (0..300).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.ask(daily(250), &["a"]).await.is_ok() })
    });
    let mut admitted = 0;
    for ask in asks.collect::<Vec<_>>() {
        admitted += usize::from(ask.await.unwrap());
    }
    assert_eq!((admitted, world.used()), (250, 250));
}

#[tokio::test]
async fn an_officer_asks_about_so_many_persons_an_hour() {
    let world = World::new().await;
    assert_eq!(world.ask(hourly(2), &["a", "b", "c"]).await, OFFICER);
    assert_eq!(world.ask(hourly(2), &["a", "b"]).await, Ok(()));
    // The same persons again are no more persons.
    assert_eq!(world.ask(hourly(2), &["b", "a"]).await, Ok(()));
    assert_eq!(world.ask(hourly(2), &["a", "c"]).await, OFFICER);
    assert!(world.ask_as("ANOTHER", hourly(2), &["c"]).await.is_ok());
    world.pass(SignedDuration::from_mins(60));
    assert_eq!(world.ask(hourly(2), &["c"]).await, Ok(()));
    // Lowered by a reload: whoever is over it asks about nobody new.
    assert_eq!(world.ask(hourly(1), &["d"]).await, OFFICER);
    assert_eq!(world.ask(hourly(1), &["c"]).await, Ok(()));
}

#[tokio::test]
async fn whoever_names_no_officer_is_one_officer() {
    let world = World::new().await;
    let (a, b) = (world.subject("a"), world.subject("b"));
    world.quotas.admit(&agreement(), hourly(1), None, &[a]).await.unwrap();
    let refused = world.quotas.admit(&agreement(), hourly(1), None, &[b]).await.unwrap_err();
    assert_eq!(refused.reason, ReasonCode::QuotaOfficerSubjects);
}

#[tokio::test]
async fn refuses_who_guesses_until_the_window_has_moved() {
    let world = World::new().await;
    let limits = guesses(0.5, 4);
    // Too few to tell; then half of them, which is not more than half.
    world.answered(limits, &[(404, 2), (200, 2)]).await;
    assert_eq!(world.ask(limits, &[]).await, Ok(()));
    // Answers that tell nothing about who exists thin nothing out.
    world.answered(limits, &[(503, 20), (400, 20)]).await;
    world.pass(SignedDuration::from_mins(30));
    world.answered(limits, &[(404, 1)]).await;
    assert_eq!(world.ask(limits, &[]).await, Err(ReasonCode::QuotaEnumeration));
    assert!(world.ask_as("ANOTHER", limits, &[]).await.is_ok());
    world.pass(SignedDuration::from_mins(29));
    assert_eq!(world.ask(limits, &[]).await, Err(ReasonCode::QuotaEnumeration));
    world.pass(SignedDuration::from_mins(1));
    assert_eq!(world.ask(limits, &[]).await, Ok(()));
}

#[tokio::test]
async fn a_stream_has_so_many_elements() {
    let world = World::new().await;
    let mut charge = world.ask_as("OFFICER", streams(5), &[]).await.unwrap();
    assert_eq!(world.quotas.elements(&mut charge, 3).await.unwrap(), 3);
    assert_eq!(world.quotas.elements(&mut charge, 3).await.unwrap(), 5);
    let refused = world.quotas.elements(&mut charge, 1).await.unwrap_err();
    assert_eq!(refused.reason, ReasonCode::QuotaElements);
    let mut free = Charge::new(None);
    assert_eq!(world.quotas.elements(&mut free, 1).await.unwrap(), u64::MAX);
}

#[tokio::test]
async fn each_element_is_a_data_subject_and_what_did_not_pass_comes_back() {
    let world = World::new().await;
    let limits = DataLimits { subjects_per_officer_hour: Some(40), ..daily(30) };
    let mut charge = world.ask_as("OFFICER", limits, &["a"]).await.unwrap();
    charge.commit();
    assert_eq!(world.quotas.elements(&mut charge, 20).await.unwrap(), 20);
    // The day leaves nine more, so that the hour keeps the rest.
    assert_eq!(world.quotas.elements(&mut charge, 20).await.unwrap(), 29);
    let refused = world.quotas.elements(&mut charge, 1).await.unwrap_err();
    assert_eq!(refused.reason, ReasonCode::QuotaDataSubjects);
    assert_eq!((world.used(), hour_of(&world)), (30, 30));
    charge.passed(12);
    drop(charge);
    assert_eq!((world.used(), hour_of(&world)), (13, 13));
    let limits = DataLimits { subjects_per_officer_hour: Some(15), ..limits };
    let mut charge = world.ask_as("OFFICER", limits, &[]).await.unwrap();
    assert_eq!(world.quotas.elements(&mut charge, 20).await.unwrap(), 2);
    let refused = world.quotas.elements(&mut charge, 1).await.unwrap_err();
    assert_eq!(refused.reason, ReasonCode::QuotaOfficerSubjects);
}

fn hour_of(world: &World) -> u64 {
    world.quotas.known(&agreement()).unwrap().officers().most_used(world.quotas.moment())
}

/// Only what was taken of the new day goes back to it.
#[tokio::test]
async fn a_stream_over_midnight_makes_no_credit() {
    let world = World::new().await;
    world.pass(SignedDuration::from_hours(13));
    let limits = DataLimits { subjects_per_officer_hour: Some(100), ..daily(100) };
    let mut charge = world.ask_as("OFFICER", limits, &[]).await.unwrap();
    assert_eq!(world.quotas.elements(&mut charge, 50).await.unwrap(), 50);
    world.pass(SignedDuration::from_hours(1));
    assert_eq!(world.quotas.elements(&mut charge, 10).await.unwrap(), 60);
    assert_eq!((world.used(), hour_of(&world)), (10, 10));
    charge.passed(5);
    drop(charge);
    assert_eq!((world.used(), hour_of(&world)), (0, 0));
}

#[tokio::test]
async fn remembers_no_more_than_there_is_room_for() {
    let world = World::new().await;
    let many: Vec<_> = (0..100_000).map(|n| world.subject(&n.to_string())).collect();
    let ask = async |officer: u8| {
        let officer = key().digest(Domain::Officer, &officer.to_string());
        let limits = hourly(100_000);
        let charge = world.quotas.admit(&agreement(), limits, Some(officer), &many).await;
        charge.map(drop).map_err(|refusal| refusal.reason)
    };
    let mut admitted = 0;
    for officer in b'A'..=b'Z' {
        admitted += usize::from(ask(officer).await.is_ok());
    }
    assert_eq!(admitted, 19);
    assert_eq!(ask(b'a').await, OFFICER);
    assert!(world.quotas.places.taken() <= 2_000_000);
    // The hour's end makes room.
    world.pass(SignedDuration::from_hours(1));
    assert_eq!(ask(b'a').await, Ok(()));
    assert!(world.quotas.places.taken() < 200_000);
}

#[tokio::test]
async fn tells_once_that_a_limit_is_near() {
    let mut world = World::new().await;
    let limits = DataLimits { subjects_per_officer_hour: Some(5), ..daily(10) };
    for who in ["a", "b", "c"] {
        world.ask(limits, &[who]).await.unwrap();
    }
    assert_eq!(world.near(), 0);
    world.ask(limits, &["d"]).await.unwrap();
    assert_eq!(world.near(), 1);
    for _ in 0..4 {
        world.ask(limits, &["a"]).await.unwrap();
    }
    assert_eq!(world.near(), 2);
    world.ask(limits, &["a"]).await.unwrap();
    assert_eq!(world.near(), 2);
    world.pass(SignedDuration::from_hours(24));
    world.ask(limits, &["a", "b", "c", "d"]).await.unwrap();
    assert_eq!(world.near(), 3);
    world.ask(limits, &["a", "b", "c", "d"]).await.unwrap();
    assert_eq!(world.near(), 4);
    world.restart().await;
    assert_eq!(world.used(), 8);
}
