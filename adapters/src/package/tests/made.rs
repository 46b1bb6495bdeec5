//! When a package is made, and when not.

use super::*;

#[tokio::test]
async fn nothing_is_made_over_a_file_or_without_evidence_or_of_too_many_unfit_rows() {
    let world = World::new().await;
    world.write("there.tar", "x");
    let province = world.province();
    let error = world.create(&province, "there.tar").await.unwrap_err();
    assert!(matches!(error, PackageError::Exists(_)), "{error}");
    let what = ("cases", &*world.path("a.tar"));
    let record = async |_| Err("no log".to_owned());
    let error = create(&province, what, None, &world.clock(), record, nothing()).await.unwrap_err();
    assert!(matches!(error, PackageError::Evidence(_)), "{error}");
    world.database("province.db", "INSERT INTO cases (code, ward) VALUES ('BD-7', 'x')").await;
    let error = world.create(&province, "b.tar").await.unwrap_err();
    assert!(matches!(error, PackageError::Unfit { unfit: 1, rows: 7 }), "{error}");
    let told = fs::read_to_string(world.path("b.tar.unfit.ndjson")).unwrap();
    assert_eq!(told, "{\"key\":\"BD-7\",\"reason\":\"`ward` breaks `pattern`\"}\n");
    assert!(!world.path("a.tar").exists() && !world.path("b.tar").exists());
    assert_eq!(list(&province, true, 10, world.clock.now()).await.unwrap(), []);
    let leftovers: Vec<String> =
        world.names("").into_iter().filter(|name| name.starts_with(".tmp")).collect();
    assert_eq!(leftovers, [""; 0]);
}

#[tokio::test]
async fn a_few_unfit_rows_are_left_out_where_that_is_allowed() {
    let world = World::new().await;
    let long = "y".repeat(70_000);
    let rows = format!(
        "INSERT INTO cases (code, ward, note) VALUES ('', '25747', ''), ('L', '25747', '{long}')"
    );
    world.database("province.db", &rows).await;
    let province = world.config("province", |text| {
        text.replace("      to:", "      unfit_per_mille: 300\n      to:")
    });
    let created = world.create(&province, "cases.tar").await.unwrap();
    assert_eq!((created.records, created.unfit), (6, 2));
    let told = fs::read_to_string(created.unfit_file.unwrap()).unwrap();
    assert!(told.contains("row has no key") && told.contains("record_bytes"), "{told}");
    assert_eq!(world.receive(&created.file).await.unwrap().records, 6);
}

#[tokio::test]
async fn a_row_with_the_key_of_an_earlier_one_is_not_fit() {
    let world = World::new().await;
    let rows = "INSERT INTO cases (code, ward, note) VALUES ('BD-1', '25747', 'again'),
        ('BD-8', 'x', 'not fit, so it takes no key'), ('BD-8', '25747', 'fit')";
    world.database("province.db", rows).await;
    let error = world.create(&world.province(), "cases.tar").await.unwrap_err();
    assert!(matches!(error, PackageError::Unfit { unfit: 2, rows: 9 }), "{error}");
    let told = fs::read_to_string(world.path("cases.tar.unfit.ndjson")).unwrap();
    let repeated = r#"{"key":"BD-1","reason":"`code` is that of an earlier row"}"#;
    assert_eq!(told.lines().next(), Some(repeated), "{told}");
    let province = world.config("province", |text| {
        text.replace("      to:", "      unfit_per_mille: 300\n      to:")
    });
    let created = world.create(&province, "cases.tar").await.unwrap();
    assert_eq!((created.records, created.unfit), (7, 2));
    let received = world.receive(&created.file).await.unwrap();
    assert_eq!(received.records, 7);
}

#[tokio::test]
async fn no_row_makes_no_package() {
    let world = World::new().await;
    world.database("province.db", "DELETE FROM cases").await;
    let error = world.create(&world.province(), "cases.tar").await.unwrap_err();
    assert!(matches!(error, PackageError::Empty), "{error}");
}

#[tokio::test]
async fn what_a_receiver_would_refuse_is_not_made() {
    let world = World::new().await;
    let rows =
        "INSERT INTO cases (code, ward, note) SELECT 'N-' || id, '25747', printf('%.*c', 60000, 'x')
        FROM cases";
    world.database("province.db", rows).await;
    let error = world.create(&world.province(), "cases.tar").await.unwrap_err();
    assert!(matches!(error, PackageError::Refused(Refused::Manifest(_))), "{error}");
    let small = world.config("province", |text| format!("{text}limits: {{records: 3}}\n"));
    let error = world.create(&small, "cases.tar").await.unwrap_err();
    assert!(
        error.to_string().contains("sizes do not fit")
            || error.to_string().contains("more records")
    );
    assert!(!world.path("cases.tar").exists());
}
