//! What is looked for, as the command line says it.

use clap::Args;
use lienthong_evidence::{
    entry::{Action, Domain, ExchangeId},
    search::Query,
};
use lienthong_gateway::{config::Config, digest_keys::DigestKeys};
use lienthong_model::{quarter::Quarter, sensitive::Sensitive};

use super::access::{Dates, Deed, Digests, Opened, Who, quarters};
use crate::clock;

/// What is looked for; all of it has to hold.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    #[command(flatten)]
    who: Who,
    /// Request id of the exchange.
    #[arg(long, value_name = "ID")]
    exchange: Option<String>,
    #[command(flatten)]
    dates: Dates,
}

/// What else an exchange may be looked for by.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The official in whose name it was made.
    #[arg(long, value_name = "ID")]
    officer: Option<String>,
    /// The case it was made for.
    #[arg(long, value_name = "ID")]
    dossier: Option<String>,
    /// The record of consent: its changes, the requests about it, and the exchanges that rest on it.
    #[arg(long, value_name = "ID")]
    consent: Option<String>,
    /// The request by which a data subject exercises a right.
    #[arg(long, value_name = "ID", conflicts_with = "consent")]
    right: Option<String>,
    /// A participant that asked, held the data or passed it on, or may receive it by a consent.
    #[arg(long, value_name = "ID")]
    participant: Option<String>,
    /// The service.
    #[arg(long, value_name = "ID")]
    service: Option<String>,
    /// The agreement.
    #[arg(long, value_name = "ID")]
    agreement: Option<String>,
    /// The exact reason of a refusal.
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
}

/// A query, and what there is to say about it.
pub(super) struct Asked {
    pub(super) query: Query,
    /// Digests of the data subject.
    pub(super) subject: Digests,
    /// Quarters of which there is no key: what they hold of people cannot be found.
    pub(super) missing: Vec<String>,
}

impl Named {
    fn record(&self) -> anyhow::Result<Option<ExchangeId>> {
        let consent = self.consent.as_deref().map(|text| (text, "an id of a record of consent"));
        let right = self.right.as_deref().map(|text| (text, "an id of a data subject's request"));
        consent.or(right).map(|(text, what)| id(text, what)).transpose()
    }
}

fn id(text: &str, what: &str) -> anyhow::Result<ExchangeId> {
    ExchangeId::parse(text).ok_or_else(|| anyhow::anyhow!("`{text}` is not {what}"))
}

impl Wanted {
    pub(super) fn is_of_a_person(&self) -> bool {
        self.who.subject.is_some()
    }

    /// The identifier of the data subject, when one is looked for.
    pub(super) fn identifier(&self) -> anyhow::Result<Option<Sensitive<String>>> {
        self.who.identifier()
    }

    /// The keys of digests.
    pub(super) fn keys(&self, config: Option<&Config>) -> anyhow::Result<DigestKeys> {
        self.who.keys(config)
    }

    pub(super) fn exchange(&self) -> anyhow::Result<Option<ExchangeId>> {
        self.exchange.as_deref().map(|text| id(text, "a request id")).transpose()
    }

    /// The domain of the data subject's digests, and the identifier.
    fn subject<'a>(
        &'a self,
        identifier: Option<&'a Sensitive<String>>,
    ) -> Option<(Domain<'a>, &'a str)> {
        let kind = self.who.subject.as_ref()?;
        Some((Domain::DataSubject(kind), identifier?.expose()))
    }

    /// What will stand in the log about it. Of a person, the digest under the key of this
    /// quarter, or the newest before it.
    pub(super) fn deed(
        &self,
        action: Action,
        config: Option<&Config>,
        identifier: Option<&Sensitive<String>>,
    ) -> anyhow::Result<Deed> {
        let mut deed = Deed::of(action);
        deed.span = self.dates.span()?;
        deed.exchange = self.exchange()?;
        if let Some((domain, identifier)) = self.subject(identifier) {
            let keys = self.who.keys(config)?;
            let now = Quarter::of(clock::system().now());
            let newest = keys.quarters().take_while(|quarter| *quarter <= now).last();
            deed.subject = newest.and_then(|quarter| {
                let digest = keys.get(quarter)?.digest(domain, identifier);
                Some((digest, quarter.to_string()))
            });
        }
        Ok(deed)
    }

    /// The query for a log. Only quarters of which it has entries matter.
    pub(super) fn query(
        &self,
        named: Option<&Named>,
        opened: &mut Opened,
        config: Option<&Config>,
        identifier: Option<&Sensitive<String>>,
    ) -> anyhow::Result<Asked> {
        let span = self.dates.span()?;
        let mut query = Query {
            exchange: self.exchange()?,
            from_ms: span.from_ms.unwrap_or(0),
            until_ms: span.until_ms.unwrap_or(u64::MAX),
            ..Query::default()
        };
        let subject = self.subject(identifier);
        let officer = named.and_then(|named| named.officer.as_deref());
        let dossier = named.and_then(|named| named.dossier.as_deref());
        if let Some(named) = named {
            query.participant.clone_from(&named.participant);
            query.service.clone_from(&named.service);
            query.agreement.clone_from(&named.agreement);
            query.reason.clone_from(&named.reason);
            query.record = named.record()?;
        }
        let persons = [
            subject,
            officer.map(|officer| (Domain::Officer, officer)),
            dossier.map(|dossier| (Domain::Dossier, dossier)),
        ];
        if persons.iter().all(Option::is_none) {
            return Ok(Asked { query, subject: Digests::default(), missing: Vec::new() });
        }
        let quarters = quarters(opened, span)?;
        let keys = self.who.keys(config)?;
        let missing: Vec<String> = quarters
            .iter()
            .filter(|quarter| keys.get(**quarter).is_none())
            .map(ToString::to_string)
            .collect();
        let some = quarters.is_empty() || missing.len() < quarters.len();
        anyhow::ensure!(some, "there is no key of the time that is looked through");
        let [subject, officer, dossier] = persons.map(|person| {
            person.map_or_else(Digests::default, |(domain, identifier)| {
                Digests::make(&keys, &quarters, domain, identifier)
            })
        });
        query.subject = subject.all();
        query.officer = officer.all();
        query.dossier = dossier.all();
        Ok(Asked { query, subject, missing })
    }
}
