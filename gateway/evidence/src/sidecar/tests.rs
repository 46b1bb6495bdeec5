//! Sidecars against a set in memory, and proofs against everything that is not one.

use std::collections::BTreeSet;

use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

use super::{merge::Sizes, *};
use crate::{
    entry::{DigestKey, Domain, Period},
    tree::ProofError,
};

/// Runs of 100 digests, three at a time.
const SMALL: Sizes = Sizes { waiting: 16, run: 100, fan: 3 };

fn exchange() -> ExchangeId {
    ExchangeId::parse("018f3c5e-8d2a-4c1b-9e77-0123456789ab").expect("an id")
}

fn digest(number: u64) -> KeyedDigest {
    let key = DigestKey::new(Period::new("2026-q4").expect("one"), &Sensitive::new([3; 32]));
    key.digest(Domain::DataSubject("citizen_number"), &number.to_string())
}

/// The digests of these numbers, written as they come.
fn write(directory: &Path, sizes: Sizes, numbers: impl Iterator<Item = u64>) -> Option<Sealed> {
    let mut writer = SidecarWriter::with(directory, exchange(), sizes);
    numbers.for_each(|number| writer.add(digest(number)).expect("room"));
    writer.finish().expect("sealed")
}

fn written(count: u64) -> (TempDir, Sidecar, Sealed) {
    let directory = TempDir::new().expect("a directory");
    let sealed = write(directory.path(), SMALL, 0..count).expect("a sidecar");
    let sidecar = Sidecar::open(&path(directory.path(), exchange())).expect("a sidecar");
    (directory, sidecar, sealed)
}

#[test]
fn a_sidecar_holds_what_was_added_in_order_and_once() {
    for count in [1, 15, 16, 17, 100, 255, 256, 257, 300, 301, 1000, 5000] {
        let directory = TempDir::new().expect("a directory");
        // Each of them twice, far from one another.
        let numbers = (0..count).chain((0..count).rev());
        let sealed = write(directory.path(), SMALL, numbers).expect("a sidecar");
        let expected: BTreeSet<KeyedDigest> = (0..count).map(digest).collect();
        let sidecar = Sidecar::open(&path(directory.path(), exchange())).expect("a sidecar");
        assert_eq!((sidecar.size(), sealed.size), (count, count));
        let found: Vec<KeyedDigest> = sidecar.iter().map(|found| found.expect("one")).collect();
        assert!(found.iter().eq(expected.iter()), "{count}");
        sidecar.check(sealed).expect("the same");
        let mut tree = Frontier::empty();
        let bytes: Vec<u8> = expected.iter().flat_map(|found| *found.as_bytes()).collect();
        bytes.chunks(4096).for_each(|block| tree.push(Hash::of_leaf(block)));
        assert_eq!(sealed.root, tree.root());
    }
}

#[test]
fn the_usual_sizes_give_the_same_root() {
    let directory = TempDir::new().expect("a directory");
    for count in [4095, 4096, 4097, 70_000] {
        let usual = write(directory.path(), Sizes::USUAL, 0..count);
        assert_eq!(usual, write(directory.path(), SMALL, (0..count).rev()));
    }
}

#[test]
fn nothing_added_makes_no_sidecar() {
    let directory = TempDir::new().expect("a directory");
    assert_eq!(write(directory.path(), SMALL, 0..0), None);
    assert!(!path(directory.path(), exchange()).exists());
}

#[test]
fn a_digest_is_found_when_it_is_there() {
    let (_directory, sidecar, _) = written(3000);
    for number in 0..6000 {
        assert_eq!(sidecar.contains(digest(number)).expect("readable"), number < 3000, "{number}");
    }
}

#[test]
fn a_proof_shows_its_digest_in_its_sidecar_and_no_other() {
    for count in [1, 256, 257, 3000] {
        let (_directory, sidecar, sealed) = written(count);
        let (_other, _, other) = written(count + 1);
        for number in (0..count).step_by(37) {
            let proof = sidecar.prove(digest(number)).expect("readable").expect("a proof");
            let text = proof.to_string();
            assert_eq!(SidecarProof::parse(&text), Ok(proof.clone()));
            proof.check(digest(number), sealed).expect("shown");
            assert_eq!(proof.check(digest(count), sealed), Err(SidecarProofError::Digest));
            assert_eq!(proof.check(digest(number), other), Err(SidecarProofError::Size));
            let other = Sealed { size: count, ..other };
            assert_eq!(proof.check(digest(number), other), Err(ProofError::Root.into()));
        }
        assert_eq!(sidecar.prove(digest(count)).expect("readable"), None);
    }
}

