//! The files of the repository: what git tracks or would track, or, in an unpacked archive
//! without git, everything but build output.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One text file of the repository.
pub(super) struct SourceFile {
    /// Path from the root, with `/`.
    pub(super) path: String,
    /// Its text; bytes that are not UTF-8 replaced.
    pub(super) text: String,
}

impl SourceFile {
    /// Whether this is Rust code that ships, not a test or a fuzz target.
    pub(super) fn is_product(&self) -> bool {
        self.path.ends_with(".rs")
            && !self.path.starts_with("tests/")
            && !self.path.contains("/tests/")
            && !self.path.ends_with("/tests.rs")
    }

    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file, in order of path.
pub(super) fn files() -> Vec<SourceFile> {
    let mut paths = tracked().unwrap_or_else(|| {
        let mut found = Vec::new();
        walk(&root(), &mut found);
        found
    });
    paths.sort();
    paths.dedup();
    let read = |path: String| {
        // A file that was just removed is still in the index.
        let bytes = fs::read(root().join(&path)).ok()?;
        Some(SourceFile { path, text: String::from_utf8_lossy(&bytes).into_owned() })
    };
    paths.into_iter().filter_map(read).collect()
}

fn tracked() -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .ok()?;
    let listed = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> =
        listed.split('\0').filter(|p| !p.is_empty()).map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | ".git" | "demo-data") {
                walk(&path, found);
            }
            continue;
        }
        let relative = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        found.push(relative);
    }
}
