//! How long one disclosure of an answer takes, at 1 KB, 16 KB and 1 MB; and how fast a stream is.
//!
//! Run by hand on a quiet machine: `cargo bench -p lienthong-disclosure`. Prints the best and the
//! median of many rounds; the best is the one to compare.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for people to run")]

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use lienthong_disclosure::{
    Bounds, Direction, Locator, Pseudonymiser, StreamBounds, StreamDisclosure, StreamShape,
    StreamView, View, disclosed_values,
};
use lienthong_model::{
    field::Pointer,
    mask::{Generalisation, Mask},
    schema::Schema,
    sensitive::Sensitive,
};
use serde_json::{Value, json};

/// One invented record of about a kilobyte.
fn record(number: usize) -> Value {
    json!({
        "SoDinhDanh": format!("0790{number:08}"),
        "HoVaTen": "Nguyễn Thị Thanh Thảo",
        "NgayThangNamSinh": "1990-05-17",
        "GioiTinh": 2,
        "DanToc": "Kinh",
        "TonGiao": "Không",
        "QuocTich": "VN",
        "TinhTrangHonNhan": "Đã kết hôn",
        "QueQuan": {"MaTinhThanh": "79", "MaPhuongXa": "25747", "ChiTiet": "12 đường Trần Phú"},
        "ThuongTru": {"MaTinhThanh": "79", "MaPhuongXa": "25750", "ChiTiet": "Căn hộ A1, 34 Lê Lợi"},
        "Cha": {"HoVaTen": "Nguyễn Văn Hùng", "SoDinhDanh": "079060000002"},
        "Me": {"HoVaTen": "Trần Thị Mai", "SoDinhDanh": "079160000003"},
        "GiayTo": [
            {"Loai": "GKS", "So": "123/2010", "Ngay": "2010-02-03T08:15:00+07:00", "Trang": 1},
            {"Loai": "CNKH", "So": "88/2015", "Ngay": "2015-10-20T09:40:00+07:00", "Trang": 2},
        ],
        "MaHoSo": "H29.12-261121-0001",
        "LePhi": 125_000.50,
        "DaXacThuc": true,
        "GhiChu": "Trích lục bản chính, cấp theo yêu cầu của cơ quan tiếp nhận hồ sơ; người yêu cầu \
            đã nộp lệ phí và nhận kết quả tại bộ phận một cửa của phường nơi cư trú, không uỷ quyền.",
    })
}

fn schema() -> Value {
    let text = || json!({"type": "string", "maxLength": 200});
    let number = || json!({"type": "string", "format": "citizen-number"});
    let address = || {
        let ward = json!({"type": "string", "format": "ward-code"});
        let province = json!({"type": "string", "pattern": "^\\d{2}$"});
        let properties = json!({"MaTinhThanh": province, "MaPhuongXa": ward, "ChiTiet": text()});
        json!({"type": "object", "required": ["MaPhuongXa"], "properties": properties})
    };
    let person = || {
        let properties = json!({"HoVaTen": text(), "SoDinhDanh": number()});
        json!({"type": "object", "required": ["HoVaTen"], "properties": properties})
    };
    let paper = json!({"type": "object", "required": ["Loai", "So"], "properties": {
        "Loai": {"type": "string", "enum": ["GKS", "CNKH", "KT"]}, "So": text(),
        "Ngay": {"type": "string", "format": "date-time"}, "Trang": {"type": "integer", "minimum": 1}}});
    let record = json!({
        "type": "object",
        "required": ["SoDinhDanh", "HoVaTen", "NgayThangNamSinh"],
        "properties": {
            "SoDinhDanh": number(), "HoVaTen": text(), "DanToc": text(), "TonGiao": text(),
            "NgayThangNamSinh": {"type": "string", "format": "date"},
            "GioiTinh": {"type": "integer", "enum": [1, 2]}, "QuocTich": text(),
            "TinhTrangHonNhan": text(), "QueQuan": address(), "ThuongTru": address(),
            "Cha": person(), "Me": person(), "GiayTo": {"type": "array", "items": paper},
            "MaHoSo": {"type": "string", "pattern": "^[A-Z0-9.]+-\\d{6}-\\d{4}$"},
            "LePhi": {"type": "number", "minimum": 0}, "DaXacThuc": {"type": "boolean"},
            "GhiChu": text(),
        },
    });
    json!({"type": "object", "required": ["data"], "properties": {
        "data": {"type": "array", "items": record}}})
}

fn masks(schema: &Schema) -> BTreeMap<Pointer, Option<Mask>> {
    let chosen = |name: &str| match name {
        "/data/*/DanToc" | "/data/*/TonGiao" | "/data/*/Cha/SoDinhDanh" => None,
        "/data/*/SoDinhDanh" => Some(Some(Mask::KeepLast(4))),
        "/data/*/NgayThangNamSinh" => Some(Some(Mask::Generalise(Generalisation::Year))),
        "/data/*/Me/SoDinhDanh" | "/data/*/GhiChu" => Some(Some(Mask::Redact)),
        _ => Some(None),
    };
    let leaves = schema.leaves().into_iter();
    leaves.filter_map(|(at, _)| chosen(&at.to_string()).map(|mask| (at, mask))).collect()
}

