//! The examples of `adapters/examples`, as they are, with certificates and rows put beside them.

use super::*;

const ROWS: &str = "
    CREATE TABLE digitised_cases (id INTEGER PRIMARY KEY AUTOINCREMENT, case_code TEXT, ward_code TEXT,
        opened_on TEXT, applicant TEXT, summary TEXT);
    INSERT INTO digitised_cases (case_code, ward_code, opened_on, applicant, summary) VALUES
        ('BD-1', '25747', '01/03/2025', ' Trần  Văn Mẫu', 'old code'),
        ('BD-2', '25741', '09/01/2024', 'Lê Thị Mẫu', 'of a ward that was split'),
        ('BD-3', '25750', '01/02/2026', 'Hồ Thị Mẫu', 'code of today');";

/// Reads an example with the fingerprint of the other side in it.
fn read(world: &World, name: &str, other: &str) -> Arc<PackagesConfig> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let text = fs::read_to_string(example.join(name)).unwrap();
    let place = "<SHA-256 of its signing certificate>";
    assert_eq!(text.matches(place).count(), 1, "{name}");
    world.write(name, &text.replace(place, &world.fingerprint(other)));
    let config = PackagesConfig::read(&world.path(name));
    Arc::new(config.unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

#[tokio::test]
async fn the_cases_of_the_former_province_travel_as_the_examples_say() {
    let world = World::new().await;
    for folder in ["pki", "schemas", "drop", "drop/binh-duong-cases"] {
        fs::create_dir(world.path(folder)).unwrap();
    }
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/schemas");
    let schema = fs::read_to_string(example.join("digitised-cases.json")).unwrap();
    world.write("schemas/digitised-cases.json", &schema);
    for (from, to) in [
        ("ca.pem", "anchor.pem"),
        ("crl.pem", "anchor.crl"),
        ("city-sign.pem", "city-sign.pem"),
        ("city-sign.key", "city-sign.key"),
        ("city-open.pem", "city-open.pem"),
        ("city-open.key", "city-open.key"),
        ("province-sign.pem", "binh-duong-sign.pem"),
        ("province-sign.key", "binh-duong-sign.key"),
    ] {
        world.write(&format!("pki/{to}"), &fs::read_to_string(world.path(from)).unwrap());
    }
    world.database("binh-duong.db", ROWS).await;
    let province = read(&world, "packages-binh-duong.yaml", "city-sign");
    let file = world.path("cases.tar");
    let record = async |act| world.record(act).await;
    let what = ("binh-duong-cases", &*file);
    let created = create(&province, what, None, &world.clock(), record, nothing()).await.unwrap();
    assert_eq!((created.records, created.unfit), (3, 0));
    fs::rename(world.path("state-packages"), world.path("state-province")).unwrap();

    let city = read(&world, "packages.yaml", "province-sign");
    let received = world.receive_with(&city, &file, None).await.unwrap();
    assert_eq!((received.taken, received.for_a_person), (2, 1));
    assert_eq!(received.handed_over.len(), 1);
    let table = fs::read_to_string(&received.handed_over[0]).unwrap();
    let header = table.lines().next().unwrap();
    assert_eq!(header, r#""code","day","name","summary","ward","old_ward""#);
    assert!(table.contains(r#""Trần Văn Mẫu""#) && table.contains(r#","25747""#), "{table}");
    let aside = fs::read_to_string(received.folder.join("for-a-person.ndjson")).unwrap();
    assert!(aside.starts_with(r#"{"key":"BD-2""#), "{aside}");

    fs::rename(world.path("state-packages"), world.path("state-city")).unwrap();
    fs::rename(world.path("state-province"), world.path("state-packages")).unwrap();
    let closed = take_receipt(&province, &received.receipt, &world.clock(), record).await.unwrap();
    assert_eq!((closed.taken, closed.for_a_person), (2, 1));
}
