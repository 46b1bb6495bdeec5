//! Files of a log: read whole, written so that a crash leaves the old or the new one, and the tree's
//! nodes as they stand in tiles.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    archive,
    hash::Hash,
    tile::{self, HEIGHT, Kind, Tile, WIDTH},
    tree::Nodes,
};

/// A file or directory that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl FileError {
    /// Whether it is larger than such a file can be: then it is not what it should be.
    pub(crate) fn is_too_large(&self) -> bool {
        self.source.kind() == io::ErrorKind::FileTooLarge
    }
}

/// Names the file in an error.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T, FileError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, FileError> {
        self.map_err(|source| FileError { path: path.to_owned(), source })
    }
}

/// Reads a file of at most `most` bytes; none when it is not there.
///
/// # Errors
/// When it cannot be read, or is larger.
pub fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, FileError> {
    match fs::metadata(path) {
        Ok(data) if data.len() > most => {
            Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than it can be")).at(path)
        }
        Ok(_) => fs::read(path).map(Some).at(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).at(path),
    }
}

/// Puts a file in place of an older one: at any instant one of the two is there, whole.
///
/// # Errors
/// When it cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let new = path.with_extension("new");
    let mut file = File::create(&new).at(&new)?;
    file.write_all(bytes).at(&new)?;
    file.sync_data().at(&new)?;
    fs::rename(&new, path).at(path)?;
    sync_parent(path)
}

/// Makes the names in the folder of a file durable.
pub(crate) fn sync_parent(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().unwrap_or(path);
    File::open(parent).and_then(|folder| folder.sync_all()).at(parent)
}

/// Creates a folder, and those above it, that only the owner may enter.
///
/// # Errors
/// When it cannot be created.
pub fn folder(path: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).at(path)
}

/// Opens a file to read and write; creates it when it is not there.
pub(crate) fn open(path: &Path) -> Result<File, FileError> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).at(path)
}

/// Largest bundle there can be.
const MAX_BUNDLE: u64 = WIDTH * (2 + tile::MAX_ENTRY as u64);

/// Why a tile could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no such file.
    #[error("`{0}` is missing")]
    Missing(String),
    /// It does not hold what its name says.
    #[error("`{0}` has the wrong length")]
    Length(String),
}

/// The bytes of a tile, or of the full one when the partial one is no longer there, or of that as it was
/// archived; and how wide what was read has to be.
pub(crate) fn read_tile(directory: &Path, tile: &Tile) -> Result<(Vec<u8>, u64), TileError> {
    let full = Tile::full(tile.kind, tile.index);
    for tile in [tile, &full] {
        match read(&directory.join(tile.path()), MAX_BUNDLE) {
            Ok(Some(bytes)) => return Ok((bytes, tile.width)),
            Ok(None) => {}
            Err(error) if error.is_too_large() => return Err(TileError::Length(tile.path())),
            Err(error) => return Err(error.into()),
        }
    }
    if tile.kind == Kind::Entries
        && let Some(bytes) = archive::read(directory, &full)?
    {
        return Ok((bytes, WIDTH));
    }
    Err(TileError::Missing(tile.path()))
}

/// The hashes of a tile, as many as it is wide.
pub(crate) fn read_hashes(directory: &Path, tile: &Tile) -> Result<Vec<Hash>, TileError> {
    let (bytes, width) = read_tile(directory, tile)?;
    let wrong = || TileError::Length(tile.path());
    let mut hashes = tile::hashes(&bytes).ok_or_else(wrong)?;
    if hashes.len() as u64 != width {
        return Err(wrong());
    }
    hashes.truncate(usize::try_from(tile.width).map_err(|_| wrong())?);
    Ok(hashes)
}

/// The nodes of a tree as its tiles on disk have them; the tile read last is kept.
#[derive(Debug)]
pub struct Tiles<'a> {
    directory: &'a Path,
    size: u64,
    last: Option<(Tile, Vec<Hash>)>,
}

impl<'a> Tiles<'a> {
    /// The tree of the first `size` entries of the log in this directory.
    #[must_use]
    pub fn new(directory: &'a Path, size: u64) -> Self {
        Self { directory, size, last: None }
    }
}

impl Nodes for Tiles<'_> {
    type Error = TileError;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, TileError> {
        let (kind, index, from, count) = within(level, index);
        let tile = Tile::of_tree(kind, index, self.size);
        let tile = tile.ok_or_else(|| TileError::Missing(Tile::full(kind, index).path()))?;
        let hashes = match self.last.take() {
            Some((last, hashes)) if last == tile => hashes,
            _ => read_hashes(self.directory, &tile)?,
        };
        let node = hashes.get(from..from + count).and_then(tile::root);
        self.last = Some((tile, hashes));
        node.ok_or_else(|| TileError::Length(tile.path()))
    }
}

/// Where a node of the tree stands: the tile, and which of its hashes the node is over.
pub(crate) fn within(level: u32, index: u64) -> (Kind, u64, usize, usize) {
    let above = level % HEIGHT;
    let first = index << above;
    // Less than 256 both.
    let from = usize::try_from(first % WIDTH).unwrap_or_default();
    (Kind::Hashes(level / HEIGHT), first / WIDTH, from, 1 << above)
}
