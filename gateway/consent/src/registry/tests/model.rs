//! Whatever happens, the registry says what a list that is looked through says.

use jiff::ToSpan as _;
use lienthong_model::clock::{Clock as _, civil_date};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::*;
use crate::{
    period::Period,
    statement::{Checked, Limits},
    testing::statement,
};

const PEOPLE: usize = 3;
const RECIPIENTS: [&str; 3] = ["H29.30", "H29.41", "H29.50"];
const SETS: [&[&str]; 3] = [&["H29.30", "H29.41"], &["H29.41"], &["H29.41", "H29.50"]];

#[derive(Debug, Clone)]
enum Step {
    Say { person: usize, set: usize, yes: bool, once: bool, days: i64 },
    Change { which: usize, action: Action },
    Use { which: usize },
    Lose { which: usize },
    Wait { hours: i64 },
    Save,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let say = (0..PEOPLE, 0..SETS.len(), prop::bool::weighted(0.8), any::<bool>(), 1_i64..40);
    let say =
        say.prop_map(|(person, set, yes, once, days)| Step::Say { person, set, yes, once, days });
    let action = prop::sample::select(&[
        Action::Withdraw,
        Action::Restrict,
        Action::Release,
        Action::Object,
    ]);
    prop_oneof![
        4 => say,
        4 => (any::<usize>(), action).prop_map(|(which, action)| Step::Change { which, action }),
        2 => any::<usize>().prop_map(|which| Step::Use { which }),
        1 => any::<usize>().prop_map(|which| Step::Lose { which }),
        2 => (-600_i64..600).prop_map(|hours| Step::Wait { hours }),
        1 => Just(Step::Save),
        1 => Just(Step::Reopen),
    ]
}

/// A consent, as simply as can be.
#[derive(Debug)]
struct Simple {
    id: ConsentId,
    person: usize,
    set: usize,
    state: State,
    period: Period,
    once: bool,
}

#[derive(Default)]
struct Model {
    /// In the order in which they were said.
    consents: Vec<Simple>,
    /// The latest time seen, and what a start knows of it.
    seen: Timestamp,
    kept: Timestamp,
    events: u64,
}

impl Model {
    fn saw(&mut self, now: Timestamp) -> Timestamp {
        self.seen = self.seen.max(now);
        self.seen
    }

    fn happened(&mut self, now: Timestamp) {
        self.events += 1;
        self.kept = self.kept.max(self.saw(now));
    }

    fn says(&self, person: usize, recipient: &str) -> Result<(ConsentId, bool), Missing> {
        let about =
            |simple: &&Simple| simple.person == person && SETS[simple.set].contains(&recipient);
        let newest = self.consents.iter().rev().find(about).ok_or(Missing::NotGiven)?;
        match newest.state {
            State::Refused => Err(Missing::Refused),
            State::Withdrawn => Err(Missing::Withdrawn),
            State::Restricted => Err(Missing::Restricted),
            State::Objected => Err(Missing::Objected),
            State::Used => Err(Missing::Used),
            State::Lost => Err(Missing::NotGiven),
            State::Given if newest.period.contains(civil_date(self.seen)) => {
                Ok((newest.id, newest.once))
            }
            State::Given => Err(Missing::Expired),
        }
    }
}

fn number(person: usize) -> String {
    format!("07908500000{person}")
}

fn said(model: &Model, step: &Step) -> Option<(Checked, Simple)> {
    let Step::Say { person, set, yes, once, days } = *step else { return None };
    let today = civil_date(model.seen);
    let period = Period::new(today, today.checked_add(days.days()).unwrap()).unwrap();
    let statement = statement(&json!({
        "data_subject": {"kind": "citizen_number", "value": number(person)},
        "recipients": SETS[set],
        "decision": if yes { "give" } else { "refuse" },
        "frequency": if once { "once" } else { "as_needed" },
        "period": period,
    }));
    let limits = Limits { today, max_days: 365, child_under: 16 };
    let state = if yes { State::Given } else { State::Refused };
    let id = ConsentId::from_bytes([0; 16]);
    Some((statement.check(&limits).unwrap(), Simple { id, person, set, state, period, once }))
}

