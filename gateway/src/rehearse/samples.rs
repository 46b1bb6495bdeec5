//! Sample answers on disk: `OPERATION.STATUS.*.json` in one folder, `.ndjson` where each line is an
//! element.
//!
//! Number and size are bounded. A file of these endings whose name does not tell its operation and
//! status, or that has the other ending, is a mistake: a sample that is passed over unseen would look like one that fits.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use lienthong_model::{
    diagnostic::{Diagnostics, Position, nearest},
    id::OperationId,
};
use lienthong_policy::{Media, Service};

/// Most files of the folder.
pub const MAX_FILES: usize = 10_000;
/// Largest sample, in bytes.
pub const MAX_BYTES: u64 = 4 << 20;
/// Largest sample of an answer that streams, in bytes.
pub const MAX_STREAM_BYTES: u64 = 64 << 20;

const SHAPE: &str = "name it OPERATION.STATUS.*.json, such as getRecord.200.a.json";

/// One sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The operation it answers.
    pub operation: OperationId,
    /// Its status.
    pub status: u16,
    /// Its file's name.
    pub file: String,
    /// Whether the answer streams.
    pub streams: bool,
}

impl Sample {
    /// The most bytes it may have.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        if self.streams { MAX_STREAM_BYTES } else { MAX_BYTES }
    }
}

/// The samples of a folder, in order of name. With `only`, those of one operation.
///
/// # Errors
/// Everything that is wrong with the folder and the names and sizes of its files.
pub fn list(
    folder: &Path,
    service: &Service,
    only: Option<&OperationId>,
) -> Result<Vec<Sample>, Diagnostics> {
    let mut found = Diagnostics::new();
    let fail = |found: &mut Diagnostics, file: &str, problem: String| {
        found.add(file, Position::default(), problem);
    };
    let whole = folder.display().to_string();
    let mut samples = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            fail(&mut found, &whole, format!("cannot be read: {error}"));
            return Err(found);
        }
    };
    for (count, entry) in entries.enumerate() {
        if count >= MAX_FILES {
            fail(&mut found, &whole, format!("holds more than {MAX_FILES} files"));
            break;
        }
        let (file, size) = match entry.and_then(|entry| Ok((fs::metadata(entry.path())?, entry))) {
            Ok((kind, entry)) if kind.is_file() => (entry.file_name(), kind.len()),
            Ok(_) => continue,
            Err(error) => {
                fail(&mut found, &whole, format!("cannot be read: {error}"));
                continue;
            }
        };
        let Some(file) = file.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let Some(sample) = name(file, service, &mut found) else { continue };
        let most = sample.max_bytes();
        if size > most {
            fail(&mut found, file, format!("is larger than {most} bytes"));
        } else {
            samples.push(sample);
        }
    }
    samples.retain(|sample: &Sample| only.is_none_or(|only| *only == sample.operation));
    samples.sort_by(|a, b| a.file.cmp(&b.file));
    if samples.is_empty() && found.is_empty() {
        found.add_with_help(&whole, Position::default(), "holds no sample", SHAPE);
    }
    found.into_result(samples)
}

/// What the name of a file tells. Files of other endings are passed over.
fn name(file: &str, service: &Service, found: &mut Diagnostics) -> Option<Sample> {
    let (stem, ending) = file.rsplit_once('.').filter(|(_, e)| ["json", "ndjson"].contains(e))?;
    let mut parts = stem.splitn(3, '.');
    let operation = parts.next().unwrap_or_default();
    let status = parts.next().unwrap_or_default();
    let digits = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
    let Some(status) = status.parse().ok().filter(|status| digits && *status >= 100) else {
        let message = "the name does not tell operation and status";
        found.add_with_help(file, Position::default(), message, SHAPE);
        return None;
    };
    let known = service.operations.keys();
    let Some(operation) = known.clone().find(|known| known.as_str() == operation) else {
        let message = format!("service `{}` has no such operation", service.id);
        let help = match nearest(operation, known.map(OperationId::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => SHAPE.to_owned(),
        };
        found.add_with_help(file, Position::default(), message, help);
        return None;
    };
    let declared = service.operations.get(operation);
    let lines = declared.and_then(|o| o.answers.get(&status)).map(|a| a.media == Media::Ndjson);
    let expected = if lines == Some(true) { "ndjson" } else { "json" };
    if ending != expected {
        let message = format!("this answer of `{operation}` is not `.{ending}`");
        let help = format!("name it {stem}.{expected}");
        found.add_with_help(file, Position::default(), message, help);
        return None;
    }
    let streams = declared.is_some_and(|operation| operation.stream(status).is_some());
    Some(Sample { operation: operation.clone(), status, file: file.to_owned(), streams })
}

/// The bytes of a sample.
///
/// # Errors
/// When it cannot be read, or has grown beyond its most bytes since it was listed.
pub fn read(folder: &Path, sample: &Sample) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(folder.join(&sample.file))?;
    let most = sample.max_bytes();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("larger than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
