use serde_json::json;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;
use crate::{
    npsp::testing::{CASES, Desk, Scripted, Told, WITH_LISTS, files},
    testing::Log,
};

const BOX: &str = "  inboxes:\n    - {id: questions, call: LayDanhSachHoiDapGuiTuDVCQG, \
                   key: MaHoiDap, folder: questions, poll_seconds: 60, most: 3, remember_days: 1}\n";

type List = Arc<Mutex<Vec<Value>>>;

fn question(id: &str) -> Value {
    json!({"MaHoiDap": id, "NoiDungCauHoi": "Hỏi về thủ tục", "NgayGui": "20261102080000"})
}

async fn portal(list: List) -> Scripted {
    Scripted::start(move |asked| {
        if asked.call() == "login" {
            return Told::Json(200, json!({"error_code": 0, "session": "s1"}));
        }
        let page = asked.json()["data"][0]["Trang"].as_u64().unwrap();
        let list = list.lock().unwrap();
        // Two a page.
        let skip = usize::try_from(page - 1).unwrap() * 2;
        let page: Vec<Value> = list.iter().skip(skip).take(2).cloned().collect();
        Told::Json(200, json!({"error_code": "00", "result": page}))
    })
    .await
}

async fn world(ids: &[&str]) -> (List, Scripted, Desk) {
    let list: List = Arc::new(Mutex::new(ids.iter().map(|id| question(id)).collect()));
    let portal = portal(Arc::clone(&list)).await;
    let desk = Desk::new(portal.addr, &format!("{CASES}{WITH_LISTS}{BOX}"));
    (list, portal, desk)
}

/// Questions into a table, and into a folder beside it.
const INTO_TABLE: &str = "  inboxes:\n    - id: questions\n      call: LayDanhSachHoiDapGuiTuDVCQG\n      \
                          key: MaHoiDap\n      poll_seconds: 60\n      most: 2\n      into: {sqlite: \
                          {file: city.db, table: questions, columns: {key: event_id, item: body, \
                          received_at: received_at, taken_at: taken_at}}}\n    - {id: copies, call: \
                          LayDanhSachHoiDapGuiTuDVCQG, key: MaHoiDap, folder: copies, \
                          poll_seconds: 60}\n";
const TABLE: &str = "CREATE TABLE questions (event_id TEXT PRIMARY KEY, body TEXT, received_at \
                     TEXT, taken_at TEXT)";

async fn run(desk: &Desk, text: &'static str) {
    let options = SqliteConnectOptions::new().filename(desk.path("city.db"));
    let options = options.create_if_missing(true);
    let mut link = SqliteConnection::connect_with(&options).await.unwrap();
    link.execute(text).await.unwrap();
    link.close().await.unwrap();
}

async fn keys(desk: &Desk) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(desk.path("city.db"));
    let mut link = SqliteConnection::connect_with(&options).await.unwrap();
    let text = "SELECT event_id FROM questions ORDER BY event_id";
    sqlx::query_scalar(text).fetch_all(&mut link).await.unwrap()
}

async fn poll(desk: &Desk, npsp: &Npsp) {
    desk.clock.advance(jiff::SignedDuration::from_secs(61));
    npsp.tend_once().await;
}

