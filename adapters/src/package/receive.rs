//! Taking in a package: all of it, or nothing.
//!
//! The steps, each of which survives a crash: read and judge everything into a hidden folder; remember
//! that the package is being taken; record it as evidence; show the folder by one renaming; hand its
//! tables over; remember that it is taken. An attempt that died is taken up again by the same command.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use lienthong_model::clock::Clock;
use lienthong_store::{
    Store,
    package::{Again, Counts, Package, Taking},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Act, ActKind, PackageError, PackageId, Progress, Refused,
    aside::{Aside, ForAPerson},
    container::{MANIFEST, SIGNATURE},
    error,
    open::{self, Opened, Sink},
    part::sha256,
    publish::{Staging, hand_over},
    receipt::{self, RECEIPT},
    refuse,
    table::Table,
    wards,
};
use crate::config::{DatasetConfig, PackagesConfig};

/// What a person must look at.
const FOR_A_PERSON: &str = "for-a-person.ndjson";

/// What is to be received.
#[derive(Debug, Clone)]
pub struct Order {
    /// The package.
    pub file: PathBuf,
    /// The folder into which that of the package comes.
    pub into: PathBuf,
    /// Why it is received although it was before.
    pub again: Option<String>,
}

/// What was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The package.
    pub package: PackageId,
    /// The data set.
    pub dataset: String,
    /// Who made it.
    pub sender: String,
    /// How many records were in it.
    pub records: u64,
    /// Those that were taken.
    pub taken: u64,
    /// Those that a person must decide about.
    pub for_a_person: u64,
    /// The folder of the package.
    pub folder: PathBuf,
    /// Tables that were handed over to a CSV source.
    pub handed_over: Vec<PathBuf>,
    /// The receipt for the sender.
    pub receipt: PathBuf,
}

/// Takes in a package.
///
/// # Errors
/// Why it is refused, or nothing could be done. Then nothing of it can be seen, or the same command
/// goes on where this one ended.
pub async fn receive<R: AsyncFn(Act) -> Result<(), String>>(
    config: &Arc<PackagesConfig>,
    order: &Order,
    clock: &Arc<dyn Clock>,
    record: R,
    progress: Progress,
) -> Result<Received, PackageError> {
    let mut seen = None;
    // One command at a time: the durable state belongs to whoever has opened it.
    let store = Store::open(config.state.clone()).await?;
    let received = take(config, order, clock, (&store, &record), progress, &mut seen).await;
    store.close().await;
    refuse(received, seen, &record).await
}

async fn take<R: AsyncFn(Act) -> Result<(), String>>(
    config: &Arc<PackagesConfig>,
    order: &Order,
    clock: &Arc<dyn Clock>,
    (store, record): (&Store, &R),
    progress: Progress,
    seen: &mut Option<PackageId>,
) -> Result<Received, PackageError> {
    let staged = stage(Arc::clone(config), order, clock.now(), progress).await?;
    let manifest = &staged.opened.manifest;
    *seen = Some(manifest.package);
    let package = Package {
        id: *manifest.package.as_bytes(),
        peer: manifest.sender.as_str(),
        dataset: manifest.dataset.as_str(),
        manifest: receipt::digest(&sha256(&staged.opened.bytes))
            .ok_or(PackageError::Internal("a digest cannot be read"))?,
        records: manifest.records,
    };
    let again = if order.again.is_some() { Again::Wanted } else { Again::Refused };
    let times = match store.packages().take(&package, again, clock.now()).await? {
        Taking::Begun(times) => times,
        Taking::Replayed { at } => return Err(Refused::Replayed(at).into()),
        Taking::Other => return Err(Refused::SameId.into()),
    };
    let what = format!("data set {} from {}", manifest.dataset, manifest.sender);
    let why =
        order.again.as_ref().map_or_else(|| what.clone(), |why| format!("{what}, again: {why}"));
    let (kind, id) = (ActKind::Receive, Some(manifest.package));
    let act = Act { kind, package: id, records: Some(manifest.records), why };
    record(act).await.map_err(PackageError::Evidence)?;
    let counts = staged.counts;
    let received = blocking(move || staged.publish(times)).await?;
    store.packages().taken(received.package.as_bytes(), counts, clock.now()).await?;
    Ok(received)
}

/// A package that was read to its end and found in order, where nobody sees it yet.
struct Staged {
    opened: Opened,
    staging: Staging,
    tables: Vec<String>,
    counts: Counts,
    csv_folder: Option<PathBuf>,
}

async fn stage(
    config: Arc<PackagesConfig>,
    order: &Order,
    now: Timestamp,
    progress: Progress,
) -> Result<Staged, PackageError> {
    let (file, into) = (order.file.clone(), order.into.clone());
    blocking(move || {
        let mut intake = Intake::new(&into);
        let opened = open::read(&config, (&file, &into), now, &mut intake, &progress)?;
        intake.finish(&config, opened, now)
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PackageError> + Send + 'static,
) -> Result<T, PackageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(PackageError::Internal("the work on files ended without an answer")))
}

