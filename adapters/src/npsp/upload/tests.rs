use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::*;
use crate::{
    deliver::Envelope,
    npsp::testing::{CASES, Desk, Scripted, Told, WITH_LISTS, envelope, parcel},
};

const FILES: &str = "  files:\n    - {call: DongBoHoSoMC, list: TaiLieuNop, file: TenTepDinhKem, \
                     into: TepDinhKemId, upload: TaiLenTepTin, folder: scans, \
                     media: [application/pdf], max_files: 2}\n";

fn case(files: &[&str]) -> Envelope {
    let files: Vec<Value> = files.iter().map(|file| json!({"TenTepDinhKem": file})).collect();
    envelope(&json!({"MaHoSo": "A", "TrangThaiHoSo": "1", "TaiLieuNop": files}))
}

fn desk(portal: &Scripted) -> Desk {
    let desk = Desk::new(portal.addr, &format!("{CASES}{WITH_LISTS}{FILES}"));
    std::fs::create_dir_all(desk.path("scans/2026")).unwrap();
    for name in ["a.pdf", "b.pdf", "c.pdf"] {
        std::fs::write(desk.path("scans/2026").join(name), format!("%PDF-1.7\n{name}")).unwrap();
    }
    desk
}

/// Gives each content an id of its own; what it says to a dossier is the test's.
async fn portal(dossier: impl Fn() -> Told + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |asked| match asked.call() {
        "login" => Told::Json(200, json!({"error_code": 0, "session": "s1"})),
        "TaiLenTepTin" => Told::Json(200, json!({"error_code": "00", "result": id(&asked.body)})),
        _ => dossier(),
    })
    .await
}

/// The portal's id of a content.
fn id(content: &[u8]) -> String {
    hex(digest(&SHA256, content).as_ref()).chars().take(12).collect()
}

fn taken() -> Told {
    Told::Json(200, json!({"error_code": "00"}))
}

#[tokio::test]
async fn a_file_outside_the_folder_of_another_kind_or_one_too_many_is_refused_unsent() {
    let portal = portal(taken).await;
    let desk = desk(&portal);
    std::fs::write(desk.path("scans/page.pdf"), "<html>").unwrap();
    let npsp = desk.open();
    for files in [&["../password"][..], &["page.pdf"], &["2026/a.pdf", "2026/b.pdf", "2026/c.pdf"]]
    {
        let outcome = npsp.send(parcel("DongBoHoSoMC", &case(files))).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    let outcome = npsp.send(parcel("DongBoHoSoMC", &case(&["2026/missing.pdf"]))).await;
    assert_eq!(outcome, Outcome::Failed(Reason::new("a file is missing")));
    assert!(portal.calls().is_empty());
}

#[tokio::test]
async fn files_go_first_and_the_dossier_names_them_by_what_the_portal_answered() {
    let portal = portal(taken).await;
    let npsp = desk(&portal).open();
    let case = case(&["2026/a.pdf", "2026/b.pdf"]);
    assert_eq!(npsp.send(parcel("DongBoHoSoMC", &case)).await, Outcome::Delivered);
    assert_eq!(portal.calls(), ["login", "TaiLenTepTin", "TaiLenTepTin", "DongBoHoSoMC"]);
    let upload = &portal.asked("TaiLenTepTin")[0];
    assert_eq!(upload.path, "/r1/VN/GOV/G22/DVCQG/lists/TaiLenTepTin");
    assert_eq!(upload.body, b"%PDF-1.7\na.pdf");
    for (header, value) in [
        ("content-type", "application/pdf"),
        ("session", "s1"),
        ("madonvi", "H29.20"),
        ("x-road-issue", "H29.40-261102-0001"),
    ] {
        assert_eq!(upload.header(header), Some(value));
    }
    let sent = portal.asked("DongBoHoSoMC")[0].json();
    assert_eq!(
        sent["data"][0]["TaiLieuNop"],
        json!([
            {"TenTepDinhKem": "a.pdf", "TepDinhKemId": id(b"%PDF-1.7\na.pdf")},
            {"TenTepDinhKem": "b.pdf", "TepDinhKemId": id(b"%PDF-1.7\nb.pdf")},
        ])
    );
}

#[tokio::test]
async fn another_attempt_sends_no_file_again_not_even_of_another_process() {
    let times = AtomicU32::new(0);
    let portal = portal(move || match times.fetch_add(1, Ordering::SeqCst) {
        0 => Told::Nothing,
        _ => taken(),
    })
    .await;
    let desk = desk(&portal);
    let case = case(&["2026/a.pdf"]);
    let outcome = desk.open().send(parcel("DongBoHoSoMC", &case)).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    let other = desk.open();
    assert_eq!(other.send(parcel("DongBoHoSoMC", &case)).await, Outcome::Delivered);
    assert_eq!(portal.asked("TaiLenTepTin").len(), 1);
    let sent = portal.asked("DongBoHoSoMC");
    assert_eq!(sent[0].json()["data"], sent[1].json()["data"]);
    // A file that was changed in between is another file, and so is one of another message.
    std::fs::write(desk.path("scans/2026/a.pdf"), "%PDF-1.7\nother").unwrap();
    other.send(parcel("DongBoHoSoMC", &case)).await;
    other.send(Parcel { id: "other", ..parcel("DongBoHoSoMC", &case) }).await;
    assert_eq!(portal.asked("TaiLenTepTin").len(), 3);
}

#[tokio::test]
async fn a_lost_answer_to_a_file_costs_the_message_nothing_but_an_attempt() {
    let portal = Scripted::start(|asked| match asked.call() {
        "login" => Told::Json(200, json!({"error_code": 0, "session": "s1"})),
        "TaiLenTepTin" => Told::Nothing,
        _ => taken(),
    })
    .await;
    let npsp = desk(&portal).open();
    let outcome = npsp.send(parcel("DongBoHoSoMC", &case(&["2026/a.pdf"]))).await;
    // Not unknown: the dossier itself was not sent.
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert!(portal.asked("DongBoHoSoMC").is_empty());
}

#[tokio::test]
async fn a_file_that_arrived_as_another_is_not_named() {
    let portal = Scripted::start(|asked| match asked.call() {
        "login" => Told::Json(200, json!({"error_code": 0, "session": "s1"})),
        "TaiLenTepTin" => {
            Told::Json(200, json!({"error_code": "0", "result": "f1", "sha256": "0".repeat(64)}))
        }
        _ => taken(),
    })
    .await;
    let npsp = desk(&portal).open();
    let outcome = npsp.send(parcel("DongBoHoSoMC", &case(&["2026/a.pdf"]))).await;
    assert_eq!(outcome, Outcome::Failed(Reason::new("portal got another file than was sent")));
    assert!(portal.asked("DongBoHoSoMC").is_empty());
}

#[tokio::test]
async fn elements_that_the_portal_has_are_left_alone() {
    let portal = portal(taken).await;
    let npsp = desk(&portal).open();
    let case = envelope(&json!({
        "MaHoSo": "A", "TrangThaiHoSo": "1",
        "TaiLieuNop": [{"TenTepDinhKem": "x.pdf", "TepDinhKemId": "known"}],
    }));
    assert_eq!(npsp.send(parcel("DongBoHoSoMC", &case)).await, Outcome::Delivered);
    assert_eq!(portal.calls(), ["login", "DongBoHoSoMC"]);
    assert_eq!(portal.asked("DongBoHoSoMC")[0].json()["data"][0], Value::Object(case.record));
}
