mod model;

use std::sync::Mutex as Told;

use jiff::civil::Date;
use lienthong_model::{
    clock::{ManualClock, civil_zone},
    reason::ReasonCode,
    sensitive::Sensitive,
};
use lienthong_store::ledger::{Change, Expected, Idempotency};
use serde_json::json;

use super::*;
use crate::{
    index::{Active, Missing},
    record::Author,
    rights::{RightKind, RightState, Rights},
    scope::Scope,
    snapshot::NotUsed,
    state::{Action, StateError},
    statement::Channel,
    testing::{CITIZEN, Home, TODAY, checked, on_both},
};

on_both!(
    opens_empty,
    refuses_another_key_than_the_registry_was_made_with,
    a_consent_holds_when_it_was_given_and_not_before,
    never_holds_after_a_withdrawal,
    refuses_a_second_withdrawal_and_changes_nothing,
    refuses_uses_and_losses_that_somebody_asks_for,
    a_restriction_holds_until_it_is_released,
    an_objection_is_final,
    a_refusal_is_newer_than_a_consent,
    refuses_a_change_of_what_has_changed,
    a_repeated_request_is_done_once,
    a_key_stands_for_one_request,
    a_proof_is_used_once,
    of_two_that_try_exactly_one_gets_a_consent_for_once,
    takes_nothing_that_does_not_hold_any_more,
    a_clock_set_back_revives_nothing_and_makes_no_older_event,
    follows_what_others_wrote_to_the_ledger,
    a_withdrawal_is_a_fulfilled_request_too,
    a_call_given_up_half_way_leaves_no_doubt_unresolved,
    opens_from_a_snapshot_and_what_is_newer,
    leaves_a_snapshot_that_is_ahead_of_the_store,
    loses_what_only_the_evidence_knows,
    lists_the_consents_of_a_person_and_their_history,
    opens_an_identifier_for_whoever_has_the_key,
    says_that_it_is_in_doubt_when_the_store_was_set_back,
);

/// A registry that can be closed and opened again.
struct World {
    home: Home,
    clock: ManualClock,
    registry: Option<Registry>,
}

fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(civil_zone()).unwrap().timestamp()
}

fn key(n: u8) -> Sensitive<[u8; 32]> {
    Sensitive::new([n; 32])
}

fn settings(store: Arc<Store>, home: &Home, clock: &ManualClock) -> Settings {
    Settings {
        store,
        subject_key: SubjectKey::new(&key(1)),
        seal_key: SealKey::new(&key(2)).unwrap(),
        snapshot: Some(home.folder.path().join("consents.snapshot")),
        clock: Arc::new(clock.clone()),
        progress: Progress::silent(),
    }
}

impl World {
    async fn new(home: Home) -> Self {
        let clock = ManualClock::at(noon(TODAY));
        let mut world = Self { home, clock, registry: None };
        world.open().await;
        world
    }

    async fn open(&mut self) {
        let store = self.home.store().await;
        let settings = settings(store, &self.home, &self.clock);
        self.registry = Some(Registry::open(settings).await.unwrap());
    }

    /// As a crash would: nothing is written down.
    async fn reopen(&mut self) {
        let registry = self.registry.take().unwrap();
        registry.store.close().await;
        drop(registry);
        self.open().await;
    }

    fn registry(&self) -> &Registry {
        self.registry.as_ref().unwrap()
    }

    async fn give(&self, changes: &serde_json::Value) -> Changed {
        self.registry().give(&checked(changes), giving()).await.unwrap()
    }

    async fn change(&self, id: ConsentId, action: Action) -> Result<Changed, RegistryError> {
        self.registry().change(id, request(action)).await
    }

    fn standing(&self) -> Standing {
        self.standing_for("H29.41").unwrap()
    }

    fn standing_for(&self, recipient: &str) -> Result<Standing, Uncertain> {
        let scope = scope();
        self.registry().standing(
            &self.registry().subject_key().digest("citizen_number", CITIZEN),
            &Asked {
                recipient: &recipient.parse().unwrap(),
                controller: &scope.controller,
                service: &scope.service,
                purpose: &scope.purpose,
            },
        )
    }

