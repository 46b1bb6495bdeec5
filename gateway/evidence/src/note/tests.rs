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

#[test]
fn a_log_that_changes_its_key_is_known_by_the_old_and_the_new() {
    let [old, new, foreign] = [1, 2, 3].map(|seed| key("log.example", seed));
    let [old_key, new_key] = [&old, &new].map(|signer| signer.verifier().clone());
    let early = old.sign("early\n");
    let both = new.after(old).expect("of one name");
    let between = both.sign("between\n");
    for verifier in [&old_key, &new_key, both.verifier()] {
        assert_eq!(verifier.open(between.as_bytes()), Ok("between\n"));
    }
    assert_eq!(both.verifier().open(early.as_bytes()), Ok("early\n"));
    assert_eq!(new_key.open(early.as_bytes()), Err(NoteError::Unknown));
    assert_eq!(foreign.verifier().open(between.as_bytes()), Err(NoteError::Unknown));
    // One wrong signature of a known key is enough.
    let stolen = early.replacen("early", "between", 1);
    let (_, line) = stolen.split_once("\n\n").expect("a note");
    let (text, good) = between.split_once("\n\n").expect("a note");
    let mixed = format!("{text}\n\n{}\n{line}", good.lines().next().expect("a line"));
    assert_eq!(both.verifier().open(mixed.as_bytes()), Err(NoteError::Signature));
    assert_eq!(new_key.open(mixed.as_bytes()), Ok("between\n"));
}

#[test]
fn keys_of_several_names_are_no_verifier() {
    let [one, two, other] =
        [("log.example", 1), ("log.example", 2), ("else.example", 3)].map(|(n, s)| key(n, s));
    let text = |signers: &[&Signer]| {
        let lines: Vec<String> = signers.iter().map(|s| s.verifier().to_string()).collect();
        format!("{}\n", lines.join("\n"))
    };
    let parsed = Verifier::parse(&text(&[&one, &two])).expect("keys of one name");
    assert_eq!(parsed.to_string(), text(&[&one, &two]).trim_end());
    assert_eq!(parsed.key(), one.verifier().key());
    assert_eq!(Verifier::parse(&text(&[&one, &other])), Err(NoteError::Name));
    assert_eq!(Verifier::parse(&text(&[&one, &one])), Err(NoteError::Name));
    assert_eq!(Verifier::parse(&format!("{}\n\n", text(&[&one]))), Ok(one.verifier().clone()));
    assert!(Verifier::parse(&format!("{}x", text(&[&one]))).is_err());
    assert_eq!(one.after(other).map(|_| ()), Err(NoteError::Name));
}

fn key(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name, Sensitive::new([seed; 32])).expect("a key")
}
