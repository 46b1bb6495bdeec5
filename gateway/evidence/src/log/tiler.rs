//! Cuts durable entries into bundles and tiles. All it writes can be made again from the journal,
//! so nothing here waits for the disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    edge::Edge,
    files::{self, At, FileError, TileError},
    hash::Hash,
    tile::{self, HEIGHT, Kind, Tile, WIDTH},
    tree::{Frontier, Nodes},
};

/// The tiles of the right edge, and how far the full ones have been written.
#[derive(Debug)]
pub(super) struct Tiler {
    directory: PathBuf,
    size: u64,
    bundle: Vec<u8>,
    edge: Edge,
    /// Partial tiles on disk, of the newest checkpoint and the one before.
    partial: [Vec<Tile>; 2],
    /// The folder made last.
    folder: PathBuf,
}

impl Tiler {
    /// Continues a log whose first `size` entries, full bundles all, stand in tiles.
    pub(super) fn resume(directory: &Path, size: u64) -> Result<Self, TileError> {
        Ok(Self {
            directory: directory.to_owned(),
            size,
            bundle: Vec::new(),
            edge: Edge::read(directory, size)?,
            partial: [Vec::new(), Vec::new()],
            folder: PathBuf::new(),
        })
    }

    /// How many entries it has.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// How many entries stand in full bundles.
    pub(super) fn full(&self) -> u64 {
        self.size - self.size % WIDTH
    }

    /// The entries that are not in a full bundle yet, as they will stand in one.
    pub(super) fn bundle(&self) -> &[u8] {
        &self.bundle
    }

    /// The right edge of the tree.
    pub(super) fn frontier(&mut self) -> Result<Frontier, TileError> {
        Frontier::of(self.size, self)
    }

    /// Adds the next entry. What it fills is written.
    pub(super) fn add(&mut self, entry: &[u8], leaf: Hash) -> Result<(), FileError> {
        let put = tile::put(&mut self.bundle, entry);
        put.ok_or_else(|| io::ErrorKind::InvalidData.into()).at(&self.directory)?;
        self.size += 1;
        let index = (self.size - 1) / WIDTH;
        if self.size.is_multiple_of(WIDTH) {
            let bundle = std::mem::take(&mut self.bundle);
            self.write_full(Tile::full(Kind::Entries, index), &bundle)?;
            self.bundle = bundle;
            self.bundle.clear();
        }
        let (mut level, mut node) = (0, leaf);
        while let Some(full) = self.edge.push(level, node) {
            let index = ((self.size - 1) >> (HEIGHT * level)) / WIDTH;
            self.write_full(Tile::full(Kind::Hashes(level), index), &bytes(&full))?;
            let Some(root) = tile::root(&full) else { break };
            (level, node) = (level + 1, root);
        }
        Ok(())
    }

    fn write_full(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.write(tile, bytes)?;
        let partial = path.with_extension("p");
        match fs::remove_dir_all(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at(&partial),
            _ => Ok(()),
        }
    }

    fn write(&mut self, tile: Tile, bytes: &[u8]) -> Result<PathBuf, FileError> {
        let path = self.directory.join(tile.path());
        let folder = path.parent().unwrap_or(&path);
        if folder != self.folder {
            files::folder(folder)?;
            folder.clone_into(&mut self.folder);
        }
        fs::write(&path, bytes).at(&path)?;
        Ok(path)
    }

    /// Writes the tiles that are not full, so that the tree stands whole in the directory. Those of
    /// the checkpoint before stay, for whoever reads at this moment.
    pub(super) fn write_partial(&mut self) -> Result<(), FileError> {
        let tiles: Vec<Tile> = tile::partial(self.size).collect();
        let [written, _] = &self.partial;
        // What a tile holds never changes. To write it again would show it empty to whoever reads it at
        // this moment.
        let new: Vec<Tile> = tiles.iter().filter(|tile| !written.contains(tile)).copied().collect();
        for tile in &new {
            // A folder of partial tiles may have been removed since.
            self.folder.clear();
            match tile.kind {
                Kind::Entries => {
                    let bundle = std::mem::take(&mut self.bundle);
                    let written = self.write(*tile, &bundle);
                    self.bundle = bundle;
                    written?;
                }
                Kind::Hashes(level) => {
                    let nodes = bytes(self.edge.level(level));
                    self.write(*tile, &nodes)?;
                }
            }
        }
        let [newest, before] = std::mem::take(&mut self.partial);
        for tile in before.iter().filter(|tile| !newest.contains(tile) && !tiles.contains(tile)) {
            // It may have gone with its folder, or have become full.
            fs::remove_file(self.directory.join(tile.path())).ok();
        }
        self.partial = [tiles, newest];
        Ok(())
    }

    /// Makes everything written so far durable.
    pub(super) fn sync(&self) -> Result<(), FileError> {
        let folder = fs::File::open(&self.directory).at(&self.directory)?;
        rustix::fs::syncfs(&folder).map_err(Into::into).at(&self.directory)
    }
}

fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect()
}

impl Nodes for Tiler {
    type Error = TileError;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, TileError> {
        let (kind, tile, from, count) = files::within(level, index);
        let edge = (self.size >> (level - level % HEIGHT)) / WIDTH;
        if tile >= edge {
            return self.edge.node(level, index);
        }
        let full = Tile::full(kind, tile);
        let hashes = files::read_hashes(&self.directory, &full)?;
        let node = hashes.get(from..from + count).and_then(tile::root);
        node.ok_or_else(|| TileError::Length(full.path()))
    }
}
