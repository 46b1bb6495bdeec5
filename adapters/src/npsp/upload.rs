//! Files that go with a record: read when it is delivered, sent whole through the gateway, and
//! named in the record by what the portal answers.
//!
//! What was sent is remembered for each message by the file's digest, so that another attempt does
//! not send it again. When the answer to a file was lost it is sent again: the portal then has it
//! twice at most, and no record names the first one.

mod file;

use std::{
    borrow::Cow,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use self::file::{FileError, Scan};
use super::{
    Npsp, Record, for_errand,
    request::{Ask, Matter},
    result,
};
use crate::{
    config::FilesConfig,
    outcome::{Outcome, Reason},
    platform::{
        Parcel,
        kept::{Kept, blocking, hex, name_of},
    },
};

/// Files in memory at once.
const AT_ONCE: usize = 2;
/// Largest file of what is remembered of one upload.
const MAX_MARK: u64 = 4_096;
/// Longest id or link that is taken.
const MAX_ID: usize = 1_000;
/// How long uploads are remembered, and how often they are looked through.
const REMEMBER: SignedDuration = SignedDuration::from_hours(7 * 24);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The errand's name, and the members of the answer of the pattern of 2026.
const UPLOAD: &str = "file";
const ID: &str = "IdTepTin";
const HASH: &str = "HashTepTin";

/// What is remembered of files that were sent.
#[derive(Debug)]
pub(super) struct Uploads {
    kept: Arc<Kept>,
    room: Semaphore,
    next: Mutex<Timestamp>,
}

/// What the portal answered to one file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    sha256: String,
    id: String,
}

impl Uploads {
    pub(super) fn new(kept: Arc<Kept>) -> Self {
        Self { kept, room: Semaphore::new(AT_ONCE), next: Mutex::new(Timestamp::MIN) }
    }

    fn known(&self, name: &str) -> Option<Mark> {
        // One that cannot be read costs an upload, no more.
        let bytes = self.kept.read(name, MAX_MARK).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    async fn write(&self, name: String, mark: &Mark) -> io::Result<()> {
        let bytes = serde_json::to_vec(mark).map_err(io::Error::other)?;
        let kept = Arc::clone(&self.kept);
        blocking(move || kept.write(&name, &bytes)).await
    }

    /// Forgets what was sent long ago: whoever sends such a message again sends its files again.
    async fn forget(&self, before: Timestamp) {
        let kept = Arc::clone(&self.kept);
        if let Err(error) = blocking(move || kept.remove_before(before)).await {
            tracing::warn!(%error, "sent files cannot be forgotten");
        }
    }
}

impl Npsp {
    /// Forgets sent files once a day.
    pub(super) async fn forget_uploads(&self) {
        let now = self.clock.now();
        let due = {
            let mut next = self.uploads.next.lock().unwrap_or_else(PoisonError::into_inner);
            let due = now >= *next;
            if due {
                *next = now.saturating_add(DAY).unwrap_or(Timestamp::MAX);
            }
            due
        };
        if due {
            self.uploads.forget(now.saturating_sub(REMEMBER).unwrap_or(Timestamp::MIN)).await;
        }
    }

