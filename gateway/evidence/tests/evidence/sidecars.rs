//! Tampered sidecars: every one is told, with the outcome it is of.

use std::{fs, path::Path};

use lienthong_evidence::{
    entry::{Domain, KeyedDigest},
    sidecar::{self, Sealed, SidecarWriter},
    verify::{Finding, Position, Problem, Report, verify},
};
use tempfile::TempDir;

use crate::{
    samples::{key, numbered, pair, pair_with},
    world::{append_all, copy, open, signer},
};

fn digest(number: u64) -> KeyedDigest {
    key().digest(Domain::DataSubject("citizen_number"), &number.to_string())
}

fn seal(directory: &Path, exchange: u64, numbers: std::ops::Range<u64>) -> Sealed {
    let mut writer = SidecarWriter::begin(directory, numbered(exchange));
    numbers.for_each(|number| writer.add(digest(number)).expect("room"));
    writer.finish().expect("sealed").expect("a sidecar")
}

/// A log of ten exchanges; the outcomes of 3 and 7 have sidecars, at entries 7 and 15.
fn log() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let third = seal(directory.path(), 3, 0..700);
    let seventh = seal(directory.path(), 7, 500..1200);
    let pairs = (0..10).flat_map(|number| match number {
        3 => pair_with(number, third),
        7 => pair_with(number, seventh),
        _ => pair(number),
    });
    append_all(&open(directory.path()), &pairs.collect::<Vec<_>>());
    directory
}

fn judge(directory: &Path) -> Report {
    verify(directory, signer().verifier(), &[]).expect("readable")
}

fn finding(exchange: u64, problem: Problem) -> Finding {
    let path = format!("sidecar/{}", numbered(exchange));
    Finding { position: Position::Sidecar { entry: 2 * exchange + 1, path }, problem }
}

#[test]
fn sidecars_that_are_whole_are_counted() {
    let report = judge(log().path());
    assert_eq!(report.findings, []);
    assert_eq!((report.sidecars, report.intents), (2, 10));
}

#[test]
fn every_tampered_sidecar_is_told_with_its_outcome() {
    let original = log();
    let at = |number| sidecar::path(Path::new(""), numbered(number));
    let third = fs::read(original.path().join(at(3))).expect("a sidecar");
    let seventh = fs::read(original.path().join(at(7))).expect("a sidecar");
    let mut reordered = third.clone();
    reordered[32..64].rotate_left(16);
    let mut repeated = third.clone();
    repeated.copy_within(0..16, 16);
    let mut swapped = third[4096..8192].to_vec();
    swapped.extend(&third[..4096]);
    swapped.extend(&third[8192..]);
    // One person in place of another, and still in order.
    let mut replaced = third.clone();
    replaced[31] ^= 1;
    let changes = [
        (Some(third[..third.len() - 16].to_vec()), Problem::Length),
        (Some(third[..third.len() - 1].to_vec()), Problem::Length),
        (Some(third[16..].to_vec()), Problem::Length),
        (Some([third.as_slice(), &[255; 16]].concat()), Problem::Length),
        (Some(Vec::new()), Problem::Length),
        (Some(reordered), Problem::Order),
        (Some(repeated), Problem::Order),
        (Some(swapped), Problem::Order),
        (Some(replaced), Problem::Sidecar),
        (Some(seventh), Problem::Sidecar),
        (None, Problem::Missing),
    ];
    for (change, problem) in changes {
        let tampered = copy(original.path());
        let path = tampered.path().join(at(3));
        match change {
            Some(bytes) => fs::write(path, bytes).expect("written"),
            None => fs::remove_file(path).expect("removed"),
        }
        assert_eq!(judge(tampered.path()).findings, [finding(3, problem)]);
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_sidecar_is_told() {
    let original = log();
    let path = sidecar::path(original.path(), numbered(7));
    let bytes = fs::read(&path).expect("a sidecar");
    for bit in (0..bytes.len() * 8).step_by(2503) {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, changed).expect("written");
        let report = judge(original.path());
        let told = [finding(7, Problem::Order), finding(7, Problem::Sidecar)];
        assert!(report.findings.len() == 1 && told.contains(&report.findings[0]), "{report:?}");
    }
}

#[test]
fn opening_the_log_clears_what_a_crash_left_and_keeps_what_is_whole() {
    let directory = log();
    let left = directory.path().join("sidecar/unfinished/x");
    fs::create_dir_all(left.parent().expect("a folder")).expect("a folder");
    fs::write(&left, b"half").expect("written");
    drop(open(directory.path()));
    assert!(!left.exists());
    assert_eq!(judge(directory.path()).findings, []);
}
