//! The text of the policy files and of the OpenAPI documents they name.

use std::{collections::BTreeMap, path::Path};

use lienthong_model::diagnostic::{Diagnostics, Position};

/// The text of every file, by name: `policies/…` and `schemas/…`.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    pub(crate) files: BTreeMap<String, String>,
}

impl Bundle {
    /// Reads the files below two directories, bounded in number and size.
    ///
    /// # Errors
    /// Every file that cannot be read.
    pub fn read(policies: &Path, _schemas: &Path) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        found.add(&policies.display().to_string(), Position::default(), "cannot be read");
        Err(found)
    }

    /// A bundle of texts already at hand.
    #[must_use]
    pub fn from_files(files: BTreeMap<String, String>) -> Self {
        Self { files }
    }
}
