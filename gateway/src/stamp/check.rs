//! Judges the stamps of a log off line, from its directory alone.

use std::path::Path;

use jiff::Timestamp;
use lienthong_evidence::{checkpoint::Checkpoint, files::FileError, note::Verifier};

use super::{
    Kind, StampError,
    cms::{self, Anchors},
    folder::{Kept, sizes},
    query::{self, TimeStampInfo},
};

/// The stamps of one checkpoint.
#[derive(Debug)]
pub struct Checked {
    /// Entries that the folder's name says the checkpoint is of.
    pub size: u64,
    /// The checkpoint, when it is one of this log and size: one more anchor for its tree.
    pub checkpoint: Option<Checkpoint>,
    /// Whether there is a seal of these bytes.
    pub sealed: bool,
    /// The instant at which a time stamp says the bytes were there.
    pub time: Option<Timestamp>,
    /// What is wrong.
    pub problems: Vec<StampError>,
}

/// Judges every stamp of the log in this directory, the smallest checkpoint first: that the
/// checkpoint is one of the log, and that the stamps are of its bytes and their signatures right.
///
/// With a PEM file of authorities also that the signatures are of those they answer for: a time
/// stamp at the time it tells, a seal at the time of the time stamp beside it. Without a time stamp
/// nobody knows when a seal was made, and the validity of its certificate is not asked.
///
/// # Errors
/// When a file that is there cannot be read, or the file of authorities cannot be used.
pub fn check(
    log: &Path,
    verifier: &Verifier,
    authorities: Option<&Path>,
) -> Result<Vec<Checked>, StampError> {
    let anchors = authorities.map(Anchors::load).transpose().map_err(StampError::Settings)?;
    let checked = sizes(log)?.into_iter().map(|size| {
        let kept = Kept::read(log, size)?;
        Ok(judge(size, &kept, verifier, anchors.as_ref()))
    });
    checked.collect::<Result<_, FileError>>().map_err(StampError::File)
}

impl Checked {
    /// Which kinds of stamps are there and good.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        let seal = self.sealed.then_some(Kind::Seal);
        seal.into_iter().chain(self.time.map(|_| Kind::TimeStamp))
    }
}

fn judge(size: u64, kept: &Kept, verifier: &Verifier, anchors: Option<&Anchors>) -> Checked {
    let mut problems = Vec::new();
    let note = kept.checkpoint.as_deref().unwrap_or_default();
    let checkpoint = Checkpoint::open(note, verifier).map_err(StampError::Checkpoint);
    let checkpoint = checkpoint.and_then(|checkpoint| {
        if checkpoint.size == size { Ok(checkpoint) } else { Err(StampError::Size) }
    });
    let time = kept.time_stamp.as_deref().map(|answer| time_stamp(answer, note, anchors));
    let time = time.transpose();
    let at = time.as_ref().ok().copied().flatten();
    let seal = kept.seal.as_deref().map(|seal| {
        if !query::is_seal(seal)? {
            return Err(StampError::Form);
        }
        cms::verify_seal(seal, note, anchors, at)
    });
    let sealed = matches!(seal, Some(Ok(())));
    let mut keep = |problem: Option<StampError>| problems.extend(problem);
    let checkpoint = checkpoint.map_err(|error| keep(Some(error))).ok();
    let time = time.map_err(|error| keep(Some(error))).ok().flatten();
    keep(seal.and_then(Result::err));
    Checked { size, checkpoint, sealed, time, problems }
}

/// The instant that an answer of a time-stamp service tells for these bytes.
fn time_stamp(
    answer: &[u8],
    note: &[u8],
    anchors: Option<&Anchors>,
) -> Result<Timestamp, StampError> {
    let token = query::token(answer)?;
    if !query::is_time_stamp(token)? {
        return Err(StampError::Form);
    }
    // What it claims is read first, because it says at which instant its signature counts.
    let claim = TimeStampInfo::parse(&cms::open_token(token, None, None)?)?;
    if anchors.is_some() {
        cms::open_token(token, anchors, Some(claim.time))?;
    }
    if claim.is_over(note) { Ok(claim.time) } else { Err(StampError::Imprint) }
}
