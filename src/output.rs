//! What the command line says, in the language of the person who runs it.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use indicatif::{ProgressBar, ProgressStyle};
use lienthong_model::{diagnostic::Diagnostics, text::Language};
use serde::Serialize;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no.
    No = 1,
    /// Wrong use, found only after reading what was given.
    WrongUse = 2,
    /// Could not run.
    CouldNotRun = 3,
}

/// Where a command speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    language: Language,
}

impl Output {
    pub(crate) fn new(language: Language) -> Self {
        Self { language }
    }

    pub(crate) fn language(self) -> Language {
        self.language
    }

    /// One of two texts.
    pub(crate) fn choose<'a>(self, vi: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::Vietnamese => vi,
            Language::English => en,
        }
    }

    /// A line on standard output. A reader that has gone away is no failure of the command.
    pub(crate) fn line(self, text: impl AsRef<str>) {
        writeln!(io::stdout().lock(), "{}", text.as_ref()).ok();
    }

    /// A line on standard error.
    pub(crate) fn note(self, text: impl AsRef<str>) {
        writeln!(io::stderr().lock(), "{}", text.as_ref()).ok();
    }

    /// A value as JSON on standard output.
    pub(crate) fn json(self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(serde_json::to_string_pretty(value)?);
        Ok(())
    }

    /// Every mistake, then how many there are.
    pub(crate) fn mistakes(self, found: &Diagnostics) -> Exit {
        for diagnostic in found.sorted() {
            self.line(diagnostic.to_string());
        }
        let count = found.sorted().len();
        self.line(match self.language {
            Language::Vietnamese => format!("{count} lỗi"),
            Language::English => format!("{count} mistake{}", if count == 1 { "" } else { "s" }),
        });
        Exit::No
    }

    /// Whether a person watches.
    pub(crate) fn is_terminal(self) -> bool {
        io::stdout().is_terminal()
    }

    /// Says why a command could not run.
    pub(crate) fn fail(self, error: &anyhow::Error) -> ExitCode {
        let word = self.choose("không chạy được", "could not run");
        self.note(format!("lienthong: {word}: {error:#}"));
        Exit::CouldNotRun.into()
    }
}

/// A bar on standard error, where a person watches it.
pub(crate) fn bar(label: &str, length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(label.to_owned());
    bar
}
