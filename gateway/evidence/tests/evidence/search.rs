//! Index, search and archive over logs of many exchanges.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
    path::Path,
};

use lienthong_evidence::{
    archive::{ArchiveError, Archived, archive},
    entry::{
        Consent, ConsentAction, Domain, Entry, ExchangeId, Intent, KeyedDigest, Outcome, Right,
        Role, Subject,
    },
    index::{Index, Key},
    log::Log,
    proof::Prover,
    published::Published,
    reader::Reader,
    search::{Hits, MayHold, Query, search},
    sidecar::{self, Sealed, SidecarWriter},
    tile::{Kind, Tile},
    verify::verify,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    samples,
    world::{append_all, copy, files, open, signer},
};

const GOLDEN: &str = include_str!("entries.jsonl");
/// When the first exchange was, and how far they are apart.
const BEGIN: u64 = 1_795_301_705_123;
const APART: u64 = 1000;
/// How many people the exchanges are about, one after another.
const PEOPLE: u64 = 50;

fn id(number: u64) -> ExchangeId {
    Uuid::from_u128(0x018f_3c5e_8d2a_4c1b_9e77_0000_0000_0000 + u128::from(number)).into()
}

fn person(number: u64) -> KeyedDigest {
    let identifier = format!("07900000{:04}", number % PEOPLE);
    samples::key().digest(Domain::DataSubject("citizen_number"), &identifier)
}

fn officer(number: u64) -> KeyedDigest {
    samples::key().digest(Domain::Officer, &format!("officer {}", number % 7))
}

fn is_open(number: u64) -> bool {
    number % 100 == 13
}

fn is_interrupted(number: u64) -> bool {
    number % 100 == 14
}

/// The intent of an exchange and its end. Of every other one the answer is about the person next
/// to the one that was asked for.
fn exchange(number: u64) -> Vec<Vec<u8>> {
    let mut lines = GOLDEN.lines().map(str::as_bytes);
    let mut line = |nth| Entry::decode(lines.nth(nth).expect("a line")).expect("an entry");
    let Entry::Intent(mut intent) = line(0) else { panic!("an intent") };
    let Entry::Interrupted(mut end) = line(4) else { panic!("an interruption") };
    let Entry::Outcome(mut outcome) = line(6) else { panic!("an outcome") };
    let at_ms = BEGIN + number * APART;
    (intent.exchange, intent.at_ms) = (id(number), at_ms);
    intent.subjects = vec![Subject { digest: person(number), role: Role::Owner }];
    intent.officer = Some(officer(number));
    (outcome.exchange, outcome.at_ms) = (id(number), at_ms + 5);
    if number.is_multiple_of(2) {
        outcome.subjects = vec![Subject { digest: person(number + 1), role: Role::Related }];
    }
    (end.exchange, end.at_ms) = (id(number), at_ms + 9);
    let end = match number {
        _ if is_open(number) => None,
        _ if is_interrupted(number) => Some(Entry::Interrupted(end).encode()),
        _ => Some(Entry::Outcome(outcome).encode()),
    };
    [Some(Entry::Intent(intent).encode()), end].into_iter().flatten().collect()
}

fn put(log: &Log, numbers: std::ops::Range<u64>) {
    append_all(log, &numbers.flat_map(exchange).collect::<Vec<_>>());
}

/// A log of this many exchanges, closed.
fn log_of(exchanges: u64) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    put(&open(directory.path()), 0..exchanges);
    directory
}

fn reader(directory: &Path) -> Reader {
    Reader::open(directory, signer().verifier()).expect("a log")
}

fn index(reader: &Reader) -> Index {
    Index::open(reader, None, &mut |_| {}).expect("an index")
}

fn look(directory: &Path, query: &Query) -> Hits {
    let mut reader = reader(directory);
    let mut index = index(&reader);
    search(&mut reader, &mut index, query, &mut |_, _| {}).expect("a search")
}

fn about(number: u64) -> Query {
    Query { subject: vec![person(number)], ..Query::default() }
}