impl World {
    fn found(&self, person: usize, recipient: &str) -> Standing {
        let (registry, scope) = (self.registry(), scope());
        let subject = registry.subject_key().digest("citizen_number", &number(person));
        let recipient = recipient.parse().unwrap();
        let asked = Asked {
            recipient: &recipient,
            controller: &scope.controller,
            service: &scope.service,
            purpose: &scope.purpose,
        };
        registry.standing(&subject, &asked).unwrap()
    }

    fn compare(&self, model: &mut Model) {
        model.saw(self.clock.now());
        for person in 0..PEOPLE {
            for recipient in RECIPIENTS {
                let found = match self.found(person, recipient) {
                    Standing::Active(active) => Ok((active.consent, active.once)),
                    Standing::Missing(missing) => Err(missing),
                };
                assert_eq!(found, model.says(person, recipient));
            }
        }
        assert_eq!(self.registry().applied(), model.events);
    }

    async fn take(&mut self, model: &mut Model, step: &Step) {
        let now = model.saw(self.clock.now());
        let many = model.consents.len().max(1);
        match *step {
            Step::Say { .. } => {
                let (checked, mut simple) = said(model, step).unwrap();
                let changed = self.registry().give(&checked, giving()).await.unwrap();
                assert_eq!(changed.event.at, now);
                simple.id = changed.record.id;
                model.consents.push(simple);
                model.happened(now);
            }
            Step::Change { which, action } => {
                let Some(simple) = model.consents.get_mut(which % many) else { return };
                let changed = self.registry.as_ref().unwrap();
                let changed = changed.change(simple.id, request(action)).await;
                assert_eq!(changed.is_ok(), simple.state.after(action).is_ok());
                let Ok(changed) = changed else { return };
                simple.state = changed.record.state;
                model.happened(now);
            }
            Step::Use { which } => self.use_one(model, which % many, now).await,
            Step::Lose { which } => {
                let Some(simple) = model.consents.get_mut(which % many) else { return };
                let registry = self.registry.as_ref().unwrap();
                let record = registry.record(simple.id).await.unwrap().record;
                let loss = Loss { id: record.id, subject: record.subject, scope: record.scope };
                let lost = registry.lose(&loss).await.unwrap();
                assert_eq!(lost.is_none(), simple.state.is_final());
                if lost.is_some() {
                    simple.state = State::Lost;
                    model.happened(now);
                }
            }
            Step::Wait { hours } => self.clock.advance(SignedDuration::from_hours(hours)),
            Step::Save => {
                self.registry().save().await.unwrap();
                model.kept = model.kept.max(now);
            }
            Step::Reopen => {
                self.reopen().await;
                model.seen = model.kept;
            }
        }
    }

    /// Takes whatever the chosen consent's person has, if it is for once.
    async fn use_one(&self, model: &mut Model, which: usize, now: Timestamp) {
        let Some(simple) = model.consents.get(which) else { return };
        let Standing::Active(active) = self.found(simple.person, SETS[simple.set][0]) else {
            return;
        };
        let used = self.registry().use_once(&active).await;
        assert_eq!(used.is_ok(), active.once);
        if used.is_ok() {
            let taken = model.consents.iter_mut().find(|simple| simple.id == active.consent);
            taken.unwrap().state = State::Used;
            model.happened(now);
            let again = self.registry().use_once(&active).await.unwrap_err();
            assert_eq!(again.reason(), ReasonCode::ConsentUsed);
        }
    }
}

fn agrees(cases: u32, home: impl Fn() -> Home) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec(step(), 1..40);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(async {
            let mut world = World::new(home()).await;
            let mut model = Model::default();
            for step in &steps {
                world.take(&mut model, step).await;
                world.compare(&mut model);
            }
            world.reopen().await;
            model.seen = model.kept;
            world.compare(&mut model);
        });
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn agrees_with_a_simple_model_on_sqlite() {
    agrees(64, Home::sqlite);
}

#[test]
fn agrees_with_a_simple_model_on_postgres() {
    let server = crate::testing::postgres::Server::shared();
    agrees(8, || Home::on(&server));
}
