//! The text of the policy files and of the OpenAPI documents they name.
//!
//! Takes two directories; gives every file's text under a stable name, `policies/…` or
//! `schemas/…`. Number, size and depth are bounded. A file under `policies/` that no reader would
//! open is a mistake: a rule saved in a misspelt folder must not go missing unseen.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::Path,
};

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document,
};

/// Most files below one directory: more agreements than a city of ten million has.
const MAX_FILES: usize = 65_536;
/// Most bytes below one directory; this is what bounds the memory of a load.
const MAX_TOTAL: usize = 192 << 20;
/// Deepest folder.
const MAX_DEPTH: usize = 8;

/// The text of every file, by name: `policies/…` and `schemas/…`.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    files: BTreeMap<String, String>,
}

impl Bundle {
    /// Reads the files below two directories, bounded in number and size. Names that begin with a
    /// dot are passed over.
    ///
    /// # Errors
    /// Every file that cannot be read, is too large or is not UTF-8.
    pub fn read(policies: &Path, schemas: &Path) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let mut files = BTreeMap::new();
        for (name, directory) in [("policies", policies), ("schemas", schemas)] {
            let mut walk = Walk { files: BTreeMap::new(), total: 0, found: &mut found };
            walk.folder(name, directory, 0);
            files.append(&mut walk.files);
        }
        found.into_result(Self { files })
    }

    /// A bundle of texts already at hand.
    #[must_use]
    pub fn from_files(files: BTreeMap<String, String>) -> Self {
        Self { files }
    }

    /// The text of a file.
    pub(crate) fn text(&self, file: &str) -> Option<&str> {
        self.files.get(file).map(String::as_str)
    }

    /// Every file below a prefix, in order of name.
    pub(crate) fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

struct Walk<'d> {
    files: BTreeMap<String, String>,
    total: usize,
    found: &'d mut Diagnostics,
}

impl Walk<'_> {
    fn fail(&mut self, name: &str, problem: impl Into<String>) {
        self.found.add(name, Position::default(), problem);
    }

    fn folder(&mut self, name: &str, path: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            return self.fail(name, format!("folders are nested deeper than {MAX_DEPTH} levels"));
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.fail(name, format!("cannot be read: {error}")),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.fail(name, format!("cannot be read: {error}")),
            };
            let Ok(stem) = entry.file_name().into_string() else {
                self.fail(name, "holds a file whose name is not UTF-8");
                continue;
            };
            if stem.starts_with('.') {
                continue;
            }
            let child = format!("{name}/{stem}");
            if self.files.len() >= MAX_FILES {
                return self.fail(&child, format!("more than {MAX_FILES} files"));
            }
            match fs::metadata(entry.path()) {
                Ok(kind) if kind.is_dir() => self.folder(&child, &entry.path(), depth + 1),
                Ok(kind) if kind.is_file() => self.file(child, &entry.path()),
                Ok(_) => self.fail(&child, "is neither a file nor a folder"),
                Err(error) => self.fail(&child, format!("cannot be read: {error}")),
            }
        }
    }

    fn file(&mut self, name: String, path: &Path) {
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(error) => return self.fail(&name, format!("cannot be read: {error}")),
        };
        if bytes.len() > document::MAX_BYTES {
            let problem = format!("file is larger than {} bytes", document::MAX_BYTES);
            return self.fail(&name, problem);
        }
        self.total = self.total.saturating_add(bytes.len());
        if self.total > MAX_TOTAL {
            return self.fail(&name, format!("files are larger than {MAX_TOTAL} bytes together"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => drop(self.files.insert(name, text)),
            Err(_) => self.fail(&name, "is not UTF-8"),
        }
    }
}

/// At most one byte more than a file may have, so that a file that grows meanwhile stays bounded.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = document::MAX_BYTES as u64 + 1;
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
