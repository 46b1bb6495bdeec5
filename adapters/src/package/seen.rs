//! Which keys of records a package has had already, in bounded memory however many there are.
//!
//! In: one key after the other. Out: whether it comes for the first time. A key is known by 128 bits of
//! a digest under a key that is made by chance and never written down, so that nobody can choose keys that
//! are taken for each other, and the file that they go to tells nothing. Of 20 million keys any
//! two are taken for one with a probability of 10^-24.
//!
//! The newest are in a table; when it is full it becomes a sorted run in a file without a name. A filter tells for most
//! keys that no run has them, and first values of blocks where a run would have one: one read.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Write as _},
    os::unix::fs::FileExt as _,
    path::PathBuf,
};

use aws_lc_rs::hmac;
use rand::Rng as _;

/// Keys in the table: as many as fit into 2^20 places, 18 MiB.
const FRESH: usize = 917_504;
/// Keys of a block of a run, 4 KiB.
const BLOCK: usize = 256;
/// Bytes of a key.
const BYTES: usize = 16;
/// Bits of the filter, as a power of two: 32 MiB. With 20 million keys it errs for 4 of 1,000.
const FILTER: u32 = 28;
/// Bits that a key sets in it.
const PROBES: u32 = 4;

/// The keys so far.
pub(super) struct Seen {
    secret: hmac::Key,
    fresh: HashSet<u128>,
    most_fresh: usize,
    /// Nothing as long as the table has all.
    filter: Vec<u64>,
    runs: Vec<Run>,
    folder: PathBuf,
    /// The runs, one behind the other.
    file: Option<File>,
    blocks: u64,
}

/// Sorted keys in the file.
struct Run {
    /// The first key of each block.
    firsts: Vec<u128>,
    /// The place of its first block in the file.
    begin: u64,
    keys: usize,
}

impl Seen {
    /// No keys. The folder is where they go when they are many.
    pub(super) fn new(folder: PathBuf) -> Self {
        let mut secret = [0; 32];
        rand::rng().fill_bytes(&mut secret);
        Self {
            secret: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            fresh: HashSet::new(),
            most_fresh: FRESH,
            filter: Vec::new(),
            runs: Vec::new(),
            folder,
            file: None,
            blocks: 0,
        }
    }

    /// Whether a key comes for the first time. It does not any more after this.
    pub(super) fn is_first(&mut self, key: &[u8]) -> io::Result<bool> {
        let digest = hmac::sign(&self.secret, key);
        let print = digest.as_ref().first_chunk().map_or(0, |first| u128::from_be_bytes(*first));
        if self.fresh.contains(&print) || (self.perhaps(print) && self.in_a_run(print)?) {
            return Ok(false);
        }
        self.fresh.insert(print);
        if self.fresh.len() >= self.most_fresh {
            self.put_away()?;
        }
        Ok(true)
    }

    /// Whether a run may have it. Never no where one has.
    fn perhaps(&self, print: u128) -> bool {
        !self.filter.is_empty()
            && places(print)
                .all(|(word, bit)| self.filter.get(word).is_some_and(|word| word & bit != 0))
    }

    fn in_a_run(&self, print: u128) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let mut bytes = [0; BLOCK * BYTES];
        for run in &self.runs {
            let Some(block) = run.firsts.partition_point(|first| *first <= print).checked_sub(1)
            else {
                continue;
            };
            let keys = run.keys.saturating_sub(block.saturating_mul(BLOCK)).min(BLOCK);
            let bytes = bytes.get_mut(..keys.saturating_mul(BYTES)).unwrap_or_default();
            file.read_exact_at(bytes, run.begin.saturating_add(offset(block)))?;
            let (keys, _) = bytes.as_chunks::<BYTES>();
            if keys.binary_search(&print.to_be_bytes()).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a run of the table.
    fn put_away(&mut self) -> io::Result<()> {
        let mut keys: Vec<u128> = self.fresh.drain().collect();
        keys.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(&self.folder)?),
        };
        let mut output = BufWriter::new(&*file);
        for key in &keys {
            output.write_all(&key.to_be_bytes())?;
        }
        // Each run begins with a block of its own.
        let rest = keys.len().next_multiple_of(BLOCK).saturating_sub(keys.len());
        output.write_all(&vec![0; rest.saturating_mul(BYTES)])?;
        output.flush()?;
        drop(output);
        if self.filter.is_empty() {
            self.filter = vec![0; 1 << (FILTER - 6)];
        }
        for key in &keys {
            for (word, bit) in places(*key) {
                if let Some(word) = self.filter.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        let firsts: Vec<u128> = keys.iter().copied().step_by(BLOCK).collect();
        let begin = self.blocks;
        self.blocks = begin.saturating_add(offset(firsts.len()));
        self.runs.push(Run { firsts, begin, keys: keys.len() });
        Ok(())
    }
}

/// Where a block begins, in bytes.
fn offset(block: usize) -> u64 {
    u64::try_from(block.saturating_mul(BLOCK * BYTES)).unwrap_or(u64::MAX)
}

/// The bits of the filter that a key sets, each by its word and in it.
fn places(print: u128) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBES).map(move |probe| {
        let place = (print >> (probe * FILTER)) & ((1 << FILTER) - 1);
        (usize::try_from(place >> 6).unwrap_or(0), 1 << (place & 63))
    })
}

#[cfg(test)]
mod tests;
