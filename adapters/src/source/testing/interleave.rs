//! Writers that hold transactions open, roll back and commit late, in a random order that a seed
//! repeats, while a source is read, read again and opened anew.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{Link, Mark, Source, at, drain};
use crate::config::FlowConfig;

/// How time and positions go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Most seconds between two steps.
    pub(crate) seconds: i64,
    /// The sequence that blocks of positions are taken from before they are used, if any.
    pub(crate) ahead: Option<&'static str>,
}

/// A source that is read while others write.
pub(crate) struct Interleaving<'a> {
    pub(crate) flow: &'a FlowConfig,
    pub(crate) table: &'a str,
    pub(crate) links: &'a mut [Link],
    pub(crate) pace: Pace,
    rng: StdRng,
    second: i64,
    source: Source,
    mark: Option<Mark>,
    /// Rows of the open transaction of each writer; those behind a savepoint.
    open: BTreeMap<usize, (Vec<String>, Option<Vec<String>>)>,
    ahead: BTreeMap<usize, Vec<i64>>,
    written: u32,
    committed: BTreeSet<String>,
    read: BTreeMap<String, u32>,
    /// Whether something was read twice on purpose.
    repeated: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) committed: BTreeSet<String>,
    pub(crate) read: BTreeMap<String, u32>,
    pub(crate) repeated: bool,
}

impl<'a> Interleaving<'a> {
    pub(crate) async fn new(
        flow: &'a FlowConfig,
        table: &'a str,
        links: &'a mut [Link],
        pace: Pace,
        seed: u64,
    ) -> Self {
        let source = Source::open(flow).await.unwrap();
        Self {
            flow,
            table,
            links,
            pace,
            rng: StdRng::seed_from_u64(seed),
            second: 0,
            source,
            mark: None,
            open: BTreeMap::new(),
            ahead: BTreeMap::new(),
            written: 0,
            committed: BTreeSet::new(),
            read: BTreeMap::new(),
            repeated: false,
        }
    }

    /// Takes so many steps, ends all transactions and reads the rest.
    pub(crate) async fn run(mut self, steps: u32) -> Outcome {
        for _ in 0..steps {
            self.second += self.rng.random_range(0..=self.pace.seconds);
            let writer = self.rng.random_range(0..self.links.len());
            match self.rng.random_range(0..12) {
                0..=4 => self.insert(writer).await,
                5 => self.savepoint(writer).await,
                6..=7 => self.end(writer).await,
                8 => self.take_ahead(writer).await,
                _ => self.look().await,
            }
        }
        for writer in 0..self.links.len() {
            self.end(writer).await;
        }
        let (rows, mark) = drain(&self.source, self.mark.take(), 3, self.now()).await;
        for row in rows {
            *self.read.entry(row.key).or_default() += 1;
        }
        // Nothing is left, and nothing comes twice.
        let (again, _) = drain(&self.source, mark, 3, at(self.second + 1)).await;
        assert!(again.is_empty(), "{} rows came again", again.len());
        Outcome { committed: self.committed, read: self.read, repeated: self.repeated }
    }

    fn now(&self) -> Timestamp {
        at(self.second)
    }

    async fn insert(&mut self, writer: usize) {
        if !self.open.contains_key(&writer) {
            self.links[writer].run("BEGIN").await;
            self.open.insert(writer, (Vec::new(), None));
        }
        for _ in 0..self.rng.random_range(1..4) {
            self.written += 1;
            let key = format!("k{}", self.written);
            let ahead = self.ahead.get_mut(&writer).and_then(Vec::pop);
            let (columns, value) = match ahead {
                Some(id) => ("id, event", format!("{id}, '{key}'")),
                None => ("event", format!("'{key}'")),
            };
            let table = self.table;
            let text = format!("INSERT INTO {table} ({columns}, case_code) VALUES ({value}, 'A')");
            self.links[writer].run(&text).await;
            let (rows, behind) = self.open.get_mut(&writer).unwrap();
            behind.as_mut().unwrap_or(rows).push(key);
        }
    }

    async fn savepoint(&mut self, writer: usize) {
        let Some((rows, behind)) = self.open.get_mut(&writer) else { return };
        let text = match behind.take() {
            None => {
                *behind = Some(Vec::new());
                "SAVEPOINT here"
            }
            Some(more) if self.rng.random_bool(0.5) => {
                rows.extend(more);
                "RELEASE SAVEPOINT here"
            }
            Some(_) => "ROLLBACK TO SAVEPOINT here",
        };
        self.links[writer].run(text).await;
    }

    async fn end(&mut self, writer: usize) {
        let Some((rows, behind)) = self.open.remove(&writer) else { return };
        if self.rng.random_range(0..4) == 0 {
            return self.links[writer].run("ROLLBACK").await;
        }
        self.links[writer].run("COMMIT").await;
        self.committed.extend(rows);
        self.committed.extend(behind.into_iter().flatten());
    }

    async fn take_ahead(&mut self, writer: usize) {
        let Some(sequence) = self.pace.ahead else { return };
        // By another connection, so that no transaction of the writer has to do with it.
        let text = format!("SELECT nextval('{sequence}') FROM generate_series(1, 4)");
        let other = (writer + 1) % self.links.len();
        let block = self.links[other].numbers(&text).await;
        self.ahead.entry(writer).or_default().extend(block);
    }

    async fn look(&mut self) {
        let limit = self.rng.random_range(1..6);
        let reading = self.source.next(self.mark.as_ref(), limit, self.now()).await.unwrap();
        match self.rng.random_range(0..8) {
            // The rows do not become durable: they must come again.
            0 => self.repeated = true,
            // The process ends behind it and another begins.
            1 => {
                self.keep(reading).await;
                self.source = Source::open(self.flow).await.unwrap();
                self.repeated = true;
            }
            _ => self.keep(reading).await,
        }
    }

    async fn keep(&mut self, reading: super::Reading) {
        self.mark = reading.mark.or_else(|| self.mark.take());
        if let Some(mark) = &self.mark {
            assert!(mark.as_str().len() <= 4_096);
        }
        self.source.taken(&reading.rows, self.now()).await.unwrap();
        for row in reading.rows {
            *self.read.entry(row.key).or_default() += 1;
        }
    }
}

impl Outcome {
    /// Every committed row was read, nothing else was, and nothing twice without a reason.
    pub(crate) fn assert_complete(&self, seed: u64) {
        let read: BTreeSet<String> = self.read.keys().cloned().collect();
        let lost: Vec<_> = self.committed.difference(&read).collect();
        let made_up: Vec<_> = read.difference(&self.committed).collect();
        assert!(lost.is_empty() && made_up.is_empty(), "seed {seed}: {lost:?} {made_up:?}");
        let twice = self.read.values().filter(|times| **times > 1).count();
        assert!(self.repeated || twice == 0, "seed {seed}: {twice} rows came twice");
    }
}