    /// The record with its files sent and named; the record itself where it has none.
    pub(super) async fn with_files<'a>(
        &self,
        parcel: Parcel<'_>,
        record: Record<'a>,
    ) -> Result<Record<'a>, Outcome> {
        let Some(config) = self.config.files.iter().find(|one| one.call == parcel.call) else {
            return Ok(record);
        };
        let elements = record.get(&config.list).and_then(Value::as_array);
        let open = elements.into_iter().flatten().filter(|one| wants(config, one)).count();
        if open == 0 {
            return Ok(record);
        }
        if open > usize::try_from(config.max_files).unwrap_or(usize::MAX) {
            return Err(refused("record has too many files"));
        }
        // A lease counts on it. What was sent by then is remembered for the next attempt.
        let budget = self.longest_call.saturating_mul(config.max_files.saturating_mul(2));
        let sent = tokio::time::timeout(budget, self.send_files(parcel, config, record)).await;
        sent.unwrap_or_else(|_| Err(Outcome::Failed(Reason::new("files take too long"))))
    }

    async fn send_files<'a>(
        &self,
        parcel: Parcel<'_>,
        config: &FilesConfig,
        record: Record<'a>,
    ) -> Result<Record<'a>, Outcome> {
        let mut record = record.into_owned();
        let elements = record.get_mut(&config.list).and_then(Value::as_array_mut);
        for element in elements.into_iter().flatten() {
            if wants(config, element)
                && let Some(element) = element.as_object_mut()
            {
                self.send_file(parcel, config, element).await?;
            }
        }
        Ok(Cow::Owned(record))
    }

    async fn send_file(
        &self,
        parcel: Parcel<'_>,
        config: &FilesConfig,
        element: &mut Map<String, Value>,
    ) -> Result<(), Outcome> {
        let path = element.get(&config.file).and_then(Value::as_str).unwrap_or_default().to_owned();
        // SECURITY: a record has up to a hundred files; in memory is one of them for each permit.
        let _room = self.uploads.room.acquire().await;
        let scan = self.read_file(config, &path).await?;
        let sha256 = hex(digest(&SHA256, &scan.bytes).as_ref());
        let name = name_of(&[parcel.id, &path, &sha256]);
        let id = match self.uploads.known(&name) {
            Some(mark) if mark.sha256 == sha256 => mark.id,
            _ => self.upload(parcel, config, &scan, (name, sha256.clone())).await?,
        };
        let shown = path.rsplit('/').next().unwrap_or_default().to_owned();
        element.insert(config.file.clone(), shown.into());
        element.insert(config.into.clone(), id.into());
        if let Some(member) = &config.hash {
            element.insert(member.clone(), sha256.into());
        }
        Ok(())
    }

    async fn read_file(&self, config: &FilesConfig, path: &str) -> Result<Scan, Outcome> {
        let (folder, path) = (config.folder.clone(), path.to_owned());
        let (media, most) = (config.media.clone(), config.max_bytes);
        let read =
            tokio::task::spawn_blocking(move || file::read(&folder, &path, &media, most)).await;
        match read {
            Ok(Ok(scan)) => Ok(scan),
            Ok(Err(error)) => Err(match error {
                FileError::Path => refused("path of a file leaves its folder"),
                FileError::Kind => refused("a file is no file of a type that is sent"),
                FileError::Size => refused("a file is empty or too large"),
                // Its system may still be writing it, or its disk be away.
                FileError::Missing => Outcome::Failed(Reason::new("a file is missing")),
                FileError::Unreadable => Outcome::Failed(Reason::new("a file cannot be read")),
            }),
            Err(_) => Err(Outcome::Failed(Reason::new("a file cannot be read"))),
        }
    }

    async fn upload(
        &self,
        parcel: Parcel<'_>,
        config: &FilesConfig,
        scan: &Scan,
        (name, sha256): (String, String),
    ) -> Result<String, Outcome> {
        // Each file is an exchange of its own, under an id that is the same for every attempt.
        let id = exchange_id(&name);
        let ask = Ask { call: &config.upload, id: &id, ..Ask::of(parcel) };
        let answer = self.ask(ask, Matter::File(scan.media, &scan.bytes)).await;
        let body = answer.map_err(|no| for_errand(UPLOAD, no.outcome()))?;
        let result = result(&body);
        let told = result.as_str().or_else(|| result.get(ID).and_then(Value::as_str));
        let Some(told) = told.filter(|text| is_id(text)) else {
            return Err(Outcome::Failed(Reason::new("portal gave an unusable id of a file")));
        };
        let hash = result.get(HASH).or_else(|| body.get("sha256")).and_then(Value::as_str);
        if hash.is_some_and(|hash| !hash.eq_ignore_ascii_case(&sha256)) {
            return Err(Outcome::Failed(Reason::new("portal got another file than was sent")));
        }
        let mark = Mark { sha256, id: told.to_owned() };
        if let Err(error) = self.uploads.write(name, &mark).await {
            // The id is in hand: only another attempt would send the file again.
            tracing::warn!(%error, "a sent file cannot be remembered");
        }
        Ok(mark.id)
    }
}

/// Whether an element names a file that the portal does not have yet.
fn wants(config: &FilesConfig, element: &Value) -> bool {
    let text = |member: &str| element.get(member).and_then(Value::as_str).unwrap_or_default();
    let has = config.into != config.file && !text(&config.into).is_empty();
    !has && !text(&config.file).is_empty()
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn exchange_id(name: &str) -> String {
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, name.as_bytes()).as_ref()) {
        *to = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

fn refused(words: &'static str) -> Outcome {
    Outcome::Refused(Reason::new(words))
}

#[cfg(test)]
mod tests;