    fn active(&self) -> Active {
        match self.standing() {
            Standing::Active(active) => active,
            Standing::Missing(missing) => panic!("{missing:?}"),
        }
    }
}

fn scope() -> Scope {
    checked(&json!({})).statement().scope.clone()
}

fn giving() -> Giving {
    Giving { collector: "desk-1".parse().unwrap(), proof: None, idempotency: None }
}

fn request(action: Action) -> Request {
    let by = Author { collector: "desk-2".parse().unwrap(), channel: Channel::Officer };
    Request { action, expected: None, by: Some(by), idempotency: None }
}

fn missing(missing: Missing) -> Standing {
    Standing::Missing(missing)
}

fn under(key: u8, request: u8) -> Option<Idempotency> {
    Some(Idempotency { key: [key; 32], request: [request; 32] })
}

async fn opens_empty(home: Home) {
    let world = World::new(home).await;
    assert_eq!(world.standing(), missing(Missing::NotGiven));
    assert_eq!(world.registry().source(), Source::Store(NotUsed::Absent));
    assert_eq!((world.registry().head().await.unwrap(), world.registry().applied()), (0, 0));
}

async fn refuses_another_key_than_the_registry_was_made_with(home: Home) {
    let mut world = World::new(home).await;
    let store = Arc::clone(&world.registry.take().unwrap().store);
    let made = || settings(Arc::clone(&store), &world.home, &world.clock);
    let other = Settings { subject_key: SubjectKey::new(&key(9)), ..made() };
    assert!(matches!(Registry::open(other).await, Err(OpenError::SubjectKey)));
    let other = Settings { seal_key: SealKey::new(&key(9)).unwrap(), ..made() };
    assert!(matches!(Registry::open(other).await, Err(OpenError::SealKey)));
    assert!(Registry::open(made()).await.is_ok());
}

async fn a_consent_holds_when_it_was_given_and_not_before(home: Home) {
    let mut world = World::new(home).await;
    let given = world.give(&json!({})).await;
    assert_eq!((given.revision, given.record.state), (1, State::Given));
    let active = world.active();
    assert_eq!((active.consent, active.revision), (given.record.id, 1));
    assert_eq!(world.standing_for("H29.42"), Ok(missing(Missing::NotGiven)));
    world.reopen().await;
    assert_eq!(world.active(), active);
    world.clock.advance(SignedDuration::from_hours(24 * 30));
    assert_eq!(world.standing(), missing(Missing::Expired));
}

async fn never_holds_after_a_withdrawal(home: Home) {
    let mut world = World::new(home).await;
    let given = world.give(&json!({})).await;
    let withdrawn = world.change(given.record.id, Action::Withdraw).await.unwrap();
    assert_eq!((withdrawn.revision, withdrawn.record.state), (2, State::Withdrawn));
    assert_eq!(world.standing(), missing(Missing::Withdrawn));
    world.reopen().await;
    assert_eq!(world.standing(), missing(Missing::Withdrawn));
}

async fn refuses_a_second_withdrawal_and_changes_nothing(home: Home) {
    let world = World::new(home).await;
    let id = world.give(&json!({})).await.record.id;
    world.change(id, Action::Withdraw).await.unwrap();
    let error = world.change(id, Action::Withdraw).await.unwrap_err();
    assert_eq!(error.reason(), ReasonCode::ConsentState);
    let unknown = ConsentId::from_bytes([9; 16]);
    let error = world.change(unknown, Action::Withdraw).await.unwrap_err();
    assert_eq!(error.reason(), ReasonCode::ConsentUnknown);
    assert_eq!(world.registry().head().await.unwrap(), 2);
    assert!(!world.registry().is_uncertain());
}

async fn refuses_uses_and_losses_that_somebody_asks_for(home: Home) {
    let world = World::new(home).await;
    let id = world.give(&json!({"frequency": "once"})).await.record.id;
    for action in [Action::Use, Action::Lose, Action::Give, Action::Refuse, Action::Release] {
        let error = world.change(id, action).await.unwrap_err();
        let state = StateError { state: State::Given, action };
        assert!(matches!(error, RegistryError::State(found) if found == state));
    }
    assert!(world.active().once);
}

