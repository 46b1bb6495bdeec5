//! A generator of tampered logs. Every one is rejected, with the place where it begins.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use lienthong_evidence::{
    checkpoint::{Checkpoint, CheckpointError},
    hash::Hash,
    log::{Log, Settings},
    note::{NoteError, Signer},
    tile::{self, Kind, Tile},
    tree::Frontier,
    verify::{Position, Problem, Report, verify},
};
use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

use crate::{
    samples::{change, pair},
    world::{ORIGIN, append_all, files, open, settings, signer},
};

/// Two full bundles and a part of one.
const SIZE: u64 = 600;

fn entries() -> Vec<Vec<u8>> {
    (0..SIZE / 3).flat_map(|number| pair(number).into_iter().chain([change(1 + number)])).collect()
}

fn write(directory: &Path, signer: Signer, entries: &[Vec<u8>]) {
    let settings = Settings { signer, ..settings(directory) };
    append_all(&Log::open(settings).expect("a log").0, entries);
}

/// A log, and its files as they should be.
struct Original {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

/// As a copy has them: without the journal, which only the one who writes has need of.
static ORIGINAL: LazyLock<Original> = LazyLock::new(|| {
    let directory = TempDir::new().expect("a directory");
    write(directory.path(), signer(), &entries());
    let kept = files(directory.path());
    let kept = kept.into_iter().filter(|p| p.starts_with("tile") || p == Path::new("checkpoint"));
    let read =
        |path: PathBuf| (path.clone(), fs::read(directory.path().join(path)).expect("a file"));
    Original { files: kept.map(read).collect() }
});

impl Original {
    /// A copy in a directory of its own.
    fn copy(&self) -> TempDir {
        let directory = TempDir::new().expect("a directory");
        for (path, bytes) in &self.files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("written");
        }
        directory
    }

    /// What verifying says of the log with this file changed; none where it is taken away.
    fn with(&self, directory: &Path, path: &Path, bytes: Option<&[u8]>) -> Report {
        let file = directory.join(path);
        match bytes {
            Some(bytes) => fs::write(&file, bytes).expect("written"),
            None => fs::remove_file(&file).expect("removed"),
        }
        let report = judge(directory);
        fs::write(&file, &self.files[path]).expect("restored");
        report
    }

    fn tiles(&self, kind: Kind) -> Vec<(Tile, PathBuf)> {
        let tiles = (0..).map_while(|index| Tile::of_tree(kind, index, SIZE));
        tiles.map(|tile| (tile, PathBuf::from(tile.path()))).collect()
    }
}

fn judge(directory: &Path) -> Report {
    verify(directory, signer().verifier(), &[]).expect("readable")
}

fn first(report: &Report) -> Position {
    report.findings.first().expect("a finding").position.clone()
}

/// Which entry of a bundle each byte belongs to.
fn owners(bundle: &[u8], first: u64) -> Vec<u64> {
    let lengths = tile::entries(bundle).map(|entry| 2 + entry.expect("whole").len());
    (first..).zip(lengths).flat_map(|(index, length)| vec![index; length]).collect()
}

#[test]
fn the_log_itself_is_good() {
    let directory = ORIGINAL.copy();
    let report = judge(directory.path());
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!((report.size, report.intents, report.open_count), (SIZE, SIZE / 3, 0));
    // Every file counts: none is left out of what follows.
    let expected = 1 + 2 * 3 + 1;
    assert_eq!(ORIGINAL.files.len(), expected);
}

#[test]
fn a_flipped_bit_in_an_entry_is_found_at_the_entry() {
    let directory = ORIGINAL.copy();
    for (bundle, path) in ORIGINAL.tiles(Kind::Entries) {
        let bytes = &ORIGINAL.files[&path];
        let owners = owners(bytes, bundle.index * 256);
        for bit in (0..bytes.len() * 8).step_by(15_013).chain(0..16) {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let report = ORIGINAL.with(directory.path(), &path, Some(&changed));
            assert_eq!(first(&report), Position::Entry(owners[bit / 8]), "bit {bit}");
        }
    }
}

