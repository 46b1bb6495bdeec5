//! Reading a snapshot.

use std::{
    fmt,
    fs::File,
    io::{BufReader, Read as _},
    path::Path,
};

use super::{BLOCK, Header, MAGIC, NotUsed, SLOT, slot};
use crate::{
    fields::Fields,
    index::{Index, SHARDS},
    keys::{Checksum, SubjectKey},
    progress::{Progress, Work},
    scope::Scope,
};

/// A snapshot of which the header was read.
pub struct Opened {
    file: BufReader<File>,
    sum: Checksum,
    /// Bytes that the file still has.
    left: u64,
    header: Header,
}

/// What was in a snapshot.
#[derive(Debug)]
pub struct Loaded {
    /// The index.
    pub index: Index,
    /// The newest revision in it.
    pub newest: u64,
}

/// Opens a snapshot that was made with this key for this store.
///
/// # Errors
/// When it was not, or is none.
pub fn open(path: &Path, key: &SubjectKey, lineage: [u8; 16]) -> Result<Opened, NotUsed> {
    let file = File::open(path)?;
    let left = file.metadata()?.len();
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    if magic != *MAGIC {
        return Err(NotUsed::Form);
    }
    let mut bytes = [0; Header::LENGTH];
    file.read_exact(&mut bytes)?;
    let header = Header::read(&bytes).ok_or(NotUsed::Damaged)?;
    if header.fingerprint != key.fingerprint() {
        return Err(NotUsed::OtherKey);
    }
    if header.lineage != lineage {
        return Err(NotUsed::OtherStore);
    }
    let mut sum = key.checksum();
    sum.update(&magic);
    sum.update(&bytes);
    let left = left.saturating_sub((magic.len() + bytes.len()) as u64);
    Ok(Opened { file, sum, left, header })
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("revision", &self.header.revision).finish_non_exhaustive()
    }
}

impl Opened {
    /// What it is of.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the rest. Nothing of it counts until its checksum does.
    ///
    /// # Errors
    /// When its bytes are not those that were written.
    pub fn load(mut self, progress: &Progress) -> Result<Loaded, NotUsed> {
        let expected = self.header.statements.min(self.left / SLOT as u64);
        let index = Index::ready_for(expected).map_err(|_| NotUsed::Damaged)?;
        let mut read = Counted::default();
        let mut block = vec![0; BLOCK * SLOT];
        for _ in 0..SHARDS {
            self.shard(&index, &mut block, &mut read)?;
            progress.tell(Work::ReadSnapshot, read.count, Some(expected));
        }
        let scopes: Vec<Scope> = self.table()?;
        let fields: Vec<Fields> = self.table()?;
        let tables = read.scopes <= scopes.len() && read.fields <= fields.len();
        let (count, newest) = (self.u64()?, self.u64()?);
        let mut written = [0; 32];
        self.file.read_exact(&mut written)?;
        let whole = self.left == written.len() as u64 && self.sum.finish() == written;
        if !whole || !tables || count != read.count || newest != read.newest {
            return Err(NotUsed::Damaged);
        }
        index.fill(&scopes, &fields).map_err(|_| NotUsed::Damaged)?;
        Ok(Loaded { index, newest })
    }

    fn take(&mut self, bytes: &mut [u8]) -> Result<(), NotUsed> {
        self.file.read_exact(bytes)?;
        self.sum.update(bytes);
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Ok(())
    }

    fn u64(&mut self) -> Result<u64, NotUsed> {
        let mut bytes = [0; 8];
        self.take(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn shard(
        &mut self,
        index: &Index,
        block: &mut [u8],
        read: &mut Counted,
    ) -> Result<(), NotUsed> {
        let mut many = [0; 4];
        self.take(&mut many)?;
        let mut left = u32::from_le_bytes(many) as usize;
        while left > 0 {
            let now = left.min(BLOCK);
            let bytes = block.get_mut(..now * SLOT).ok_or(NotUsed::Damaged)?;
            self.take(bytes)?;
            for bytes in bytes.chunks_exact(SLOT) {
                let slot = slot(bytes).ok_or(NotUsed::Damaged)?;
                read.count += 1;
                read.newest = read.newest.max(slot.revision);
                read.scopes = read.scopes.max(slot.scope as usize + 1);
                read.fields = read.fields.max(slot.fields as usize + 1);
                index.put(slot).map_err(|_| NotUsed::Damaged)?;
            }
            left -= now;
        }
        Ok(())
    }

    fn table<T: serde::de::DeserializeOwned>(&mut self) -> Result<Vec<T>, NotUsed> {
        let length = self.u64()?;
        if length > self.left {
            return Err(NotUsed::Damaged);
        }
        let mut text = vec![0; usize::try_from(length).map_err(|_| NotUsed::Damaged)?];
        self.take(&mut text)?;
        serde_json::from_slice(&text).map_err(|_| NotUsed::Damaged)
    }
}

/// What was read so far.
#[derive(Default)]
struct Counted {
    count: u64,
    newest: u64,
    /// How many scopes there have to be.
    scopes: usize,
    fields: usize,
}