async fn a_restriction_holds_until_it_is_released(home: Home) {
    let world = World::new(home).await;
    let id = world.give(&json!({})).await.record.id;
    world.change(id, Action::Restrict).await.unwrap();
    assert_eq!(world.standing(), missing(Missing::Restricted));
    let released = world.change(id, Action::Release).await.unwrap();
    assert_eq!(world.active().revision, released.revision);
    world.change(id, Action::Restrict).await.unwrap();
    world.change(id, Action::Withdraw).await.unwrap();
    assert!(world.change(id, Action::Release).await.is_err());
    assert_eq!(world.standing(), missing(Missing::Withdrawn));
}

async fn an_objection_is_final(home: Home) {
    let world = World::new(home).await;
    let id = world.give(&json!({})).await.record.id;
    world.change(id, Action::Object).await.unwrap();
    assert_eq!(world.standing(), missing(Missing::Objected));
    for action in Action::ALL {
        assert!(world.change(id, action).await.is_err());
    }
}

async fn a_refusal_is_newer_than_a_consent(home: Home) {
    let mut world = World::new(home).await;
    let given = world.give(&json!({})).await;
    world.give(&json!({"decision": "refuse"})).await;
    assert_eq!(world.standing(), missing(Missing::Refused));
    // A change of the older one makes it no newer.
    world.change(given.record.id, Action::Restrict).await.unwrap();
    world.change(given.record.id, Action::Release).await.unwrap();
    assert_eq!(world.standing(), missing(Missing::Refused));
    world.reopen().await;
    assert_eq!(world.standing(), missing(Missing::Refused));
    let again = world.give(&json!({})).await;
    assert_eq!(world.active().consent, again.record.id);
}

async fn refuses_a_change_of_what_has_changed(home: Home) {
    let world = World::new(home).await;
    let id = world.give(&json!({})).await.record.id;
    world.change(id, Action::Restrict).await.unwrap();
    let stale = Request { expected: Some(1), ..request(Action::Release) };
    let error = world.registry().change(id, stale).await.unwrap_err();
    assert_eq!(error.reason(), ReasonCode::ConsentState);
    assert_eq!(world.standing(), missing(Missing::Restricted));
    let seen = Request { expected: Some(2), ..request(Action::Release) };
    world.registry().change(id, seen).await.unwrap();
}

async fn a_repeated_request_is_done_once(home: Home) {
    let world = World::new(home).await;
    let keyed = || Giving { idempotency: under(1, 1), ..giving() };
    let given = world.registry().give(&checked(&json!({})), keyed()).await.unwrap();
    let again = world.registry().give(&checked(&json!({})), keyed()).await.unwrap();
    assert_eq!(again, Changed { repeated: true, ..given.clone() });
    let keyed = || Request { idempotency: under(2, 1), ..request(Action::Withdraw) };
    let withdrawn = world.registry().change(given.record.id, keyed()).await.unwrap();
    let again = world.registry().change(given.record.id, keyed()).await.unwrap();
    assert_eq!(again, Changed { repeated: true, ..withdrawn });
    assert_eq!(world.registry().head().await.unwrap(), 2);
}

async fn a_key_stands_for_one_request(home: Home) {
    let world = World::new(home).await;
    let keyed = |request| Giving { idempotency: under(1, request), ..giving() };
    let given = world.registry().give(&checked(&json!({})), keyed(1)).await.unwrap();
    let other = world.registry().give(&checked(&json!({})), keyed(2)).await.unwrap_err();
    assert_eq!(other.reason(), ReasonCode::ConsentState);
    let withdraw = Request { idempotency: under(1, 3), ..request(Action::Withdraw) };
    let other = world.registry().change(given.record.id, withdraw).await.unwrap_err();
    assert!(matches!(other, RegistryError::Mismatch));
    assert!(matches!(world.standing(), Standing::Active(_)));
}

