//! The shipped policies, less some agreements, with one file changed: every mistake is told with its
//! place, nothing panics, and what is accepted decides.
//!
//! An input is two bytes that choose the file (big endian) and its new text.

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use jiff::civil::{Date, date};
use lienthong_fuzz::Target;
use lienthong_model::{diagnostic::Diagnostics, document};
use lienthong_policy::{Bundle, Decision, Facts, PolicySet, Presence};

const TODAY: Date = date(2026, 11, 20);

fn main() -> ExitCode {
    let mut files = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in ["policies", "schemas"] {
        collect(&root.join(folder), folder, &mut files);
    }
    files.retain(|name, _| is_wanted(name));
    let untouched = check(&Bundle::from_files(files.clone()));
    assert!(!untouched.starts_with('!'), "the shipped policies are refused: {untouched}");
    let names: Vec<String> = files.keys().cloned().collect();
    let seeds = names.iter().enumerate().map(|(number, name)| {
        let number = u16::try_from(number).expect("few files");
        let mut seed = number.to_be_bytes().to_vec();
        seed.extend_from_slice(files.get(name).expect("a file of its own list").as_bytes());
        seed
    });
    let target = Target {
        name: "policy_files",
        seeds: seeds.collect(),
        pieces: &[
            b"\n",
            b"  ",
            b"- ",
            b": ",
            b"{",
            b"}",
            b"[",
            b"]",
            b"\"",
            b"'",
            b"|",
            b">",
            b"#",
            b"&a ",
            b"*a",
            b"<<: ",
            b"!!str ",
            b"---\n",
            b"null",
            b"\"null\"",
            b"no",
            b"012",
            b"pass",
            b"drop",
            b"{keep_last: 4}",
            b"{generalise: year}",
            b"sensitive",
            b"\t",
            b"forbid (principal, action, resource);",
            b"permit (principal, action, resource);",
            b"when { context.today > 0 }",
            b"@id(\"a\")",
            b"2026-13-01",
            b"$ref: '#/x'",
            b"\xc3",
            b"type: object\n",
            b"pattern: '(a+)+$'",
            b"999999999999999999999",
        ],
    };
    target.run(|input| {
        let [first, second, text @ ..] = input else { return "!too short".to_owned() };
        let number = usize::from(u16::from_be_bytes([*first, *second]));
        let Some(name) = names.get(number % names.len().max(1)) else { return "!none".to_owned() };
        let Ok(text) = std::str::from_utf8(text) else { return "!not a text".to_owned() };
        let mut found = Diagnostics::new();
        let tree = document::parse(name, text, &mut found);
        assert!(tree.is_some() || !found.is_empty(), "no tree and no mistake");
        if name.ends_with(".yaml") && !found.is_empty() {
            // Checking all files takes thousands of times as long as reading one.
            return format!("!{}", heads(&found));
        }
        let mut files = files.clone();
        files.insert(name.clone(), text.to_owned());
        check(&Bundle::from_files(files))
    })
}

fn check(bundle: &Bundle) -> String {
    let set = match PolicySet::check(bundle, TODAY) {
        Ok(set) => set,
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused without a mistake");
            return format!("!{}", heads(&mistakes));
        }
    };
    let mut permits = 0_usize;
    for agreement in set.agreements.values() {
        for purpose in agreement.purposes.iter().take(2) {
            let facts = Facts {
                consumer: agreement.consumer.clone(),
                via: None,
                purpose: purpose.clone(),
                today: TODAY,
                officer: Presence::Present,
                dossier: Presence::Present,
            };
            for operation in agreement.operations.values() {
                let decision = operation.decide(&facts);
                permits += usize::from(matches!(*decision, Decision::Permit(_)));
            }
        }
    }
    format!("{permits} permits, {} warnings", set.warnings.len())
}

/// The beginnings of the first mistakes: names of what is wrong differ endlessly.
fn heads(mistakes: &Diagnostics) -> String {
    let all = mistakes.sorted();
    for mistake in &all {
        assert!(!mistake.message.is_empty() && !mistake.message.ends_with('.'));
    }
    let head = |text: &str| text.split('`').next().unwrap_or_default().to_owned();
    all.iter().take(4).map(|m| head(&m.message)).collect::<Vec<_>>().join("|")
}

/// Whether a file is read by every check, or says something of land registration: checking the
/// agreements of all services would leave time for few inputs.
fn is_wanted(name: &str) -> bool {
    let many = ["policies/agreements/", "policies/cases/"].iter().any(|p| name.starts_with(p));
    let is_openapi = !name.starts_with("schemas/") || name.starts_with("schemas/services/");
    is_openapi && (name.contains("land") || !many)
}

fn collect(folder: &Path, name: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("the shipped policies") {
        let entry = entry.expect("an entry");
        let child = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &child, files);
        } else if !child.ends_with(".md") {
            files.insert(child, fs::read_to_string(entry.path()).expect("a text"));
        }
    }
}
