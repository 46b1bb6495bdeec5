//! Three city providers: civil status and land registration over the synthetic database, and the
//! health register beside it.
//!
//! Paths and fields are those of `civil-status.yaml`, `land-registration.yaml` and
//! `health-book.yaml` in `schemas/services/v1/`. The answers hold everything the register knows, sensitive fields
//! included: what may leave is the gateway's business.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use serde_json::{Map, Value, json};
use sqlx::{FromRow, Row as _, SqlitePool, sqlite::SqliteRow};

mod health;

use crate::{
    Error, Faults,
    database::{self, put},
    server::{self, Answer, Listen, Request, Running, Serve},
};

/// Settings of the city's providers.
#[derive(Debug, Clone)]
pub struct CitySettings {
    /// Where they listen.
    pub listen: Listen,
    /// The database made by [`crate::synthetic::generate`].
    pub database: PathBuf,
    /// People of the health extract.
    pub health_records: u32,
}

/// People of the health extract, unless another number is given.
pub const HEALTH_RECORDS: u32 = 200_000;

/// The city's civil-status, land-registration and health providers.
#[derive(Debug)]
pub struct City;

/// Running providers; they stop when this is dropped.
#[derive(Debug)]
pub struct CityHandle {
    /// Where they listen.
    pub addr: SocketAddr,
    /// What breaks on purpose. A call is named by the last part of its path, or by
    /// `civil-status`, `land-registration` and `health-book` for all of one register.
    pub faults: Faults,
    _running: Running,
}

impl City {
    /// Starts the providers.
    ///
    /// # Errors
    /// When they cannot listen or the database cannot be opened.
    pub async fn start(settings: CitySettings) -> Result<CityHandle, Error> {
        let pool = database::open(&settings.database).await?;
        let faults = Faults::default();
        let health_records = settings.health_records;
        let desk = Desk { pool, faults: faults.clone(), health_records };
        let running = server::start(&settings.listen, Arc::new(desk)).await?;
        Ok(CityHandle { addr: running.addr, faults, _running: running })
    }
}

struct Desk {
    pool: SqlitePool,
    faults: Faults,
    health_records: u32,
}

