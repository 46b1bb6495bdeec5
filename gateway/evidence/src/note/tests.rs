use lienthong_model::sensitive::Sensitive;

use super::{NoteError, Signer, Verifier};

fn signer() -> Signer {
    Signer::from_seed("log.example/node-1", Sensitive::new([7; 32])).expect("a key")
}

#[test]
fn a_note_is_opened_by_its_key_and_no_other() {
    let note = signer().sign("some\ntext\n");
    assert_eq!(signer().verifier().open(note.as_bytes()), Ok("some\ntext\n"));
    let other = Signer::from_seed("log.example/node-1", Sensitive::new([8; 32])).expect("a key");
    assert_eq!(other.verifier().open(note.as_bytes()), Err(NoteError::Unknown));
    let renamed = Signer::from_seed("log.example/node-2", Sensitive::new([7; 32])).expect("a key");
    assert_eq!(renamed.verifier().open(note.as_bytes()), Err(NoteError::Unknown));
}

#[test]
fn every_single_flipped_bit_of_a_note_is_refused() {
    let (signer, note) = (signer(), signer().sign("some\ntext\n").into_bytes());
    for at in 0..note.len() * 8 {
        let mut changed = note.clone();
        changed[at / 8] ^= 1 << (at % 8);
        assert!(signer.verifier().open(&changed).is_err(), "bit {at}");
    }
}

#[test]
fn signatures_of_others_are_left_alone() {
    let note = signer().sign("text\n");
    let other = Signer::generate("witness.example").expect("a key").sign("text\n");
    let both = format!("{note}{}", other.strip_prefix("text\n\n").expect("the same text"));
    assert_eq!(signer().verifier().open(both.as_bytes()), Ok("text\n"));
}

#[test]
fn keys_are_read_back_from_their_text() {
    let signer = Signer::generate("log.example").expect("a key");
    let read = Signer::parse(&signer.secret()).expect("a key");
    assert_eq!(read.verifier(), signer.verifier());
    assert_eq!(Verifier::parse(&signer.verifier().to_string()).as_ref(), Ok(signer.verifier()));
}

#[test]
fn a_key_whose_id_is_another_is_refused() {
    let text = signer().verifier().to_string();
    let renamed = text.replacen("node-1", "node-2", 1);
    assert_eq!(Verifier::parse(&renamed), Err(NoteError::Key));
    for text in ["", "a", "a+b", "a+b+c", "a+00000000+AQ=="] {
        assert_eq!(Verifier::parse(text), Err(NoteError::Key), "{text}");
    }
}

#[test]
fn a_key_name_has_neither_spaces_nor_plus() {
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
        assert_eq!(Signer::generate(name).err(), Some(NoteError::Name), "{name:?}");
    }
}

#[test]
fn what_is_no_note_is_refused_without_a_panic() {
    let verifier = signer();
    let texts = [
        "",
        "\n",
        "\n\n",
        "text",
        "text\n\n",
        "text\n\n—\n",
        "text\n\n— a\n",
        "text\n\n— a b\n",
        "é\n\n",
    ];
    for text in texts {
        assert!(verifier.verifier().open(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let secret = signer().secret();
    let shown = format!("{:?} {secret:?}", signer());
    assert!(!shown.contains("PRIVATE") && shown.contains("[redacted]"), "{shown}");
}