/// The exchanges that are about a person, by what was written.
fn expected(person: u64, exchanges: u64) -> Vec<ExchangeId> {
    let answers = |n: u64| n.is_multiple_of(2) && !is_open(n) && !is_interrupted(n);
    let is_about = |n: &u64| n % PEOPLE == person || (answers(*n) && (n + 1) % PEOPLE == person);
    (0..exchanges).filter(is_about).map(id).collect()
}

fn ids(hits: &Hits) -> Vec<ExchangeId> {
    let mut ids: Vec<_> = hits.found.iter().filter_map(|unit| unit.exchange()).collect();
    ids.sort();
    ids
}

#[test]
fn every_exchange_of_a_data_subject_is_found_and_no_other() {
    let directory = log_of(700);
    for number in [0, 1, 13, 14, 49] {
        let hits = look(directory.path(), &about(number));
        assert_eq!(ids(&hits), expected(number, 700), "person {number}");
        assert!(!hits.more);
    }
    let stranger = samples::key().digest(Domain::DataSubject("citizen_number"), "1");
    let hits = look(directory.path(), &Query { subject: vec![stranger], ..Query::default() });
    assert!(hits.found.is_empty());
}

#[test]
fn what_has_no_outcome_may_be_about_anybody() {
    let directory = log_of(700);
    let hits = look(directory.path(), &about(1));
    let count = |why| hits.may_hold.iter().filter(|(other, _)| *other == why).count();
    assert_eq!((count(MayHold::Open), count(MayHold::Interrupted)), (7, 7));
    // One of them is about that person for certain.
    let hits = look(directory.path(), &about(13));
    assert_eq!(hits.may_hold.len(), 14 - 7);
    let by_officer = Query { officer: vec![officer(13)], ..about(1) };
    let hits = look(directory.path(), &by_officer);
    assert!(hits.may_hold.iter().all(|(_, unit)| {
        unit.decoded().any(|(_, e)| matches!(e, Entry::Intent(i) if i.officer == Some(officer(13))))
    }));
    assert!(!hits.may_hold.is_empty());
}

#[test]
fn pages_tell_every_exchange_once() {
    let directory = log_of(700);
    for most in [1, 3, 1000] {
        let (mut after, mut found, mut pages) = (None, Vec::new(), 0);
        loop {
            let hits = look(directory.path(), &Query { after, most, ..about(13) });
            assert!(hits.found.len() <= most);
            assert_eq!(hits.may_hold.is_empty(), after.is_some());
            found.extend(hits.found.iter().filter_map(|unit| unit.exchange()));
            pages += 1;
            let Some(next) = hits.next else { break };
            assert!(after < Some(next));
            after = Some(next);
        }
        found.sort();
        assert_eq!(found, expected(13, 700), "{most} each");
        assert!(pages >= found.len() / most);
    }
}

#[test]
fn conditions_hold_together() {
    let directory = log_of(700);
    let query = Query { officer: vec![officer(3)], ..about(10) };
    let wanted = expected(10, 700);
    let both: Vec<_> =
        (0..700).filter(|n| n % 7 == 3).map(id).filter(|id| wanted.contains(id)).collect();
    assert_eq!(ids(&look(directory.path(), &query)), both);
    let exchange = Query { exchange: Some(id(20)), ..Query::default() };
    let hits = look(directory.path(), &exchange);
    assert_eq!((ids(&hits), hits.found[0].entries().len()), (vec![id(20)], 2));
    let named = |service: &str, participant: &str| Query {
        service: Some(service.to_owned()),
        participant: Some(participant.to_owned()),
        ..Query::default()
    };
    assert_eq!(look(directory.path(), &named("civil-status", "H29.12")).found.len(), 700);
    assert_eq!(look(directory.path(), &named("civil-status", "H29.13")).found.len(), 0);
    let few = Query { most: 5, ..named("civil-status", "H29.90") };
    let hits = look(directory.path(), &few);
    assert_eq!((hits.found.len(), hits.more), (5, true));
}