impl Serve for Desk {
    async fn serve(&self, request: Request) -> Answer {
        let service = match request.path.split('/').find(|part| !part.is_empty()) {
            Some("ho-tich") => "civil-status",
            Some("dat-dai") => "land-registration",
            Some("so-suc-khoe") => "health-book",
            _ => "unknown",
        };
        let fault = self.faults.next(request.call()).or_else(|| self.faults.next(service));
        if let Some(fault) = fault {
            tokio::time::sleep(fault.delay()).await;
            if let Some(answer) = fault.instead() {
                return answer;
            }
        }
        let answer = match self.answer(&request).await {
            Ok(Some(answer)) => answer,
            Ok(None) => not_found(&request),
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

fn not_found(request: &Request) -> Answer {
    if request.path.starts_with("/ho-tich/") {
        Answer::json(404, &json!({"maLoi": "201", "thongBao": "Không tìm thấy"}))
    } else {
        Answer::json(404, &json!({"maLoi": "KHONG_TIM_THAY", "thongBao": "Không tìm thấy"}))
    }
}

impl Desk {
    async fn answer(&self, request: &Request) -> Result<Option<Answer>, sqlx::Error> {
        let parts: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        if let Some(answer) = health::stream(&parts, request, self.health_records) {
            return Ok(Some(answer));
        }
        let found = match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["ho-tich", "khai-sinh"]) => {
                let number = request.query("soDinhDanh").unwrap_or_default();
                self.birth("c.number = ?", number).await?
            }
            ("GET", ["ho-tich", "khai-sinh", registration]) => {
                self.birth("b.registration = ?", registration).await?
            }
            ("GET", ["ho-tich", "tinh-trang-hon-nhan"]) => {
                self.marriage(request.query("soDinhDanh").unwrap_or_default()).await?
            }
            ("GET", ["dat-dai", "thua-dat", key]) => self.parcel_by_key(key).await?,
            ("GET", ["dat-dai", "thua-dat"]) => {
                let number = |name| request.query(name).and_then(|v| v.parse().ok()).unwrap_or(0);
                let ward = request.query("maXa").unwrap_or_default();
                self.parcel_by_sheet(ward, number("soHieuToBanDo"), number("soThuTuThua")).await?
            }
            ("GET", ["so-suc-khoe"]) => {
                health::book(&self.pool, request.query("soDinhDanh").unwrap_or_default()).await?
            }
            ("POST", ["dat-dai", "xac-nhan-chu-su-dung"]) => self.confirm(&request.body).await?,
            _ => None,
        };
        Ok(found.map(|body| Answer::json(200, &body)))
    }

    async fn birth(
        &self,
        condition: &'static str,
        value: &str,
    ) -> Result<Option<Value>, sqlx::Error> {
        let query = sqlx::AssertSqlSafe(format!(
            "SELECT c.*, b.registration, b.case_code, b.status, b.ward AS birth_ward, b.office,
             b.registered_on, b.note FROM births b JOIN citizens c ON c.number = b.number
             WHERE {condition}"
        ));
        let row = sqlx::query(query).bind(value).fetch_optional(&self.pool).await?;
        row.as_ref().map(birth_record).transpose()
    }

    async fn marriage(&self, number: &str) -> Result<Option<Value>, sqlx::Error> {
        let row = sqlx::query("SELECT * FROM citizens WHERE number = ?")
            .bind(number)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(marriage_record).transpose()
    }

    async fn parcel_by_key(&self, key: &str) -> Result<Option<Value>, sqlx::Error> {
        let mut parts = key.split('-');
        if let (Some(ward), Some(sheet), Some(parcel)) = (parts.next(), parts.next(), parts.next())
        {
            let number = |text: &str| text.parse().unwrap_or(0);
            return self.parcel_by_sheet(ward, number(sheet), number(parcel)).await;
        }
        let row = sqlx::query_as("SELECT * FROM parcels WHERE geohash = ?")
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        self.parcel(row).await
    }

    async fn parcel_by_sheet(
        &self,
        ward: &str,
        sheet: i64,
        parcel: i64,
    ) -> Result<Option<Value>, sqlx::Error> {
        let row =
            sqlx::query_as("SELECT * FROM parcels WHERE ward = ? AND sheet = ? AND parcel = ?")
                .bind(ward)
                .bind(sheet)
                .bind(parcel)
                .fetch_optional(&self.pool)
                .await?;
        self.parcel(row).await
    }

    async fn parcel(&self, row: Option<ParcelRow>) -> Result<Option<Value>, sqlx::Error> {
        let Some(parcel) = row else { return Ok(None) };
        let owners = sqlx::query("SELECT * FROM parcel_owners WHERE geohash = ? ORDER BY place")
            .bind(&parcel.geohash)
            .fetch_all(&self.pool)
            .await?;
        let owners = owners.iter().map(owner_record).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(parcel.record(owners)))
    }

    async fn confirm(&self, body: &[u8]) -> Result<Option<Value>, sqlx::Error> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let Some(parcel) = self.parcel_by_key(text("MaThuaDat")).await? else { return Ok(None) };
        let owners = parcel.get("ChuSuDung").and_then(Value::as_array).cloned().unwrap_or_default();
        let holds = owners
            .iter()
            .any(|o| o.get("SoDinhDanh").and_then(Value::as_str) == Some(text("SoDinhDanh")));
        Ok(Some(json!({
            "MaThuaDat": parcel.get("MaThuaDat"),
            "LaChuSuDung": holds,
            "SoNguoiCungSuDung": owners.len(),
        })))
    }
}

fn birth_record(row: &SqliteRow) -> Result<Value, sqlx::Error> {
    let text = |name: &str| row.try_get::<Option<String>, _>(name);
    let ward = text("birth_ward")?;
    let mut record = Map::new();
    put(&mut record, "SoDangKy", text("registration")?);
    put(&mut record, "TrangThai", text("status")?);
    put(&mut record, "MaHoSo", text("case_code")?);
    put(&mut record, "SoDinhDanh", text("number")?);
    put(&mut record, "HoVaTen", text("full_name")?);
    put(&mut record, "GioiTinh", Some(row.try_get::<i64, _>("sex")?));
    put(&mut record, "NgaySinh", text("birth_date")?);
    put(&mut record, "NamSinh", Some(row.try_get::<i64, _>("birth_year")?));
    record.insert("DanToc".to_owned(), json!(text("ethnicity")?));
    put(&mut record, "QuocTich", Some("VN"));
    let place = json!({"MaTinhThanh": "79", "MaPhuongXa": ward, "ChiTiet": text("office")?});
    record.insert("NoiSinh".to_owned(), place);
    put(&mut record, "QueQuan", Some(json!({"MaTinhThanh": text("home_province")?})));
    let office = json!({"MaPhuongXa": ward, "TenCoQuan": text("office")?});
    record.insert("NoiDangKy".to_owned(), office);
    put(&mut record, "NgayDangKy", text("registered_on")?);
    record.insert("Cha".to_owned(), parent_record(row, "father")?);
    record.insert("Me".to_owned(), parent_record(row, "mother")?);
    record.insert("GhiChu".to_owned(), json!(text("note")?));
    Ok(Value::Object(record))
}