impl Staged {
    fn publish(self, times: u64) -> Result<Received, PackageError> {
        let Self { opened, staging, tables, counts, csv_folder } = self;
        let manifest = opened.manifest;
        let name = match times {
            1 => manifest.package.to_string(),
            _ => format!("{}-{times}", manifest.package),
        };
        let folder = staging.publish(&name)?;
        let handed_over = match csv_folder {
            None => Vec::new(),
            Some(csv) => {
                let place = |table: &String| {
                    (folder.join(table), format!("{}-{name}-{table}", manifest.dataset))
                };
                hand_over(&tables.iter().map(place).collect::<Vec<_>>(), &csv)?
            }
        };
        Ok(Received {
            package: manifest.package,
            dataset: manifest.dataset.to_string(),
            sender: manifest.sender.to_string(),
            records: manifest.records,
            taken: counts.taken,
            for_a_person: counts.aside,
            receipt: folder.join(RECEIPT),
            folder,
            handed_over,
        })
    }
}

/// Writes the records of a package where nobody sees them.
struct Intake<'a> {
    into: &'a Path,
    begun: Option<Begun>,
}

struct Begun {
    staging: Staging,
    dataset: DatasetConfig,
    table: Option<Table<BufWriter<File>>>,
    tables: Vec<String>,
    aside: Option<Aside>,
    part: u64,
    taken: u64,
}

const NOT_BEGUN: PackageError = PackageError::Internal("a package was read that was not begun");

impl<'a> Intake<'a> {
    fn new(into: &'a Path) -> Self {
        Self { into, begun: None }
    }

    fn finish(
        self,
        config: &PackagesConfig,
        opened: Opened,
        now: Timestamp,
    ) -> Result<Staged, PackageError> {
        let mut begun = self.begun.ok_or(NOT_BEGUN)?;
        begun.end_table()?;
        let aside = begun.aside.map_or(Ok(0), Aside::finish).map_err(error::file(FOR_A_PERSON))?;
        let counts = Counts { taken: begun.taken, aside };
        let staging = begun.staging;
        staging.write(MANIFEST, &opened.bytes)?;
        staging.write(SIGNATURE, &opened.signature)?;
        staging.write(RECEIPT, &receipt::make(config, &opened, counts, now)?)?;
        let receive = begun.dataset.receive;
        let csv_folder = receive.and_then(|receive| receive.csv_folder);
        Ok(Staged { opened, staging, tables: begun.tables, counts, csv_folder })
    }
}

impl Sink for Intake<'_> {
    fn begin(&mut self, opened: &Opened, dataset: &DatasetConfig) -> Result<(), PackageError> {
        self.begun = Some(Begun {
            staging: Staging::new(self.into, opened.manifest.package)?,
            dataset: dataset.clone(),
            table: None,
            tables: Vec::new(),
            aside: None,
            part: 0,
            taken: 0,
        });
        Ok(())
    }

    fn part(&mut self, number: u64) -> Result<(), PackageError> {
        self.begun.as_mut().ok_or(NOT_BEGUN)?.begin_table(number)
    }

    fn record(&mut self, record: Map<String, Value>) -> Result<(), PackageError> {
        self.begun.as_mut().ok_or(NOT_BEGUN)?.record(record)
    }
}

impl Begun {
    fn begin_table(&mut self, number: u64) -> Result<(), PackageError> {
        self.end_table()?;
        self.part = number;
        let name = format!("records-{number:04}.csv");
        let wards = self.dataset.receive.iter().flat_map(|receive| &receive.wards);
        let kept = wards.filter_map(|ward| ward.keep.clone());
        let columns = self.dataset.fields().map(str::to_owned).chain(kept).collect();
        let file = BufWriter::new(self.staging.file(&name)?);
        self.table = Some(Table::new(file, columns).map_err(error::file(&name))?);
        self.tables.push(name);
        Ok(())
    }

    fn end_table(&mut self) -> Result<(), PackageError> {
        let Some(table) = self.table.take() else { return Ok(()) };
        let name = self.tables.last().cloned().unwrap_or_default();
        let written = table.finish().and_then(|output| output.get_ref().sync_all());
        written.map_err(error::file(name))
    }

    fn record(&mut self, mut record: Map<String, Value>) -> Result<(), PackageError> {
        let wards = self.dataset.receive.as_ref().map_or(&[][..], |receive| &receive.wards);
        match wards::bring_up_to_date(wards, &mut record) {
            Ok(()) => {
                self.taken = self.taken.saturating_add(1);
                let name = self.tables.last().cloned().unwrap_or_default();
                let table = self.table.as_mut().ok_or(NOT_BEGUN)?;
                table.row(&record).map_err(error::file(name))
            }
            Err(undecided) => {
                let aside = match &mut self.aside {
                    Some(aside) => aside,
                    None => self.aside.insert(Aside::new(self.staging.file(FOR_A_PERSON)?)),
                };
                let key = record.get(&self.dataset.key).and_then(Value::as_str);
                let (part, undecided) = (self.part, &undecided[..]);
                let line = ForAPerson { key, part, undecided, record: &record };
                aside.add(&line).map_err(error::file(FOR_A_PERSON))
            }
        }
    }
}