fn main() {
    let source = schema();
    let schema = Schema::read(&source, &source, "").expect("a schema");
    let bounds = Bounds { max_bytes: 2 << 20, max_depth: 32 };
    let view = View::compile(&schema, &masks(&schema), Direction::Answer, bounds).expect("a view");
    let consumer = "H29.40".parse().expect("an agency code");
    let pseudonyms = Pseudonymiser::new(Sensitive::new([1; 32]), &consumer, "2026");
    for (name, records, rounds) in [("1 KB", 1, 20_000), ("16 KB", 16, 2_000), ("1 MB", 1_000, 60)]
    {
        let body = json!({"data": (0..records).map(record).collect::<Vec<_>>()}).to_string();
        let mut out = Vec::with_capacity(body.len());
        let ours = times(rounds, || {
            out.clear();
            let tally = view.disclose(black_box(body.as_bytes()), &pseudonyms, &mut out);
            black_box(tally.expect("a disclosure"));
        });
        // A machine's speed drifts: read the first figure beside this one.
        let yardstick = times(rounds, || {
            let skipped = serde_json::from_str::<serde::de::IgnoredAny>(black_box(&body));
            black_box(skipped.expect("JSON"));
        });
        println!(
            "{name}: {} bytes in, {} out: best {:.2} µs, median {:.2} µs; syntax alone {:.2} µs",
            body.len(),
            out.len(),
            ours.0,
            ours.1,
            yardstick.0
        );
    }
    values(&pseudonyms, &view);
    streams(&source, &schema, &pseudonyms);
}

/// The numbers of the owner, father and mother of a record.
fn numbers(record: &str) -> Locator {
    let numbers = ["SoDinhDanh", "Cha/SoDinhDanh", "Me/SoDinhDanh"];
    let numbers = numbers.map(|at| format!("{record}/{at}").parse().expect("a pointer"));
    Locator::new(&numbers)
}

/// Prints how long it takes to find whom a record is about, and each value that left of it.
fn values(pseudonyms: &Pseudonymiser, view: &View) {
    let body = json!({"data": [record(1)]}).to_string();
    let mut out = Vec::new();
    view.disclose(body.as_bytes(), pseudonyms, &mut out).expect("a disclosure");
    let places = numbers("/data/*");
    let mut found = 0;
    let subjects = times(20_000, || {
        places.values(black_box(body.as_bytes()), &mut |_, value| found += value.len());
    });
    let all = times(20_000, || {
        disclosed_values(black_box(&out), &mut |at, value| found += at.len() + value.len());
    });
    black_box(found);
    println!("1 KB: three identifiers best {:.2} µs; each value best {:.2} µs", subjects.0, all.0);
}

/// Bytes of a stream.
const STREAM: usize = 64 << 20;
/// Bytes of a chunk, as they come from a connection.
const CHUNK: usize = 64 << 10;

/// Prints how fast a stream of records of a kilobyte is, as one array and as lines.
fn streams(document: &Value, schema: &Schema, pseudonyms: &Pseudonymiser) {
    let one = record(1).to_string();
    let count = STREAM / one.len();
    let array = format!("{{\"data\":[{}]}}", vec![one.as_str(); count].join(","));
    let lines = format!("{one}\n").repeat(count);

    let data = "/data".parse().expect("a pointer");
    let item = document.pointer("/properties/data/items").expect("the record");
    let line = Schema::read(item, item, "").expect("a schema");
    let of_line: BTreeMap<Pointer, Option<Mask>> = masks(schema)
        .into_iter()
        .filter_map(|(at, mask)| {
            Some((at.to_string().strip_prefix("/data/*")?.parse().ok()?, mask))
        })
        .collect();
    let bounds = StreamBounds::default();
    let shapes = [
        ("array", array, StreamShape::Array(data), schema, masks(schema)),
        ("NDJSON", lines, StreamShape::Ndjson, &line, of_line),
    ];
    for (name, body, shape, schema, masks) in shapes {
        let view = StreamView::compile(schema, &masks, &shape, bounds).expect("a view");
        let view = Arc::new(view);
        let mut out = Vec::with_capacity(2 * CHUNK);
        let (mut most, mut found) = (0, 0);
        let places = Arc::new(numbers(""));
        let mut run = |located: bool| {
            times(9, || {
                let mut stream = StreamDisclosure::new(view.clone(), pseudonyms.clone());
                if located {
                    stream.locate(places.clone());
                }
                for chunk in black_box(body.as_bytes()).chunks(CHUNK) {
                    out.clear();
                    stream.push(chunk, &mut out).expect("a disclosure");
                    stream.take_located(&mut |_, value| found += value.len());
                    most = most.max(out.len());
                }
                let tally = stream.finish(&mut out).expect("a whole stream");
                assert_eq!(tally.elements, count as u64, "every element passes");
            })
        };
        let (located, _) = run(true);
        let (best, median) = run(false);
        black_box(found);
        let speed = |micros: f64| body.len() as f64 / micros;
        println!(
            "{name}: {count} elements of {} bytes: best {:.0} MB/s, median {:.0} MB/s; with three \
             identifiers of each best {:.0} MB/s; most written for a chunk {most} bytes",
            one.len(),
            speed(best),
            speed(median),
            speed(located),
        );
    }
}

/// The best and the median time of `act`, in microseconds.
fn times(rounds: usize, mut act: impl FnMut()) -> (f64, f64) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            act();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let micros = |at: usize| times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    (micros(0), micros(rounds / 2))
}