async fn a_proof_is_used_once(home: Home) {
    let world = World::new(home).await;
    let proved = || {
        let proof = Proof { jws: "a.b.c".to_owned(), nonce: [7; 32] };
        Giving { proof: Some(proof), ..giving() }
    };
    let given = world.registry().give(&checked(&json!({})), proved()).await.unwrap();
    let kept = String::from_utf8(given.record.bytes().unwrap()).unwrap();
    assert!(!kept.contains("a.b.c"), "a proof holds a hash of the statement");
    let said = given.record.said.as_ref().unwrap();
    assert_ne!(said.statement, *checked(&json!({})).hash(), "and no other hash of it is kept");
    let opened = world.registry().proof(&given.record).unwrap();
    assert_eq!(opened.as_ref().map(|proof| proof.expose().as_str()), Some("a.b.c"));
    let error = world.registry().give(&checked(&json!({})), proved()).await.unwrap_err();
    assert_eq!(error.reason(), ReasonCode::ConsentOwnFavour);
    assert_eq!(world.registry().head().await.unwrap(), 1);
}

async fn of_two_that_try_exactly_one_gets_a_consent_for_once(home: Home) {
    let mut world = World::new(home).await;
    world.give(&json!({"frequency": "once"})).await;
    let active = world.active();
    let registry = world.registry();
    let (one, other) = tokio::join!(registry.use_once(&active), registry.use_once(&active));
    let errors: Vec<UseError> = [one, other].into_iter().filter_map(Result::err).collect();
    let [error] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!(error.reason(), ReasonCode::ConsentUsed);
    assert_eq!(world.standing(), missing(Missing::Used));
    world.reopen().await;
    assert_eq!(world.standing(), missing(Missing::Used));
    assert_eq!(
        world.registry().use_once(&active).await.unwrap_err().reason(),
        ReasonCode::ConsentUsed
    );
}

async fn takes_nothing_that_does_not_hold_any_more(home: Home) {
    let world = World::new(home).await;
    let id = world.give(&json!({"frequency": "once"})).await.record.id;
    let active = world.active();
    world.change(id, Action::Restrict).await.unwrap();
    let reason = async || world.registry().use_once(&active).await.unwrap_err().reason();
    assert_eq!(reason().await, ReasonCode::ConsentRestricted);
    world.change(id, Action::Release).await.unwrap();
    assert_eq!(reason().await, ReasonCode::FactsUnavailable);
    let active = world.active();
    world.clock.advance(SignedDuration::from_hours(24 * 40));
    let error = world.registry().use_once(&active).await.unwrap_err();
    assert_eq!(error.reason(), ReasonCode::ConsentExpired);
    world.change(id, Action::Withdraw).await.unwrap();
    let error = world.registry().use_once(&active).await.unwrap_err();
    assert_eq!(error.reason(), ReasonCode::ConsentWithdrawn);
    world.give(&json!({"period": {"from": "2026-11-30", "until": "2027-10-01"}})).await;
    assert!(!world.active().once);
    assert!(world.registry().use_once(&world.active()).await.is_err());
}

async fn a_clock_set_back_revives_nothing_and_makes_no_older_event(home: Home) {
    let mut world = World::new(home).await;
    let given = world.give(&json!({})).await;
    let month = SignedDuration::from_hours(24 * 40);
    world.clock.advance(month);
    assert_eq!(world.standing(), missing(Missing::Expired));
    world.clock.advance(-month);
    assert_eq!(world.standing(), missing(Missing::Expired));
    assert_eq!(world.registry().clock_behind(), month);
    let restricted = world.change(given.record.id, Action::Restrict).await.unwrap();
    assert_eq!(restricted.event.at, given.event.at + month);
    // The event keeps the time, whatever becomes of the process.
    world.reopen().await;
    world.change(given.record.id, Action::Release).await.unwrap();
    assert_eq!(world.standing(), missing(Missing::Expired));
    assert_eq!(world.registry().clock_behind(), month);
}

