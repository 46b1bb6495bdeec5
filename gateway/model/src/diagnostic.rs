//! Mistakes in files, collected so that all of them are told at once.

use std::fmt;

/// A place in a file. Lines and columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Line, from 1; 0 when the whole file is meant.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One mistake: where, what, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file, relative to the directory that was checked.
    pub file: String,
    /// Where in the file.
    pub at: Position,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What was expected, the nearest right name, or what to do.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.at.line > 0 {
            write!(f, ":{}:{}", self.at.line, self.at.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n    = {help}")?;
        }
        Ok(())
    }
}

/// All mistakes found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a mistake.
    pub fn add(&mut self, file: &str, at: Position, message: impl Into<String>) {
        self.push(file, at, message.into(), None);
    }

    /// Adds a mistake and how to mend it.
    pub fn add_with_help(
        &mut self,
        file: &str,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(file, at, message.into(), Some(help.into()));
    }

    fn push(&mut self, file: &str, at: Position, message: String, help: Option<String>) {
        self.0.push(Diagnostic { file: file.to_owned(), at, message, help });
    }

    /// Takes over the mistakes of another collection.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many mistakes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The mistakes in order of file and place.
    #[must_use]
    pub fn sorted(&self) -> Vec<Diagnostic> {
        let mut all = self.0.clone();
        all.sort();
        all.dedup();
        all
    }

    /// `Ok(value)` when nothing is wrong.
    ///
    /// # Errors
    /// The mistakes, when there are any.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.sorted();
        for diagnostic in &all {
            writeln!(f, "{diagnostic}")?;
        }
        write!(f, "{} mistake{}", all.len(), if all.len() == 1 { "" } else { "s" })
    }
}

impl std::error::Error for Diagnostics {}

/// The nearest of `known` to a name that is not among them, if one is near enough to be a slip.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().div_ceil(3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}
