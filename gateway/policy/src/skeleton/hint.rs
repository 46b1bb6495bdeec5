//! What the name of a field suggests about its class.
//!
//! Names on the wire of the national platforms, and the items of Decree 356/2025 Art. 3 (basic) and
//! Art. 4 (sensitive) that they hold. A hint is for the person who classifies; nothing reads it.

use lienthong_model::field::FieldPath;

use crate::service::{FieldClass, SensitiveCategory};

use FieldClass::{Basic, Sensitive};

/// Names in lower case without separators.
const NAMES: &[(&str, FieldClass)] = &[
    ("hovaten", Basic),
    ("hoten", Basic),
    ("ngaythangnamsinh", Basic),
    ("ngaysinh", Basic),
    ("namsinh", Basic),
    ("gioitinh", Basic),
    ("noisinh", Basic),
    ("noidangkykhaisinh", Basic),
    ("quequan", Basic),
    ("thuongtru", Basic),
    ("tamtru", Basic),
    ("noiohientai", Basic),
    ("quoctich", Basic),
    ("sodinhdanh", Basic),
    ("socmnd", Basic),
    ("socccd", Basic),
    ("sohochieu", Basic),
    ("bienso", Basic),
    ("sodienthoai", Basic),
    ("email", Basic),
    ("tinhtranghonnhan", Basic),
    ("cha", Basic),
    ("me", Basic),
    ("vochong", Basic),
    ("chuho", Basic),
    ("masothue", Basic),
    ("masobhxh", Basic),
    ("dantoc", Sensitive(SensitiveCategory::Ethnicity)),
    ("tongiao", Sensitive(SensitiveCategory::Religion)),
    ("nhommau", Sensitive(SensitiveCategory::Health)),
    ("mabenh", Sensitive(SensitiveCategory::Health)),
    ("benhchinh", Sensitive(SensitiveCategory::Health)),
    ("benhkem", Sensitive(SensitiveCategory::Health)),
    ("benhmantinh", Sensitive(SensitiveCategory::Health)),
    ("chandoan", Sensitive(SensitiveCategory::Health)),
    ("tiensu", Sensitive(SensitiveCategory::Health)),
    ("diung", Sensitive(SensitiveCategory::Health)),
    ("tiemchung", Sensitive(SensitiveCategory::Health)),
    ("khamchuabenh", Sensitive(SensitiveCategory::Health)),
    ("thuoc", Sensitive(SensitiveCategory::Health)),
    ("xetnghiem", Sensitive(SensitiveCategory::Health)),
    ("muchuong", Sensitive(SensitiveCategory::Financial)),
    ("gps", Sensitive(SensitiveCategory::Location)),
    ("kinhdo", Sensitive(SensitiveCategory::Location)),
    ("vido", Sensitive(SensitiveCategory::Location)),
    ("tendangnhap", Sensitive(SensitiveCategory::Credential)),
    ("matkhau", Sensitive(SensitiveCategory::Credential)),
    ("anhcccd", Sensitive(SensitiveCategory::Credential)),
    ("danhsachlephi", Sensitive(SensitiveCategory::Financial)),
];

/// The hint beside a field, in both languages. The nearest part of the path that says anything
/// counts, so that `/QueQuan/ChiTiet` is told as `QueQuan` is.
pub(super) fn of(field: &FieldPath) -> Option<String> {
    let class = match field {
        FieldPath::Parameter(_, name) => class_of(name),
        FieldPath::Body(pointer) => pointer.tokens().iter().rev().find_map(|name| class_of(name)),
    }?;
    Some(match class {
        FieldClass::None => return None,
        Basic => "gợi ý: cơ bản, Điều 3 / hint: basic, Art. 3".to_owned(),
        Sensitive(category) => {
            let category = category.as_str();
            format!("gợi ý: nhạy cảm, Điều 4 / hint: {{sensitive: {category}}}, Art. 4")
        }
    })
}

fn class_of(name: &str) -> Option<FieldClass> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.iter().find(|(known, _)| *known == plain).map(|(_, class)| *class)
}
