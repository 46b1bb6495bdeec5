//! The entries of a log whose revisions are above one, in the order of the log.

use std::path::Path;

use super::{Change, WINDOW};
use crate::{
    index::{Index, IndexError, Key},
    note::Verifier,
    proof::ProveError,
    reader::Reader,
    tile::{self, WIDTH},
};

/// Why the changes of a log cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SinceError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ProveError),
    /// The log changed while it was read, so that its end is not known.
    #[error("log changes faster than it can be read")]
    Incomplete,
    /// Whoever was told of an entry stopped.
    #[error("stopped: {0}")]
    Stopped(Box<dyn std::error::Error + Send + Sync>),
}

/// Is told the place of an entry in the log, its bytes, and which change it is of.
pub type Told<'a> =
    dyn FnMut(u64, &[u8], Change) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + 'a;

/// Tells every entry of a change of the registry above a revision, oldest first; how many there were.
/// Entries that are durable and not signed yet are among them.
///
/// It goes by the index, in its folder beside the log or another one, and looks through the whole log
/// where no index can be had. `progress` is told how many entries of how many have been looked at.
///
/// # Errors
/// When the log cannot be read to its end, or whoever is told stops.
pub fn since(
    (directory, folder): (&Path, Option<&Path>),
    verifier: &Verifier,
    revision: u64,
    progress: &mut dyn FnMut(u64, u64),
    each: &mut Told<'_>,
) -> Result<u64, SinceError> {
    let mut reader = Reader::open(directory, verifier)?;
    if !reader.is_complete() {
        return Err(SinceError::Incomplete);
    }
    let mut count = 0;
    let mut tell = |place: u64, bytes: &[u8]| {
        let Some(change) = Change::read(bytes).filter(|change| change.revision > revision) else {
            return Ok(());
        };
        count += 1;
        each(place, bytes, change).map_err(SinceError::Stopped)
    };
    match places(&mut reader, folder, revision, progress) {
        Ok(places) => {
            for place in places {
                tell(place, &reader.entry(place)?)?;
            }
        }
        // The index is a shorter way to the same.
        Err(PlacesError::Index(_)) => look_through(&mut reader, progress, &mut tell)?,
        Err(PlacesError::Log(error)) => return Err(error.into()),
    }
    for (place, bytes) in reader.tail() {
        tell(place, bytes)?;
    }
    Ok(count)
}

#[derive(Debug, thiserror::Error)]
enum PlacesError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Log(#[from] ProveError),
}

/// The places of these entries among the full bundles, in order, as the index has them. It is gone
/// through from its end, until so many in a row are older that none before them can be newer.
fn places(
    reader: &mut Reader,
    folder: Option<&Path>,
    revision: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<u64>, PlacesError> {
    let full = reader.full();
    let mut index = Index::open(reader, folder, &mut |done| progress(done, full))?;
    let all = index.find(Key::CHANGE, usize::MAX)?.entries;
    let (mut found, mut older) = (Vec::new(), 0);
    for place in all.into_iter().rev().take_while(|place| *place < full) {
        match Change::read(&reader.entry(place)?) {
            Some(change) if change.revision > revision => {
                found.push(place);
                older = 0;
            }
            Some(_) => older += 1,
            None => {}
        }
        if older > WINDOW {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

/// Looks at every entry of the full bundles.
fn look_through(
    reader: &mut Reader,
    progress: &mut dyn FnMut(u64, u64),
    tell: &mut impl FnMut(u64, &[u8]) -> Result<(), SinceError>,
) -> Result<(), SinceError> {
    let full = reader.full();
    for bundle in 0..full / WIDTH {
        let entries = tile::entries(reader.bundle(bundle)?);
        for (place, bytes) in (bundle * WIDTH..).zip(entries) {
            tell(place, bytes.map_err(|_| ProveError::Broken)?)?;
        }
        progress((bundle + 1) * WIDTH, full);
    }
    Ok(())
}