async fn follows_what_others_wrote_to_the_ledger(home: Home) {
    let world = World::new(home).await;
    let registry = world.registry();
    let given = world.give(&json!({})).await;
    let right = Change {
        book: Book::Right,
        id: [5; 16],
        subject: [6; 16],
        party: "",
        action: "ask",
        at: noon(TODAY),
        event: b"{}",
        record: b"{}",
        open: true,
        due: None,
        expected: Expected::New,
        once: None,
        idempotency: None,
    };
    registry.store.ledger().append(&[right]).await.unwrap();
    assert_eq!((registry.applied(), registry.head().await.unwrap()), (1, 2));
    let withdrawn = world.change(given.record.id, Action::Withdraw).await.unwrap();
    assert_eq!((withdrawn.revision, registry.applied()), (3, 3));
    let right = Change { id: [7; 16], ..right };
    registry.store.ledger().append(&[right]).await.unwrap();
    assert_eq!(registry.catch_up().await.unwrap(), 4);
    let first = registry.happened(0, 1).await.unwrap();
    assert!(matches!(&first[..], [Happened::Consent(past)] if past.revision == 1));
    // What cannot be read is not passed over.
    assert!(matches!(registry.happened(0, 100).await, Err(HappenedError::Duty(_))));
}

async fn a_withdrawal_is_a_fulfilled_request_too(home: Home) {
    let world = World::new(home).await;
    let registry = world.registry();
    let given = world.give(&json!({})).await;
    let by = given.event.by.clone();
    let asked = |action| Request { action, expected: None, by: by.clone(), idempotency: None };
    let id = given.record.id;
    let restricted = registry.exercise(id, asked(Action::Restrict)).await.unwrap();
    registry.exercise(id, asked(Action::Release)).await.unwrap();
    let withdrawn = registry.exercise(id, asked(Action::Withdraw)).await.unwrap();
    assert_eq!((restricted.revision, withdrawn.revision, registry.applied()), (2, 5, 6));
    assert!(registry.exercise(id, asked(Action::Withdraw)).await.is_err());
    let happened = registry.happened(2, 10).await.unwrap();
    let [Happened::Right { record: right, .. }, _, _, Happened::Right { .. }] = &happened[..]
    else {
        panic!("{happened:?}")
    };
    assert_eq!((right.kind, right.state), (RightKind::Restrict, RightState::Fulfilled));
    assert_eq!(right.about.consent, Some(id));
    assert!(right.is_untold() && !right.is_overdue(Timestamp::MAX));
    let person = registry.unseal(right.id.sealing(), &right.data_subject).unwrap();
    assert_eq!(person.expose(), CITIZEN);
    let elsewhere = registry.unseal(id, &right.data_subject);
    assert_eq!(elsewhere.unwrap_err(), SealError::Sealed);
    let rights = Rights::new(registry.store());
    let counts = rights.counts(registry.now()).await.unwrap();
    assert_eq!((counts.all.open, counts.untold), (0, 2));
    let kept = rights.record(right.id).await.unwrap();
    let gateway = || "gateway".parse().unwrap();
    let told = (&[][..], 0);
    rights.tell(&kept, told, gateway(), registry.now()).await.unwrap();
    assert!(rights.tell(&kept, told, gateway(), registry.now()).await.is_err());
    let kept = rights.record(right.id).await.unwrap();
    assert!(rights.tell(&kept, told, gateway(), registry.now()).await.is_err());
    assert_eq!(rights.counts(registry.now()).await.unwrap().untold, 1);
}

async fn a_call_given_up_half_way_leaves_no_doubt_unresolved(home: Home) {
    let world = World::new(home).await;
    let registry = world.registry();
    let id = world.give(&json!({})).await.record.id;
    let mut polls = 0;
    // Given up after one poll, two polls, and so on, until it gets to its end.
    loop {
        polls += 1;
        let mut change = Box::pin(registry.change(id, request(Action::Withdraw)));
        let mut left = polls;
        let ended = std::future::poll_fn(|context| {
            if left == 0 {
                return std::task::Poll::Ready(None);
            }
            left -= 1;
            change.as_mut().poll(context).map(Some)
        })
        .await;
        drop(change);
        if registry.is_uncertain() {
            assert_eq!(world.standing_for("H29.41"), Err(Uncertain));
            assert!(matches!(registry.save().await, Err(SnapshotError::Uncertain(_))));
        }
        registry.catch_up().await.unwrap();
        let stands = registry.record(id).await.unwrap().record.state;
        match world.standing() {
            Standing::Active(_) => assert_eq!(stands, State::Given),
            found => assert_eq!((found, stands), (missing(Missing::Withdrawn), State::Withdrawn)),
        }
        if ended.is_some() || stands == State::Withdrawn {
            break;
        }
        assert!(polls < 1000);
    }
    assert!(polls > 1);
}