fn parent_record(row: &SqliteRow, who: &str) -> Result<Value, sqlx::Error> {
    let column = |name: &str| format!("{who}_{name}");
    let Some(name) = row.try_get::<Option<String>, _>(column("name").as_str())? else {
        return Ok(Value::Null);
    };
    Ok(json!({
        "HoVaTen": name,
        "SoDinhDanh": row.try_get::<Option<String>, _>(column("number").as_str())?,
        "NamSinh": row.try_get::<Option<i64>, _>(column("year").as_str())?,
        "DanToc": row.try_get::<Option<String>, _>(column("ethnicity").as_str())?,
    }))
}

fn marriage_record(row: &SqliteRow) -> Result<Value, sqlx::Error> {
    let text = |name: &str| row.try_get::<Option<String>, _>(name);
    let mut record = Map::new();
    put(&mut record, "SoDinhDanh", text("number")?);
    put(&mut record, "HoVaTen", text("full_name")?);
    put(&mut record, "TinhTrangHonNhan", text("marital")?);
    let spouse = match text("spouse_name")? {
        Some(name) => json!({"HoVaTen": name, "SoDinhDanh": text("spouse_number")?}),
        None => Value::Null,
    };
    if let Some(on) = text("married_on")? {
        put(&mut record, "NgayDangKyKetHon", Some(on));
        put(&mut record, "NoiDangKy", Some(json!({"MaPhuongXa": text("ward")?})));
    }
    record.insert("VoChong".to_owned(), spouse);
    record.insert("GhiChu".to_owned(), Value::Null);
    Ok(Value::Object(record))
}

#[derive(FromRow)]
struct ParcelRow {
    geohash: String,
    ward: String,
    sheet: i64,
    parcel: i64,
    area: f64,
    purpose: String,
    term: String,
    address: String,
    certificate: String,
    book: String,
    issued_on: String,
    mortgaged_to: Option<String>,
    mortgaged_on: Option<String>,
    debt: Option<i64>,
}

impl ParcelRow {
    fn record(self, owners: Vec<Value>) -> Value {
        let mortgage = match (self.mortgaged_to, self.mortgaged_on) {
            (Some(to), Some(on)) => {
                json!({"DangTheChap": true, "BenNhanTheChap": to, "NgayDangKy": on})
            }
            _ => Value::Null,
        };
        json!({
            "MaThuaDat": self.geohash,
            "MaXa": self.ward,
            "SoHieuToBanDo": self.sheet,
            "SoThuTuThua": self.parcel,
            "DienTich": self.area,
            "MucDichSuDung": self.purpose,
            "ThoiHanSuDung": self.term,
            "DiaChi": self.address,
            "GiayChungNhan": {
                "SoPhatHanh": self.certificate,
                "SoVaoSo": self.book,
                "NgayCap": self.issued_on,
            },
            "ChuSuDung": owners,
            "TheChap": mortgage,
            "NghiaVuTaiChinhConNo": self.debt,
        })
    }
}

fn owner_record(row: &SqliteRow) -> Result<Value, sqlx::Error> {
    Ok(json!({
        "LoaiDoiTuong": row.try_get::<String, _>("kind")?,
        "HoVaTen": row.try_get::<String, _>("name")?,
        "SoDinhDanh": row.try_get::<String, _>("number")?,
        "NamSinh": row.try_get::<i64, _>("birth_year")?,
        "DiaChi": row.try_get::<String, _>("address")?,
        "HinhThuc": row.try_get::<String, _>("holding")?,
    }))
}

#[cfg(test)]
mod tests;
