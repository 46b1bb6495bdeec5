//! Proofs that need nothing but the entry and the key of the log.

use lienthong_evidence::{
    note::Signer,
    proof::{Proof, ProofError, ProveError, Prover},
};
use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

use crate::{
    samples::{numbered, pair},
    world::{ORIGIN, append_all, open, signer},
};

const EXCHANGES: u64 = 300;

fn log() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let entries: Vec<Vec<u8>> = (0..EXCHANGES).flat_map(pair).collect();
    append_all(&open(directory.path()), &entries);
    directory
}

#[test]
fn every_entry_of_an_exchange_is_found_and_proven() {
    let directory = log();
    let key = signer();
    let prover = Prover::open(directory.path(), key.verifier()).expect("a log");
    assert_eq!(prover.size(), 2 * EXCHANGES);
    for number in [0, 1, 127, 128, 255, 299] {
        let found = prover.entries_of(numbered(number)).expect("readable");
        let places: Vec<u64> = found.iter().map(|(index, _)| *index).collect();
        assert_eq!(places, [2 * number, 2 * number + 1]);
        for (index, entry) in found {
            let (proven, proof) = prover.prove(index).expect("a proof");
            assert_eq!(proven, entry);
            let read = Proof::parse(&proof.to_string()).expect("a proof");
            assert_eq!((&read, read.index()), (&proof, index));
            let checkpoint = read.check(&entry, key.verifier()).expect("proven");
            assert_eq!(checkpoint.size, 2 * EXCHANGES);
        }
    }
    assert!(prover.entries_of(numbered(EXCHANGES)).expect("readable").is_empty());
    assert!(matches!(prover.prove(2 * EXCHANGES), Err(ProveError::Index(_))));
}

#[test]
fn a_proof_is_of_its_entry_its_place_and_its_log_alone() {
    let directory = log();
    let key = signer();
    let prover = Prover::open(directory.path(), key.verifier()).expect("a log");
    let (entry, proof) = prover.prove(300).expect("a proof");
    let (other, other_proof) = prover.prove(301).expect("a proof");
    assert!(matches!(proof.check(&other, key.verifier()), Err(ProofError::Tree(_))));
    assert!(matches!(other_proof.check(&entry, key.verifier()), Err(ProofError::Tree(_))));
    let foreign = Signer::from_seed(ORIGIN, Sensitive::new([8; 32])).expect("a key");
    assert!(matches!(proof.check(&entry, foreign.verifier()), Err(ProofError::Checkpoint(_))));
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_proof_is_refused() {
    let directory = log();
    let key = signer();
    let prover = Prover::open(directory.path(), key.verifier()).expect("a log");
    let (entry, proof) = prover.prove(17).expect("a proof");
    let text = proof.to_string().into_bytes();
    let proves = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).ok()?;
        Proof::parse(text).ok()?.check(&entry, key.verifier()).ok()
    };
    assert!(proves(&text).is_some());
    for bit in 0..text.len() * 8 {
        let mut changed = text.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(proves(&changed), None, "bit {bit}");
    }
    for length in 0..text.len() {
        assert_eq!(proves(&text[..length]), None, "cut at {length}");
    }
    let lines: Vec<&str> =
        std::str::from_utf8(&text).expect("text").split_inclusive('\n').collect();
    for at in 0..lines.len() {
        let without: String = lines[..at].iter().chain(&lines[at + 1..]).copied().collect();
        assert_eq!(proves(without.as_bytes()), None, "without line {at}");
    }
}

#[test]
fn extra_data_of_others_is_passed_over_and_proves_nothing() {
    let directory = log();
    let key = signer();
    let prover = Prover::open(directory.path(), key.verifier()).expect("a log");
    let (entry, proof) = prover.prove(3).expect("a proof");
    let text = proof.to_string().replacen("\nindex", "\nextra YWJj\nindex", 1);
    let read = Proof::parse(&text).expect("a proof");
    assert!(read.check(&entry, key.verifier()).is_ok());
    let text = text.replacen("YWJj", "a b", 1);
    assert_eq!(Proof::parse(&text).err(), Some(ProofError::Form));
}
