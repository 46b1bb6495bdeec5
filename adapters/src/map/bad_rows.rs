//! Rows as city databases really have them, through a whole flow.

use crate::testing::{A, B, C, Log, World, sync};

const D: &str = "H29.40-261102-0004";
const E: &str = "H29.40-261102-0005";
const F: &str = "H29.40-261102-0006";
const G: &str = "H29.40-261102-0007";

/// The flow, with the owner's number checked, a ward mapped and, when asked for, old fonts read.
async fn world(name: &str) -> World {
    let mut world = World::new().await;
    world.set("ChuHoSo: {column: applicant_name}", &format!("ChuHoSo: {name}"));
    world.set("SoDienThoai: phone", "MaDoiTuong: citizen_number");
    let ward = "TrichYeuHoSo: {column: summary, ward: {as_of: finished_at, to: new}}";
    world.set("TrichYeuHoSo: {column: summary}", ward);
    world.set("NgayKetThucXuLy: {column: finished_at, date: moment}", "");
    world
}

async fn bad_rows(world: &World) {
    let rows = [A, B, C, D, E, F, G].map(|case| sync(case, 1));
    world.write(&rows).await;
    for change in [
        // Decomposed, as from a telephone of another make.
        "UPDATE case_outbox SET applicant_name = 'Canary Tha\u{300}nh' WHERE id = 1",
        "UPDATE case_outbox SET applicant_name = 'Canary NguyÔn V¨n' WHERE id = 2",
        "UPDATE case_outbox SET received_at = '31/02/1990 08:00' WHERE id = 3",
        "UPDATE case_outbox SET summary = '25747' WHERE id = 4",
        "UPDATE case_outbox SET applicant_number = '987654321' WHERE id = 5",
        "UPDATE case_outbox SET summary = '25741', finished_at = '30/06/2025' WHERE id = 6",
        "UPDATE case_outbox SET summary = '25753', finished_at = '30/06/2025' WHERE id = 7",
    ] {
        world.execute(change).await;
    }
}

#[tokio::test]
async fn bad_rows_are_put_aside_with_reason_and_key_and_no_value_is_logged() {
    let log = Log::default();
    let guard = log.listen();
    let world = world("{column: applicant_name}").await;
    bad_rows(&world).await;
    let report = world.run().await;
    drop(guard);
    assert_eq!((report.delivered, report.quarantined), (2, 5));
    for (case, reason) in [
        (B, "`ChuHoSo` is text in TCVN3, which no rule says"),
        (C, "`NgayTiepNhan` is not a date of the calendar"),
        (D, "`TrichYeuHoSo` is a ward code without a date: a person must decide"),
        (E, "`MaDoiTuong` is not 12 digits"),
        (F, "`TrichYeuHoSo` is a ward that was split: a person must decide"),
    ] {
        let key = format!("{case}/sync/1");
        let told = report.quarantine.iter().find(|row| row.key == key).unwrap();
        assert_eq!(told.reason, reason);
    }
    let text = log.text();
    assert!(text.contains("row put into quarantine"));
    for value in ["Canary", "1990", "25747", "987654321", "25741"] {
        assert!(!text.contains(value), "the log holds `{value}`");
        assert!(!format!("{report:?}").contains(value), "{value}");
    }
}

#[tokio::test]
async fn texts_of_old_fonts_are_converted_where_the_rule_says_so_and_counted() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let world = world("{column: applicant_name, text: {encoding: detect}}").await;
    bad_rows(&world).await;
    let report = world.run().await;
    drop(guard);
    assert_eq!((report.delivered, report.quarantined), (3, 4));
    let text = log.text();
    assert!(text.contains("row has texts of old fonts"), "{text}");
    assert!(text.contains("converted=1"), "{text}");
    assert!(!text.contains("Nguy"), "{text}");
}