#[test]
fn a_time_is_found_though_the_clock_was_set_back() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    // The second half was written while the clock went as in the first.
    put(&log, 0..600);
    put(&log, 200..500);
    drop(log);
    let (from_ms, until_ms) = (BEGIN + 300 * APART, BEGIN + 309 * APART);
    let hits = look(directory.path(), &Query { from_ms, until_ms, ..Query::default() });
    assert_eq!(ids(&hits), (300..310).map(id).collect::<Vec<_>>());
    // Both uses of the id, of which the log itself has something to say.
    assert!(
        hits.found.iter().all(|unit| unit.entries().len() > 2 || unit.entries().len() % 2 == 0)
    );
    let one = Query { from_ms, until_ms, ..about(1) };
    assert_eq!(ids(&look(directory.path(), &one)), [id(300), id(301)]);
}

#[test]
fn entries_that_are_not_signed_yet_are_found() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    put(&log, 0..300);
    log.checkpoint().expect("signed");
    put(&log, 300..321);
    let reader = reader(directory.path());
    assert!(reader.size() > reader.checkpoint().size, "{}", reader.size());
    assert!(reader.is_complete());
    for person in [0, 1, 20] {
        assert_eq!(ids(&look(directory.path(), &about(person))), expected(person, 321));
    }
    assert_eq!(look(directory.path(), &about(1)).may_hold.len(), 8);
    drop(log);
}

#[test]
fn an_index_that_grows_has_few_runs_and_finds_the_same() {
    let directory = TempDir::new().expect("a directory");
    let mut most = 0;
    for round in 0..24 {
        put(&open(directory.path()), round * 130..(round + 1) * 130);
        let reader = reader(directory.path());
        most = most.max(index(&reader).runs());
    }
    assert!((2..=9).contains(&most), "{most}");
    for person in [0, 1, 17] {
        assert_eq!(ids(&look(directory.path(), &about(person))), expected(person, 24 * 130));
    }
    // Opening the log closes what was open when it was closed.
    let reader = reader(directory.path());
    let (open, unknown) = index(&reader).open_intents().expect("readable");
    assert!(open.len() <= 2 && unknown == 0, "{open:?}");
}

#[test]
fn an_index_that_is_damaged_or_of_another_tree_is_made_again() {
    let directory = log_of(300);
    let one = reader(directory.path());
    drop(index(&one));
    let folder = directory.path().join("index");
    let runs: Vec<_> = files(&folder).into_iter().filter(|f| f.extension().is_some()).collect();
    assert_eq!(runs.len(), 1);
    let path = folder.join(&runs[0]);
    let whole = fs::read(&path).expect("a run");
    for page in 0..whole.len() / 4096 {
        let at = (page * 4096 + 100) as u64;
        let file = OpenOptions::new().read(true).write(true).open(&path).expect("a file");
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).expect("read");
        file.write_all_at(&[byte[0] ^ 4], at).expect("written");
        for person in [1, 13] {
            let hits = look(directory.path(), &about(person));
            assert_eq!(ids(&hits), expected(person, 300), "page {page}");
            assert_eq!(hits.may_hold.len() + usize::from(person == 13) * 3, 6);
        }
        // A page that nobody asked for may still be as it was made.
        fs::write(&path, &whole).expect("written");
    }
    fs::write(&path, &whole[..whole.len() - 4096]).expect("written");
    assert_eq!(ids(&look(directory.path(), &about(3))), expected(3, 300));
    // Another log of the same length.
    let other = TempDir::new().expect("a directory");
    put(&open(other.path()), 1000..1300);
    let theirs = other.path().join("index");
    fs::create_dir_all(&theirs).expect("a folder");
    fs::copy(&path, theirs.join(&runs[0])).expect("copied");
    let found = ids(&look(other.path(), &about(3)));
    assert!(found.len() > 3 && found.iter().all(|found| *found >= id(1000)), "{found:?}");
}

