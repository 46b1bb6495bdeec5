//! Our checkpoints and keys against `signed_note` and `tlog_tiles`, which somebody else wrote.

use lienthong_evidence::{
    checkpoint::Checkpoint,
    hash::Hash,
    note::{Signer, Verifier},
};
use lienthong_model::sensitive::Sensitive;
use signed_note::{Note, Signer as _, StandardSigner, StandardVerifier, VerifierList};

const ORIGIN: &str = "log.example/node-1";

fn signer() -> Signer {
    Signer::from_seed(ORIGIN, Sensitive::new([7; 32])).expect("a key")
}

#[test]
fn our_checkpoint_is_accepted_by_the_other_implementation() {
    let root = Hash::of(b"root");
    let note = Checkpoint { origin: ORIGIN.to_owned(), size: 42, root }.sign(&signer());

    let verifier = StandardVerifier::new(&signer().verifier().to_string()).expect("a key");
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let note = Note::from_bytes(note.as_bytes()).expect("a note");
    let (verified, unverified) = note.verify(&known).expect("signed by the key");
    assert_eq!((verified.len(), unverified.len()), (1, 0));

    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, 42));
    assert_eq!(&checkpoint.hash().0, root.as_bytes());
}

#[test]
fn a_note_of_the_other_implementation_is_accepted_by_ours() {
    let theirs = StandardSigner::new(signer().secret().expose()).expect("a key");
    let mut note = Note::new(b"some\ntext\n", &[]).expect("a text");
    note.add_sigs(&[&theirs]).expect("signed");
    assert_eq!(theirs.name(), ORIGIN);
    assert_eq!(signer().verifier().open(&note.to_bytes()), Ok("some\ntext\n"));
}

/// The key of `sum.golang.org`, which Go's tools carry with them.
#[test]
fn the_published_key_of_gos_checksum_database_is_read() {
    let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    assert_eq!(Verifier::parse(text).expect("a key").to_string(), text);
}
