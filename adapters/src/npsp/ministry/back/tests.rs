use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;
use crate::{
    npsp::testing::{Desk, Scripted, Told, envelope, files, parcel},
    outcome::Outcome,
    testing::Log,
};

const MINISTRY: &str =
    "  profile: ministry_2026\n  service: VN/GOV/G09/CONG/cases\n  openapi: ministry.yaml\n";
const FOLDER: &str = "  numbers_into: {folder: numbers}\n";
const TABLE: &str = "  numbers_into: {sqlite: {file: city.db, table: numbers, columns: \
                     {key: dossier, item: number, received_at: at}}}\n";
const CREATE: &str = "CREATE TABLE numbers (dossier TEXT PRIMARY KEY, number TEXT, at TEXT)";
const CITY: &str = "H29.40-261102-0001";
const NUMBER: &str = "G09.1-261121-0001";

/// Gives numbers in order.
async fn portal() -> Scripted {
    let numbers = AtomicU32::new(0);
    Scripted::start(move |asked| match asked.call() {
        "token" => Told::Json(200, json!({"access_token": "t1", "expires_in": 100})),
        "GetNextValue" => {
            let next = numbers.fetch_add(1, Ordering::SeqCst) + 1;
            let result = json!({"MaHoSo": format!("G09.1-261121-000{next}")});
            Told::Json(200, json!({"error_code": 0, "result": result}))
        }
        _ => Told::Json(200, json!({"error_code": "00"})),
    })
    .await
}

async fn link(desk: &Desk) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(desk.path("city.db"));
    SqliteConnection::connect_with(&options.create_if_missing(true)).await.unwrap()
}

async fn rows(desk: &Desk) -> Vec<(String, String)> {
    let text = "SELECT dossier, number FROM numbers ORDER BY dossier";
    sqlx::query_as(text).fetch_all(&mut link(desk).await).await.unwrap()
}

async fn open_case(npsp: &Npsp) -> Outcome {
    let case = envelope(&json!({"MaHoSo": CITY, "MaDichVuCong": "1.000894"}));
    npsp.send(parcel("NoiHoSo", &case)).await
}

fn owed(desk: &Desk) -> usize {
    files(&desk.path("state/npsp/numbers-owed")).len()
}

#[tokio::test]
async fn a_table_that_could_hold_two_numbers_of_a_dossier_stops_the_start() {
    let portal = portal().await;
    let desk = Desk::new(portal.addr, &format!("{MINISTRY}{TABLE}"));
    link(&desk)
        .await
        .execute("CREATE TABLE numbers (dossier TEXT, number TEXT, at TEXT)")
        .await
        .unwrap();
    let error = desk.open().verify().await.unwrap_err().to_string();
    assert!(error.contains("`numbers_into`: column `dossier` of table `numbers`"), "{error}");
}

#[tokio::test]
async fn a_number_is_laid_for_the_city_once() {
    let portal = portal().await;
    let desk = Desk::new(portal.addr, &format!("{MINISTRY}{TABLE}"));
    link(&desk).await.execute(CREATE).await.unwrap();
    let npsp = desk.open();
    npsp.verify().await.unwrap();
    npsp.tend_once().await;
    assert_eq!(open_case(&npsp).await, Outcome::Delivered);
    npsp.tend_once().await;
    let wanted = [(CITY.to_owned(), NUMBER.to_owned())];
    assert_eq!(rows(&desk).await, wanted);
    assert_eq!(owed(&desk), 0);
    // A row that the city has deleted is not laid again.
    link(&desk).await.execute("DELETE FROM numbers").await.unwrap();
    assert_eq!(open_case(&npsp).await, Outcome::Delivered);
    npsp.tend_once().await;
    assert!(rows(&desk).await.is_empty());
}

#[tokio::test]
async fn into_a_folder_it_is_a_file_with_key_and_number() {
    let portal = portal().await;
    let desk = Desk::new(portal.addr, &format!("{MINISTRY}{FOLDER}"));
    let npsp = desk.open();
    open_case(&npsp).await;
    npsp.tend_once().await;
    let names = files(&desk.path("numbers"));
    assert!(names.len() == 1 && !names[0].contains("H29"), "{names:?}");
    let text = std::fs::read(desk.path("numbers").join(&names[0])).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(value, json!({"key": CITY, "number": NUMBER}));
}

