//! The portal's durable state: a journal that only grows, a line of JSON for each change.
//!
//! A call is answered after its lines are on disk, many calls by one flush. After `kill -9` the
//! journal is read again; a line that was not finished was never answered for, and goes. One
//! process at a time has the directory.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{case::Holder, digest::Digest};
use crate::Error;

/// The journal's file in the state directory.
const FILE: &str = "portal.journal";

/// A digest in two halves, which JSON can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Halves(u64, u64);

impl From<Digest> for Halves {
    fn from(digest: Digest) -> Self {
        let low = u64::try_from(digest & u128::from(u64::MAX)).unwrap_or_default();
        Self(u64::try_from(digest >> 64).unwrap_or_default(), low)
    }
}

impl From<Halves> for Digest {
    fn from(halves: Halves) -> Self {
        (Self::from(halves.0) << 64) | Self::from(halves.1)
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Entry {
    #[serde(rename = "c")]
    Case { holder: Holder, code: String, status: u8, digest: Halves },
    #[serde(rename = "s")]
    Step { holder: Holder, code: String, status: u8, digest: Halves, at: u64 },
    /// A record of another call.
    #[serde(rename = "r")]
    Record { call: String, key: String, digest: Halves },
    #[serde(rename = "f")]
    File { sha256: String, length: u64 },
    /// A dossier number of the ministry's system.
    #[serde(rename = "n")]
    Number { sequence: u64 },
    #[serde(rename = "i")]
    Illegal { code: String, from: u8, to: u8 },
    #[serde(rename = "e")]
    Early,
    #[serde(rename = "=")]
    Repeat,
}

#[derive(Debug, Default)]
struct Pending {
    lines: Vec<u8>,
    /// How many calls have handed in lines.
    calls: u64,
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Durable {
    calls: u64,
    failed: bool,
}

/// The journal of a running portal. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Journal {
    shared: Arc<(Mutex<Pending>, Condvar)>,
    durable: watch::Receiver<Durable>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
}

/// The journal cannot be written any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

impl Journal {
    /// Opens the journal in `directory` and hands what it holds to `replay`.
    pub(crate) fn open(directory: &Path, mut replay: impl FnMut(Entry)) -> Result<Self, Error> {
        let path = directory.join(FILE);
        let fail = |source| Error::File { file: path.clone(), source };
        std::fs::create_dir_all(directory).map_err(fail)?;
        let mut options = OpenOptions::new();
        let mut file = options.create(true).read(true).append(true).open(&path).map_err(fail)?;
        file.try_lock().map_err(|error| fail(error.into()))?;
        let whole = read(&file, &mut replay).map_err(fail)?;
        file.set_len(whole).map_err(fail)?;
        file.seek(SeekFrom::End(0)).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        // The name of a new file is durable only with its directory.
        File::open(directory).and_then(|folder| folder.sync_all()).map_err(fail)?;
        let shared = Arc::new((Mutex::new(Pending::default()), Condvar::new()));
        let (sender, durable) = watch::channel(Durable { calls: 0, failed: false });
        let of_writer = Arc::clone(&shared);
        let writer = thread::Builder::new()
            .name("sandbox-journal".to_owned())
            .spawn(move || write(file, &of_writer, &sender))
            .map_err(fail)?;
        Ok(Self { shared, durable, writer: Mutex::new(Some(writer)) })
    }

    /// Hands lines in, in the order of the calls; gives the number to wait for. A call that
    /// changed nothing waits for those before it, of which its answer tells.
    pub(crate) fn append(&self, entries: &[Entry]) -> u64 {
        let (pending, wake) = &*self.shared;
        let mut pending = lock(pending);
        if !entries.is_empty() {
            for entry in entries {
                // Writing into memory, of types that JSON can hold, does not fail.
                if serde_json::to_writer(&mut pending.lines, entry).is_ok() {
                    pending.lines.push(b'\n');
                }
            }
            pending.calls += 1;
            wake.notify_one();
        }
        pending.calls
    }

    /// Waits until the lines of a call are on disk.
    pub(crate) async fn durable(&self, call: u64) -> Result<(), Failed> {
        let mut durable = self.durable.clone();
        let seen = durable.wait_for(|durable| durable.failed || durable.calls >= call).await;
        match seen {
            Ok(durable) if !durable.failed => Ok(()),
            _ => Err(Failed),
        }
    }

    /// Writes what was handed in and gives the file free. Calls after it are not durable.
    pub(crate) fn close(&self) {
        lock(&self.shared.0).closed = true;
        self.shared.1.notify_one();
        if let Some(writer) = lock(&self.writer).take() {
            writer.join().ok();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what is whole; gives its length. What follows the last line break was never answered for.
fn read(file: &File, replay: &mut impl FnMut(Entry)) -> std::io::Result<u64> {
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0))?;
    let (mut whole, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok(whole);
        }
        replay(serde_json::from_slice(&line)?);
        whole += length as u64;
    }
}

fn write(mut file: File, shared: &(Mutex<Pending>, Condvar), durable: &watch::Sender<Durable>) {
    let (pending, wake) = shared;
    let mut lines = Vec::new();
    loop {
        let (calls, closed) = {
            let idle = |pending: &mut Pending| pending.lines.is_empty() && !pending.closed;
            let mut pending =
                wake.wait_while(lock(pending), idle).unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut lines, &mut pending.lines);
            (pending.calls, pending.closed)
        };
        let written = file.write_all(&lines).and_then(|()| file.sync_data());
        lines.clear();
        let failed = written.is_err();
        if let Err(error) = written {
            tracing::error!(%error, "the journal of the portal cannot be written");
        }
        durable.send_replace(Durable { calls, failed });
        if failed || closed {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
