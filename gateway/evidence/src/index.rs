//! An index of a log: which entries are of an exchange, a data subject, an official, a case, and
//! when each bundle of them was written.
//!
//! It is derived, and made again from the log whenever a part of it is missing, damaged or of
//! another tree. It is no evidence: what it finds is read in the log. It reaches over the full
//! bundles under the newest checkpoint; the few entries after those are looked through one by one.

mod build;
mod key;
mod page;
mod run;
mod scan;

use std::{
    fs::{self, File},
    io,
    ops::Range,
    path::{Path, PathBuf},
};

pub use self::key::Key;
use self::{build::Builder, run::Run};
use crate::{
    files::{self, At, FileError, TileError},
    reader::Reader,
    tile::WIDTH,
};

/// Runs of one size before they become one.
const TOGETHER: usize = 8;
/// Keys of the smallest size of runs.
const SMALLEST: u64 = 4096;

/// Entries that are read before small runs become larger ones.
const STEP: u64 = (1 << 16) * WIDTH;

/// Told how many entries are in the index by now.
pub type Progress<'a> = dyn FnMut(u64) + 'a;

/// Why there is no index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A tile of the log cannot be read.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// A file of the index is not what was written.
    #[error("index file `{}` is damaged", .0.display())]
    Damaged(PathBuf),
}

/// Entries that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Their places, in order.
    pub entries: Vec<u64>,
    /// Whether there are more.
    pub more: bool,
}

/// The index of a log.
#[derive(Debug)]
pub struct Index {
    directory: PathBuf,
    folder: PathBuf,
    size: u64,
    /// Neighbouring ranges, in order.
    runs: Vec<Run>,
    /// Held as long as the index is open, so that nobody else writes it.
    _lock: File,
}

impl Index {
    /// Opens the index of a log in a folder, by default `index` in that of the log, and brings it up to
    /// the log. Waits while another process has it.
    ///
    /// # Errors
    /// When the log cannot be read, or the folder not written.
    pub fn open(
        reader: &Reader,
        folder: Option<&Path>,
        progress: &mut Progress<'_>,
    ) -> Result<Self, IndexError> {
        let directory = reader.directory().to_owned();
        let folder = folder.map_or_else(|| directory.join("index"), Path::to_owned);
        files::folder(&folder)?;
        let path = folder.join("lock");
        let lock = files::open(&path)?;
        lock.lock().at(&path)?;
        let size = reader.full();
        let mut index = Self { directory, folder, size, runs: Vec::new(), _lock: lock };
        index.load()?;
        index.catch_up(progress)?;
        Ok(index)
    }

