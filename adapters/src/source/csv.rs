//! Rows of CSV files that are put into a folder.
//!
//! Files are read in the order of their names, rows in the order of their lines. Complete: a file is
//! put away only when every row of it is durable here, which the mark of the next reading shows. A
//! row's position is the time of its file and its line. Changes and deletions are not seen; a
//! later file may bring a row again under its key.
//!
//! A line that is broken, or that no usable key names, is unusable alone and called `FILE:LINE`.

mod folder;
mod keyed;
mod record;

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use self::{
    folder::{Folder, Stand, file, unreadable},
    keyed::Keyed,
    record::{Place, Record, Records, Values},
};
use super::{
    Guarantee, Keys, Mark, Reach, Reading, SourceError,
    bounded::Bounded,
    layout::{self, MAX_KEY},
};
use crate::{
    config::{CsvConfig, Encoding, FlowConfig},
    row::{Cell, Row},
};

/// Bits of a position that hold the line.
const LINE_BITS: u32 = 24;

/// A folder that is read.
#[derive(Debug, Clone)]
pub(crate) struct Csv {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: CsvConfig,
    folder: Folder,
    /// The columns of the flow, sorted.
    names: Arc<[String]>,
    /// Place of the key among them.
    key: usize,
    /// The file that was last found to have this digest.
    known: std::sync::Mutex<Option<(Stand, String)>>,
    keyed: Mutex<Keyed>,
}

/// How far the folder was read.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Far {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<Begun>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Repeat>,
}

/// A file that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    name: String,
    digest: String,
    offset: u64,
    line: u64,
    /// All of it was read.
    whole: bool,
}

/// Files that are read again, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    /// The last one that is not, or was.
    behind: String,
    /// The last one that is.
    until: String,
    /// How far the one after `behind` was read.
    offset: u64,
    line: u64,
    /// They are those that wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    waiting: bool,
}

/// A file with its header read.
struct Opened {
    stand: Stand,
    records: Records,
    /// The place of each column in a line.
    places: Vec<usize>,
    /// How many values a line has.
    values: usize,
}

impl Csv {
    pub(super) async fn open(flow: &FlowConfig, config: &CsvConfig) -> Result<Self, SourceError> {
        let names: BTreeSet<String> =
            layout::columns(flow).into_iter().chain([config.key.clone()]).collect();
        let names: Vec<String> = names.into_iter().collect();
        let key = names.binary_search(&config.key).unwrap_or_default();
        let inner = Arc::new(Inner {
            folder: Folder::open(&config.folder)?,
            config: config.clone(),
            names: names.into(),
            key,
            known: std::sync::Mutex::new(None),
            keyed: Mutex::new(Keyed::default()),
        });
        let source = Self { inner };
        source.blocking(Inner::check).await?;
        Ok(source)
    }

    pub(super) fn guarantee() -> Guarantee {
        Guarantee::of_inserts(Reach::Complete)
    }

    pub(super) async fn next(
        &self,
        mark: Option<&Mark>,
        limit: u32,
    ) -> Result<Reading, SourceError> {
        let far: Far = Mark::read(mark)?;
        self.blocking(move |inner| inner.next(far, limit)).await
    }

    pub(super) async fn with_keys(&self, keys: &[String]) -> Result<Vec<Row>, SourceError> {
        let keys = keys.to_vec();
        self.blocking(move |inner| {
            let mut keyed = inner.keyed.blocking_lock();
            keyed.find(inner, &keys)
        })
        .await
    }

    pub(super) async fn keys(&self, after: Option<&str>, limit: u32) -> Result<Keys, SourceError> {
        let after = after.map(str::to_owned);
        self.blocking(move |inner| keyed::page(inner, after.as_deref(), limit)).await
    }

    pub(super) async fn again(
        &self,
        mark: Option<&Mark>,
        from: Option<&str>,
    ) -> Result<Mark, SourceError> {
        let far: Far = Mark::read(mark)?;
        let behind = from.unwrap_or_default().to_owned();
        let done = self.blocking(|inner| inner.folder.done()).await?;
        let until = done.into_iter().next_back().unwrap_or_default();
        Mark::write(&Far { again: Some(Repeat { behind, until, ..Repeat::default() }), ..far })
    }

