//! What is known of the cases that a few rows are about, before the rows become messages.
//!
//! A case's statuses are checked in the order of its rows. So a row is taken only when no earlier row of
//! its case is in quarantine, and rows that are known already are left out: their step has been taken.

use std::collections::{BTreeSet, HashMap};

use lienthong_model::quality::Criterion;
use lienthong_store::{
    StoreError,
    outbox::{Batch, NewMessage, QuarantinedRow, Said, Standing as Kept},
    quality::{Flaws, Judged},
};

use super::{
    Flow,
    prepare::{self, Draft, Drafted},
    read::Hindrance,
};
use crate::{npsp::Standing, platform::Listed, quality::Found, row::Row};

/// Why a row waits in quarantine that is fit by itself.
const BEHIND: &str = "an earlier row of its case is in quarantine";

/// What is known of some rows, and of the cases that they are about.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// Whether cases are looked at at all.
    watches: bool,
    /// Statuses so far, of cases that have any.
    standings: HashMap<String, String>,
    /// The first row in quarantine of a case.
    held: HashMap<String, i64>,
    /// Rows that are messages already, and where they stood.
    known: HashMap<String, Option<i64>>,
    /// Cases whose statuses have changed here.
    changed: BTreeSet<String>,
}

/// Why a row does not become a message.
enum Not {
    /// It is put aside.
    Fit(String),
    /// It is put aside, and is not judged before its turn comes.
    Due(String),
    /// Nothing can be told of any row at present.
    Yet(String),
}

impl Flow {
    /// Makes messages of rows, and puts aside what is not fit.
    pub(super) async fn prepare_all(&self, rows: &[Row]) -> Result<Batch, Hindrance> {
        let drafts = self.draft_all(rows).await;
        let scene = self.scene(rows).await?;
        self.finish_all(rows, drafts, scene)
    }

    /// Makes messages of rows and the drafts of each, in their order.
    pub(super) fn finish_all(
        &self,
        rows: &[Row],
        drafts: Vec<Drafted>,
        mut scene: Scene,
    ) -> Result<Batch, Hindrance> {
        let mut batch = Batch::default();
        for (row, Drafted { draft, mut found }) in rows.iter().zip(drafts) {
            if let Some(place) = scene.known.get(&row.key) {
                batch.repeated += 1;
                // The same row was judged when it was read first; another stands twice.
                if place.is_some_and(|place| place != row.position) {
                    found.fail(Criterion::Clean);
                    batch.judged.push(judged(row, None, &found, None));
                }
                continue;
            }
            match self.message(&mut scene, row, draft, &mut found) {
                Ok(message) => {
                    scene.known.insert(row.key.clone(), Some(row.position));
                    batch.judged.push(self.sent(row, &message, &found));
                    batch.messages.push(message);
                }
                Err(Not::Fit(reason)) => {
                    let (criteria, reasons) = (found.failed(), reason.clone());
                    let flaws = Flaws { criteria, reasons };
                    batch.judged.push(judged(row, None, &found, Some(flaws)));
                    let aside = self.aside(row, reason);
                    scene.hold(&aside);
                    batch.quarantined.push(aside);
                }
                Err(Not::Due(reason)) => {
                    let aside = self.aside(row, reason);
                    scene.hold(&aside);
                    batch.quarantined.push(aside);
                }
                Err(Not::Yet(why)) => return Err(Hindrance::Wait(why)),
            }
        }
        for ordering_key in scene.changed {
            if let Some(history) = scene.standings.remove(&ordering_key) {
                batch.standings.push(Kept { ordering_key, history });
            }
        }
        Ok(batch)
    }

    /// How a row counts that is sent, and what of it has to be mended all the same.
    fn sent(&self, row: &Row, message: &NewMessage, found: &Found) -> Judged {
        let name = (message.kind.clone(), message.ordering_key.clone());
        let criteria = found.failed_of(self.config.quality.mend);
        let flaws =
            (!criteria.is_empty()).then(|| Flaws { criteria, reasons: found.reasons(criteria) });
        judged(row, Some(name), found, flaws)
    }