#[test]
fn a_flipped_bit_in_a_tile_is_found_in_the_tile() {
    let directory = ORIGINAL.copy();
    for (tile, path) in [Kind::Hashes(0), Kind::Hashes(1)].iter().flat_map(|k| ORIGINAL.tiles(*k)) {
        let bytes = &ORIGINAL.files[&path];
        for bit in (0..bytes.len() * 8).step_by(1009) {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let report = ORIGINAL.with(directory.path(), &path, Some(&changed));
            let Position::Tile { path, .. } = first(&report) else {
                panic!("bit {bit}: {report:?}")
            };
            assert_eq!(path, tile.path());
        }
    }
}

#[test]
fn every_flipped_bit_in_the_checkpoint_is_found() {
    let directory = ORIGINAL.copy();
    let path = Path::new("checkpoint");
    let bytes = &ORIGINAL.files[path];
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let report = ORIGINAL.with(directory.path(), path, Some(&changed));
        assert_eq!(first(&report), Position::Checkpoint, "bit {bit}");
    }
}

#[test]
fn a_file_that_is_gone_cut_repeated_or_in_place_of_another_is_found() {
    let directory = ORIGINAL.copy();
    for (path, bytes) in &ORIGINAL.files {
        let cut = [0, 1, bytes.len() / 2, bytes.len() - 1].map(|length| bytes[..length].to_vec());
        let repeated = [bytes.as_slice(), bytes].concat();
        let others = ORIGINAL.files.iter().filter(|(other, _)| *other != path);
        let changes = cut.into_iter().chain([repeated]).chain(others.map(|(_, b)| b.clone()));
        for change in changes.map(Some).chain([None]) {
            let report = ORIGINAL.with(directory.path(), path, change.as_deref());
            let named = match first(&report) {
                Position::Checkpoint => "checkpoint".into(),
                Position::Tile { path, .. } => PathBuf::from(path),
                Position::Entry(index) => PathBuf::from(
                    Tile::of_tree(Kind::Entries, index / 256, SIZE).expect("one").path(),
                ),
                other => panic!("{}: {other:?}", path.display()),
            };
            assert_eq!(&named, path);
        }
    }
}

/// A change to the list of entries, and where it begins.
fn rewritten() -> Vec<(Vec<Vec<u8>>, u64)> {
    let mut all = Vec::new();
    for at in [0, 1, 255, 300, 512, 598] {
        let index = at as u64;
        let mut dropped = entries();
        dropped.remove(at);
        let mut repeated = entries();
        repeated.insert(at, repeated[at].clone());
        let mut swapped = entries();
        swapped.swap(at, at + 1);
        let mut cut = entries();
        cut[at].pop();
        let mut replaced = entries();
        replaced[at] = pair(9999)[0].clone();
        // A repeated entry is first out of place where its double stands.
        all.extend([(dropped, index), (swapped, index), (cut, index), (replaced, index)]);
        all.push((repeated, index + 1));
    }
    all
}

#[test]
fn entries_dropped_repeated_reordered_or_cut_within_their_bundles_are_found_there() {
    let directory = ORIGINAL.copy();
    for (entries, begins) in rewritten() {
        // The bundles are cut anew; the tiles stay as they were.
        for (bundle, path) in ORIGINAL.tiles(Kind::Entries) {
            let from = usize::try_from(bundle.index * 256).expect("small");
            let mut bytes = Vec::new();
            for entry in entries.iter().skip(from).take(256) {
                tile::put(&mut bytes, entry).expect("fits");
            }
            fs::write(directory.path().join(path), bytes).expect("written");
        }
        let report = judge(directory.path());
        assert_eq!(first(&report), Position::Entry(begins));
    }
}