    /// Entries that the index reaches over.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many files it is in.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    fn builder(&self) -> Builder<'_> {
        Builder::new(&self.directory, &self.folder, self.size)
    }

    fn load_names(&self) -> Result<Vec<PathBuf>, IndexError> {
        let folder = &self.folder;
        let mut found = Vec::new();
        for file in fs::read_dir(folder).at(folder)? {
            let file = file.at(folder)?;
            let name = file.file_name();
            let name = name.to_str().unwrap_or_default();
            // Half a run, of a process that ended.
            if name.ends_with(".new") {
                remove(&file.path())?;
            } else if run::range(name).is_some() {
                found.push(file.path());
            }
        }
        match fs::remove_dir_all(folder.join("parts")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at(folder)?,
            _ => {}
        }
        Ok(found)
    }

    /// Takes the runs that fit the log, the longest where several begin at one place. The others are
    /// removed.
    fn load(&mut self) -> Result<(), IndexError> {
        let mut runs = Vec::new();
        for path in self.load_names()? {
            match Run::open(&path) {
                Ok(run) if self.fits(&run)? => runs.push(run),
                Ok(_) | Err(IndexError::Damaged(_)) => remove(&path)?,
                Err(error) => return Err(error),
            }
        }
        runs.sort_by_key(|run| (run.head.first, u64::MAX - run.head.end));
        for run in runs {
            let reached = self.runs.last().map_or(0, |run| run.head.end);
            if run.head.first < reached {
                remove(&run.path)?;
            } else {
                self.runs.push(run);
            }
        }
        Ok(())
    }

    fn fits(&self, run: &Run) -> Result<bool, IndexError> {
        Ok(run.head.end <= self.size && self.builder().root(run.head.end)? == run.head.root)
    }

    /// Ranges that no run is over.
    fn gaps(&self) -> Vec<Range<u64>> {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|run| run.head.end));
        let ends = self.runs.iter().map(|run| run.head.first).chain([self.size]);
        starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
    }

    /// Fills what no run is over. In steps, so that what is done stays done when it is stopped.
    fn catch_up(&mut self, progress: &mut Progress<'_>) -> Result<(), IndexError> {
        while let Some(gap) = self.gaps().first().cloned() {
            let end = gap.end.min(gap.start + STEP);
            for path in self.builder().build(gap.start..end, progress)? {
                self.runs.push(Run::open(&path)?);
            }
            self.runs.sort_by_key(|run| run.head.first);
            self.merge()?;
        }
        Ok(())
    }

    /// Makes one of many neighbouring runs of about one size, so that there are never many.
    fn merge(&mut self) -> Result<(), IndexError> {
        while let Some(block) = self.mergeable() {
            let runs = self.runs.get(block.clone()).unwrap_or_default();
            match self.builder().merge(runs) {
                Ok(merged) => {
                    let merged = Run::open(&merged)?;
                    self.runs.splice(block, [merged]);
                }
                Err(IndexError::Damaged(path)) => return self.drop_run(&path),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Throws a run away, so that it is made again.
    fn drop_run(&mut self, path: &Path) -> Result<(), IndexError> {
        self.runs.retain(|run| run.path != path);
        remove(path)
    }

    fn mergeable(&self) -> Option<Range<usize>> {
        let sizes: Vec<u32> = self.runs.iter().map(size).collect();
        let largest = sizes.iter().max().copied()?;
        for wanted in 0..=largest {
            let mut from = 0;
            for block in sizes.split(|size| *size > wanted) {
                let count = block.iter().filter(|size| **size == wanted).count();
                let block = from..from + block.len();
                from = block.end + 1;
                if count >= TOGETHER && self.is_whole(&block) {
                    return Some(block);
                }
            }
        }
        None
    }

    /// Whether these runs are neighbours, and their entries few enough for one.
    fn is_whole(&self, block: &Range<usize>) -> bool {
        let runs = self.runs.get(block.clone()).unwrap_or_default();
        let near = |pair: &[Run]| match pair {
            [left, right] => left.head.end == right.head.first,
            _ => true,
        };
        let ends = runs.first().zip(runs.last());
        let span = ends.map_or(0, |(first, last)| last.head.end - first.head.first);
        runs.windows(2).all(near) && span <= u64::from(u32::MAX)
    }

    /// Entries with this key, at most so many, among those the index reaches over. What is damaged is
    /// made again.
    ///
    /// # Errors
    /// When the log or the index cannot be read.
    pub fn find(&mut self, key: Key, most: usize) -> Result<Found, IndexError> {
        self.mend(|runs| {
            let mut found = Found::default();
            for run in runs {
                if run.find(key.0, most, &mut found.entries)? {
                    found.more = true;
                    break;
                }
            }
            Ok(found)
        })
    }

    /// Bundles that hold entries of this time, first and last millisecond included.
    ///
    /// # Errors
    /// When the log or the index cannot be read.
    pub fn bundles(&mut self, from_ms: u64, until_ms: u64) -> Result<Vec<u64>, IndexError> {
        self.mend(|runs| {
            let mut found = Vec::new();
            for run in runs {
                if run.head.max_ms < from_ms || run.head.min_ms > until_ms {
                    continue;
                }
                let times = run.times().collect::<Result<Vec<_>, _>>()?.concat();
                let within =
                    |(_, (min, max)): &(u64, (u64, u64))| *max >= from_ms && *min <= until_ms;
                let bundles = (run.head.first / WIDTH..).zip(times).filter(within);
                found.extend(bundles.map(|(bundle, _)| bundle));
            }
            Ok(found)
        })
    }

    /// Earliest and latest time in each bundle from the first on.
    ///
    /// # Errors
    /// When the log or the index cannot be read.
    pub fn times(&mut self) -> Result<Vec<(u64, u64)>, IndexError> {
        self.mend(|runs| {
            let mut all = Vec::new();
            for run in runs {
                all.extend(run.times().collect::<Result<Vec<_>, _>>()?.concat());
            }
            Ok(all)
        })
    }

    /// Intents without an end among the entries the index reaches over, and how many more there are
    /// that it could not keep.
    ///
    /// # Errors
    /// When the log or the index cannot be read.
    pub fn open_intents(&mut self) -> Result<(Vec<u64>, u64), IndexError> {
        self.mend(|runs| {
            let mut beside = run::Beside::default();
            for run in runs {
                beside = build::follow(beside, run.exchanges()?);
            }
            let entries = beside.open.into_iter().map(|(_, entry)| entry).collect();
            Ok((entries, beside.more_open))
        })
    }

    /// Reads, and once more after what was damaged has been made again.
    fn mend<T>(&mut self, read: impl Fn(&[Run]) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let mut left = self.runs.len();
        loop {
            match read(&self.runs) {
                Err(IndexError::Damaged(path)) if left > 0 => {
                    self.drop_run(&path)?;
                    self.catch_up(&mut |_| {})?;
                    left -= 1;
                }
                read => return read,
            }
        }
    }
}

/// The class of a run by the number of its keys; each is eight times the one below.
fn size(run: &Run) -> u32 {
    (run.head.records / SMALLEST).checked_ilog2().map_or(0, |log| 1 + log / 3)
}

fn remove(path: &Path) -> Result<(), IndexError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Ok(Err(error).at(path)?),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
