//! What the Agent Node holds of what it accepted: digests and receipts, no records.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::{DatasetSettings, refusal::Refusal, release::Release};

/// Most messages held.
const MOST: usize = 1_000_000;
/// Records of a data set whose share of good ones is looked at.
const WINDOW: usize = 1_000;

/// What the Agent Node has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct AgentNodeReport {
    /// Messages that were accepted, by data set.
    pub accepted: BTreeMap<String, u64>,
    /// Accepted messages that came again, by data set.
    pub repeated: BTreeMap<String, u64>,
    /// Questions of the one and answers of the other, by data set.
    pub answered: BTreeMap<String, u64>,
    /// Look-ups of receipts.
    pub looked_up: u64,
    /// Refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// The newest release of each indicator and first day.
    pub releases: BTreeMap<String, Shown>,
}

/// What a release shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Shown {
    /// Which revision it is.
    pub revision: u32,
    /// Cells with a figure.
    pub shown: u64,
    /// Cells that are withheld.
    pub withheld: u64,
}

/// What is held.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    messages: BTreeMap<String, Held>,
    /// Of each data set: whether its last records were good.
    quality: BTreeMap<String, VecDeque<bool>>,
    /// Packages whose recipient has given no receipt.
    packages: BTreeSet<String>,
    report: AgentNodeReport,
}

/// An accepted message.
#[derive(Debug, Clone)]
struct Held {
    sender: String,
    digest: String,
    receipt: Map<String, Value>,
}

/// A message that was understood.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    pub(super) id: &'a str,
    pub(super) sender: &'a str,
    pub(super) dataset: &'a str,
    pub(super) digest: String,
    /// The package that it announces.
    pub(super) package: Option<&'a str>,
    /// Whether it is a question to a peer.
    pub(super) asks: bool,
    /// The releases in it.
    pub(super) releases: Vec<Release>,
}

impl Ledger {
    /// The receipt of a message that is held already.
    pub(super) fn known(
        &mut self,
        message: &Incoming<'_>,
    ) -> Result<Option<Map<String, Value>>, Refusal> {
        let Some(held) = self.messages.get(message.id) else { return Ok(None) };
        if held.digest != message.digest || held.sender != message.sender {
            return Err(Refusal::OtherContent);
        }
        *self.report.repeated.entry(message.dataset.to_owned()).or_default() += 1;
        Ok(Some(held.receipt.clone()))
    }

    /// Counts a record of a data set as good or bad, and says whether records of it are taken.
    pub(super) fn count<T>(
        &mut self,
        dataset: &str,
        rules: &DatasetSettings,
        checked: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let window = self.quality.entry(dataset.to_owned()).or_default();
        window.push_back(checked.is_ok());
        if window.len() > WINDOW {
            window.pop_front();
        }
        let found = checked?;
        let good = window.iter().filter(|good| **good).count();
        let is_low = good * 100 < window.len() * usize::from(rules.least_percent);
        let at_least = usize::try_from(rules.at_least).unwrap_or(usize::MAX);
        if window.len() >= at_least && is_low { Err(Refusal::Quality) } else { Ok(found) }
    }

    /// Accepts a message with this receipt.
    pub(super) fn accept(
        &mut self,
        message: &Incoming<'_>,
        receipt: &Map<String, Value>,
        open_packages: usize,
    ) -> Result<(), Refusal> {
        if self.messages.len() >= MOST {
            return Err(Refusal::Full);
        }
        let known = &self.report.releases;
        let is_new = |release: &Release| {
            known.get(&release.of).is_none_or(|held| held.revision < release.revision)
        };
        if !message.releases.iter().all(is_new) {
            return Err(Refusal::Revision);
        }
        if let Some(package) = message.package {
            if self.packages.len() >= open_packages {
                return Err(Refusal::ReceiptMissing);
            }
            self.packages.insert(package.to_owned());
        }
        for release in &message.releases {
            let Release { revision, shown, withheld, .. } = *release;
            let shown = Shown { revision, shown, withheld };
            self.report.releases.insert(release.of.clone(), shown);
        }
        let Incoming { id, sender, dataset, digest, .. } = message;
        let held =
            Held { sender: (*sender).to_owned(), digest: digest.clone(), receipt: receipt.clone() };
        self.messages.insert((*id).to_owned(), held);
        *self.report.accepted.entry((*dataset).to_owned()).or_default() += 1;
        Ok(())
    }

    /// Counts an answer of a peer.
    pub(super) fn answered(&mut self, dataset: &str) {
        *self.report.answered.entry(dataset.to_owned()).or_default() += 1;
    }

    /// The receipt of a message of this sender.
    pub(super) fn receipt(
        &mut self,
        id: &str,
        sender: &str,
    ) -> Result<Map<String, Value>, Refusal> {
        self.report.looked_up += 1;
        let held = self.messages.get(id).filter(|held| held.sender == sender);
        held.map(|held| held.receipt.clone()).ok_or(Refusal::UnknownMessage)
    }

    /// The recipient of a package has given its receipt.
    pub(super) fn package_received(&mut self, package: &str) -> bool {
        self.packages.remove(package)
    }

    pub(super) fn refused(&mut self, why: Refusal) {
        *self.report.refused.entry(why.code().to_owned()).or_default() += 1;
    }

    pub(super) fn report(&self) -> AgentNodeReport {
        self.report.clone()
    }
}