#[test]
fn a_changed_proof_shows_nothing_and_never_panics() {
    let (_directory, sidecar, sealed) = written(700);
    let proof = sidecar.prove(digest(1)).expect("readable").expect("a proof");
    let text = proof.to_string().into_bytes();
    for at in 0..text.len() {
        for with in [text[at] ^ 1, b'\n', b'9', b' '] {
            let mut changed = text.clone();
            changed[at] = with;
            let Ok(changed) = std::str::from_utf8(&changed) else { continue };
            let Ok(changed) = SidecarProof::parse(changed) else { continue };
            assert!(changed == proof || changed.check(digest(1), sealed).is_err(), "byte {at}");
        }
        let cut = std::str::from_utf8(&text[..at]).expect("text");
        assert!(
            SidecarProof::parse(cut).is_err_and(|error| error == SidecarProofError::Form)
                || SidecarProof::parse(cut).is_ok_and(|cut| cut.check(digest(1), sealed).is_err())
        );
    }
}

#[test]
fn a_sidecar_that_was_changed_is_not_the_one_that_was_sealed() {
    let (directory, _, sealed) = written(600);
    let path = path(directory.path(), exchange());
    let bytes = fs::read(&path).expect("a file");
    let check = |changed: &[u8]| {
        fs::write(&path, changed).expect("written");
        Sidecar::open(&path).map_err(SidecarError::File).and_then(|sidecar| sidecar.check(sealed))
    };
    check(&bytes).expect("as it was");
    for bit in (0..bytes.len() * 8).step_by(509) {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(check(&changed), Err(SidecarError::Root | SidecarError::Order)), "{bit}");
    }
    let mut swapped = bytes.clone();
    swapped[..32].rotate_left(16);
    assert!(matches!(check(&swapped), Err(SidecarError::Order)));
    assert!(matches!(check(&bytes[16..]), Err(SidecarError::Length)));
    assert!(matches!(check(&bytes[..bytes.len() - 1]), Err(SidecarError::File(_))));
    assert!(matches!(check(&[]), Err(SidecarError::File(_))));
    let more = [bytes.as_slice(), &[255; 16]].concat();
    assert!(matches!(check(&more), Err(SidecarError::Length)));
}

#[test]
fn what_is_not_finished_leaves_nothing() {
    let directory = TempDir::new().expect("a directory");
    let mut writer = SidecarWriter::with(directory.path(), exchange(), SMALL);
    (0..1000).for_each(|number| writer.add(digest(number)).expect("room"));
    let left = || fs::read_dir(unfinished(directory.path())).expect("a folder").count();
    assert_eq!(left(), 0, "what waits on disk has no name");
    drop(writer);
    let seal = seal::Seal::begin(directory.path(), exchange()).expect("begun");
    assert_eq!(left(), 1);
    drop(seal);
    assert_eq!(left(), 0);
    assert!(!path(directory.path(), exchange()).exists());
}

#[test]
fn what_a_crash_leaves_is_cleared() {
    let (directory, sidecar, sealed) = written(20);
    std::mem::forget(seal::Seal::begin(directory.path(), exchange()).expect("begun"));
    clear(directory.path()).expect("cleared");
    clear(directory.path()).expect("nothing to clear");
    assert!(!unfinished(directory.path()).exists());
    sidecar.check(sealed).expect("still there");
    assert_eq!(write(directory.path(), SMALL, 0..20), Some(sealed));
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_memory_stays_bounded() {
    let directory = TempDir::new().expect("a directory");
    // A file where the folder should be.
    fs::write(folder(directory.path()), b"").expect("written");
    let mut writer = SidecarWriter::with(directory.path(), exchange(), SMALL);
    let taken = (0..100).filter(|number| writer.add(digest(*number)).is_ok()).count();
    assert_eq!(taken, SMALL.waiting);
    assert!(writer.finish().is_err());
}
