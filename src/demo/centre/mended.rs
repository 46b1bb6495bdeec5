//! A data set that is held because too many of its rows are wrong, and goes on once they are mended.

use std::path::Path;

use anyhow::Context as _;
use lienthong_adapters::Config;
use lienthong_model::text::Language;
use serde::Serialize;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{super::world::World, run};
use crate::output::Output;

/// The flow.
const FLOW: &str = "registrations-to-centre";
/// Births of the synthetic register that are registered anew, so that there is something to weigh.
const BIRTHS: i64 = 240;
/// One registration of so many is spoiled.
const EVERY: i64 = 20;
/// Writes them as the city's registry does.
const REGISTER: &str = "
    INSERT INTO civil_status_outbox (event_id, kind, case_code, registration, registered_on, ward,
        happened_at, person_name, person_number, person_born, person_sex)
    SELECT 'demo/' || case_code, 'birth', case_code, registration,
        substr(registered_on, 1, 4) || '-' || substr(registered_on, 5, 2) || '-' || substr(registered_on, 7, 2),
        births.ward, '2026-11-02 11:00:00', full_name, number, birth_date, sex
    FROM births JOIN citizens USING (number)
    WHERE registered_on BETWEEN '20250701' AND '20261031' ORDER BY number LIMIT $1";

/// What became of the data set.
#[derive(Debug, Serialize)]
pub(crate) struct MendedResult {
    /// Rows of the source.
    rows: u64,
    /// Rows with a day that no calendar has.
    wrong: u64,
    /// The criterion whose score held the data set, the score and its threshold, in thousandths.
    criterion: Option<&'static str>,
    score_per_mille: u64,
    threshold: Option<String>,
    /// Registrations that were delivered while it was held.
    delivered_while_held: u64,
    /// Registrations that were delivered when all was mended, and those that the centre took.
    delivered: u64,
    accepted: u64,
    repeated: u64,
    /// Registrations that wait for their registry: an identifier in them is wrong.
    aside: u64,
}

impl MendedResult {
    pub(super) fn is_sound(&self) -> bool {
        self.criterion == Some("correct")
            && self.wrong > 0
            && self.delivered_while_held == 0
            && self.delivered > self.wrong
            && self.delivered + self.aside == self.rows
            && self.accepted == self.delivered
            && self.repeated == 0
    }
}

/// Spoils rows of the city's registrations, runs, mends them and runs again.
pub(super) async fn play(
    world: &World,
    config: &Config,
    database: &Path,
    output: &Output,
) -> anyhow::Result<MendedResult> {
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(false);
    let mut city = SqliteConnection::connect_with(&options).await.context("city's database")?;
    sqlx::query(REGISTER).bind(BIRTHS).execute(&mut city).await.context("registering births")?;
    let spoil = "UPDATE civil_status_outbox SET registered_on = '2026-02-31/' || registered_on
                 WHERE id % $1 = 0";
    let wrong = sqlx::query(spoil).bind(EVERY).execute(&mut city).await?.rows_affected();
    let held = run(config, FLOW).await?;
    let why = held.quality.held.as_ref();
    let mut result = MendedResult {
        rows: held.rows,
        wrong,
        criterion: why.map(|held| held.criterion.as_str()),
        score_per_mille: why
            .map(|held| held.score.good * 1000 / held.score.all.max(1))
            .unwrap_or_default(),
        threshold: why.map(|held| held.threshold.to_string()),
        delivered_while_held: held.delivered,
        delivered: 0,
        accepted: 0,
        repeated: 0,
        aside: 0,
    };
    tell_held(&result, output);
    let mend = "UPDATE civil_status_outbox SET registered_on = substr(registered_on, 12)
                WHERE registered_on LIKE '2026-02-31/%'";
    sqlx::query(mend).execute(&mut city).await?;
    city.close().await?;
    let mended = run(config, FLOW).await?;
    let seen = world.centre.report();
    let of = |counts: &std::collections::BTreeMap<String, u64>| counts.get("HOTICH").copied();
    result.delivered = mended.delivered;
    result.aside = mended.quarantined;
    result.accepted = of(&seen.accepted).unwrap_or_default();
    result.repeated = of(&seen.repeated).unwrap_or_default();
    tell_mended(&result, output);
    Ok(result)
}

fn tell_held(result: &MendedResult, output: &Output) {
    let MendedResult { rows, wrong, delivered_while_held, .. } = result;
    let (score, threshold) = (result.score_per_mille, result.threshold.as_deref().unwrap_or("–"));
    let score = format!("{}.{} %", score / 10, score % 10);
    let criterion = result.criterion.unwrap_or("–");
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "  đăng ký hộ tịch: {rows} dòng, {wrong} dòng sai ngày; bị giữ vì `{criterion}` {score} dưới ngưỡng {threshold}: đã giao {delivered_while_held}"
        ),
        Language::English => format!(
            "  registrations: {rows} rows, {wrong} with a wrong day; held since `{criterion}` {score} is below {threshold}: {delivered_while_held} delivered"
        ),
    });
}

fn tell_mended(result: &MendedResult, output: &Output) {
    let MendedResult { delivered, accepted, repeated, aside, .. } = result;
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "    phường sửa xong, dòng tự được kiểm tra lại: đã giao {delivered}, Trung tâm nhận {accepted}, trùng {repeated}; {aside} dòng sai số định danh vẫn để riêng"
        ),
        Language::English => format!(
            "    mended in the ward and looked at again: {delivered} delivered, the centre took {accepted}, {repeated} twice; {aside} with a wrong identifier stay aside"
        ),
    });
}
