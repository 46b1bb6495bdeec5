//! The health register: one book, the summaries of a ward, the summaries of all.
//!
//! A book is of a person of the synthetic database. Summaries are of people made while they are
//! sent; both have the health that goes with their number.

use serde_json::{Value, json};
use sqlx::{Row as _, SqlitePool, sqlite::SqliteRow};

use crate::{
    server::{Answer, Request},
    stream::Elements,
    synthetic::health::{Draws, Health, Register},
};

/// Code of the facility that most books name.
const FACILITY: &str = "79001";
/// Allergens, operations, drugs and laboratory values of the sample books.
const ALLERGENS: &[&str] = &["Penicillin", "Aspirin", "Tôm, cua", "Phấn hoa"];
const OPERATIONS: &[&str] = &["Cắt ruột thừa", "Mổ lấy thai", "Mổ đục thủy tinh thể"];
const DRUGS: &[&str] = &["40.1001", "40.517", "40.800", "40.155"];
const TESTS: &[(&str, &str)] = &[("HBA1C", "6.4"), ("GLU", "5.8"), ("CHOL", "5.1")];

/// The answer to a call for summaries. None for other calls.
pub(super) fn stream(parts: &[&str], request: &Request, records: u32) -> Option<Answer> {
    let ward = request.query("maPhuongXa").map(str::to_owned);
    let make = |ward| Box::new(Register::new(records).summaries(ward));
    match (request.method.as_str(), parts) {
        ("GET", ["so-suc-khoe", "trich-xuat"]) => {
            Some(Answer::stream("application/x-ndjson", Elements::lines(make(ward))))
        }
        ("GET", ["so-suc-khoe", "danh-sach"]) => {
            let ward = ward?;
            let head = format!("{{\"MaPhuongXa\":{},\"HoSo\":[", json!(ward));
            let elements = Elements::array(head, make(Some(ward)), "]}".to_owned());
            Some(Answer::stream("application/json", elements))
        }
        _ => None,
    }
}

/// The book of a person of the database.
pub(super) async fn book(pool: &SqlitePool, number: &str) -> Result<Option<Value>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM citizens WHERE number = ?")
        .bind(number)
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(record).transpose()
}

fn record(row: &SqliteRow) -> Result<Value, sqlx::Error> {
    let text = |name: &str| row.try_get::<Option<String>, _>(name);
    let number: String = row.try_get("number")?;
    let year: i64 = row.try_get("birth_year")?;
    let born = u32::try_from(year).unwrap_or_default();
    let health = Health::of(&number, born);
    let mut draws = Draws::of(&format!("book {number}"));
    let blood = text("blood")?.and_then(|code| match code.as_str() {
        "01" => Some("A"),
        "02" => Some("B"),
        "03" => Some("AB"),
        "04" => Some("O"),
        _ => None,
    });
    let contact = text("mother_name")?
        .map(|name| json!({"HoVaTen": name, "QuanHe": "ME", "SoDienThoai": null}));
    let card = health.insured.then(|| {
        json!({
            "SoThe": format!("79{:08}", draws.below(100_000_000)),
            "MucHuong": draws.below(5) + 1,
            "DenNgay": "20261231",
            "MaCoSoDangKy": FACILITY,
        })
    });
    let mut book = json!({
        "SoDinhDanh": number,
        "HoVaTen": text("full_name")?,
        "NamSinh": year,
        "GioiTinh": row.try_get::<i64, _>("sex")?,
        "DanToc": text("ethnicity")?,
        "QuocTich": "VN",
        "NgheNghiep": null,
        "SoDienThoai": text("phone")?,
        "NoiOHienTai": {"MaPhuongXa": text("ward")?, "ChiTiet": text("address")?},
        "NguoiLienHe": contact,
        "TheBHYT": card,
        "NhomMau": blood,
        "ChieuCao": 150 + draws.below(30),
        "CanNang": f64::from(400 + draws.below(400)) / 10.0,
        "HutThuoc": draws.percent(20),
        "TienSu": history(&health, born, &mut draws),
        "TiemChung": vaccinations(&health, &mut draws),
        "KhamChuaBenh": encounters(&number, &health, &mut draws),
        "NgayCapNhat": "20261120",
    });
    if let (Some(born), Some(map)) = (text("birth_date")?, book.as_object_mut()) {
        map.insert("NgaySinh".to_owned(), born.into());
    }
    Ok(book)
}

fn history(health: &Health, born: u32, draws: &mut Draws) -> Value {
    let allergy = draws
        .percent(15)
        .then(|| json!({"TacNhan": draws.pick(ALLERGENS), "MucDo": draws.pick(&["NHE", "VUA"])}));
    let operation = draws
        .percent(20)
        .then(|| json!({"Ten": draws.pick(OPERATIONS), "Nam": (born + 30).min(2024)}));
    json!({
        "BenhManTinh": health.chronic,
        "GiaDinh": health.chronic.first().into_iter().collect::<Vec<_>>(),
        "KhuyetTat": null,
        "DiUng": allergy.into_iter().collect::<Vec<_>>(),
        "PhauThuat": operation.into_iter().collect::<Vec<_>>(),
    })
}

fn vaccinations(health: &Health, draws: &mut Draws) -> Value {
    let given = ["COVID19", "VIEM_GAN_B", "SOI_RUBELLA", "CUM"].into_iter().zip(health.vaccinated);
    let given = given.filter(|(_, given)| *given).map(|(vaccine, _)| {
        json!({
            "MaVacXin": vaccine,
            "MuiSo": draws.below(3) + 1,
            "NgayTiem": format!("2022{:02}{:02}", draws.below(12) + 1, draws.below(28) + 1),
            "MaCoSo": FACILITY,
        })
    });
    given.collect()
}

/// The last encounters; a book does not list more than three of them here.
fn encounters(number: &str, health: &Health, draws: &mut Draws) -> Value {
    let Some(last) = &health.last_visit else { return json!([]) };
    let main = health.chronic.first().copied().unwrap_or("J00");
    let encounter = |n: u32| {
        let (test, value) = draws.pick(TESTS);
        json!({
            "MaLuotKham": format!("YT-{}-{n}", number.get(6..).unwrap_or_default()),
            "MaCoSo": FACILITY,
            "NgayVao": last,
            "NgayRa": null,
            "LyDo": "Tái khám (dữ liệu mẫu)",
            "BenhChinh": main,
            "BenhKem": health.chronic.iter().skip(1).collect::<Vec<_>>(),
            "KetQua": "DO",
            "Thuoc": [{"MaThuoc": draws.pick(DRUGS), "LieuDung": "1 viên mỗi sáng"}],
            "XetNghiem": [{"MaChiSo": test, "GiaTri": value}],
        })
    };
    (1..=health.visits.min(3)).map(encounter).collect()
}
