//! The invented records that the provider answers with.
//!
//! Takes a number of records; gives the JSON text. The same text for every proxy and every round.

use serde_json::{Value, json};

/// What `GhiChu` holds: the agreement drops it, so it must not come out of the gateway.
pub(crate) const REMARK: &str = "Trích lục bản chính, cấp theo yêu cầu của cơ quan tiếp nhận";

/// The father's number: the agreement masks it.
pub(crate) const NUMBER: &str = "079060000002";

/// People that can be told apart by [`citizen`].
pub(crate) const MOST_PEOPLE: u64 = 1_000_000;

/// The number of a person, all of the same year and place.
pub(crate) fn citizen(number: u64) -> String {
    format!("079090{:06}", number % MOST_PEOPLE)
}

/// Sizes of an answer that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
pub(crate) enum Size {
    /// One record.
    #[value(name = "1k")]
    #[serde(rename = "1 KB")]
    One,
    /// Seventeen records.
    #[value(name = "16k")]
    #[serde(rename = "16 KB")]
    Some,
    /// Eleven hundred records.
    #[value(name = "1m")]
    #[serde(rename = "1 MB")]
    Many,
}

impl Size {
    /// Every size.
    pub(crate) const ALL: [Self; 3] = [Self::One, Self::Some, Self::Many];

    /// Records in the answer.
    pub(crate) fn records(self) -> usize {
        match self {
            Self::One => 1,
            Self::Some => 17,
            Self::Many => 1100,
        }
    }

    /// The rate for this size when `rate` is that for the smallest: about the same share of what
    /// the slowest competitor can do.
    pub(crate) fn paced(self, rate: u32) -> u32 {
        let divisor = match self {
            Self::One => 1,
            Self::Some => 3,
            Self::Many => 250,
        };
        (rate / divisor).max(1)
    }

    /// Connections that ask at once, of the number wanted.
    pub(crate) fn connections(self, wanted: usize) -> usize {
        if self == Self::Many { wanted.min(8) } else { wanted }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::One => "1 KB",
            Self::Some => "16 KB",
            Self::Many => "1 MB",
        })
    }
}

/// An answer with so many records; one is about a kilobyte.
pub(crate) fn answer(records: usize) -> String {
    let data: Vec<Value> = (0..records).map(record).collect();
    json!({"tong": records, "data": data}).to_string()
}

/// Records of one block of a stream; a block is about 64 KB.
pub(crate) const BLOCK: usize = 64;

/// A block of NDJSON.
pub(crate) fn lines() -> String {
    (0..BLOCK).map(|number| format!("{}\n", record(number))).collect()
}

/// A block of array elements, to stand after an element.
pub(crate) fn elements() -> String {
    (0..BLOCK).map(|number| format!(",{}", record(number))).collect()
}

/// What stands before and after so many blocks of array elements.
pub(crate) fn around(blocks: u64) -> (String, String) {
    let records = blocks * BLOCK as u64 + 1;
    (format!("{{\"tong\":{records},\"data\":[{}", record(0)), "]}".to_owned())
}

fn record(number: usize) -> Value {
    json!({
        "SoDinhDanh": format!("079090{number:06}"),
        "HoVaTen": "Nguyễn Thị Thanh Thảo",
        "NgaySinh": "1990-05-17",
        "GioiTinh": 2,
        "DanToc": "01",
        "TonGiao": "Không",
        "QuocTich": "VN",
        "TinhTrangHonNhan": "2",
        "QueQuan": {"MaTinhThanh": "79", "MaPhuongXa": "25747", "ChiTiet": "12 đường Trần Phú"},
        "ThuongTru": {"MaTinhThanh": "79", "MaPhuongXa": "25750", "ChiTiet": "A1, 34 Lê Lợi"},
        "Cha": {"HoVaTen": "Nguyễn Văn Hùng", "SoDinhDanh": NUMBER},
        "Me": {"HoVaTen": "Trần Thị Mai", "SoDinhDanh": "079160000003"},
        "GiayTo": [
            {"Loai": "GKS", "So": "123/2010", "Ngay": "2010-02-03T08:15:00+07:00"},
            {"Loai": "CNKH", "So": "88/2015", "Ngay": "2015-10-20T09:40:00+07:00"},
        ],
        "MaHoSo": "T01.10-261121-0001",
        "LePhi": 125_000.5,
        "DaXacThuc": true,
        "GhiChu": format!(
            "{REMARK} hồ sơ; người yêu cầu đã nộp lệ phí và nhận kết quả tại bộ phận một cửa của \
             phường nơi cư trú, không uỷ quyền cho người khác."
        ),
    })
}

#[cfg(test)]
mod tests;