async fn opens_from_a_snapshot_and_what_is_newer(home: Home) {
    let mut world = World::new(home).await;
    let id = world.give(&json!({})).await.record.id;
    assert_eq!(world.registry().save().await.unwrap(), 1);
    world.reopen().await;
    assert_eq!(world.registry().source(), Source::Snapshot);
    assert_eq!(world.active().consent, id);
    world.change(id, Action::Withdraw).await.unwrap();
    world.reopen().await;
    assert_eq!(world.registry().source(), Source::Snapshot);
    assert_eq!(world.standing(), missing(Missing::Withdrawn));
    let path = world.registry().snapshot.clone().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[1..]).unwrap();
    world.reopen().await;
    assert_eq!(world.registry().source(), Source::Store(NotUsed::Form));
    assert_eq!(world.standing(), missing(Missing::Withdrawn));
    world.registry().save().await.unwrap();
    world.reopen().await;
    assert_eq!(world.registry().source(), Source::Snapshot);
    assert_eq!(world.standing(), missing(Missing::Withdrawn));
}

/// The lineage is the store's own; a store that was set back has the same.
async fn leaves_a_snapshot_that_is_ahead_of_the_store(home: Home) {
    let mut world = World::new(home).await;
    world.give(&json!({"decision": "refuse"})).await;
    let registry = world.registry.take().unwrap();
    let path = registry.snapshot.clone().unwrap();
    let written = |revision, event| {
        let header = crate::snapshot::Header {
            fingerprint: registry.subject_key.fingerprint(),
            lineage: registry.lineage,
            revision,
            event,
            seen: noon(TODAY),
            statements: 0,
        };
        let (index, key) = (Index::new(), registry.subject_key.clone());
        let newer = checked(&json!({}));
        let fields = (newer.statement().fields.clone(), None);
        let ids = (ConsentId::from_bytes([8; 16]), SubjectDigest::from_bytes([8; 16]));
        let scope = newer.statement().scope.clone();
        let record = ConsentRecord::new(ids, scope, fields, State::Given, noon(TODAY));
        index.apply(&record, 2).unwrap();
        crate::snapshot::write(&path, &key, &index, &header, &Progress::silent()).unwrap();
    };
    let event = follow::mark(registry.event(1).await.unwrap().as_ref());
    for (revision, event, not_used) in [
        (2, event, NotUsed::Ahead),
        (1, [0; 32], NotUsed::OtherHistory),
        // An event that came while the snapshot was being written.
        (1, event, NotUsed::Ahead),
    ] {
        written(revision, event);
        let made = settings(Arc::clone(&registry.store), &world.home, &world.clock);
        let opened = Registry::open(made).await.unwrap();
        assert_eq!(opened.source(), Source::Store(not_used));
        assert!(!path.exists());
    }
}

async fn loses_what_only_the_evidence_knows(home: Home) {
    let mut world = World::new(home).await;
    let known = world.give(&json!({})).await.record;
    let loss = |id| Loss { id, subject: known.subject, scope: known.scope.clone() };
    let lost = world.registry().lose(&loss(ConsentId::from_bytes([4; 16]))).await.unwrap();
    assert_eq!(lost.unwrap().record.state, State::Lost);
    assert_eq!(world.standing(), missing(Missing::NotGiven));
    let again = world.registry().lose(&loss(ConsentId::from_bytes([4; 16]))).await.unwrap();
    assert_eq!(again, None);
    let lost = world.registry().lose(&loss(known.id)).await.unwrap().unwrap();
    assert_eq!((lost.record.id, lost.record.state), (known.id, State::Lost));
    world.reopen().await;
    assert_eq!(world.standing(), missing(Missing::NotGiven));
    assert!(world.change(known.id, Action::Release).await.is_err());
}

