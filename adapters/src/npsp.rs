//! The National Public Service Portal, and ministries' portals of the pattern of 2026, spoken
//! through the gateway.
//!
//! One message is one call with one record: order, repeats and refusals are each about one dossier,
//! and a record that is refused takes no other with it. What the portals have not made public
//! (error codes, shapes of answers) is configuration or the sandbox's own.

mod auth;
mod catalogue;
mod inbox;
mod listing;
mod ministry;
mod request;
mod response;
mod status;
#[cfg(test)]
pub(crate) mod testing;
mod upload;

use std::{borrow::Cow, path::Path, sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::Clock;
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::{Map, Value};
use tokio::sync::watch;

pub(crate) use self::status::Standing;
pub use self::status::{Status, Transitions};
use self::{
    auth::Sessions,
    catalogue::Catalogues,
    inbox::Inbox,
    ministry::Back,
    request::{Ask, Fare, Matter},
    response::{Answer, read},
    status::{IllegalTransition, Step},
    upload::Uploads,
};
use crate::{
    Error,
    client::{Call, GatewayClient, NoAnswer, Received},
    config::{Config, NpspConfig, Profile, TrayConfig},
    outcome::{Outcome, Reason},
    platform::{Listed, LookedUp, Parcel, kept::Kept},
    rate::{LONGEST_TURN, Rate},
    tray::{Holds, Tray},
};

/// A record, changed where files or numbers were filled in.
type Record<'a> = Cow<'a, Map<String, Value>>;

/// The portal.
#[derive(Debug)]
pub(crate) struct Npsp {
    config: NpspConfig,
    client: GatewayClient,
    clock: Arc<dyn Clock>,
    rate: Option<Arc<Rate>>,
    longest_call: Duration,
    sessions: Sessions,
    catalogues: Catalogues,
    inboxes: Vec<Inbox>,
    uploads: Uploads,
    numbers: ministry::Given,
}

impl Npsp {
    /// Opens what is kept on disk.
    pub(crate) fn open(
        config: &Config,
        client: GatewayClient,
        clock: Arc<dyn Clock>,
        mut rng: StdRng,
    ) -> Result<Self, Error> {
        let folder = config.state.directory();
        let folder = folder.ok_or_else(|| fail("there is no data directory".to_owned()))?;
        let folder = folder.join("npsp");
        let kept = |name: &str| open(&folder.join(name));
        let npsp =
            config.npsp.clone().ok_or_else(|| fail("there are no settings `npsp`".to_owned()))?;
        let rate = npsp.rate.map(|rate| Arc::new(Rate::new(rate, Arc::clone(&clock))));
        let turn = rate.as_ref().map_or(Duration::ZERO, |_| LONGEST_TURN);
        let inboxes = npsp.inboxes.iter().map(|inbox| {
            let had = kept(&format!("inbox-{}", inbox.id))?;
            let tray = Tray::open(&inbox.tray, Holds::Json);
            let tray = tray.map_err(|error| fail(format!("inbox `{}`: {error}", inbox.id)))?;
            Ok(Inbox::new(inbox.clone(), tray, had))
        });
        let back = match &npsp.numbers_into {
            None => None,
            Some(into) => {
                let tray = Tray::open(into, Holds::Text);
                let tray = tray.map_err(|error| fail(format!("`numbers_into`: {error}")))?;
                Some(Back::new(tray, kept("numbers-owed")?, kept("numbers-told")?))
            }
        };
        Ok(Self {
            client,
            longest_call: turn + config.gateway.answer.saturating_add(config.gateway.connect),
            rate,
            sessions: Sessions::open(kept("log-in")?, &npsp),
            catalogues: Catalogues::open(
                &npsp.catalogues,
                kept("catalogues")?,
                StdRng::from_rng(&mut rng),
            ),
            inboxes: inboxes.collect::<Result<_, Error>>()?,
            uploads: Uploads::new(kept("uploads")?),
            numbers: ministry::Given::new(kept("numbers")?, back),
            clock,
            config: npsp,
        })
    }

    /// The rate that messages and errands share, where one is set.
    pub(crate) fn rate(&self) -> Option<Arc<Rate>> {
        self.rate.clone()
    }

    /// Another's log-in, a look-up, a send, and a send as a change, each with a log-in and again;
    /// and every file that a record may have.
    pub(crate) fn longest_attempt(&self) -> SignedDuration {
        let files = self.config.files.iter().map(|one| one.max_files).max().unwrap_or(0);
        let calls = files.saturating_mul(2).saturating_add(12);
        SignedDuration::try_from(self.longest_call.saturating_mul(calls))
            .unwrap_or(SignedDuration::from_hours(1))
    }

    /// Sends a message once; twice when its session had ended.
    pub(crate) async fn send(&self, parcel: Parcel<'_>) -> Outcome {
        match self.try_send(parcel).await {
            Ok(()) => Outcome::Delivered,
            Err(outcome) => outcome,
        }
    }

    async fn try_send(&self, parcel: Parcel<'_>) -> Result<(), Outcome> {
        let record = Cow::Borrowed(&parcel.envelope.record);
        let record = self.with_number(parcel, record).await?;
        let record = self.with_files(parcel, record).await?;
        let matter = match self.config.profile {
            Profile::Portal2020 => Matter::Records(&record, Some(parcel.follows)),
            Profile::Ministry2026 => Matter::Plain(&record),
        };
        let ask = Ask::of(parcel);
        // What the message was admitted for; whatever else is said on its way takes its turn.
        let admitted = Ask { fare: Fare::Admitted, ..ask };
        match self.ask(admitted, matter).await {
            Ok(_) => Ok(()),
            Err(No::Exists(_)) if !parcel.follows && self.config.profile == Profile::Portal2020 => {
                // Somebody sent the dossier before us: what we have is a change to it.
                let matter = Matter::Records(&record, Some(true));
                self.ask(ask, matter).await.map(drop).map_err(No::outcome)
            }
            Err(no) => Err(no.outcome()),
        }
    }

    /// Asks whether a message was taken.
    pub(crate) async fn look_up(&self, call: &str, parcel: Parcel<'_>) -> LookedUp {
        let record = &parcel.envelope.record;
        let tells = self.config.profile == Profile::Portal2020;
        let Some((step, ..)) = moves(self.config.profile, parcel.call).filter(|_| tells) else {
            let reason = Reason::new("look-up cannot tell of this call");
            return LookedUp::Open(Outcome::Failed(reason));
        };
        let question = request::question(record);
        let ask = Ask { call, ..Ask::of(parcel) };
        match self.ask(ask, Matter::Records(&question, None)).await {
            // An update may leave the status as it is: only sending it again is sure to change the
            // rest, and changes nothing when it was taken.
            Ok(_) if step == Step::Sync && parcel.follows => LookedUp::NotTaken,
            Ok(body) if response::holds(result(&body), record) => LookedUp::Taken,
            Ok(_) | Err(No::UnknownCase(_)) => LookedUp::NotTaken,
            // Anything else is no proof that the portal does not hold it.
            Err(no) => LookedUp::Open(for_errand("look-up", no.outcome())),
        }
    }

    /// Whether the record's codes stand in the catalogues.
    pub(crate) fn listed(&self, call: &str, record: &Map<String, Value>) -> Listed {
        self.catalogues.listed(call, record, self.clock.now())
    }

    /// Whether records of a call move a dossier.
    pub(crate) fn watches(&self, call: &str) -> bool {
        moves(self.config.profile, call).is_some()
    }

    /// The move that a record makes, checked against the dossier's standing and taken down in it.
    /// Nothing is checked of calls that move no dossier.
    pub(crate) fn step(
        &self,
        call: &str,
        record: &Map<String, Value>,
        standing: &mut Standing,
    ) -> Result<(), String> {
        step(&self.config, call, record, standing)
    }

    /// One question, in a session that is renewed once when the portal says that it has ended.
    async fn ask(&self, ask: Ask<'_>, matter: Matter<'_>) -> Result<Map<String, Value>, No> {
        let mut session = self.session().await.map_err(No::Outcome)?;
        for renewed in [false, true] {
            let call = request::call(&self.config, &session, ask, matter).map_err(No::Outcome)?;
            let fare = if renewed { Fare::Turn } else { ask.fare };
            let received = self.post(call, fare).await.map_err(No::Outcome)?;
            match read(&self.config, received) {
                Answer::Taken(body) => return Ok(body),
                Answer::SessionEnded if !renewed => {
                    self.sessions.forget(&session).await;
                    session = self.session().await.map_err(No::Outcome)?;
                }
                Answer::SessionEnded => {
                    let reason = Reason::new("portal ends each new session");
                    return Err(No::Outcome(Outcome::Unavailable(reason, None)));
                }
                Answer::Exists(reason) => return Err(No::Exists(reason)),
                Answer::UnknownCase(reason) => return Err(No::UnknownCase(reason)),
                Answer::Not(outcome) => return Err(No::Outcome(outcome)),
            }
        }
        Err(No::Outcome(Outcome::Failed(Reason::new("portal gives no session"))))
    }

    /// Says something to the portal, whatever it is, once the rate lets it.
    async fn post(
        &self,
        call: Call<'_>,
        fare: Fare,
    ) -> Result<Result<Received, NoAnswer>, Outcome> {
        if let (Fare::Turn, Some(rate)) = (fare, &self.rate)
            && rate.turn().await.is_err()
        {
            let reason = Reason::new("rate of the portal leaves no room");
            return Err(Outcome::Unavailable(reason, None));
        }
        Ok(self.client.post(call).await)
    }

    /// Makes sure that tables for the city are as they must be. A database that is away is waited for.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        for (name, tray) in self.trays() {
            match tray.verify().await {
                Ok(()) => {}
                Err(error) if error.is_transient() => {
                    tracing::warn!(%name, %error, "a table for the city cannot be looked at yet");
                }
                Err(error) => return Err(fail(format!("{name}: {error}"))),
            }
        }
        Ok(())
    }

    /// Where things are laid for the city, and what each is called.
    fn trays(&self) -> impl Iterator<Item = (String, &Tray)> {
        let back = self.numbers.back.as_ref().map(|back| ("`numbers_into`".to_owned(), &back.tray));
        let inboxes = self.inboxes.iter();
        inboxes.map(|inbox| (format!("inbox `{}`", inbox.config.id), &inbox.tray)).chain(back)
    }

    /// The tables that are written for the city, and what is wrong with each.
    pub(crate) async fn tables(config: &NpspConfig) -> Vec<(String, Option<String>)> {
        let inboxes = config.inboxes.iter();
        let inboxes = inboxes.map(|one| (format!("inbox `{}`", one.id), &one.tray, Holds::Json));
        let numbers = config.numbers_into.iter();
        let numbers = numbers.map(|tray| ("`numbers_into`".to_owned(), tray, Holds::Text));
        let mut found = Vec::new();
        for (name, tray, holds) in inboxes.chain(numbers) {
            // A folder is made by the first run.
            let TrayConfig::Table(_) = tray else { continue };
            found.push((name, Tray::problem(tray, holds).await));
        }
        found
    }

    /// What is due beside the messages, again and again until told to stop. Each chore goes its own
    /// way: a database of the city that is away holds up no other and no catalogue.
    pub(crate) async fn tend(&self, stop: watch::Receiver<bool>) {
        let lists = again(self.clock.as_ref(), stop.clone(), || self.read_lists());
        let inboxes = self.inboxes.iter();
        let inboxes =
            inboxes.map(|inbox| again(self.clock.as_ref(), stop.clone(), || self.poll(inbox)));
        let numbers = again(self.clock.as_ref(), stop.clone(), || self.give_back());
        tokio::join!(lists, join_all(inboxes), numbers);
    }

    /// Catalogues that are due, and sent files to be forgotten. Gives when more is.
    async fn read_lists(&self) -> Timestamp {
        self.forget_uploads().await;
        self.refresh_catalogues().await;
        let hour = self.clock.now().saturating_add(SignedDuration::from_hours(1));
        self.catalogues.due().min(hour.unwrap_or(Timestamp::MAX))
    }

    /// What is due at present, once.
    #[cfg(test)]
    pub(crate) async fn tend_once(&self) {
        self.read_lists().await;
        for inbox in &self.inboxes {
            self.poll(inbox).await;
        }
        self.give_back().await;
    }
}

