//! Proofs that an entry is in the log, which need nothing else to be checked: `c2sp.org/tlog-proof`.

use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    checkpoint::{self, Checkpoint, CheckpointError},
    entry::{Entry, ExchangeId},
    files::{self, FileError, TileError, Tiles},
    hash::Hash,
    log::CHECKPOINT,
    note::{MAX_NOTE, NoteError, Verifier},
    tile::{self, Kind, Tile, WIDTH},
    tree,
};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// More hashes than the path of any tree has.
const MOST: usize = 64;

/// That an entry is at its place in the tree of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    index: u64,
    hashes: Vec<Hash>,
    note: String,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not the text of a proof.
    #[error("not a proof")]
    Form,
    /// The checkpoint in it is no use.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not where the proof says.
    #[error(transparent)]
    Tree(#[from] tree::ProofError),
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A tile cannot be used.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The checkpoint is no use.
    #[error("checkpoint of the log is of no use: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// There is no such entry under the newest checkpoint.
    #[error("the checkpoint has {0} entries")]
    Index(u64),
    /// The tiles do not lead to the checkpoint; `verify` tells where they fail.
    #[error("the tiles do not lead to the checkpoint")]
    Broken,
}

impl Proof {
    /// Reads the text of a proof.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        Self::read(text).ok_or(ProofError::Form)
    }

    fn read(text: &str) -> Option<Self> {
        let (head, note) = text.split_once("\n\n").filter(|_| text.len() <= 2 * MAX_NOTE)?;
        let mut lines = head.split('\n').peekable();
        lines.next().filter(|line| *line == FIRST_LINE)?;
        // What others may have put there proves nothing.
        if let Some(extra) = lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            STANDARD.decode(extra).ok()?;
            lines.next();
        }
        let index = checkpoint::decimal(lines.next()?.strip_prefix("index ")?)?;
        let hashes: Vec<Hash> = lines.map(Hash::parse).collect::<Option<_>>()?;
        (hashes.len() <= MOST).then(|| Self { index, hashes, note: note.to_owned() })
    }

    /// The place of the entry.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Checks that this entry is in the log of this key, and gives the checkpoint it is under.
    ///
    /// # Errors
    /// When the proof does not show it.
    pub fn check(&self, entry: &[u8], verifier: &Verifier) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::open(self.note.as_bytes(), verifier)?;
        let leaf = Hash::of_leaf(entry);
        tree::check_inclusion(leaf, self.index, checkpoint.size, checkpoint.root, &self.hashes)?;
        Ok(checkpoint)
    }
}

/// The text of the proof, for a file that ends in `.tlog-proof`.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nindex {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.note)
    }
}

/// A log's directory, as of its newest checkpoint.
#[derive(Debug)]
pub struct Prover<'a> {
    directory: &'a Path,
    checkpoint: Checkpoint,
    note: String,
}

impl<'a> Prover<'a> {
    /// Opens the directory of a log to prove entries that are under its newest checkpoint.
    ///
    /// # Errors
    /// When there is no checkpoint of this key.
    pub fn open(directory: &'a Path, verifier: &Verifier) -> Result<Self, ProveError> {
        let note = files::read(&directory.join(CHECKPOINT), MAX_NOTE as u64)?.unwrap_or_default();
        let checkpoint = Checkpoint::open(&note, verifier)?;
        let note = String::from_utf8(note).map_err(|_| CheckpointError::Note(NoteError::Form))?;
        Ok(Self { directory, checkpoint, note })
    }

    /// The checkpoint that entries are proven under.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// How many entries can be proven.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The entries of an exchange, with their places.
    ///
    /// # Errors
    /// When the entries cannot be read.
    pub fn entries_of(&self, exchange: ExchangeId) -> Result<Vec<(u64, Vec<u8>)>, ProveError> {
        let mut found = Vec::new();
        for bundle in 0..self.size().div_ceil(WIDTH) {
            let bytes = self.bundle(bundle)?;
            for (index, entry) in (bundle * WIDTH..self.size()).zip(tile::entries(&bytes)) {
                let Ok(entry) = entry else { break };
                let is_of = Entry::decode(entry).is_ok_and(|e| e.exchange() == Some(exchange));
                if is_of {
                    found.push((index, entry.to_vec()));
                }
            }
        }
        Ok(found)
    }

    /// An entry, and the proof that it is in the log.
    ///
    /// # Errors
    /// When there is no such entry, or the log is not whole.
    pub fn prove(&self, index: u64) -> Result<(Vec<u8>, Proof), ProveError> {
        let size = self.size();
        if index >= size {
            return Err(ProveError::Index(size));
        }
        let bundle = self.bundle(index / WIDTH)?;
        let place = usize::try_from(index % WIDTH).unwrap_or_default();
        let entry = tile::entries(&bundle).nth(place).and_then(Result::ok);
        let entry = entry.ok_or(ProveError::Broken)?.to_vec();
        let hashes = tree::inclusion(index, size, &mut Tiles::new(self.directory, size))?;
        let (leaf, root) = (Hash::of_leaf(&entry), self.checkpoint.root);
        tree::check_inclusion(leaf, index, size, root, &hashes).map_err(|_| ProveError::Broken)?;
        Ok((entry, Proof { index, hashes, note: self.note.clone() }))
    }

    fn bundle(&self, index: u64) -> Result<Vec<u8>, ProveError> {
        let bundle = Tile::of_tree(Kind::Entries, index, self.size());
        let bundle = bundle.ok_or_else(|| ProveError::Index(self.size()))?;
        Ok(files::read_tile(self.directory, &bundle)?.0)
    }
}