    /// A mark from which every file that waits is read, and left where it is.
    pub(super) async fn waiting(&self) -> Result<Mark, SourceError> {
        let waiting = self.blocking(|inner| inner.folder.waiting()).await?;
        let until = waiting.into_iter().next_back().unwrap_or_default();
        let again = Repeat { until, waiting: true, ..Repeat::default() };
        Mark::write(&Far { again: Some(again), ..Far::default() })
    }

    /// Does what waits for the disk where it holds nobody up.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|_| Err(file("", "was being read when the program ended")))
    }
}

impl Inner {
    /// Looks at the header of the file that comes next.
    fn check(&self) -> Result<(), SourceError> {
        let Some(name) = self.folder.waiting()?.into_iter().next() else { return Ok(()) };
        self.open(self.folder.stand(&name, false)?, Place::default()).map(drop)
    }

    fn next(&self, mut far: Far, limit: u32) -> Result<Reading, SourceError> {
        if let Some(again) = far.again.take() {
            return self.read_again(far, again, limit);
        }
        if let Some(begun) = far.file.as_ref().filter(|begun| begun.whole) {
            self.put_away(begun)?;
        }
        let (stand, digest, place) = match far.file.take().filter(|begun| !begun.whole) {
            Some(begun) => {
                if !self.folder.waits(&begun.name) {
                    return Err(file(&begun.name, "was taken away while it was being read"));
                }
                let stand = self.folder.stand(&begun.name, false)?;
                if self.digest(&stand)? != begun.digest {
                    return Err(file(&begun.name, "was changed while it was being read"));
                }
                (stand, begun.digest, Place { offset: begun.offset, line: begun.line })
            }
            None => {
                let Some(name) = self.folder.waiting()?.into_iter().next() else {
                    return Ok(Reading { rows: Vec::new(), mark: None, more: false });
                };
                let stand = self.folder.stand(&name, false)?;
                let digest = self.digest(&stand)?;
                self.refuse_used(&stand, &digest)?;
                (stand, digest, Place::default())
            }
        };
        let name = stand.name.clone();
        let mut opened = self.open(stand, place)?;
        let (rows, whole) = self.rows(&mut opened, limit)?;
        let Place { offset, line } = opened.records.place();
        far.file = Some(Begun { name, digest, offset, line, whole });
        Ok(Reading { rows, mark: Some(Mark::write(&far)?), more: true })
    }

    fn read_again(
        &self,
        mut far: Far,
        mut again: Repeat,
        limit: u32,
    ) -> Result<Reading, SourceError> {
        let names = if again.waiting { self.folder.waiting() } else { self.folder.done() };
        let name = names?.into_iter().find(|name| *name > again.behind && *name <= again.until);
        let mut rows = Vec::new();
        if let Some(name) = name {
            let place = Place { offset: again.offset, line: again.line };
            let mut opened = self.open(self.folder.stand(&name, !again.waiting)?, place)?;
            let whole;
            (rows, whole) = self.rows(&mut opened, limit)?;
            let place = if whole { Place::default() } else { opened.records.place() };
            (again.offset, again.line) = (place.offset, place.line);
            if whole {
                again.behind = name;
            }
            far.again = Some(again);
        }
        Ok(Reading { rows, mark: Some(Mark::write(&far)?), more: true })
    }

    /// Puts the file away that the mark shows to be durable.
    fn put_away(&self, begun: &Begun) -> Result<(), SourceError> {
        if !self.folder.waits(&begun.name) {
            return Ok(());
        }
        let stand = self.folder.stand(&begun.name, false)?;
        if self.digest(&stand)? != begun.digest {
            return Err(file(
                &begun.name,
                "has the name of a file that was read and another content",
            ));
        }
        self.folder.put_away(&begun.name)
    }

    /// Refuses a file whose name another content had. The same content may come again.
    fn refuse_used(&self, stand: &Stand, digest: &str) -> Result<(), SourceError> {
        if !self.folder.is_used(&stand.name) {
            return Ok(());
        }
        let used = self.folder.stand(&stand.name, true)?;
        if self.folder.digest(&used)? == digest {
            return Ok(());
        }
        Err(file(&stand.name, "has the name of a file that was read and another content"))
    }

