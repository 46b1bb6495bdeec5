use serde_json::json;

use super::*;
use crate::npsp::testing::{CASES, Desk, Scripted, Told, WITH_LISTS, files};

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
