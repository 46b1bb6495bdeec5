//! What a peer answers to a question: from the synthetic database, and nothing about a person.

use serde_json::{Map, Value, json};
use sqlx::{Row as _, SqlitePool};

/// The registration of a number, as the peer has it.
pub(super) async fn registration(
    pool: &SqlitePool,
    question: &Map<String, Value>,
) -> Result<Value, sqlx::Error> {
    let number = question.get("SoDangKy").and_then(Value::as_str).unwrap_or_default();
    let row = sqlx::query(
        "SELECT kind, registered_on, ward FROM civil_status_outbox WHERE registration = ?
         ORDER BY id DESC LIMIT 1",
    );
    let Some(row) = row.bind(number).fetch_optional(pool).await? else {
        return Ok(json!({"TonTai": false}));
    };
    let kind = match row.try_get::<String, _>("kind")?.as_str() {
        "birth" => "KS",
        "death" => "KT",
        _ => "KH",
    };
    let day: String = row.try_get("registered_on")?;
    let day: String = day.chars().filter(char::is_ascii_digit).take(8).collect();
    let ward: String = row.try_get("ward")?;
    Ok(json!({"TonTai": true, "LoaiDangKy": kind, "NgayDangKy": day, "NoiDangKy": ward}))
}
