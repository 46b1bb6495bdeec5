//! The pattern of 2026: a ministry gives each dossier a number of its own, which takes the place of
//! the city's in every message about it.
//!
//! The number is kept before it is used: a message that is sent again is sent under the same one.
//! A number whose answer was lost is never used, which harms nobody. What was kept is laid for the
//! city where the settings say so.

mod back;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value};

pub(super) use self::back::Back;
use super::{
    Npsp, Record, for_errand,
    request::{Ask, Matter},
    result,
};
use crate::{
    config::{Numbers, Profile},
    outcome::{Outcome, Reason},
    platform::{
        Parcel,
        kept::{Kept, blocking, name_of},
    },
};

/// The call that gives a number, and the one that may ask for it.
const ASK: &str = "GetNextValue";
const OPENS: &str = "NoiHoSo";
/// The member that holds it.
const NUMBER: &str = "MaHoSo";
/// What it is asked with, out of the record.
const ASKED_WITH: [&str; 2] = ["MaDonViTiepNhan", "MaDichVuCong"];
/// Longest number.
const MAX_NUMBER: u64 = 64;

/// The numbers that dossiers were given.
#[derive(Debug)]
pub(super) struct Given {
    kept: Arc<Kept>,
    /// Dossiers that a number is being asked for, so that none gets two.
    asking: Mutex<BTreeSet<String>>,
    /// How they go back to the city, where they do.
    pub(super) back: Option<Arc<Back>>,
}

/// The right to ask for one dossier's number.
struct Turn<'a> {
    asking: &'a Mutex<BTreeSet<String>>,
    city: &'a str,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).remove(self.city);
    }
}

impl Given {
    pub(super) fn new(kept: Arc<Kept>, back: Option<Back>) -> Self {
        Self { kept, asking: Mutex::new(BTreeSet::new()), back: back.map(Arc::new) }
    }

    /// Nobody waits here: a wait of unknown length would outlast a lease.
    fn turn<'a>(&'a self, city: &'a str) -> Result<Turn<'a>, Outcome> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        match asking.insert(city.to_owned()) {
            true => Ok(Turn { asking: &self.asking, city }),
            false => Err(Outcome::Failed(Reason::new("number is being asked for already"))),
        }
    }

    fn of(&self, city: &str) -> Result<Option<String>, Outcome> {
        let bytes =
            self.kept.read(&name_of(&[city]), MAX_NUMBER).map_err(|error| broken(&error))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

impl Npsp {
    /// The record under the ministry's number; the record itself where the city's is used.
    pub(super) async fn with_number<'a>(
        &self,
        parcel: Parcel<'_>,
        record: Record<'a>,
    ) -> Result<Record<'a>, Outcome> {
        let asked =
            self.config.profile == Profile::Ministry2026 && self.config.numbers == Numbers::Asked;
        if !asked {
            return Ok(record);
        }
        let city = record.get(NUMBER).and_then(Value::as_str).filter(|text| !text.is_empty());
        let city = city.ok_or_else(|| Outcome::Refused(Reason::new("record has no `MaHoSo`")))?;
        let number = match self.numbers.of(city)? {
            Some(number) => {
                self.remind(city);
                number
            }
            None if parcel.call == OPENS => self.next_number(parcel, &record, city).await?,
            None => {
                let reason = Reason::new("dossier was given no number: it was not handed over");
                return Err(Outcome::Refused(reason));
            }
        };
        let mut record = record.into_owned();
        record.insert(NUMBER.to_owned(), number.into());
        Ok(Cow::Owned(record))
    }

    async fn next_number(
        &self,
        parcel: Parcel<'_>,
        record: &Map<String, Value>,
        city: &str,
    ) -> Result<String, Outcome> {
        let _turn = self.numbers.turn(city)?;
        if let Some(number) = self.numbers.of(city)? {
            return Ok(number);
        }
        let with = |member: &&str| record.get_key_value(*member);
        let question: Map<String, Value> =
            ASKED_WITH.iter().filter_map(with).map(|(k, v)| (k.clone(), v.clone())).collect();
        let ask = Ask { call: ASK, ..Ask::of(parcel) };
        let answer = self.ask(ask, Matter::Plain(&question)).await;
        let body = answer.map_err(|no| for_errand("number", no.outcome()))?;
        let number = result(&body).get(NUMBER).and_then(Value::as_str);
        let harmless = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let number =
            number.filter(|text| (1..=64).contains(&text.len()) && text.bytes().all(harmless));
        let number =
            number.ok_or_else(|| Outcome::Failed(Reason::new("portal gave an unusable number")))?;
        self.keep_number(city, number).await.map_err(|error| broken(&error))?;
        Ok(number.to_owned())
    }

    /// Keeps a number, and before it that it is owed to the city: a crash in between owes one that
    /// is not there, and the next attempt asks for it.
    async fn keep_number(&self, city: &str, number: &str) -> io::Result<()> {
        let (kept, back) = (Arc::clone(&self.numbers.kept), self.numbers.back.clone());
        let (city, number, now) = (city.to_owned(), number.to_owned(), self.clock.now());
        blocking(move || {
            if let Some(back) = &back {
                back.owe(&city, now)?;
            }
            kept.write(&name_of(&[&city]), number.as_bytes())?;
            if let Some(back) = &back {
                back.hurry();
            }
            Ok(())
        })
        .await
    }

    /// The message is worth more than what the city is told of it.
    fn remind(&self, city: &str) {
        if let Some(back) = &self.numbers.back
            && let Err(error) = back.remind(city, self.clock.now())
        {
            tracing::error!(%error, "a number that is owed to the city cannot be kept");
        }
    }
}

fn broken(error: &io::Error) -> Outcome {
    tracing::error!(%error, "numbers of dossiers cannot be kept");
    Outcome::Unavailable(Reason::new("numbers of dossiers cannot be kept"), None)
}

#[cfg(test)]
mod tests;
