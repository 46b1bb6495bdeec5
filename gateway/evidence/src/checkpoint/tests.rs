use lienthong_model::sensitive::Sensitive;

use super::{Checkpoint, CheckpointError};
use crate::{hash::Hash, note::Signer};

fn signer(name: &str) -> Signer {
    Signer::from_seed(name, Sensitive::new([7; 32])).expect("a key")
}

#[test]
fn a_checkpoint_is_read_back_from_its_note() {
    let signer = signer("log.example");
    let checkpoint =
        Checkpoint { origin: "log.example".to_owned(), size: 20_852_163, root: Hash::of(b"x") };
    let note = checkpoint.sign(&signer);
    assert_eq!(Checkpoint::open(note.as_bytes(), signer.verifier()), Ok(checkpoint));
}

#[test]
fn a_signed_text_that_is_no_checkpoint_is_refused() {
    let signer = signer("log.example");
    let root = Hash::of(b"x");
    let texts = [
        "log.example\n".to_owned(),
        format!("log.example\n01\n{root}\n"),
        format!("log.example\n+1\n{root}\n"),
        format!("log.example\n\n{root}\n"),
        format!("log.example\n18446744073709551616\n{root}\n"),
        "log.example\n1\nAAAA\n".to_owned(),
        format!("log.example\n1\n{root}\n\nmore\n"),
    ];
    for text in texts {
        let note = signer.sign(&text);
        let read = Checkpoint::open(note.as_bytes(), signer.verifier());
        assert_eq!(read, Err(CheckpointError::Form), "{text}");
    }
}

#[test]
fn a_checkpoint_of_another_log_is_refused_even_with_our_signature() {
    let signer = signer("log.example");
    let checkpoint =
        Checkpoint { origin: "other.example".to_owned(), size: 1, root: Hash::of(b"x") };
    let note = checkpoint.sign(&signer);
    let read = Checkpoint::open(note.as_bytes(), signer.verifier());
    assert_eq!(read, Err(CheckpointError::Origin));
}