async fn lists_the_consents_of_a_person_and_their_history(home: Home) {
    let world = World::new(home).await;
    let one = world.give(&json!({})).await.record;
    let other = world.give(&json!({"purpose": "research"})).await.record;
    world.change(one.id, Action::Withdraw).await.unwrap();
    let registry = world.registry();
    let listed = registry.list(&one.subject, 0, 10).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|kept| (kept.record.id, kept.revision)).collect();
    assert_eq!(ids, [(other.id, 2), (one.id, 3)]);
    let rest = registry.list(&one.subject, 2, 10).await.unwrap();
    assert_eq!(rest, listed[1..]);
    let nobody = registry.subject_key().digest("other", "nobody");
    assert_eq!(registry.list(&nobody, 0, 10).await.unwrap(), []);
    let history = registry.history(one.id, 10).await.unwrap();
    let actions: Vec<_> = history.iter().map(|past| past.event.action).collect();
    assert_eq!(actions, [Action::Give, Action::Withdraw]);
    assert_eq!(history[1].event.by, request(Action::Withdraw).by);
    assert_eq!(registry.history(ConsentId::from_bytes([1; 16]), 10).await.unwrap(), []);
}

async fn opens_an_identifier_for_whoever_has_the_key(home: Home) {
    let world = World::new(home).await;
    let record = world.give(&json!({})).await.record;
    let person = world.registry().data_subject(&record).unwrap().unwrap();
    assert_eq!((person.kind(), person.expose()), ("citizen_number", CITIZEN));
    let mut moved = record;
    moved.id = ConsentId::from_bytes([1; 16]);
    assert_eq!(world.registry().data_subject(&moved), Err(SealError::Sealed));
}

async fn says_that_it_is_in_doubt_when_the_store_was_set_back(home: Home) {
    let world = World::new(home).await;
    world.give(&json!({})).await;
    world.registry().applied.store(5, Ordering::Release);
    assert!(matches!(world.registry().catch_up().await, Err(RegistryError::Behind)));
    assert_eq!(world.standing_for("H29.41"), Err(Uncertain));
    assert_eq!(Uncertain.reason(), ReasonCode::FactsUnavailable);
    // Growing again heals nothing: the events in between are other ones.
    world.registry().applied.store(0, Ordering::Release);
    assert!(matches!(world.registry().catch_up().await, Err(RegistryError::Behind)));
}

#[tokio::test]
async fn a_store_that_fails_acknowledges_nothing_and_leaves_a_doubt_until_it_is_back() {
    let server = Arc::new(crate::testing::postgres::Server::start());
    let world = World::new(Home::on(&server)).await;
    let id = world.give(&json!({})).await.record.id;
    server.crash();
    let error = world.change(id, Action::Withdraw).await.unwrap_err();
    assert_eq!(error.reason(), ReasonCode::FactsUnavailable);
    assert!(world.registry().catch_up().await.is_err());
    server.restart();
    world.registry().catch_up().await.unwrap();
    world.change(id, Action::Withdraw).await.unwrap();
    assert_eq!(world.standing(), missing(Missing::Withdrawn));
}

#[tokio::test]
async fn tells_how_far_a_scan_is() {
    let mut world = World::new(Home::sqlite()).await;
    world.give(&json!({})).await;
    let store = Arc::clone(&world.registry.take().unwrap().store);
    let told = Arc::new(Told::new(Vec::new()));
    let telling = Arc::clone(&told);
    let progress = Progress::new(move |step| telling.lock().unwrap().push(step));
    let made = Settings { progress, ..settings(store, &world.home, &world.clock) };
    let registry = Registry::open(made).await.unwrap();
    let step = crate::progress::Step { work: crate::progress::Work::Scan, done: 1, of: None };
    assert_eq!(*told.lock().unwrap(), [step]);
    assert!(registry.heap_bytes() > 0);
    assert_eq!(registry.counts()[0], (State::Given, 1));
}

#[test]
fn shows_nothing_of_a_person() {
    let shown = format!("{:?}", checked(&json!({})).statement());
    assert!(!shown.contains(CITIZEN));
}