    /// The digest of a file, computed once as long as the file stands as it does.
    fn digest(&self, stand: &Stand) -> Result<String, SourceError> {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, digest)) = known.as_ref().filter(|(known, _)| known == stand) {
            return Ok(digest.clone());
        }
        let digest = self.folder.digest(stand)?;
        *known = Some((stand.clone(), digest.clone()));
        Ok(digest)
    }

    /// Opens a file at a place behind its header.
    fn open(&self, stand: Stand, place: Place) -> Result<Opened, SourceError> {
        let name = stand.name.clone();
        if stand.bytes > self.config.file_bytes {
            return Err(file(&name, "is larger than `file_megabytes` allows"));
        }
        let failed = |error| unreadable(&name, &error);
        let (delimiter, longest) = (self.config.delimiter, self.config.line_bytes);
        let begin = |place| {
            Records::new(self.folder.read(&stand)?, place, delimiter, longest).map_err(failed)
        };
        let mut records = begin(Place::default())?;
        let (places, values) = match records.next(None).map_err(failed)? {
            Some((_, Record::Values(values))) => (self.places(&name, &values)?, values.len()),
            _ => return Err(file(&name, "has no header")),
        };
        match (records.is_marked(), self.config.encoding == Encoding::Utf8Bom) {
            (true, false) => {
                return Err(file(&name, "begins with a byte order mark: `encoding: utf-8-bom`"));
            }
            (false, true) => return Err(file(&name, "does not begin with a byte order mark")),
            _ => {}
        }
        if place.offset > 0 {
            records = begin(place)?;
        }
        Ok(Opened { stand, records, places, values })
    }

    /// The place of each column in the header.
    fn places(&self, name: &str, header: &Values<'_>) -> Result<Vec<usize>, SourceError> {
        let titles: Vec<&[u8]> = (0..header.len()).map(|place| header.get(place)).collect();
        let place = |column: &String| {
            let mut found = titles
                .iter()
                .enumerate()
                .filter(|(_, title)| title.trim_ascii() == column.as_bytes());
            match (found.next(), found.next()) {
                (Some((place, _)), None) => Ok(place),
                (None, _) => {
                    Err(SourceError::NoColumn { table: name.to_owned(), column: column.clone() })
                }
                (Some(_), Some(_)) => Err(file(name, &format!("has column `{column}` twice"))),
            }
        };
        self.names.iter().map(place).collect()
    }

    /// The next rows of a file, and whether that was all of it.
    fn rows(&self, opened: &mut Opened, limit: u32) -> Result<(Vec<Row>, bool), SourceError> {
        let mut rows = Bounded::new(limit);
        while !rows.is_full() {
            let Some((_, row)) = self.row(opened)? else { return Ok((rows.finish().0, true)) };
            rows.push(row);
        }
        Ok((rows.finish().0, false))
    }

    /// The next row of a file and where it stands.
    fn row(&self, opened: &mut Opened) -> Result<Option<(Place, Row)>, SourceError> {
        let Opened { stand, records, places, values } = opened;
        let next = records.next(Some(*values)).map_err(|error| unreadable(&stand.name, &error))?;
        let Some((place, record)) = next else { return Ok(None) };
        // The line on which the row begins, counted from one.
        let line = place.line.saturating_add(1);
        if line >> LINE_BITS > 0 {
            return Err(file(&stand.name, "has too many lines"));
        }
        let position = stand.at.saturating_mul(1 << LINE_BITS).saturating_add_unsigned(line);
        let here = format!("{}:{line}", stand.name);
        let record = match record {
            Record::Broken(why) => return Ok(Some((place, Row::unusable(position, here, why)))),
            Record::Values(values) => values,
        };
        let cells: Vec<Cell> =
            places.iter().map(|place| cell(record.get(*place), self.config.encoding)).collect();
        let key = cells.get(self.key).and_then(Cell::text).unwrap_or_default();
        let row = match key.len() {
            1..=MAX_KEY => Row::new(position, key, &self.names, cells),
            0 => Row::unusable(position, here, "row has no key"),
            _ => Row::unusable(position, here, "row has a key that is too long"),
        };
        Ok(Some((place, row)))
    }
}

/// A value. Nothing between two delimiters is no value.
fn cell(bytes: &[u8], encoding: Encoding) -> Cell {
    if bytes.is_empty() {
        return Cell::Null;
    }
    let is_text = match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => true,
        Encoding::Tcvn3 | Encoding::Vni => bytes.is_ascii(),
    };
    match std::str::from_utf8(bytes) {
        Ok(text) if is_text => Cell::Text(text.to_owned()),
        _ => Cell::Bytes(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests;
