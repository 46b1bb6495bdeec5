//! `lienthong evidence export`.

use std::fs;

use serde_json::Value;

use super::{EXCHANGE, GOLDEN, log, run};

const COPY: [&str; 6] = ["export", "evidence", "--copy", "--key", "key", "--format"];

#[test]
fn every_entry_is_a_line_as_it_stands_in_the_log() {
    let folder = log();
    let (code, told) = run(folder.path(), &[&COPY[..], &["jsonl"]].concat());
    assert_eq!((code, told.lines().count()), (0, 4));
    let second = told.lines().nth(1).expect("a line");
    let golden = GOLDEN.lines().nth(1).expect("a golden entry");
    assert_eq!(second, format!("{{\"index\":1,\"entry\":{golden}}}"));
    assert!(serde_json::from_str::<Value>(second).is_ok());
}

#[test]
fn the_columns_of_the_table_are_stable() {
    let folder = log();
    let (code, told) = run(folder.path(), &[&COPY[..], &["csv"]].concat());
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!((code, lines.len()), (0, 5));
    assert!(
        lines[0].starts_with("index,at,kind,exchange,sequence,node,acting,via,provider,service,")
    );
    let later =
        "consent,request,revision,right,controller,recipients,collector,channel,participant,due_ms";
    let end = format!(",count,action,operator,role,why,rules,articles,{later}");
    assert!(lines[0].ends_with(&end));
    let begin =
        format!("0,2026-11-21T22:55:05.123Z,intent,{EXCHANGE},0,node-1,H29.40,H29.90,H29.12,");
    assert!(lines[1].starts_with(&begin), "{}", lines[1]);
    let columns = |line: &str| line.matches(',').count();
    assert!(lines.iter().all(|line| columns(line) == columns(lines[0])));
}

#[test]
fn a_time_is_exported_to_a_file_once() {
    let folder = log();
    let out = |from: &'static str, file: &'static str| {
        run(folder.path(), &[&COPY[..], &["jsonl", "--from", from, "--out", file]].concat()).0
    };
    assert_eq!(out("2026-11-22", "a"), 0);
    // The golden entries are of 05:55 on the 22nd in Ho Chi Minh City.
    assert_eq!(fs::read_to_string(folder.path().join("a")).expect("a file").lines().count(), 4);
    assert_eq!(out("2026-11-23", "b"), 0);
    assert_eq!(fs::read(folder.path().join("b")).expect("a file"), b"");
    assert_eq!(out("2026-11-22", "a"), 3, "a file is never overwritten");
}
