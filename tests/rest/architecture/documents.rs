//! Documents keep their form, and the words of the code are those of the terms page.

use super::tree::{self, SourceFile};

const DECISIONS: &str = "gateway/docs/decisions/";
const SECTIONS: &[&str] = &["## Decision", "## Why", "## Runner-up", "## What we gave up"];

/// Endings of a type name that say nothing about what it is.
const EMPTY_WORDS: &[&str] =
    &["Manager", "Helper", "Util", "Utils", "Handler", "Processor", "Impl", "Base"];
/// Words for which the terms page has another.
const OTHER_WORDS: &[&str] =
    &["Tenant", "Upstream", "Backend", "Middleware", "Verdict", "Subscription", "Ctx"];

fn decisions() -> Vec<SourceFile> {
    tree::files().into_iter().filter(|file| file.path.starts_with(DECISIONS)).collect()
}

#[test]
fn decision_records_are_numbered_without_a_gap() {
    for (number, record) in (1..).zip(decisions()) {
        let prefix = format!("{number:04}-");
        assert!(record.name().starts_with(&prefix), "{} is not number {number:04}", record.path);
    }
}

#[test]
fn decision_records_say_what_was_given_up() {
    let records = decisions();
    assert!(!records.is_empty(), "no record in {DECISIONS}");
    for record in records {
        let headings: Vec<&str> =
            record.text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, SECTIONS, "{}", record.path);
    }
}

#[test]
fn type_names_use_the_words_of_the_terms_page() {
    for file in tree::files().into_iter().filter(SourceFile::is_product) {
        for name in file.text.lines().filter_map(type_name) {
            let empty = EMPTY_WORDS.iter().find(|word| name.ends_with(*word));
            let other = OTHER_WORDS.iter().find(|word| name.contains(*word));
            assert!(empty.is_none() && other.is_none(), "{}: type `{name}`", file.path);
        }
    }
}

#[test]
fn functions_have_no_get_prefix() {
    for file in tree::files().into_iter().filter(SourceFile::is_product) {
        assert!(!file.text.contains("fn get_"), "{} has a function `get_…`", file.path);
    }
}

/// The name that a line declares as a type.
fn type_name(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
    let rest = ["struct ", "enum ", "trait "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}

#[test]
fn links_between_documents_lead_somewhere() {
    for file in tree::files().into_iter().filter(|file| file.path.ends_with(".md")) {
        let folder = tree::root().join(&file.path);
        let folder = folder.parent().expect("a file stands in a folder");
        for target in links(&file.text) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            assert!(folder.join(path).exists(), "{} links to `{target}`", file.path);
        }
    }
}

/// The targets of `[text](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}
