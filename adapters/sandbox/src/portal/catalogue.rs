//! The portal's catalogues of the synthetic city: procedures, fields, agencies, code lists.
//!
//! Codes of genders and wards are public; those of religions, subjects, levels and fees are the
//! stand-in's own. Pages of 500.

use serde_json::{Map, Value, json};

use super::{
    question::skip,
    refusal::{MALFORMED, PortalError, UNKNOWN_PROCEDURE},
};
use crate::synthetic::{PROCEDURES, wards};

/// Entries of a page.
pub(crate) const PAGE: usize = 500;

/// Agencies of the sample tree that are no wards: code, name, level, the one above.
const AGENCIES: &[(&str, &str, &str, &str)] = &[
    ("H29", "Ủy ban nhân dân Thành phố Hồ Chí Minh", "1", ""),
    ("H29.12", "Sở Tư pháp", "2", "H29"),
    ("H29.15", "Sở Nông nghiệp và Môi trường", "2", "H29"),
    ("H29.18", "Sở Dân tộc và Tôn giáo", "2", "H29"),
    ("H29.20", "Trung tâm Chuyển đổi số", "2", "H29"),
    ("H29.22", "Trung tâm 1022", "2", "H29"),
    ("H29.26", "Sở Y tế", "2", "H29"),
    ("H29.40", "Ủy ban nhân dân Phường Sài Gòn", "3", "H29"),
    ("H29.41", "Ủy ban nhân dân Phường Bến Thành", "3", "H29"),
    ("H29.42", "Ủy ban nhân dân Phường Thủ Dầu Một", "3", "H29"),
    ("H29.43", "Ủy ban nhân dân Phường Vũng Tàu", "3", "H29"),
    ("G98.01", "Văn phòng Bộ mẫu", "1", ""),
];

/// Short lists: the call after `LayDanhMuc`, then code and name.
const LISTS: &[(&str, &[(&str, &str)])] = &[
    ("GioiTinh", &[("0", "Chưa có thông tin"), ("1", "Nam"), ("2", "Nữ")]),
    ("TinhThanh", &[("79", "Thành phố Hồ Chí Minh")]),
    // Districts ended on 1 July 2025.
    ("QuanHuyen", &[]),
    ("QuocGia", &[("VN", "Việt Nam"), ("LA", "Lào"), ("KH", "Campuchia")]),
    (
        "DanToc",
        &[
            ("01", "Kinh"),
            ("02", "Tày"),
            ("04", "Hoa"),
            ("05", "Khmer"),
            ("06", "Mường"),
            ("07", "Nùng"),
            ("16", "Chăm"),
        ],
    ),
    ("TonGiao", &[("00", "Không"), ("01", "Phật giáo"), ("02", "Công giáo"), ("03", "Tin lành")]),
    ("TinhTrangHonNhan", &[("1", "Chưa kết hôn"), ("2", "Đã kết hôn"), ("3", "Ly hôn")]),
    ("DoiTuong", &[("1", "Công dân"), ("2", "Doanh nghiệp")]),
    ("CapThucHien", &[("1", "Cấp tỉnh"), ("2", "Cấp xã")]),
    ("CanCuPhapLy", &[("118/2025/ND-CP", "Nghị định về cơ chế một cửa")]),
];

/// Whether the code, in either spelling, is of an agency that the portal knows: one of the sample
/// tree, or one of the 168 units by their numbers.
pub(crate) fn is_agency(code: &str) -> bool {
    let code = code.strip_prefix("000.00.00.").unwrap_or(code);
    let unit = |code: &str| {
        let number = code.strip_prefix("H29.").filter(|number| number.len() == 3)?;
        number.parse::<usize>().ok().filter(|n| (101..=268).contains(n))
    };
    AGENCIES.iter().any(|(known, ..)| *known == code) || unit(code).is_some()
}

/// Whether a call is of a catalogue.
pub(crate) fn is_call(call: &str) -> bool {
    const CALLS: &[&str] = &[
        "LayDanhSachTTHC",
        "LayThuTuc",
        "LayDanhMucCoQuan",
        "LayDanhMucLinhVuc",
        "LayDanhMucPhuongXa",
        "LayDanhMucLePhi",
    ];
    let list = call.strip_prefix("LayDanhMuc");
    CALLS.contains(&call) || LISTS.iter().any(|(name, _)| Some(*name) == list)
}