    fn aside(&self, row: &Row, reason: String) -> QuarantinedRow {
        let ordering_key = prepare::ordering_key(&self.config, row);
        let (source_key, position) = (row.key.clone(), row.position);
        QuarantinedRow { source_key, ordering_key, position, reason }
    }

    /// What is known of rows at this moment.
    pub(super) async fn scene(&self, rows: &[Row]) -> Result<Scene, StoreError> {
        let watches = self.config.messages.iter().any(|one| self.platform.watches(&one.call));
        let key = |row| prepare::ordering_key(&self.config, row).filter(|_| watches);
        let keys: BTreeSet<String> = rows.iter().filter_map(key).collect();
        let keys: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        let names: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
        let said = self.store.outbox().said(&self.config.id, &keys, &names).await?;
        let Said { standings, held, known } = said;
        Ok(Scene { watches, standings, held, known, changed: BTreeSet::new() })
    }

    fn message(
        &self,
        scene: &mut Scene,
        row: &Row,
        draft: Result<Draft, String>,
        found: &mut Found,
    ) -> Result<NewMessage, Not> {
        let draft = draft.map_err(Not::Fit)?;
        match self.platform.listed(&draft.kind.call, draft.record()) {
            Listed::Yes => {}
            Listed::No(reason) => {
                found.fail(Criterion::Consistent);
                return Err(Not::Fit(reason));
            }
            Listed::Wait(why) => return Err(Not::Yet(why)),
        }
        let status = self.step(scene, &draft, row, found)?;
        Ok(draft.message(row, status))
    }

    /// Takes the step of its case that a record says. Gives the status after it.
    fn step(
        &self,
        scene: &mut Scene,
        draft: &Draft,
        row: &Row,
        found: &mut Found,
    ) -> Result<Option<String>, Not> {
        if !self.platform.watches(&draft.kind.call) {
            return Ok(None);
        }
        let key = draft.ordering_key.as_str();
        if scene.held.get(key).is_some_and(|first| *first < row.position) {
            return Err(Not::Due(BEHIND.to_owned()));
        }
        let history = scene.standings.get(key).map_or("", String::as_str);
        let standing = history.parse::<Standing>();
        let mut standing =
            standing.map_err(|_| Not::Due("the history of its case cannot be read".to_owned()))?;
        self.platform.step(&draft.kind.call, draft.record(), &mut standing).map_err(|reason| {
            found.fail(Criterion::Correct);
            Not::Fit(reason)
        })?;
        scene.standings.insert(key.to_owned(), standing.to_string());
        scene.changed.insert(key.to_owned());
        Ok(standing.status().map(|status| status.to_string()))
    }
}

impl Scene {
    /// Counts in what has been taken since it was asked.
    pub(super) fn count_in(&mut self, taken: &Batch) {
        let messages = taken.messages.iter();
        let place = |one: &NewMessage| (one.idempotency_key.clone(), Some(one.position));
        self.known.extend(messages.map(place));
        for aside in &taken.quarantined {
            self.hold(aside);
        }
        let standings = taken.standings.iter();
        self.standings.extend(standings.map(|one| (one.ordering_key.clone(), one.history.clone())));
    }

    /// Later rows of the case wait for this one.
    fn hold(&mut self, aside: &QuarantinedRow) {
        let Some(key) = aside.ordering_key.as_ref().filter(|_| self.watches) else { return };
        let first = self.held.entry(key.clone()).or_insert(aside.position);
        *first = aside.position.min(*first);
    }
}

/// How a row counts.
fn judged(
    row: &Row,
    message: Option<(String, String)>,
    found: &Found,
    defect: Option<Flaws>,
) -> Judged {
    Judged { key: row.key.clone(), message, unit: found.unit, marks: found.marks(), defect }
}
