//! The national population database, in the JSON profile of `population-verification.yaml`.
//!
//! Compares names in upper case, NFC, accents included (the public clients send them so). The record
//! holds ethnicity and religion, as the real one does.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use serde_json::{Map, Value, json};
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    Error, Faults,
    database::{self, put},
    server::{self, Answer, Listen, Request, Running, Serve},
};

/// Settings of the population database.
#[derive(Debug, Clone)]
pub struct PopulationSettings {
    /// Where it listens.
    pub listen: Listen,
    /// The database made by [`crate::synthetic::generate`].
    pub database: PathBuf,
}

/// The population database.
#[derive(Debug)]
pub struct Population;

/// A running population database; it stops when this is dropped.
#[derive(Debug)]
pub struct PopulationHandle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// What breaks on purpose.
    pub faults: Faults,
    _running: Running,
}

impl Population {
    /// Starts the population database.
    ///
    /// # Errors
    /// When it cannot listen or the database cannot be opened.
    pub async fn start(settings: PopulationSettings) -> Result<PopulationHandle, Error> {
        let pool = database::open(&settings.database).await?;
        let faults = Faults::default();
        let desk = Desk { pool, faults: faults.clone() };
        let running = server::start(&settings.listen, Arc::new(desk)).await?;
        Ok(PopulationHandle { addr: running.addr, faults, _running: running })
    }
}

struct Desk {
    pool: SqlitePool,
    faults: Faults,
}

impl Serve for Desk {
    async fn serve(&self, request: Request) -> Answer {
        let fault = self.faults.next(request.call());
        if let Some(fault) = fault {
            tokio::time::sleep(fault.delay()).await;
            if let Some(answer) = fault.instead() {
                return answer;
            }
        }
        let answer = match self.answer(&request).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, "synthetic database failed");
                Answer::html(500, "<html><body>Internal Server Error</body></html>")
            }
        };
        match fault {
            Some(fault) => fault.spoil(answer),
            None => answer,
        }
    }
}

impl Desk {
    async fn answer(&self, request: &Request) -> Result<Answer, sqlx::Error> {
        let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(&request.body) else {
            return Ok(Answer::html(400, "<html><body>Bad Request</body></html>"));
        };
        // Each officer must be named, with the number of the integration that the call is for.
        let officer = body.get("MaCanBo").and_then(Value::as_str).unwrap_or_default();
        let integration = body.get("MaTichHop").and_then(Value::as_str).unwrap_or_default();
        match (request.call(), integration) {
            _ if officer.is_empty() => Ok(Answer::html(400, "<html><body>MaCanBo</body></html>")),
            ("XacThucThongTinCongDan", "003") => self.verify(&body).await,
            ("TraCuuThongTinCongDan", "037") => self.look_up(&body).await,
            _ => Ok(Answer::html(404, "<html><body>Not Found</body></html>")),
        }
    }

    async fn verify(&self, body: &Map<String, Value>) -> Result<Answer, sqlx::Error> {
        let row = self.find(body).await?;
        let agrees = match &row {
            Some(row) => agrees(row, body)?,
            None => false,
        };
        let mut answer = Map::new();
        put(&mut answer, "MaYeuCau", body.get("MaYeuCau"));
        put(&mut answer, "TonTai", Some(row.is_some()));
        put(&mut answer, "KetQuaXacThuc", Some(agrees));
        Ok(Answer::json(200, &Value::Object(answer)))
    }

    async fn look_up(&self, body: &Map<String, Value>) -> Result<Answer, sqlx::Error> {
        match self.find(body).await? {
            Some(row) if agrees(&row, body)? => {
                let mut answer = Map::new();
                put(&mut answer, "MaYeuCau", body.get("MaYeuCau"));
                answer.insert("CongDan".to_owned(), record(&row)?);
                Ok(Answer::json(200, &Value::Object(answer)))
            }
            _ => {
                let body =
                    json!({"maLoi": "KHONG_TIM_THAY", "thongBao": "Không tìm thấy công dân"});
                Ok(Answer::json(404, &body))
            }
        }
    }

