//! What stands where.

use super::tree;

/// Everything that may stand at the top.
const TOP: &[&str] = &[
    ".ci",
    ".config",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "README.vi.md",
    "adapters",
    "certs-example",
    "clippy.toml",
    "deny.toml",
    "gateway",
    "justfile",
    "policies",
    "rustfmt.toml",
    "schemas",
    "src",
    "tests",
];

#[test]
fn nothing_stands_at_the_top_that_was_not_agreed() {
    for file in tree::files() {
        let top = file.path.split('/').next().unwrap_or_default();
        assert!(TOP.contains(&top), "`{top}` is not part of the layout");
    }
}

#[test]
fn a_module_is_named_by_its_file() {
    for file in tree::files() {
        assert_ne!(file.name(), "mod.rs", "{}", file.path);
    }
}

#[test]
fn unit_tests_stand_in_a_file_of_their_own() {
    let inline = "mod tests {";
    for file in tree::files().into_iter().filter(tree::SourceFile::is_product) {
        assert!(!file.text.contains(inline), "{} holds its tests", file.path);
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for file in tree::files().into_iter().filter(tree::SourceFile::is_product) {
        let introduction = file.text.lines().take_while(|line| line.starts_with("//!")).count();
        assert!(introduction > 0, "{} does not begin with `//!`", file.path);
        assert!(introduction < 15, "{} begins with {introduction} lines", file.path);
    }
}

#[test]
fn policies_and_schemas_are_named_in_kebab_case() {
    for file in tree::files() {
        if !["policies/", "schemas/"].iter().any(|folder| file.path.starts_with(folder)) {
            continue;
        }
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b);
        assert!(
            file.path.bytes().all(plain) || file.name() == "README.md",
            "{} is not kebab-case",
            file.path
        );
    }
}