#[tokio::test]
async fn each_question_becomes_one_file_once_whoever_takes_it_away() {
    let (list, _portal, desk) = world(&["q1", "q2", "q3"]).await;
    let npsp = desk.open();
    poll(&desk, &npsp).await;
    let folder = desk.path("questions");
    let names = files(&folder);
    assert_eq!(names.len(), 3);
    // The name tells nothing of the question.
    assert!(names.iter().all(|name| name.len() == 69 && !name.contains("q1")));
    let read = |name: &String| -> Value {
        serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let mut ids: Vec<Value> = names.iter().map(|name| read(name)["MaHoiDap"].clone()).collect();
    ids.sort_by_key(ToString::to_string);
    assert_eq!(ids, [json!("q1"), json!("q2"), json!("q3")]);
    // The city's system takes them; the portal lists them until they are answered.
    for name in &names {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    poll(&desk, &npsp).await;
    poll(&desk, &desk.open()).await;
    assert!(files(&folder).is_empty());
    list.lock().unwrap().push(question("q4"));
    poll(&desk, &npsp).await;
    assert_eq!(files(&folder).len(), 1);
}

#[tokio::test]
async fn a_full_folder_leaves_the_rest_at_the_portal() {
    let (_list, _portal, desk) = world(&["q1", "q2", "q3", "q4", "q5"]).await;
    let npsp = desk.open();
    poll(&desk, &npsp).await;
    let folder = desk.path("questions");
    assert_eq!(files(&folder).len(), 3);
    std::fs::remove_file(folder.join(&files(&folder)[0])).unwrap();
    poll(&desk, &npsp).await;
    assert_eq!(files(&folder).len(), 3);
}

#[tokio::test]
async fn what_a_crash_left_between_file_and_memory_is_not_doubled() {
    let (_list, _portal, desk) = world(&["q1"]).await;
    let npsp = desk.open();
    poll(&desk, &npsp).await;
    let had = desk.path("state/npsp/inbox-questions");
    std::fs::remove_file(had.join(&files(&had)[0])).unwrap();
    poll(&desk, &npsp).await;
    assert_eq!((files(&desk.path("questions")).len(), files(&had).len()), (1, 1));
}

#[tokio::test]
async fn memory_ends_when_the_portal_lists_an_item_no_more() {
    let (list, _portal, desk) = world(&["q1", "q2"]).await;
    let npsp = desk.open();
    poll(&desk, &npsp).await;
    list.lock().unwrap().remove(0);
    let had = desk.path("state/npsp/inbox-questions");
    poll(&desk, &npsp).await;
    assert_eq!(files(&had).len(), 2);
    desk.clock.advance(jiff::SignedDuration::from_hours(25));
    poll(&desk, &npsp).await;
    assert_eq!(files(&had).len(), 1);
}

#[tokio::test]
async fn entries_without_a_name_or_too_large_stop_nothing() {
    let (list, _portal, desk) = world(&["q1"]).await;
    list.lock().unwrap().insert(0, json!({"NoiDungCauHoi": "x"}));
    list.lock().unwrap().insert(0, json!({"MaHoiDap": "big", "x": "y".repeat(MAX_ITEM)}));
    let npsp = desk.open();
    poll(&desk, &npsp).await;
    assert_eq!(files(&desk.path("questions")).len(), 1);
}

#[tokio::test]
async fn it_is_polled_as_often_as_the_settings_say() {
    let (_list, portal, desk) = world(&["q1"]).await;
    let npsp = desk.open();
    for _ in 0..12 {
        npsp.tend_once().await;
        desk.clock.advance(jiff::SignedDuration::from_secs(10));
    }
    // Two pages each time.
    assert_eq!(portal.asked("LayDanhSachHoiDapGuiTuDVCQG").len(), 4);
}

async fn table_world(ids: &[&str]) -> (List, Scripted, Desk) {
    let list: List = Arc::new(Mutex::new(ids.iter().map(|id| question(id)).collect()));
    let portal = portal(Arc::clone(&list)).await;
    let desk = Desk::new(portal.addr, &format!("{CASES}{WITH_LISTS}{INTO_TABLE}"));
    (list, portal, desk)
}

#[tokio::test]
async fn a_table_in_which_a_key_could_stand_twice_stops_the_start() {
    let (_list, portal, desk) = table_world(&["q1"]).await;
    run(
        &desk,
        "CREATE TABLE questions (event_id TEXT, body TEXT, received_at TEXT, taken_at TEXT)",
    )
    .await;
    let error = desk.open().verify().await.unwrap_err().to_string();
    let told = Npsp::tables(&desk.read().unwrap().npsp.unwrap()).await;
    assert_eq!((told.len(), told[0].0.as_str()), (1, "inbox `questions`"));
    assert!(told[0].1.as_ref().is_some_and(|told| error.contains(told)), "{told:?}");
    assert!(error.contains("inbox `questions`: column `event_id`"), "{error}");
    assert!(error.contains("CREATE UNIQUE INDEX"), "{error}");
    assert!(portal.calls().is_empty());
}

#[tokio::test]
async fn a_database_that_is_away_keeps_items_at_the_portal_and_holds_up_no_other_inbox() {
    let log = Log::default();
    let _listening = log.listen();
    let (_list, _portal, desk) = table_world(&["q1", "q2"]).await;
    let npsp = desk.open();
    npsp.verify().await.unwrap();
    poll(&desk, &npsp).await;
    assert_eq!(files(&desk.path("copies")).len(), 2);
    assert!(files(&desk.path("state/npsp/inbox-questions")).is_empty());
    run(&desk, TABLE).await;
    poll(&desk, &npsp).await;
    assert_eq!(keys(&desk).await, ["q1", "q2"]);
    assert!(!log.text().contains("thủ tục"));
}

#[tokio::test]
async fn each_item_becomes_one_row_and_what_is_taken_makes_room() {
    let (list, _portal, desk) = table_world(&["q1", "q2", "q3"]).await;
    run(&desk, TABLE).await;
    let npsp = desk.open();
    npsp.verify().await.unwrap();
    poll(&desk, &npsp).await;
    assert_eq!(keys(&desk).await, ["q1", "q2"]);
    poll(&desk, &desk.open()).await;
    assert_eq!(keys(&desk).await, ["q1", "q2"]);
    run(&desk, "UPDATE questions SET taken_at = '2026-11-21' WHERE event_id = 'q1'").await;
    poll(&desk, &npsp).await;
    assert_eq!(keys(&desk).await, ["q1", "q2", "q3"]);
    // A row that the city deletes has been had, and does not come again.
    run(&desk, "DELETE FROM questions").await;
    list.lock().unwrap().push(question("q4"));
    poll(&desk, &npsp).await;
    assert_eq!(keys(&desk).await, ["q4"]);
}

#[tokio::test]
async fn what_a_crash_left_between_row_and_memory_is_not_doubled() {
    let (_list, _portal, desk) = table_world(&["q1"]).await;
    run(&desk, TABLE).await;
    poll(&desk, &desk.open()).await;
    let had = desk.path("state/npsp/inbox-questions");
    std::fs::remove_file(had.join(&files(&had)[0])).unwrap();
    poll(&desk, &desk.open()).await;
    assert_eq!((keys(&desk).await.len(), files(&had).len()), (1, 1));
}

#[test]
fn every_mistake_of_where_items_go_is_told() {
    let addr = ([127, 0, 0, 1], 1).into();
    let told = |lines: &str| {
        let start = "  inboxes:\n    - id: questions\n      call: LayDanhSachHoiDapGuiTuDVCQG\n      key: MaHoiDap\n";
        Desk::new(addr, &format!("{CASES}{WITH_LISTS}{start}{lines}")).read().unwrap_err()
    };
    let columns = "columns: {key: a, item: b}";
    for (lines, mistake) in [
        ("      poll_seconds: 60\n".to_owned(), "an inbox needs `folder` or `into`, one of them"),
        (
            "      folder: x\n      into: {folder: y}\n".to_owned(),
            "an inbox needs `folder` or `into`, one of them",
        ),
        (
            "      into: {folder: y, sqlite: {file: z}}\n".to_owned(),
            "`into` needs one of `folder`, `postgres`, `mysql`, `sqlite`",
        ),
        (
            format!("      most: 5\n      into: {{sqlite: {{file: z, table: t, {columns}}}}}\n"),
            "`most` of a table needs `taken_at` among its `columns`",
        ),
        (
            "      into: {sqlite: {file: z, table: t, columns: {key: a, item: a}}}\n".to_owned(),
            "`columns` names a column twice",
        ),
        (
            format!(
                "      into: {{postgres: {{database: \"postgres://u:secret@10.0.0.1/d\", table: t, \
                 {columns}}}}}\n"
            ),
            "must not have a password in it",
        ),
        (
            format!(
                "      into: {{mysql: {{database: \"mysql://u@10.0.0.1/d\", table: t, {columns}}}}}\n"
            ),
            "on another machine needs `ssl-mode=VERIFY_IDENTITY`",
        ),
        (
            format!("      into: {{sqlite: {{file: z, table: \"t; x\", {columns}}}}}\n"),
            "not a name of letters",
        ),
    ] {
        let told = told(&lines);
        assert!(told.contains(mistake), "{mistake} in {told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
