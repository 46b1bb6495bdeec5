//! Writing a snapshot: whole in a file beside it, then in its place.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::{BLOCK, Header, MAGIC, SLOT, slot_bytes};
use crate::{
    index::Index,
    keys::{Checksum, SubjectKey},
    progress::{Progress, Work},
};

/// A file and the checksum of what was written to it.
struct Summed {
    file: File,
    sum: Checksum,
}

impl Summed {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.file.write_all(bytes)
    }
}

/// Writes a snapshot. Changes go on meanwhile; what is newer than the header says may be in it.
///
/// # Errors
/// When the file cannot be written. An older one is still there then.
pub fn write(
    path: &Path,
    key: &SubjectKey,
    index: &Index,
    header: &Header,
    progress: &Progress,
) -> io::Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let mut summed = Summed { file, sum: key.checksum() };
    summed.put(MAGIC)?;
    summed.put(&header.bytes())?;
    let (count, newest) = put_slots(&mut summed, index, header, progress)?;
    // After the statements: what a statement of a moment ago names is in the tables by now.
    put_table(&mut summed, &index.scopes())?;
    put_table(&mut summed, &index.field_sets())?;
    summed.put(&count.to_le_bytes())?;
    summed.put(&newest.to_le_bytes())?;
    let Summed { mut file, sum } = summed;
    file.write_all(&sum.finish())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// How many there are, and the newest revision among them.
fn put_slots(
    summed: &mut Summed,
    index: &Index,
    header: &Header,
    progress: &Progress,
) -> io::Result<(u64, u64)> {
    let (mut count, mut newest) = (0_u64, 0_u64);
    let mut bytes = Vec::with_capacity(BLOCK * SLOT);
    index.each_shard(|slots| {
        let many = u32::try_from(slots.len()).map_err(io::Error::other)?;
        summed.put(&many.to_le_bytes())?;
        for block in slots.chunks(BLOCK) {
            bytes.clear();
            for slot in block {
                newest = newest.max(slot.revision);
                slot_bytes(slot, &mut bytes);
            }
            summed.put(&bytes)?;
        }
        count += u64::from(many);
        progress.tell(Work::WriteSnapshot, count, Some(header.statements));
        Ok::<_, io::Error>(())
    })?;
    Ok((count, newest))
}

fn put_table<T: serde::Serialize>(
    summed: &mut Summed,
    values: &[std::sync::Arc<T>],
) -> io::Result<()> {
    let values: Vec<&T> = values.iter().map(AsRef::as_ref).collect();
    let text = serde_json::to_vec(&values)?;
    summed.put(&(text.len() as u64).to_le_bytes())?;
    summed.put(&text)
}
