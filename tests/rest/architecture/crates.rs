//! Which crate may import which.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use super::tree;

/// Every crate of the workspace and those of our own crates it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("lienthong-model", &[]),
    ("lienthong-policy", &["lienthong-model"]),
    ("lienthong-disclosure", &["lienthong-model"]),
    ("lienthong-evidence", &["lienthong-model"]),
    ("lienthong-store", &["lienthong-model"]),
    ("lienthong-consent", &["lienthong-model", "lienthong-store"]),
    (
        "lienthong-gateway",
        &[
            "lienthong-model",
            "lienthong-policy",
            "lienthong-disclosure",
            "lienthong-evidence",
            "lienthong-store",
            "lienthong-consent",
        ],
    ),
    (
        "lienthong-adapters",
        &["lienthong-model", "lienthong-signature", "lienthong-statistics", "lienthong-store"],
    ),
    ("lienthong-sandbox", &["lienthong-model", "lienthong-signature"]),
    ("lienthong-signature", &[]),
    ("lienthong-statistics", &[]),
    (
        "lienthong-bench",
        &[
            "lienthong-model",
            "lienthong-policy",
            "lienthong-store",
            "lienthong-consent",
            "lienthong-gateway",
            "lienthong-adapters",
            "lienthong-sandbox",
        ],
    ),
    (
        "lienthong",
        &[
            "lienthong-model",
            "lienthong-policy",
            "lienthong-disclosure",
            "lienthong-evidence",
            "lienthong-store",
            "lienthong-consent",
            "lienthong-gateway",
            "lienthong-adapters",
            "lienthong-sandbox",
            "lienthong-signature",
        ],
    ),
];

/// What the tests of a crate may import beside that.
const TESTS_MAY_IMPORT: &[(&str, &str)] = &[("lienthong-adapters", "lienthong-sandbox")];

/// Crates that only compute: no sockets, no database, no event loop.
const PURE: &[&str] = &[
    "lienthong-model",
    "lienthong-policy",
    "lienthong-disclosure",
    "lienthong-signature",
    "lienthong-statistics",
];

const DOES_IO: &[&str] =
    &["axum", "hyper", "hyper-util", "reqwest", "socket2", "sqlx", "tokio", "tokio-rustls"];

/// Libraries that only some of our crates may import.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("argon2", &["lienthong-policy"]),
    ("openssl", &["lienthong-gateway", "lienthong-signature"]),
    ("sntpc", &["lienthong-gateway"]),
    ("cedar-policy", &["lienthong-policy"]),
    ("microlp", &["lienthong-statistics"]),
    ("reqwest", &["lienthong-adapters", "lienthong"]),
    ("sqlx", &["lienthong-store", "lienthong-adapters", "lienthong-sandbox", "lienthong"]),
    ("anyhow", &["lienthong", "lienthong-bench"]),
];

/// The dependencies of every crate of the workspace, of all kinds but what only tests may import.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let imports = |package: &Value| {
        let dependencies = list(&package["dependencies"]);
        let counts = dependencies.iter().filter(|dependency| {
            let pair = (package["name"].as_str(), dependency["name"].as_str());
            let is_for_tests = dependency["kind"] == "dev";
            !is_for_tests || !TESTS_MAY_IMPORT.iter().any(|(a, b)| pair == (Some(*a), Some(*b)))
        });
        counts.map(name).collect()
    };
    list(&metadata["packages"]).iter().map(|package| (name(package), imports(package))).collect()
}

#[test]
fn every_crate_stands_in_the_table_of_imports() {
    let known: Vec<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    for name in dependencies().keys() {
        assert!(known.contains(&name.as_str()), "crate `{name}` has no line in MAY_IMPORT");
    }
}

#[test]
fn imports_point_one_way() {
    let found = dependencies();
    for (name, allowed) in MAY_IMPORT {
        for dependency in found.get(*name).into_iter().flatten() {
            assert!(
                !dependency.starts_with("lienthong") || allowed.contains(&dependency.as_str()),
                "`{name}` may not import `{dependency}`"
            );
        }
    }
}

#[test]
fn pure_crates_have_nothing_to_do_io_with() {
    let found = dependencies();
    for name in PURE {
        for dependency in &found[*name] {
            assert!(!DOES_IO.contains(&dependency.as_str()), "`{name}` imports `{dependency}`");
        }
    }
}

#[test]
fn pure_crates_read_no_clock_and_open_no_socket() {
    let folders = [
        "gateway/model/src/",
        "gateway/policy/src/",
        "gateway/disclosure/src/",
        "adapters/signature/src/",
        "adapters/statistics/src/",
    ];
    let forbidden = ["std::net", "async fn", "SystemTime", "Instant::now", "std::process"];
    for file in tree::files() {
        if !file.is_product() || !folders.iter().any(|f| file.path.starts_with(f)) {
            continue;
        }
        if file.path.ends_with("/testing.rs") {
            continue;
        }
        for word in forbidden {
            assert!(!file.text.contains(word), "{} uses `{word}`", file.path);
        }
        // The bundle is how files come in; all behind it works on text.
        let reads_files = file.text.contains("std::fs") || file.text.contains("fs::read");
        let is_bundle = file.path.starts_with("gateway/policy/src/bundle");
        assert!(!reads_files || is_bundle, "{} reads files", file.path);
    }
}

#[test]
fn libraries_stay_behind_their_crate() {
    for (name, dependencies) in dependencies() {
        for (library, allowed) in KEPT_TO {
            assert!(
                allowed.contains(&name.as_str()) || !dependencies.iter().any(|d| d == library),
                "`{name}` may not import `{library}`"
            );
        }
    }
}

#[test]
fn openssl_signs_documents_and_does_nothing_else() {
    const CMS: &str = "gateway/src/stamp/cms.rs";
    const DOCUMENTS: &str = "adapters/signature/src/";
    let uses = |file: &tree::SourceFile| file.text.contains("openssl::");
    let is_code = |file: &tree::SourceFile| file.is_product() && file.path.ends_with(".rs");
    let users: Vec<String> =
        tree::files().into_iter().filter(|f| is_code(f) && uses(f)).map(|f| f.path).collect();
    assert!(users.iter().any(|path| path == CMS) && users.len() > 1, "{users:?}");
    for path in users {
        let may = path == CMS || path.starts_with(DOCUMENTS);
        assert!(may, "{path}: TLS has aws-lc-rs; OpenSSL is for signatures of documents");
    }
}

#[test]
fn every_crate_takes_the_lints_and_versions_of_the_workspace() {
    for file in tree::files() {
        if file.name() != "Cargo.toml" || file.path.starts_with("tests/") {
            continue;
        }
        assert!(
            file.text.contains("[lints]\nworkspace = true"),
            "{} has lints of its own",
            file.path
        );
        if file.path != "Cargo.toml" {
            let own = file.text.lines().find(|line| line.contains("version = \""));
            assert_eq!(own, None, "{} names a version of its own", file.path);
        }
    }
}
