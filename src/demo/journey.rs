//! One dossier in the demo: opened in a ward's database, synchronised with the national portal, worked
//! on and handed over, while the portal fails twice.

use std::path::Path;

use anyhow::Context as _;
use lienthong_model::{clock::civil_zone, text::Language};
use lienthong_sandbox::Fault;
use serde::Serialize;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::world::World;
use crate::{clock, output::Output};

/// One change of the dossier in the ward's database.
struct Change {
    kind: &'static str,
    status: u8,
    at: &'static str,
    /// What goes wrong at the portal meanwhile.
    fault: Option<Fault>,
    /// What it is: Vietnamese, English.
    words: (&'static str, &'static str),
}

/// What became of the dossier.
#[derive(Debug, Serialize)]
pub(crate) struct JourneyResult {
    /// Its code.
    case: String,
    /// The statuses that the portal has seen, in their order.
    history: Vec<u8>,
    /// Attempts that failed and were followed by another.
    retried: u64,
    /// Steps that the portal holds twice.
    duplicates: u64,
    /// Messages that need a person.
    dead: u64,
}

impl JourneyResult {
    pub(crate) fn is_sound(&self) -> bool {
        self.history == [1, 2, 4, 9, 10]
            && self.retried == 2
            && self.duplicates == 0
            && self.dead == 0
    }
}

fn changes() -> [Change; 5] {
    let change = |kind, status, at, fault, words| Change { kind, status, at, fault, words };
    [
        change("sync", 1, "08:00", None, ("mở hồ sơ", "opened")),
        change(
            "sync",
            2,
            "08:20",
            Some(Fault::StackTrace),
            ("tiếp nhận; Cổng báo lỗi 500", "received; the portal answers 500"),
        ),
        change(
            "progress",
            4,
            "09:00",
            Some(Fault::ResetAfterAccept),
            (
                "đang xử lý; Cổng nhận xong thì ngắt kết nối",
                "in progress; the portal takes it and breaks off",
            ),
        ),
        change("sync", 9, "14:00", None, ("xử lý xong", "finished")),
        change("sync", 10, "15:30", None, ("trả kết quả", "result handed over")),
    ]
}

/// Plays the dossier's changes, and tells after each what became of it.
pub(crate) async fn play(
    world: &World,
    directory: &Path,
    output: &Output,
) -> anyhow::Result<JourneyResult> {
    // Another each time, so that a directory that was kept can be used again.
    let now = clock::system().now().to_zoned(civil_zone());
    let second =
        i32::from(now.hour()) * 3_600 + i32::from(now.minute()) * 60 + i32::from(now.second());
    let case = format!("H29.40-{}-{second:05}", now.strftime("%y%m%d"));
    output.line(match output.language() {
        Language::Vietnamese => format!("\nHồ sơ {case}, từ cơ sở dữ liệu của phường lên Cổng:"),
        Language::English => format!("\nDossier {case}, from a ward's database to the portal:"),
    });
    let before = world.portal.report().duplicates;
    let mut retried = 0;
    let mut dead = 0;
    for change in changes() {
        write(&directory.join("city.db"), &case, &change).await?;
        if let Some(fault) = change.fault {
            let call = if change.kind == "sync" { "DongBoHoSoMC" } else { "CapNhatTienDoHoSoMC" };
            world.portal.faults.once(call, fault);
        }
        let (was, is) = world.deliver().await?;
        let again = is.retried.saturating_sub(was.retried);
        (retried, dead) = (retried + again, dead + is.dead.saturating_sub(was.dead));
        let words = output.choose(change.words.0, change.words.1);
        let held = world.portal.status_of(&case).map_or_else(|| "-".to_owned(), |n| n.to_string());
        output.line(match output.language() {
            Language::Vietnamese => format!(
                "  {:>2} {words}: {} đã giao, {again} gửi lại; Cổng: trạng thái {held}",
                change.status,
                is.delivered.saturating_sub(was.delivered)
            ),
            Language::English => format!(
                "  {:>2} {words}: {} delivered, {again} retried; the portal has status {held}",
                change.status,
                is.delivered.saturating_sub(was.delivered)
            ),
        });
    }
    let duplicates = world.portal.report().duplicates.saturating_sub(before);
    let history = world.portal.history_of(&case);
    Ok(JourneyResult { case, history, retried, duplicates, dead })
}

/// Writes a change as the city's procedure system does: a row of its outbox.
async fn write(database: &Path, case: &str, change: &Change) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(false);
    let mut connection =
        SqliteConnection::connect_with(&options).await.context("city's database")?;
    let is_sync = change.kind == "sync";
    let at = format!("2026-11-29 {}:00", change.at);
    sqlx::query(
        "INSERT INTO case_outbox (event_id, kind, case_code, officer, happened_at, status,
             procedure_code, applicant_name, received_at, officer_name, step)
         VALUES ($1, $2, $3, 'cb.sg.017', $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(format!("{case}/{}", change.status))
    .bind(change.kind)
    .bind(case)
    .bind(at)
    .bind(i64::from(change.status))
    .bind(is_sync.then_some("1.000894"))
    .bind(is_sync.then_some("Người Nộp Mẫu"))
    .bind(is_sync.then_some("2026-11-29 08:00:00"))
    .bind((!is_sync).then_some("Cán bộ mẫu"))
    .bind((!is_sync).then_some("Thẩm định hồ sơ"))
    .execute(&mut connection)
    .await
    .context("writing to the city's database")?;
    connection.close().await?;
    Ok(())
}