    async fn find(&self, body: &Map<String, Value>) -> Result<Option<SqliteRow>, sqlx::Error> {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        match (text("SoDinhDanh"), text("SoCMND")) {
            (Some(number), _) => {
                let query = sqlx::query("SELECT * FROM citizens WHERE number = ?").bind(number);
                query.fetch_optional(&self.pool).await
            }
            (None, Some(old)) => {
                let query = sqlx::query("SELECT * FROM citizens WHERE old_number = ?").bind(old);
                query.fetch_optional(&self.pool).await
            }
            (None, None) => Ok(None),
        }
    }
}

fn upper(text: &str) -> String {
    text.nfc().collect::<String>().to_uppercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether name and birth date are those of the record. A year is enough when only it is sent.
fn agrees(row: &SqliteRow, body: &Map<String, Value>) -> Result<bool, sqlx::Error> {
    let name = body.get("HoVaTen").and_then(Value::as_str).unwrap_or_default();
    let born = body.get("NgayThangNamSinh").cloned().unwrap_or_default();
    let day = born.get("NgayThangNam").and_then(Value::as_str);
    let year = born.get("Nam").and_then(Value::as_str);
    let date_agrees = match (day, year) {
        (Some(day), _) => row.try_get::<Option<String>, _>("birth_date")?.as_deref() == Some(day),
        (None, Some(year)) => row.try_get::<i64, _>("birth_year")?.to_string() == year,
        (None, None) => false,
    };
    Ok(date_agrees && upper(&row.try_get::<String, _>("full_name")?) == upper(name))
}

fn record(row: &SqliteRow) -> Result<Value, sqlx::Error> {
    let text = |name: &str| row.try_get::<Option<String>, _>(name);
    let address = json!({
        "MaTinhThanh": "79",
        "MaQuanHuyen": null,
        "MaPhuongXa": text("ward")?,
        "ChiTiet": text("address")?,
        "QuocGia": "VN",
    });
    let home = json!({"MaTinhThanh": text("home_province")?, "QuocGia": "VN"});
    let born = match text("birth_date")? {
        Some(day) => json!({"NgayThangNam": day}),
        None => json!({"Nam": row.try_get::<i64, _>("birth_year")?.to_string()}),
    };
    Ok(json!({
        "SoDinhDanh": text("number")?,
        "SoCMND": text("old_number")?,
        // The whole name often comes back in `Ten`.
        "HoVaTen": {"Ho": null, "ChuDem": null, "Ten": upper(&text("full_name")?.unwrap_or_default())},
        "GioiTinh": row.try_get::<i64, _>("sex")?,
        "DanToc": text("ethnicity")?,
        "TonGiao": text("religion")?,
        "TinhTrangHonNhan": text("marital")?,
        "NhomMau": text("blood")?,
        "NgayThangNamSinh": born,
        "NoiDangKyKhaiSinh": home,
        "QueQuan": home,
        "ThuongTru": address,
        "NoiOHienTai": address,
        "QuocTich": "VN",
        "Cha": relative(row, "father")?,
        "Me": relative(row, "mother")?,
        "VoChong": relative(row, "spouse")?,
        "NguoiDaiDien": null,
        "ChuHo": {"QuanHe": "01", "HoVaTen": text("full_name")?, "SoDinhDanh": text("number")?},
        "SoSoHoKhau": text("household")?,
    }))
}

fn relative(row: &SqliteRow, who: &str) -> Result<Value, sqlx::Error> {
    let name = row.try_get::<Option<String>, _>(format!("{who}_name").as_str())?;
    let number = row.try_get::<Option<String>, _>(format!("{who}_number").as_str())?;
    Ok(match name {
        Some(name) => json!({"HoVaTen": name, "QuocTich": "VN", "SoDinhDanh": number}),
        None => Value::Null,
    })
}

#[cfg(test)]
mod tests;