#[tokio::test]
async fn a_process_killed_at_any_step_leaves_a_number_that_the_next_one_lays_once() {
    let portal = portal().await;
    let desk = Desk::new(portal.addr, &format!("{MINISTRY}{TABLE}"));
    link(&desk).await.execute(CREATE).await.unwrap();
    let wanted = [(CITY.to_owned(), NUMBER.to_owned())];
    // Between what is owed and the number: nothing is laid that no dossier bears.
    let owe = |npsp: &Npsp| npsp.numbers.back.as_ref().unwrap().owe(CITY, npsp.clock.now());
    owe(&desk.open()).unwrap();
    let npsp = desk.open();
    npsp.tend_once().await;
    assert!(rows(&desk).await.is_empty());
    assert_eq!(open_case(&npsp).await, Outcome::Delivered);
    drop(npsp);
    // Between the number and the table.
    assert!(rows(&desk).await.is_empty());
    desk.open().tend_once().await;
    assert_eq!(rows(&desk).await, wanted);
    // Between the table and what is remembered of it.
    owe(&desk.open()).unwrap();
    let told = desk.path("state/npsp/numbers-told");
    std::fs::remove_file(told.join(&files(&told)[0])).unwrap();
    desk.open().tend_once().await;
    assert_eq!(rows(&desk).await, wanted);
    assert_eq!(owed(&desk), 0);
    assert_eq!(portal.asked("GetNextValue").len(), 1);
}

#[tokio::test]
async fn a_number_from_before_the_setting_is_laid_when_its_dossier_moves() {
    let portal = portal().await;
    let desk = Desk::new(portal.addr, MINISTRY);
    open_case(&desk.open()).await;
    let desk = desk.with(TABLE);
    link(&desk).await.execute(CREATE).await.unwrap();
    let npsp = desk.open();
    npsp.tend_once().await;
    assert!(rows(&desk).await.is_empty());
    let status = envelope(&json!({"MaHoSo": CITY, "TrangThai": "2"}));
    assert_eq!(npsp.send(parcel("CapNhatTrangThai", &status)).await, Outcome::Delivered);
    npsp.tend_once().await;
    assert_eq!(rows(&desk).await.len(), 1);
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for_and_no_message_waits_with_it() {
    let log = Log::default();
    let _listening = log.listen();
    let portal = portal().await;
    let desk = Desk::new(portal.addr, &format!("{MINISTRY}{TABLE}"));
    let npsp = desk.open();
    npsp.verify().await.unwrap();
    assert_eq!(open_case(&npsp).await, Outcome::Delivered);
    for _ in 0..3 {
        npsp.tend_once().await;
        desk.clock.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(owed(&desk), 1);
    link(&desk).await.execute(CREATE).await.unwrap();
    npsp.tend_once().await;
    assert_eq!((rows(&desk).await.len(), owed(&desk)), (1, 0));
    assert!(!log.text().contains(NUMBER) && !log.text().contains(CITY));
}

#[tokio::test]
async fn after_a_failure_it_waits_twice_as_long_up_to_a_bound() {
    let portal = portal().await;
    let desk = Desk::new(portal.addr, &format!("{MINISTRY}{TABLE}"));
    let npsp = desk.open();
    open_case(&npsp).await;
    let mut waits = Vec::new();
    for _ in 0..9 {
        let now = npsp.clock.now();
        let wait = npsp.give_back().await.duration_since(now);
        waits.push(wait.as_secs());
        desk.clock.advance(wait);
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 900, 900]);
}

#[tokio::test]
async fn a_dossier_that_never_got_a_number_is_forgotten() {
    let portal = portal().await;
    let desk = Desk::new(portal.addr, &format!("{MINISTRY}{FOLDER}"));
    let npsp = desk.open();
    npsp.numbers.back.as_ref().unwrap().owe(CITY, npsp.clock.now()).unwrap();
    npsp.tend_once().await;
    assert_eq!(owed(&desk), 1);
    desk.clock.advance(SignedDuration::from_hours(24 * 31));
    npsp.tend_once().await;
    assert_eq!(owed(&desk), 0);
}

#[test]
fn numbers_are_laid_only_where_a_ministry_gives_them() {
    let told = |text: &str| Desk::new(([127, 0, 0, 1], 1).into(), text).read().unwrap_err();
    let words = "`numbers_into` is for `profile: ministry_2026` with `numbers: asked`";
    let own = told(&format!("{MINISTRY}  numbers: own\n{FOLDER}"));
    assert!(own.contains(words), "{own}");
    let portal = told(&format!("{}{FOLDER}", crate::npsp::testing::CASES));
    assert!(portal.contains(words), "{portal}");
    let taken = told(&format!("{MINISTRY}{}", TABLE.replace("received_at", "taken_at")));
    assert!(taken.contains("`taken_at` is for inboxes"), "{taken}");
}
