//! A package on its way, and what becomes of its records.

use serde_json::Value;

use super::*;
use crate::{
    config::{CsvConfig, Encoding, SourceKind},
    source::{Source, Whole, testing},
};

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn a_former_provinces_records_arrive_with_the_codes_of_today() {
    let world = World::new().await;
    let file = world.package().await;
    let (province, city) = (world.province(), world.city());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read(&file).unwrap().windows(6).any(|bytes| bytes == b"Canary"));
    let open = list(&province, false, 10, world.clock.now()).await.unwrap();
    assert_eq!((open.len(), open[0].way, open[0].participant.as_str()), (1, "out", "H29.20"));

    let checked = verify(&city, &file, &world.clock(), &nothing()).unwrap();
    assert!(checked.decrypted && checked.for_us && checked.records == 6, "{checked:?}");
    let checked = verify(&province, &file, &world.clock(), &nothing()).unwrap();
    assert!(!checked.decrypted && !checked.for_us, "the sender has no key to it: {checked:?}");

    let received = world.receive(&file).await.unwrap();
    assert_eq!((received.records, received.taken, received.for_a_person), (6, 3, 3));
    assert_eq!(world.acts(), [ActKind::Create, ActKind::Receive]);
    let id = received.package.to_string();
    assert_eq!(world.names("inbox").join(" "), id);
    let names =
        ["for-a-person.ndjson", "manifest.json", "manifest.p7s", "receipt.p7m", "records-0001.csv"];
    assert_eq!(world.names(&format!("inbox/{id}")), names);
    let table = text(&received.folder.join("records-0001.csv"));
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], r#""code","day","name","note","ward","old_ward""#);
    let note = r#""a, ""quoted"" note""#;
    assert_eq!(lines[1], format!(r#""BD-1","2025-03-01","{CANARY}",{note},"25747","25747""#));
    assert_eq!(lines[2], r#""BD-2","2025-06-30","Trần Văn Mẫu",,"25750","25744""#);
    assert!(lines[3].starts_with(r#""BD-5","2026-02-01""#) && lines.len() == 4, "{table}");

    // A person gets the record, why, and what it may be; nothing is guessed.
    let aside: Vec<Value> = text(&received.folder.join("for-a-person.ndjson"))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let keys: Vec<_> = aside.iter().map(|line| line["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["BD-3", "BD-4", "BD-6"]);
    let split = &aside[0]["undecided"][0];
    assert!(split["reason"].as_str().unwrap().contains("split"), "{split}");
    let codes: Vec<_> =
        split["candidates"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["25747", "25750"]);
    assert_eq!(aside[0]["record"]["ward"], "25741");
    assert_eq!(aside[1]["undecided"][0]["candidates"], Value::Array(Vec::new()));
    assert!(aside[2]["undecided"][0]["reason"].as_str().unwrap().contains("without a date"));

    // A flow of the city carries them on.
    let table = format!("cases-{id}-records-0001.csv");
    assert_eq!(world.names("csv").join(" "), table);
    let rows = read_csv(&world.path("csv"), "code", Some("old_ward")).await;
    assert_eq!(
        rows,
        [("BD-1", "25747"), ("BD-2", "25744"), ("BD-5", "25750")]
            .map(|(key, ward)| (key.to_owned(), Some(ward.to_owned())))
    );

    // The receipt closes the package where it was made.
    let record = async |act| world.record(act).await;
    let closed = take_receipt(&province, &received.receipt, &world.clock(), record).await.unwrap();
    assert_eq!((closed.taken, closed.for_a_person, closed.receiver.as_str()), (3, 3, "H29.20"));
    assert_eq!(list(&province, false, 10, world.clock.now()).await.unwrap(), []);
    assert_eq!(world.acts().last(), Some(&ActKind::Close));
}

/// Key and one more column of every row of a folder of CSV files.
async fn read_csv(folder: &Path, key: &str, other: Option<&str>) -> Vec<(String, Option<String>)> {
    let config = CsvConfig {
        folder: folder.to_owned(),
        key: key.to_owned(),
        delimiter: b',',
        encoding: Encoding::Utf8,
        line_bytes: 1_000,
        file_bytes: 100_000,
    };
    let mut flow = testing::flow(SourceKind::Csv(config), other);
    flow.order_by = key.to_owned();
    flow.dossier = key.to_owned();
    let source = Source::open(&flow).await.unwrap();
    let mut whole = Whole::new(&source).await.unwrap();
    let mut all = Vec::new();
    while let Some(rows) = whole.next(10, testing::at(0)).await.unwrap() {
        all.extend(rows.into_iter().map(|row| {
            let other = other.and_then(|column| row.text(column));
            (row.key, other)
        }));
    }
    all
}

#[tokio::test]
async fn what_was_received_is_not_received_again_unless_a_person_wants_it() {
    let world = World::new().await;
    let file = world.package().await;
    let first = world.receive(&file).await.unwrap();
    world.acts.lock().unwrap().clear();
    let refused = world.receive(&file).await.unwrap_err();
    assert!(matches!(refused, PackageError::Refused(Refused::Replayed(_))), "{refused}");
    assert_eq!(world.names("inbox").len(), 1);
    let again =
        world.receive_with(&world.city(), &file, Some("the folder was lost")).await.unwrap();
    assert_eq!(again.folder, world.path(&format!("inbox/{}-2", first.package)));
    assert_eq!(world.names("inbox").len(), 2);
    let acts = world.acts.lock().unwrap();
    assert_eq!(acts[0].kind, ActKind::Refuse);
    assert_eq!(acts[1].why, "data set cases from H09.12, again: the folder was lost");
}

#[tokio::test]
async fn a_large_data_set_travels_in_parts() {
    let world = World::new().await;
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
        INSERT INTO cases (code, ward, day, note) SELECT 'N-' || i, '25747', '2025-01-01', hex(randomblob(30000)) FROM n";
    world.database("province.db", rows).await;
    let province = world
        .config("province", |text| text.replace("      to:", "      part_megabytes: 1\n      to:"));
    let created = world.create(&province, "cases.tar").await.unwrap();
    assert_eq!((created.records, created.parts), (46, 3));
    let received = world.receive(&created.file).await.unwrap();
    assert_eq!((received.taken, received.handed_over.len()), (43, 3));
    assert_eq!(read_csv_keys(&world).await, 43);
}

async fn read_csv_keys(world: &World) -> usize {
    let folder = world.path("csv");
    let config = CsvConfig {
        folder,
        key: "code".to_owned(),
        delimiter: b',',
        encoding: Encoding::Utf8,
        line_bytes: 65_536,
        file_bytes: 10_000_000,
    };
    let mut flow = testing::flow(SourceKind::Csv(config), None);
    flow.order_by = "ward".to_owned();
    flow.dossier = "ward".to_owned();
    let source = Source::open(&flow).await.unwrap();
    let mut whole = Whole::new(&source).await.unwrap();
    let mut count = 0;
    while let Some(rows) = whole.next(7, testing::at(0)).await.unwrap() {
        count += rows.len();
    }
    count
}
