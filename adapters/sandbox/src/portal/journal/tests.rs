use tempfile::TempDir;

use super::*;

fn entry(code: &str) -> Entry {
    Entry::Case { holder: Holder::Portal, code: code.to_owned(), status: 1, digest: 7.into() }
}

fn replayed(folder: &TempDir) -> Vec<Entry> {
    let mut entries = Vec::new();
    drop(Journal::open(folder.path(), |entry| entries.push(entry)).unwrap());
    entries
}

#[tokio::test]
async fn refuses_a_second_process() {
    let folder = TempDir::new().unwrap();
    let first = Journal::open(folder.path(), |_| {}).unwrap();
    assert!(Journal::open(folder.path(), |_| {}).is_err());
    drop(first);
    assert!(Journal::open(folder.path(), |_| {}).is_ok());
}

#[tokio::test]
async fn refuses_a_journal_with_a_line_that_is_not_its_own() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join(FILE), "{\"c\":1}\n").unwrap();
    assert!(Journal::open(folder.path(), |_| {}).is_err());
}

#[tokio::test]
async fn a_line_that_was_not_finished_goes_and_those_before_it_stay() {
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(folder.path(), |_| {}).unwrap();
    let call = journal.append(&[entry("A"), Entry::Repeat]);
    journal.durable(call).await.unwrap();
    drop(journal);
    let path = folder.path().join(FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let whole = bytes.clone();
    bytes.extend_from_slice(b"{\"c\":{\"holder\":\"n\",\"co");
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(replayed(&folder), [entry("A"), Entry::Repeat]);
    assert_eq!(std::fs::read(&path).unwrap(), whole);
}

#[tokio::test]
async fn what_is_durable_stands_in_the_file_in_the_order_of_the_calls() {
    let folder = TempDir::new().unwrap();
    let journal = Arc::new(Journal::open(folder.path(), |_| {}).unwrap());
    for number in 0..50 {
        let call = journal.append(&[entry(&number.to_string())]);
        if number % 7 == 0 {
            journal.durable(call).await.unwrap();
            let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
            assert_eq!(text.lines().count(), number + 1);
        }
    }
    drop(journal);
    let entries = replayed(&folder);
    assert_eq!(entries, (0..50).map(|n| entry(&n.to_string())).collect::<Vec<_>>());
}

#[test]
fn a_digest_survives_its_halves() {
    for digest in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_1122_3344_5566_7788] {
        assert_eq!(Digest::from(Halves::from(digest)), digest);
    }
}