#[test]
fn a_copy_that_cannot_be_written_is_searched_with_an_index_elsewhere() {
    let directory = log_of(300);
    let elsewhere = TempDir::new().expect("a directory");
    let before = files(directory.path());
    let mut reader = reader(directory.path());
    let mut index = Index::open(&reader, Some(elsewhere.path()), &mut |_| {}).expect("an index");
    let hits = search(&mut reader, &mut index, &about(7), &mut |_, _| {}).expect("a search");
    assert_eq!(ids(&hits), expected(7, 300));
    assert_eq!(files(directory.path()), before);
}

#[test]
fn ids_and_digests_are_found_by_their_key() {
    let directory = log_of(300);
    let reader = reader(directory.path());
    let mut index = index(&reader);
    let found = index.find(Key::id(id(100)), 10).expect("readable");
    assert_eq!(found.entries.len(), 2);
    let found = index.find(Key::digest(officer(0)), 10).expect("readable");
    assert!(found.more && found.entries.len() == 10 && found.entries.is_sorted());
}

/// Where the entries of what was found stand.
fn places(hits: &Hits) -> Vec<u64> {
    let entries = hits.found.iter().flat_map(|unit| unit.entries());
    entries.map(|(place, _)| *place).collect()
}

/// Three changes of consents, a request, and an exchange that rests on the first of them.
fn log_of_consents(more: u64) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let names = samples::Names::new();
    let of_child = Consent { subject: person(1), ..samples::consent(&names) };
    let withdrawn = Consent { action: ConsentAction::Withdraw, revision: 19, ..of_child.clone() };
    let other = Consent {
        consent: samples::numbered(22),
        representative: None,
        revision: 20,
        subject: person(4),
        ..samples::consent(&names)
    };
    let right = Right { revision: 21, subject: person(1), ..samples::right(&names) };
    let consents = vec![samples::numbered(21)];
    let subjects = vec![Subject { digest: person(1), role: Role::Owner }];
    let exchange = samples::numbered(1000);
    let intent = Intent { consents, exchange, subjects, ..samples::intent(&names) };
    let outcome = Outcome {
        exchange,
        sidecar: None,
        sidecar_size: None,
        subjects: Vec::new(),
        ..samples::outcome()
    };
    let entries = [
        Entry::Consent(of_child),
        Entry::Consent(withdrawn),
        Entry::Consent(other),
        Entry::Right(right),
        Entry::Intent(intent),
        Entry::Outcome(outcome),
    ];
    let log = open(directory.path());
    append_all(&log, &entries.map(|entry| entry.encode()));
    let others = (2000..2000 + more).map(|number| {
        let subjects = vec![Subject { digest: person(7), role: Role::Owner }];
        let exchange = samples::numbered(number);
        let consents = vec![samples::numbered(23)];
        Entry::Intent(Intent { consents, exchange, subjects, ..samples::intent(&names) }).encode()
    });
    append_all(&log, &others.collect::<Vec<_>>());
    directory
}

#[test]
fn consents_and_requests_are_found_by_person_and_id_and_no_others() {
    let parent = samples::key().digest(Domain::DataSubject("citizen_number"), samples::PARENT);
    let of_record = |record| Query { record: Some(samples::numbered(record)), ..Query::default() };
    for more in [0, 300] {
        let directory = log_of_consents(more);
        let found = |query: &Query| places(&look(directory.path(), query));
        assert_eq!(found(&of_record(99)), [0; 0]);
        assert_eq!(found(&of_record(1000)), [0; 0], "an exchange is no record");
        assert_eq!(found(&about(3)), [0; 0]);
        let elsewhere = Query { service: Some("health-book".to_owned()), ..of_record(21) };
        assert_eq!(found(&elsewhere), [0; 0]);
        assert_eq!(found(&about(1)), [0, 1, 3, 4, 5]);
        assert_eq!(found(&about(4)), [2]);
        assert_eq!(found(&Query { subject: vec![parent], ..Query::default() }), [0, 1]);
        assert_eq!(found(&of_record(21)), [0, 1, 3, 4, 5]);
        assert_eq!(found(&of_record(22)), [2]);
        assert_eq!(found(&of_record(31)), [3]);
        let by_recipient = Query { participant: Some("H29.90".to_owned()), ..of_record(22) };
        assert_eq!(found(&by_recipient), [2]);
        let looked_through = Query { participant: Some("H29.90".to_owned()), ..Query::default() };
        assert_eq!(found(&looked_through)[..5], [0, 1, 2, 4, 5]);
    }
}

