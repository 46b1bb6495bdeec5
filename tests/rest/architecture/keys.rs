//! The page on keys has a row for every secret that a setting names, and no other.

use std::collections::BTreeSet;

use super::tree::{self, SourceFile};

const PAGE: &str = "gateway/docs/keys.md";

/// Settings that name files which are no secrets.
const PUBLIC: &[&str] = &[
    "certificate_file",
    "client_certificate_file",
    "trust_anchor_file",
    "client_trust_anchor_file",
    "tls_trust_anchor_file",
    "sender_trust_anchor_file",
    "signer_file",
];

/// Secrets whose setting does not end in `_file`.
const OTHERS: &[&str] = &["digest_keys"];

fn reads_settings(file: &SourceFile) -> bool {
    let folders = ["gateway/src/config", "adapters/src/config", "adapters/sandbox/src/config"];
    file.is_product() && folders.iter().any(|folder| file.path.starts_with(folder))
}

/// The names of settings that name a secret, with the file that reads them.
fn settings() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in tree::files().into_iter().filter(reads_settings) {
        // Every other part stands between quotation marks.
        for text in file.text.split('"').skip(1).step_by(2) {
            let is_name = text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let names_file = text.ends_with("_file") && !PUBLIC.contains(&text);
            if is_name && (names_file || OTHERS.contains(&text)) {
                found.push((text.to_owned(), file.path.clone()));
            }
        }
    }
    found
}

/// The second column of the table: settings.
fn rows(page: &str) -> Vec<String> {
    let table = page.lines().skip_while(|line| !line.starts_with("| secret | settings |"));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    let second = rows.filter_map(|row| row.split('|').nth(2).map(|cell| cell.trim().to_owned()));
    second.collect()
}

#[test]
fn every_secret_of_the_configurations_has_a_row() {
    let page = tree::files().into_iter().find(|file| file.path == PAGE).expect("the page").text;
    let rows = rows(&page);
    let named = |row: &String| {
        let names = row.split('`').skip(1).step_by(2);
        let last = names.map(|name| name.rsplit('.').next().unwrap_or(name).to_owned());
        last.collect::<Vec<_>>()
    };
    let known: BTreeSet<String> = rows.iter().flat_map(named).collect();
    let settings = settings();
    assert!(settings.len() >= 10, "found {} settings only", settings.len());
    for (setting, file) in &settings {
        assert!(known.contains(setting), "{PAGE} has no row for `{setting}` of {file}");
    }
    for name in known.iter().filter(|name| name.ends_with("_file")) {
        let exists = settings.iter().any(|(setting, _)| setting == name);
        assert!(exists, "{PAGE} has a row for `{name}`, which no configuration reads");
    }
}

#[test]
fn every_row_says_what_is_lost_and_what_a_thief_gains() {
    let page = tree::files().into_iter().find(|file| file.path == PAGE).expect("the page").text;
    let table = page.lines().skip_while(|line| !line.starts_with("| secret | settings |"));
    let rows: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10, "{} rows only", rows.len());
    let columns = rows[0].split('|').count();
    for row in &rows {
        let cells: Vec<&str> = row.split('|').collect();
        assert_eq!(cells.len(), columns, "{row}");
        let inner = &cells[1..columns - 1];
        assert!(inner.iter().all(|cell| !cell.trim().is_empty()), "an empty cell in {row}");
    }
}

#[test]
fn every_purpose_of_the_command_has_a_row() {
    let page = tree::files().into_iter().find(|file| file.path == PAGE).expect("the page").text;
    for purpose in lienthong_gateway::keys::Purpose::ALL {
        let command = format!("`rotate {purpose}");
        assert!(page.contains(&command), "{PAGE} does not say what {command}` does");
    }
}
