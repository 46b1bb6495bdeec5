use super::*;

const GOLDEN: &str = include_str!("../../../tests/evidence/entries.jsonl");

#[test]
fn a_glance_sees_what_reading_sees() {
    let (mut seen, mut kinds) = (0, std::collections::HashSet::new());
    for line in GOLDEN.lines() {
        let entry = Entry::decode(line.as_bytes()).expect("an entry");
        let expected = match &entry {
            Entry::Intent(e) => Some((e.exchange, e.sequence, "begins")),
            Entry::Progress(e) => Some((e.exchange, e.sequence, "goes on")),
            Entry::Outcome(e) => Some((e.exchange, e.sequence, "ends")),
            Entry::Interrupted(e) => Some((e.exchange, e.sequence, "ends")),
            _ => None,
        };
        let step = |step| match step {
            Step::Begins => "begins",
            Step::GoesOn => "goes on",
            Step::Ends => "ends",
        };
        let found = glance(line.as_bytes()).map(|(id, sequence, s)| (id, sequence, step(s)));
        assert_eq!(found, expected, "{line}");
        seen += usize::from(found.is_some());
        kinds.extend(expected.map(|(_, _, step)| step));
    }
    assert!(seen >= 4 && kinds.len() == 3, "{seen} {kinds:?}");
}

#[test]
fn bytes_that_are_no_entry_are_passed_over() {
    let intent = GOLDEN.lines().find(|line| line.contains("\"intent\"")).expect("an intent");
    let end = intent.find(",\"sequence\":0").expect("its sequence") + ",\"sequence\":0".len();
    for length in 0..intent.len() {
        let mut following = Following::new();
        following.take_in(&intent.as_bytes()[..length]);
        let whole = length >= end;
        assert_eq!(following.count(), Some(usize::from(whole)), "{length}");
    }
}

fn intent(number: u128) -> Vec<u8> {
    let id = ExchangeId::from(Uuid::from_u128(number));
    format!("{{\"exchange\":\"{id}\",\"kind\":\"intent\",\"sequence\":0}}").into_bytes()
}

#[test]
fn more_than_can_be_followed_are_not_followed() {
    let mut following = Following::new();
    (0..MOST_OPEN as u128).for_each(|number| following.take_in(&intent(number)));
    assert_eq!(following.count(), Some(MOST_OPEN));
    following.take_in(&intent(u128::MAX));
    assert_eq!((following.count(), following.all().len()), (None, 0));
    // The file, which would not be true, is not written.
    let directory = tempfile::tempdir().expect("a directory");
    let at = Checkpoint { origin: "o".to_owned(), size: 1, root: Hash::of(b"") };
    following.write(directory.path(), &at).expect("nothing to do");
    assert!(!directory.path().join(OPEN).exists());
}

#[test]
fn the_file_is_read_as_it_was_written_and_any_change_to_it_is_seen() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut following = Following::new();
    (1..4).for_each(|number| following.take_in(&intent(number)));
    let at = Checkpoint { origin: "o".to_owned(), size: 3, root: Hash::of(b"") };
    following.write(directory.path(), &at).expect("written");
    let read = Following::read(directory.path(), "o").expect("the file");
    assert_eq!((read.0.all(), read.1, read.2), (following.all(), 3, at.root));
    assert!(Following::read(directory.path(), "another").is_none());
    let path = directory.path().join(OPEN);
    let whole = std::fs::read(&path).expect("the file");
    for bit in 0..whole.len() * 8 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, changed).expect("written");
        assert!(Following::read(directory.path(), "o").is_none(), "bit {bit}");
    }
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).expect("written");
        assert!(Following::read(directory.path(), "o").is_none(), "cut at {length}");
    }
}