/// Does a chore whenever it is due, until told to stop.
async fn again<C: Future<Output = Timestamp>>(
    clock: &dyn Clock,
    mut stop: watch::Receiver<bool>,
    chore: impl Fn() -> C,
) {
    while !*stop.borrow_and_update() {
        let due = chore().await;
        let wait = Duration::try_from(due.duration_since(clock.now())).unwrap_or_default();
        tokio::select! {
            // Short, so that a clock that is set is noticed.
            () = tokio::time::sleep(wait.clamp(Duration::from_millis(10), NAP)) => {}
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}

/// Longest sleep between errands.
const NAP: Duration = Duration::from_secs(1);

/// Why a question has no answer.
#[derive(Debug, PartialEq)]
enum No {
    /// The portal has the dossier already.
    Exists(Reason),
    /// The portal knows no such dossier.
    UnknownCase(Reason),
    Outcome(Outcome),
}

impl No {
    fn outcome(self) -> Outcome {
        match self {
            Self::Exists(reason) | Self::UnknownCase(reason) => Outcome::Refused(reason),
            Self::Outcome(outcome) => outcome,
        }
    }
}

/// What the failure of an errand means for the message that it was for: the message itself was not
/// sent.
fn for_errand(errand: &'static str, outcome: Outcome) -> Outcome {
    let named = |reason: Reason| reason.during(errand);
    match outcome {
        Outcome::Delivered | Outcome::Receipted(_) => {
            Outcome::Failed(Reason::new("errand has no answer"))
        }
        Outcome::Refused(reason) => Outcome::Refused(named(reason)),
        Outcome::Withheld(reason) => Outcome::Withheld(reason),
        Outcome::Failed(reason) | Outcome::Unknown(reason) => Outcome::Failed(named(reason)),
        Outcome::Unavailable(reason, wait) | Outcome::Uncertain(reason, wait) => {
            Outcome::Unavailable(named(reason), wait)
        }
    }
}

/// The move that a record makes, checked and taken down.
pub(crate) fn step(
    config: &NpspConfig,
    call: &str,
    record: &Map<String, Value>,
    standing: &mut Standing,
) -> Result<(), String> {
    let Some((kind, field)) = moves(config.profile, call) else { return Ok(()) };
    let status = match field {
        // Handing a dossier over to a ministry says nothing of a status: it begins as registered.
        None => Status::new(1),
        Some(field) => record.get(field).and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64().and_then(Status::new),
        }),
    };
    let status = status
        .ok_or_else(|| format!("`{}` is not a status from 1 to 10", field.unwrap_or_default()))?;
    let taken: Result<(), IllegalTransition> = standing.step(&config.transitions, kind, status);
    taken.map_err(|error| error.to_string())
}

/// What a call does to its dossier, and the field that says to which status.
fn moves(profile: Profile, call: &str) -> Option<(Step, Option<&'static str>)> {
    match (profile, call) {
        (Profile::Portal2020, "DongBoHoSoMC") => Some((Step::Sync, Some("TrangThaiHoSo"))),
        (Profile::Portal2020, "CapNhatTienDoHoSoMC")
        | (Profile::Ministry2026, "CapNhatTienTrinh" | "CapNhatTrangThai") => {
            Some((Step::Progress, Some("TrangThai")))
        }
        (Profile::Ministry2026, "NoiHoSo") => Some((Step::Sync, None)),
        _ => None,
    }
}

fn result(body: &Map<String, Value>) -> &Value {
    body.get("result").unwrap_or(&Value::Null)
}

fn open(folder: &Path) -> Result<Arc<Kept>, Error> {
    Kept::open(folder)
        .map(Arc::new)
        .map_err(|error| fail(format!("folder `{}`: {error}", folder.display())))
}

fn fail(problem: String) -> Error {
    Error::Platform(problem)
}

#[cfg(test)]
mod tests;
