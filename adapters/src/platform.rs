//! What the bus needs of any platform: to send a message, to ask what became of one, and to do the
//! errands beside the messages (catalogues, questions).
//!
//! Nothing here knows a platform's wire, and a platform knows nothing of outbox and leases.

pub(crate) mod answer;
pub(crate) mod kept;

use std::sync::Arc;

use jiff::SignedDuration;
use lienthong_model::clock::Clock;
use lienthong_store::outbox::Receipt;
use rand::rngs::StdRng;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::{
    Error,
    client::GatewayClient,
    config::{Config, PlatformName},
    deliver::Envelope,
    ndc::Ndc,
    npsp::{Npsp, Standing},
    outcome::Outcome,
    rate::Rate,
};

/// One message on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parcel<'a> {
    /// The call.
    pub(crate) call: &'a str,
    /// The message's id at the gateway: the same for every attempt.
    pub(crate) id: &'a str,
    /// Whether the platform holds an earlier message of this call and dossier.
    pub(crate) follows: bool,
    pub(crate) envelope: &'a Envelope,
}

/// What a look-up says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LookedUp {
    Taken,
    /// It was taken, and this is the receipt.
    Receipted(Box<Receipt>),
    NotTaken,
    /// The look-up itself failed.
    Open(Outcome),
}

/// What the platform's catalogues say of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Every code that is to be listed is.
    Yes,
    /// A code is not listed: the row is put aside. Names field and catalogue.
    No(String),
    /// There is no catalogue fit to be used: the flow waits, nothing passes unchecked.
    Wait(String),
}

/// A platform.
#[derive(Debug)]
pub(crate) enum Platform {
    /// The National Public Service Portal, or a ministry's portal of the pattern of 2026.
    Npsp(Box<Npsp>),
    /// The National Data Centre.
    Ndc(Box<Ndc>),
}

impl Platform {
    /// Opens what is kept of it on disk; asks nobody anything.
    pub(crate) fn open(
        name: PlatformName,
        config: &Config,
        client: GatewayClient,
        clock: Arc<dyn Clock>,
        rng: StdRng,
    ) -> Result<Self, Error> {
        match name {
            PlatformName::Npsp => {
                Npsp::open(config, client, clock, rng).map(|portal| Self::Npsp(Box::new(portal)))
            }
            PlatformName::Ndc => {
                Ndc::open(config, client, clock).map(|centre| Self::Ndc(Box::new(centre)))
            }
        }
    }

    /// What is written for the city into tables, and what is wrong with each; opens nothing else.
    pub(crate) async fn tables(config: &Config) -> Vec<(String, Option<String>)> {
        let mut found = Vec::new();
        if let Some(npsp) = &config.npsp {
            found.extend(Npsp::tables(npsp).await);
        }
        if let Some(ndc) = &config.ndc {
            found.extend(Ndc::tables(ndc).await);
        }
        found
    }

    /// Makes sure that what it writes for the city can be written, as far as that can be told now.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        match self {
            Self::Npsp(portal) => portal.verify().await,
            Self::Ndc(centre) => centre.verify().await,
        }
    }

    /// The rate that messages and errands share, where one is set.
    pub(crate) fn rate(&self) -> Option<Arc<Rate>> {
        match self {
            Self::Npsp(portal) => portal.rate(),
            Self::Ndc(centre) => centre.rate(),
        }
    }

    /// Longest time that one attempt may take, so that a lease outlives it.
    pub(crate) fn longest_attempt(&self) -> SignedDuration {
        match self {
            Self::Npsp(portal) => portal.longest_attempt(),
            Self::Ndc(centre) => centre.longest_attempt(),
        }
    }

    /// Sends a message once.
    pub(crate) async fn send(&self, parcel: Parcel<'_>) -> Outcome {
        match self {
            Self::Npsp(portal) => portal.send(parcel).await,
            Self::Ndc(centre) => centre.send(parcel).await,
        }
    }

    /// Asks whether a message was taken.
    pub(crate) async fn look_up(&self, call: &str, parcel: Parcel<'_>) -> LookedUp {
        match self {
            Self::Npsp(portal) => portal.look_up(call, parcel).await,
            Self::Ndc(centre) => centre.look_up(call, parcel).await,
        }
    }

    /// Whether the codes of a record stand in the platform's catalogues.
    pub(crate) fn listed(&self, call: &str, record: &Map<String, Value>) -> Listed {
        match self {
            Self::Npsp(portal) => portal.listed(call, record),
            Self::Ndc(_) => Listed::Yes,
        }
    }

    /// Whether records of a call move a dossier, so that their order and statuses matter.
    pub(crate) fn watches(&self, call: &str) -> bool {
        match self {
            Self::Npsp(portal) => portal.watches(call),
            Self::Ndc(_) => false,
        }
    }

    /// The move that a record makes, checked against the dossier's standing and taken down in it.
    /// An error is why the row is put aside: statuses only.
    pub(crate) fn step(
        &self,
        call: &str,
        record: &Map<String, Value>,
        standing: &mut Standing,
    ) -> Result<(), String> {
        match self {
            Self::Npsp(portal) => portal.step(call, record, standing),
            Self::Ndc(_) => Ok(()),
        }
    }

    /// Does what is due beside the messages, again and again until told to stop.
    pub(crate) async fn tend(&self, stop: watch::Receiver<bool>) {
        match self {
            Self::Npsp(portal) => portal.tend(stop).await,
            Self::Ndc(_) => {}
        }
    }
}