fn archived(directory: &Path, before_ms: u64) -> Result<Archived, ArchiveError> {
    let reader = reader(directory);
    archive(&reader, &mut index(&reader), before_ms, &mut |_, _| {})
}

#[test]
fn an_archived_log_is_verified_proven_and_searched_in_place() {
    let directory = log_of(1000);
    let bundles = |end: &str| {
        let all = files(&directory.path().join("tile/entries"));
        all.iter().filter(|path| path.to_string_lossy().ends_with(end)).count()
    };
    let before = reader(directory.path()).size() / 256;
    let published = Published::new(directory.path());
    let given = |width| {
        let bundle = Tile { kind: Kind::Entries, index: 1, width };
        published.tile(&bundle).expect("readable").expect("under the checkpoint")
    };
    let plain = [given(1), given(255), given(256)];
    let half = archived(directory.path(), BEGIN + 500 * APART).expect("archived");
    assert_eq!((half.bundles, bundles(".zst")), (3, 3));
    assert!(half.packed < half.plain / 2, "{half:?}");
    let rest = archived(directory.path(), u64::MAX).expect("archived");
    assert_eq!((half.bundles + rest.bundles, bundles(".zst") as u64), (before, before));
    assert_eq!(archived(directory.path(), u64::MAX).expect("archived"), Archived::default());
    assert_eq!([given(1), given(255), given(256)], plain, "others read it as before");
    let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
    assert!(report.is_good(), "{report:?}");
    fs::remove_dir_all(directory.path().join("index")).expect("removed");
    assert_eq!(ids(&look(directory.path(), &about(7))), expected(7, 1000));
    let key = signer();
    let prover = Prover::open(directory.path(), key.verifier()).expect("a log");
    for index in [0, 300, 1500] {
        let (entry, proof) = prover.prove(index).expect("a proof");
        assert_eq!(proof.check(&entry, key.verifier()).expect("proven").size, prover.size());
    }
    // The log goes on behind it.
    put(&open(directory.path()), 1000..1200);
    let report = verify(directory.path(), key.verifier(), &[]).expect("readable");
    assert!(report.is_good(), "{report:?}");
}

#[test]
fn a_changed_bit_of_an_archived_bundle_is_told_with_its_first_entry_or_changes_nothing() {
    let directory = log_of(150);
    archived(directory.path(), u64::MAX).expect("archived");
    let path = directory.path().join("tile/entries/000.zst");
    let whole = fs::read(&path).expect("a bundle");
    let content = || reader(directory.path()).bundle(0).map(<[u8]>::to_vec).expect("entries");
    let original = content();
    let rejected = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).expect("written");
        let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
        let first = report.findings.first().map(|finding| finding.position.to_string());
        assert_eq!(first.as_deref(), Some("entry 0"), "{what}");
    };
    let (mut told, mut same) = (0, 0);
    for at in (0..64).chain((64..whole.len()).step_by(41)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).expect("written");
        let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
        // Some bits of a zstd frame say nothing, as those of a symbol that never comes.
        if report.is_good() {
            assert_eq!(content(), original, "byte {at}");
            same += 1;
            continue;
        }
        told += 1;
        rejected(&bytes, &format!("byte {at}"));
    }
    assert!(told > 20 * same, "{told} {same}");
    for bit in 0..8 {
        let mut bytes = whole.clone();
        bytes[4] ^= 1 << bit;
        rejected(&bytes, &format!("bit {bit} of the descriptor"));
    }
    rejected(&whole[..whole.len() - 1], "cut");
    rejected(&[whole.as_slice(), &whole].concat(), "twice");
    rejected(&[whole.as_slice(), b"x"].concat(), "more");
    fs::remove_file(&path).expect("removed");
    let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
    assert!(!report.is_good());
}