/// Answers a call. Nothing when it is no catalogue.
pub(crate) fn answer(call: &str, body: &Value) -> Option<Result<Value, PortalError>> {
    let none = Map::new();
    let filter = body.pointer("/data/0").and_then(Value::as_object).unwrap_or(&none);
    let parent = filter.get("MaCha").and_then(Value::as_str);
    if call == "LayThuTuc" {
        return Some(procedure(filter));
    }
    let entries = match call {
        "LayDanhSachTTHC" => procedures(parent),
        "LayDanhMucCoQuan" => agencies(parent),
        "LayDanhMucLinhVuc" => fields(),
        "LayDanhMucPhuongXa" => units(parent),
        "LayDanhMucLePhi" => vec![json!({"MA": "LP01", "TEN": "Lệ phí (mẫu)", "SOTIEN": 8_000})],
        other => {
            let name = other.strip_prefix("LayDanhMuc")?;
            let (_, list) = LISTS.iter().find(|(list, _)| *list == name)?;
            list.iter().map(|(code, name)| json!({"MA": code, "TEN": name})).collect()
        }
    };
    let page = entries.into_iter().skip(skip(filter, PAGE)).take(PAGE).collect();
    Some(Ok(Value::Array(page)))
}

fn procedures(field: Option<&str>) -> Vec<Value> {
    let all = PROCEDURES.iter().filter(|p| field.is_none_or(|field| p.field_code == field));
    all.map(|p| {
        json!({
            "MATTHC": p.code,
            "TENTTHC": p.name,
            "MALINHVUC": p.field_code,
            "CAPTHUCHIEN": "2",
            "NGAYCAPNHAT": "20260105080000",
        })
    })
    .collect()
}

fn procedure(filter: &Map<String, Value>) -> Result<Value, PortalError> {
    let code = filter.get("MaTTHC").and_then(Value::as_str).ok_or(MALFORMED)?;
    let found = PROCEDURES.iter().find(|p| p.code == code).ok_or(UNKNOWN_PROCEDURE)?;
    Ok(json!([{
        "MATTHC": found.code,
        "TENTTHC": found.name,
        "MALINHVUC": found.field_code,
        "TENLINHVUC": found.field_name,
        "CAPTHUCHIEN": "2",
        "THOIHANGIAIQUYET": 5,
        "NGAYCAPNHAT": "20260105080000",
        "THANHPHANHOSO": [{"MATHANHPHAN": "TP01", "TENTHANHPHAN": "Tờ khai (mẫu)"}],
        "LEPHI": [{"MALEPHI": "LP01", "SOTIEN": 8_000}],
        "CANCUPHAPLY": ["118/2025/ND-CP"],
    }]))
}

fn fields() -> Vec<Value> {
    let field = |p: &crate::synthetic::Procedure| {
        let ministry = p.field_code.split('-').next().unwrap_or_default();
        json!({"MALINHVUC": p.field_code, "TENLINHVUC": p.field_name, "MANGANH": ministry})
    };
    PROCEDURES.iter().map(field).collect()
}

fn agencies(parent: Option<&str>) -> Vec<Value> {
    let named = AGENCIES.iter().map(|(code, name, level, above)| {
        let mut entry = json!({"MADONVI": code, "TENDONVI": name, "CAPDONVI": level});
        if let (false, Some(map)) = (above.is_empty(), entry.as_object_mut()) {
            map.insert("MADONVICHA".to_owned(), json!(above));
        }
        entry
    });
    let units = wards().into_iter().zip(101..).map(|(ward, number)| {
        json!({
            "MADONVI": format!("H29.{number}"),
            "TENDONVI": format!("Ủy ban nhân dân {}", ward.name),
            "CAPDONVI": "3",
            "MADONVICHA": "H29",
        })
    });
    let under = |entry: &Value| {
        parent.is_none_or(|parent| entry.get("MADONVICHA").and_then(Value::as_str) == Some(parent))
    };
    named.chain(units).filter(under).collect()
}

fn units(province: Option<&str>) -> Vec<Value> {
    if province.is_some_and(|province| province != "79") {
        return Vec::new();
    }
    let unit =
        |ward: crate::synthetic::Ward| json!({"MA": ward.code, "TEN": ward.name, "MACHA": "79"});
    wards().into_iter().map(unit).collect()
}
