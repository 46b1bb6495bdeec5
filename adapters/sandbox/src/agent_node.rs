//! The Agent Node of the National Data Centre: signed messages in four exchange modes, receipts,
//! look-ups of receipts.
//!
//! Nothing of the real one's wire is public: members and codes are those of `agent-node.yaml`, this
//! profile's own. It refuses what the legal texts let the real one refuse: a signature that is not the
//! sender's, what no agreement covers, identifiers that are wrong, a data set below its quality
//! threshold, a package while the receipt of an earlier one is missing. It keeps what it accepted as
//! digests, so that lost and doubled messages can be counted.

mod check;
mod desk;
mod ledger;
mod peer;
mod refusal;
mod release;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lienthong_model::{clock::Clock, exchange_mode::ExchangeMode};
use lienthong_signature::detached::Kind;

use self::desk::{Desk, Told};
pub use self::ledger::{AgentNodeReport, Shown};
use crate::{
    Error, Faults, database,
    server::{self, Listen, Running},
};

/// Settings of the Agent Node.
#[derive(Debug, Clone)]
pub struct AgentNodeSettings {
    /// Where it listens.
    pub listen: Listen,
    /// Where it tells what it has seen, as plain HTTP on loopback; nothing for nowhere.
    pub report: Option<SocketAddr>,
    /// The synthetic database, from which peers answer.
    pub database: PathBuf,
    /// The kind of signatures that it takes and makes.
    pub kind: Kind,
    /// The certificate that it signs receipts with, PEM.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
    /// What the certificates of senders rest on, PEM.
    pub sender_trust_anchor_file: PathBuf,
    /// The certificate of each sender, PEM, by its code.
    pub senders: BTreeMap<String, PathBuf>,
    /// What may be exchanged.
    pub agreements: Vec<AgreementSettings>,
    /// What is asked of each data set, by its code.
    pub datasets: BTreeMap<String, DatasetSettings>,
    /// Packages that may be announced while their recipients' receipts are missing.
    pub open_packages: usize,
    /// How far the time in a message may be from its clock, in seconds.
    pub tolerance_seconds: u32,
}

/// What one agreement lets be exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementSettings {
    /// Its number.
    pub number: String,
    /// Who may send.
    pub sender: String,
    /// To whom.
    pub receiver: String,
    /// The data set.
    pub dataset: String,
    /// In which mode.
    pub mode: ExchangeMode,
}

/// What is asked of the records of a data set. Names are members of the record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetSettings {
    /// Members that must hold something.
    pub required: Vec<String>,
    /// Members that hold citizen numbers: each must be one.
    pub citizen_numbers: Vec<String>,
    /// Members that hold ward codes: each must be one of today's.
    pub wards: Vec<String>,
    /// Members that hold releases of indicators as JSON texts: each must be one that shows no figure of
    /// a cell that it withholds, and newer than those that came before of its period.
    pub releases: Vec<String>,
    /// The least share of good records, of a hundred, among the last thousand.
    pub least_percent: u8,
    /// How many records it takes before that is looked at.
    pub at_least: u32,
}

/// The Agent Node.
#[derive(Debug)]
pub struct AgentNode;

/// A running Agent Node; it stops when this is dropped.
#[derive(Debug)]
pub struct AgentNodeHandle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where it tells what it has seen.
    pub report_addr: Option<SocketAddr>,
    /// What breaks on purpose.
    pub faults: Faults,
    desk: Arc<Desk>,
    _running: Running,
    _report: Option<Running>,
}

impl AgentNode {
    /// Starts the Agent Node.
    ///
    /// # Errors
    /// When it cannot listen, or a certificate, a key or the database cannot be used.
    pub async fn start(
        settings: AgentNodeSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<AgentNodeHandle, Error> {
        let faults = Faults::default();
        let (listen, report) = (settings.listen.clone(), settings.report);
        let pool = database::open(&settings.database).await?;
        let desk = Arc::new(Desk::open(settings, pool, clock, faults.clone())?);
        let running = server::start(&listen, Arc::clone(&desk)).await?;
        let told = match report {
            Some(address) => {
                let listen = Listen { address, tls: None };
                Some(server::start(&listen, Arc::new(Told(Arc::clone(&desk)))).await?)
            }
            None => None,
        };
        let report_addr = told.as_ref().map(|told| told.addr);
        let addr = running.addr;
        Ok(AgentNodeHandle { addr, report_addr, faults, desk, _running: running, _report: told })
    }
}

impl AgentNodeHandle {
    /// What it has seen so far.
    #[must_use]
    pub fn report(&self) -> AgentNodeReport {
        lock(&self.desk.ledger).report()
    }

    /// Takes the receipt that the recipient of a package gave. False when no such package is open.
    pub fn package_received(&self, package: &str) -> bool {
        lock(&self.desk.ledger).package_received(package)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
