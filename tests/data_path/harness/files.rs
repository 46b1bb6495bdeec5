//! The policies and schemas of a test: those of `tests/data_path/world`, or the shipped ones,
//! changed as the test says.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the files come from and what is changed in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    origin: Origin,
    changes: Vec<Change>,
    consents: bool,
}

/// Where the files come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Origin {
    /// The small world of these tests.
    #[default]
    Test,
    /// What the repository ships.
    Shipped,
}

#[derive(Debug, Clone)]
enum Change {
    Replace { file: String, from: String, to: String },
    Write { file: String, text: String },
    Remove { file: String },
}

impl Files {
    /// The policies that the repository ships.
    pub(crate) fn shipped() -> Self {
        Self { origin: Origin::Shipped, ..Self::default() }
    }

    /// With agreements that rest on consent, and their notices.
    pub(crate) fn with_consents(mut self) -> Self {
        self.consents = true;
        self
    }

    /// Whether agreements rest on consent.
    pub(crate) fn rest_on_consent(&self) -> bool {
        self.consents || self.origin == Origin::Shipped
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// Replaces a text, which must be there, wherever it stands in a file.
    pub(crate) fn replace(mut self, file: &str, from: &str, to: &str) -> Self {
        let (file, from, to) = (file.to_owned(), from.to_owned(), to.to_owned());
        self.changes.push(Change::Replace { file, from, to });
        self
    }

    /// Adds a file, or writes another in its place.
    pub(crate) fn add(mut self, file: &str, text: &str) -> Self {
        self.changes.push(Change::Write { file: file.to_owned(), text: text.to_owned() });
        self
    }

    /// Removes a file.
    pub(crate) fn remove(mut self, file: &str) -> Self {
        self.changes.push(Change::Remove { file: file.to_owned() });
        self
    }

    /// Writes `policies` and `schemas` below `directory`.
    pub(crate) fn write(&self, directory: &Path) {
        match self.origin {
            Origin::Test => {
                copy(&repository().join("tests/data_path/world"), directory);
                if self.consents && self.origin == Origin::Test {
                    copy(&repository().join("tests/data_path/world-consents"), directory);
                }
            }
            Origin::Shipped => {
                for folder in ["policies", "schemas"] {
                    copy(&repository().join(folder), &directory.join(folder));
                }
            }
        }
        for change in &self.changes {
            match change {
                Change::Replace { file, from, to } => {
                    let path = directory.join(file);
                    let text = fs::read_to_string(&path).unwrap();
                    assert!(text.contains(from), "`{file}` does not hold `{from}`");
                    fs::write(path, text.replace(from, to)).unwrap();
                }
                Change::Write { file, text } => fs::write(directory.join(file), text).unwrap(),
                Change::Remove { file } => fs::remove_file(directory.join(file)).unwrap(),
            }
        }
    }
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