#[test]
fn what_bursts_is_not_unpacked() {
    let directory = log_of(150);
    archived(directory.path(), u64::MAX).expect("archived");
    let path = directory.path().join("tile/entries/000.zst");
    // A frame in the form of ours that says it holds 4 GB.
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa4, 0xff, 0xff, 0xff, 0xff];
    bomb.extend_from_slice(&[3, 0, 0, 0]);
    fs::write(&path, bomb).expect("written");
    let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
    assert_eq!(report.findings[0].position.to_string(), "entry 0");
}

#[test]
fn a_damaged_bundle_is_not_archived() {
    let directory = log_of(300);
    drop(index(&reader(directory.path())));
    let path = directory.path().join("tile/entries/001");
    let mut bytes = fs::read(&path).expect("a bundle");
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).expect("written");
    let error = archived(directory.path(), u64::MAX).expect_err("damaged");
    assert!(matches!(error, ArchiveError::Broken(_)), "{error}");
    assert_eq!(fs::read(&path).expect("still there"), bytes);
}

#[test]
fn an_archive_that_was_cut_off_is_finished_later() {
    let directory = log_of(300);
    // Half a compressed file, and a plain one beside its compressed form.
    let whole = copy(directory.path());
    archived(whole.path(), u64::MAX).expect("archived");
    let packed = fs::read(whole.path().join("tile/entries/000.zst")).expect("a bundle");
    let half = &packed[..packed.len() / 2];
    fs::write(directory.path().join("tile/entries/000.zst"), half).expect("written");
    fs::write(directory.path().join("tile/entries/001.zst-new"), half).expect("written");
    let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
    assert!(report.is_good(), "{report:?}");
    let done = archived(directory.path(), u64::MAX).expect("archived");
    assert_eq!(done.bundles, 2);
    assert!(!directory.path().join("tile/entries/000").exists());
    let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
    assert!(report.is_good(), "{report:?}");
}

fn seal(directory: &Path, number: u64, people: std::ops::Range<u64>) -> Sealed {
    let mut writer = SidecarWriter::begin(directory, id(number));
    people.for_each(|number| writer.add(person(number)).expect("room"));
    writer.finish().expect("sealed").expect("a sidecar")
}

/// A log in which the answers of exchanges 10 and 290 were about the people 30 to 39.
fn log_with_sidecars() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    for number in 0..300 {
        let mut entries = exchange(number);
        if number == 10 || number == 290 {
            let sealed = seal(directory.path(), number, 30..40);
            let Ok(Entry::Outcome(mut outcome)) = Entry::decode(&entries[1]) else { panic!() };
            (outcome.sidecar, outcome.sidecar_size) = (Some(sealed.root), Some(sealed.size));
            outcome.subjects.clear();
            entries[1] = Entry::Outcome(outcome).encode();
        }
        append_all(&log, &entries);
    }
    directory
}

#[test]
fn whom_a_stream_was_about_is_found_through_its_sidecar() {
    let directory = log_with_sidecars();
    let found = ids(&look(directory.path(), &about(35)));
    // One of the two stands in a full bundle, the other behind it.
    assert!(reader(directory.path()).full() < 2 * 290);
    assert!(found.contains(&id(10)) && found.contains(&id(290)), "{found:?}");
    assert!(!ids(&look(directory.path(), &about(45))).contains(&id(10)));
    // A sidecar that is gone, or another: what it was about is not known any more.
    for change in [None, Some(vec![7; 16 * 10])] {
        fs::remove_dir_all(directory.path().join("index")).expect("removed");
        for number in [10, 290] {
            let path = sidecar::path(directory.path(), id(number));
            match &change {
                Some(bytes) => fs::write(path, bytes).expect("written"),
                None => fs::remove_file(path).expect("removed"),
            }
        }
        let hits = look(directory.path(), &about(35));
        let unread = hits.may_hold.iter().filter(|(why, _)| *why == MayHold::Sidecar);
        let unread: Vec<_> = unread.filter_map(|(_, unit)| unit.exchange()).collect();
        assert_eq!(unread, [id(10), id(290)]);
    }
}
