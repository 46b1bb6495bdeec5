use std::path::Path;

use tempfile::TempDir;

use super::{
    Key,
    build::Builder,
    run::{Beside, Record, Run, Writer},
};
use crate::hash::Hash;

fn number(number: u64) -> Key {
    Key::id(uuid::Uuid::from_u128(u128::from(number)).into())
}

fn records(count: u64, step: u64) -> Vec<Record> {
    (0..count).map(|n| Record { key: (n / 3).wrapping_mul(step), entry: 256 + n % 512 }).collect()
}

fn run(folder: &Path, (first, end): (u64, u64), mut keys: Vec<Record>) -> Run {
    keys.sort_unstable();
    let mut writer = Writer::create(folder, first, end).expect("a file");
    keys.into_iter().for_each(|key| writer.push(key).expect("written"));
    let times = vec![(1, 2); ((end - first) / 256) as usize];
    let beside = Beside { times, ..Beside::default() };
    Run::open(&writer.finish(Hash::of_nothing(), &beside).expect("written")).expect("a run")
}

#[test]
fn keys_are_found_however_they_are_spread() {
    let folder = TempDir::new().expect("a folder");
    for step in [1, u64::MAX / 4000, 1 << 40] {
        let keys = records(9000, step);
        let run = run(folder.path(), (256, 768), keys.clone());
        for wanted in [0, 1, 17, 1500, 2999] {
            let mut found = Vec::new();
            let more = run.find(wanted * step, 100, &mut found).expect("readable");
            let entries = keys.iter().filter(|record| record.key == wanted * step);
            let mut entries: Vec<u64> = entries.map(|record| record.entry).collect();
            entries.sort_unstable();
            assert_eq!((found, more), (entries, false), "{wanted} of {step}");
        }
        let mut found = Vec::new();
        assert!(!run.find(3000 * step + 1, 100, &mut found).expect("readable"));
        assert!(found.is_empty());
    }
}

#[test]
fn one_key_may_fill_many_pages() {
    let folder = TempDir::new().expect("a folder");
    let same = (0..5000).map(|n| Record { key: 7, entry: 256 + n });
    let others = (0..2000).map(|n| Record { key: n << 50, entry: 256 });
    let run = run(folder.path(), (256, 256 + 5120), same.chain(others).collect());
    let mut found = Vec::new();
    assert!(!run.find(7, 10_000, &mut found).expect("readable"));
    assert_eq!(found, (256..5256).collect::<Vec<_>>());
}

#[test]
fn runs_become_one_that_finds_the_same() {
    let folder = TempDir::new().expect("a folder");
    let parts = [(0, 256), (256, 512), (512, 1024)].map(|(first, end)| {
        let keys = (first..end).map(|n| Record { key: number(n % 100).0, entry: n });
        run(folder.path(), (first, end), keys.collect())
    });
    let builder = Builder::new(folder.path(), folder.path(), 1024);
    let merged = Run::open(&builder.merge(&parts).expect("merged")).expect("a run");
    assert_eq!((merged.head.first, merged.head.end, merged.head.records), (0, 1024, 1024));
    for wanted in 0..100 {
        let mut found = Vec::new();
        merged.find(number(wanted).0, 100, &mut found).expect("readable");
        assert_eq!(found, (0..1024).filter(|n| n % 100 == wanted).collect::<Vec<_>>());
    }
    assert!(parts.iter().all(|part| !part.path.exists()));
    assert_eq!(merged.beside().expect("readable").times.len(), 4);
}