#[test]
fn a_tree_made_anew_without_the_key_is_not_the_one_that_was_signed() {
    let anchors = anchors(&[100, 256, 400]);
    for (entries, begins) in rewritten() {
        let directory = TempDir::new().expect("a directory");
        let exact: Vec<Vec<u8>> = entries
            .into_iter()
            .chain(pair(7777))
            .take(usize::try_from(SIZE).expect("small"))
            .collect();
        write(directory.path(), signer(), &exact);
        fs::remove_dir_all(directory.path().join("journal")).expect("removed");
        fs::write(directory.path().join("checkpoint"), &ORIGINAL.files[Path::new("checkpoint")])
            .expect("written");
        let report = judge(directory.path());
        let problem = |problem: Problem| report.findings.iter().any(|f| f.problem == problem);
        assert!(
            problem(Problem::Root)
                || problem(Problem::Form)
                || problem(Problem::NoIntent)
                || problem(Problem::Repeated)
                || problem(Problem::Entry),
            "{report:?}"
        );
        // Anchors tell between which of them it begins.
        let report = verify(directory.path(), signer().verifier(), &anchors).expect("readable");
        let from = first(&report).clone();
        let limit = anchors.iter().map(|anchor| anchor.size).find(|size| *size > begins);
        let before = anchors.iter().map(|anchor| anchor.size).rfind(|size| *size <= begins);
        match from {
            Position::From(from) => assert_eq!(from, before.unwrap_or(0), "{begins} {limit:?}"),
            Position::Entry(index) => assert!(index >= begins, "{index} {begins}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Checkpoints of the original at these sizes.
fn anchors(sizes: &[u64]) -> Vec<Checkpoint> {
    let mut tree = Frontier::empty();
    let mut found = Vec::new();
    for entry in entries() {
        tree.push(Hash::of_leaf(&entry));
        if sizes.contains(&tree.size()) {
            let origin = ORIGIN.to_owned();
            found.push(Checkpoint { origin, size: tree.size(), root: tree.root() });
        }
    }
    found
}

#[test]
fn a_log_agrees_with_its_own_anchors() {
    let directory = ORIGINAL.copy();
    let sizes = [1, 255, 256, 257, 512, 599, 600];
    let report = verify(directory.path(), signer().verifier(), &anchors(&sizes)).expect("readable");
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!(report.anchors, sizes);
}

#[test]
fn a_log_rolled_back_or_forked_by_who_has_the_key_is_found_with_an_anchor() {
    let anchors = anchors(&[200, 500]);
    let rolled_back = TempDir::new().expect("a directory");
    write(rolled_back.path(), signer(), &entries()[..300]);
    assert!(judge(rolled_back.path()).is_good(), "no anchor, nothing to see");
    let report = verify(rolled_back.path(), signer().verifier(), &anchors).expect("readable");
    assert_eq!(report.findings[0].problem, Problem::Behind(500));
    assert_eq!((first(&report), report.anchors), (Position::From(300), vec![200]));

    let forked = TempDir::new().expect("a directory");
    let other: Vec<Vec<u8>> =
        entries().into_iter().take(300).chain((1000..1150).flat_map(pair)).collect();
    write(forked.path(), signer(), &other);
    assert!(judge(forked.path()).is_good(), "no anchor, nothing to see");
    let report = verify(forked.path(), signer().verifier(), &anchors).expect("readable");
    assert_eq!(report.findings[0].problem, Problem::Anchor(500));
    assert_eq!((first(&report), report.anchors), (Position::From(200), vec![200]));
}

#[test]
fn an_older_checkpoint_of_the_log_itself_is_found_with_an_anchor() {
    let directory = ORIGINAL.copy();
    let all = anchors(&[256, 300, 599, 600]);
    for older in &all[..3] {
        // Genuine in every way, and the tiles are those of a later tree.
        fs::write(directory.path().join("checkpoint"), older.sign(&signer())).expect("written");
        let report = verify(directory.path(), signer().verifier(), &all[3..]).expect("readable");
        let behind = report.findings.iter().find(|f| f.problem == Problem::Behind(600));
        assert_eq!(behind.map(|f| &f.position), Some(&Position::From(older.size)));
    }
}

#[test]
fn a_checkpoint_of_another_log_or_of_no_log_is_refused() {
    let directory = ORIGINAL.copy();
    let checkpoint = &anchors(&[600])[0];
    let other = Signer::from_seed("log.example/node-2", Sensitive::new([7; 32])).expect("a key");
    let renamed = Checkpoint { origin: "log.example/node-2".to_owned(), ..checkpoint.clone() };
    let cases = [
        // Another node's, signed by it.
        (renamed.sign(&other), CheckpointError::Note(NoteError::Unknown)),
        // Another node's, signed by this one.
        (renamed.sign(&signer()), CheckpointError::Origin),
        // Something else that this log's key has signed.
        (signer().sign("text\n"), CheckpointError::Form),
    ];
    for (note, error) in cases {
        fs::write(directory.path().join("checkpoint"), note).expect("written");
        let report = judge(directory.path());
        assert_eq!(first(&report), Position::Checkpoint);
        assert_eq!(report.findings[0].problem, Problem::Checkpoint(error));
    }
    // Of this log in every way, and of a tree that never was.
    for (size, root) in [(601, checkpoint.root), (599, checkpoint.root), (600, Hash::of(b"x"))] {
        let forged = Checkpoint { size, root, ..checkpoint.clone() };
        fs::write(directory.path().join("checkpoint"), forged.sign(&signer())).expect("written");
        assert!(!judge(directory.path()).is_good(), "{size}");
    }
}

#[test]
fn a_proof_of_another_tree_proves_nothing_here() {
    use lienthong_evidence::proof::{Proof, ProofError, Prover};
    let directory = ORIGINAL.copy();
    let other = TempDir::new().expect("a directory");
    let changed: Vec<Vec<u8>> = (1000..1300).flat_map(pair).collect();
    write(other.path(), signer(), &changed);
    let key = signer();
    let here = Prover::open(directory.path(), key.verifier()).expect("a log");
    let there = Prover::open(other.path(), key.verifier()).expect("a log");
    for index in [0, 255, 256, 599] {
        let (entry, proof) = here.prove(index).expect("a proof");
        let (_, foreign) = there.prove(index).expect("a proof");
        assert!(matches!(foreign.check(&entry, key.verifier()), Err(ProofError::Tree(_))));
        // The hashes of one tree under the checkpoint of the other.
        let (text, foreign) = (proof.to_string(), foreign.to_string());
        let (hashes, _) = text.split_once("\n\n").expect("a proof");
        let (_, checkpoint) = foreign.split_once("\n\n").expect("a proof");
        let spliced = Proof::parse(&format!("{hashes}\n\n{checkpoint}")).expect("a proof");
        assert!(matches!(spliced.check(&entry, key.verifier()), Err(ProofError::Tree(_))));
    }
}

#[test]
fn a_log_of_a_foreign_key_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let foreign = Signer::from_seed(ORIGIN, Sensitive::new([8; 32])).expect("a key");
    write(directory.path(), foreign, &entries()[..4]);
    let report = judge(directory.path());
    assert_eq!(first(&report), Position::Checkpoint);
    let unknown = CheckpointError::Note(NoteError::Unknown);
    assert_eq!(report.findings[0].problem, Problem::Checkpoint(unknown));
}

#[test]
fn a_damaged_journal_is_found_and_what_is_not_signed_yet_is_told() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    append_all(&log, &entries()[..21]);
    log.checkpoint().expect("a checkpoint");
    append_all(&log, &entries()[21..31]);
    // As a crash would leave it: the entries after the checkpoint stand in the journal alone.
    let crashed = crate::world::copy(directory.path());
    drop(log);
    let report = judge(crashed.path());
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!((report.size, report.unsigned), (21, 10));
    assert_eq!((report.intents, report.open, report.open_count), (11, vec![30], 1));

    for name in
        files(&crashed.path().join("journal")).into_iter().filter(|p| p.as_os_str().len() == 20)
    {
        let path = crashed.path().join("journal").join(name);
        let bytes = fs::read(&path).expect("a segment");
        let end = bytes.iter().rposition(|byte| *byte != 0).expect("something");
        for bit in (0..end * 8).step_by(997) {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &changed).expect("written");
            let report = judge(crashed.path());
            assert!(!report.is_good(), "bit {bit} of {}", path.display());
        }
        fs::write(&path, &bytes).expect("restored");
    }
}

#[test]
fn exchanges_without_order_are_found() {
    let [intent, outcome] = pair(1);
    let cases = [
        (vec![outcome.clone()], 0, Problem::NoIntent),
        (vec![intent.clone(), intent.clone(), outcome.clone()], 1, Problem::Repeated),
        (vec![intent.clone(), outcome.clone(), outcome], 2, Problem::NoIntent),
        (vec![intent, b"{}".to_vec()], 1, Problem::Form),
    ];
    for (entries, at, problem) in cases {
        let directory = TempDir::new().expect("a directory");
        write(directory.path(), signer(), &entries);
        let report = judge(directory.path());
        assert_eq!(first(&report), Position::Entry(at));
        assert_eq!(report.findings[0].problem, problem);
    }
}
