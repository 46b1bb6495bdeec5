use std::{path::Path, sync::LazyLock};

use jiff::civil::date;
use lienthong_model::{schema::Schema, text::Language};
use lienthong_policy::{Answer, Bundle, Media};
use serde_json::{Value, json};

use super::*;

pub(super) static POLICIES: LazyLock<PolicySet> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let bundle = Bundle::read(&root.join("policies"), &root.join("schemas")).expect("files");
    PolicySet::check(&bundle, date(2026, 11, 21)).unwrap_or_else(|found| panic!("{found}"))
});

pub(super) fn service() -> Arc<Service> {
    Arc::clone(&POLICIES.services["civil-status"])
}

fn sample(operation: &str, status: u16, file: &str) -> Sample {
    let streams = operation.ends_with("HealthBooks");
    Sample { operation: operation.parse().expect("id"), status, file: file.to_owned(), streams }
}

fn record() -> Value {
    json!({
        "SoDangKy": "26734-2019-12", "HoVaTen": "Nguyễn Văn Mẫu", "GioiTinh": 1,
        "SoDinhDanh": "079219000001", "DanToc": "01", "NgaySinh": "20190203",
        "NoiSinh": {"MaPhuongXa": "26734"},
    })
}

/// Runs bodies as samples of one answer and gives the report.
fn rehearse(service: &Service, of: (&str, u16), bodies: &[Vec<u8>]) -> Report {
    let mut rehearsal = Rehearsal::new(&POLICIES, service);
    for (number, body) in bodies.iter().enumerate() {
        let sample = sample(of.0, of.1, &format!("{number}.json"));
        rehearsal.take(&sample, body, &mut |_| {}).unwrap_or_else(|found| panic!("{found}"));
    }
    rehearsal.report()
}

fn of_record(bodies: &[Value]) -> Report {
    let service = service();
    let bodies: Vec<Vec<u8>> = bodies.iter().map(|body| body.to_string().into_bytes()).collect();
    rehearse(&service, ("getBirthRecord", 200), &bodies)
}

fn with(mut record: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        record.pointer_mut(parent).expect("a parent")[name] = value.clone();
    }
    record
}

/// Applies the operations that a rehearsal proposes.
fn apply(document: &mut Value, patch: &[PatchOperation]) {
    for operation in patch {
        let (parent, name) = operation.path.rsplit_once('/').expect("a pointer");
        let parent = document.pointer_mut(parent).expect("the parent exists");
        match parent {
            Value::Array(items) if name == "-" => items.push(operation.value.clone()),
            Value::Object(map) => {
                let before = map.insert(name.to_owned(), operation.value.clone());
                assert_eq!(before.is_some(), operation.op == "replace", "{}", operation.path);
            }
            _ => panic!("{} cannot be applied", operation.path),
        }
    }
}

#[test]
fn samples_that_fit_are_clean_and_tell_what_each_consumer_gets() {
    let report = of_record(&[record(), record()]);
    assert!(report.clean && report.patch.is_empty(), "{report:#?}");
    let [answer] = report.answers.as_slice() else { panic!("{report:#?}") };
    assert_eq!((answer.samples, answer.fit), (2, 2));
    assert!(answer.never_seen.contains(&"/Cha".to_owned()), "{:?}", answer.never_seen);
    assert!(!answer.never_seen.iter().any(|at| at.starts_with("/Cha/")), "told once");
    assert!(report.unsampled.contains(&"getBirthRecord 404".to_owned()), "{report:#?}");

    let hospital = answer.consumers.iter().find(|c| c.consumer.as_str() == "H29.60");
    let hospital = hospital.expect("the hospital has an agreement");
    let names = |fields: &[Field]| fields.iter().map(|f| f.at.clone()).collect::<Vec<_>>();
    assert_eq!(names(&hospital.fields.passed), ["/GioiTinh", "/HoVaTen"]);
    assert_eq!(names(&hospital.fields.masked), ["/DanToc", "/NgaySinh", "/SoDinhDanh"]);
    assert_eq!(names(&hospital.fields.dropped), ["/NoiSinh/MaPhuongXa", "/SoDangKy"]);
    assert_eq!(
        (hospital.values.passed, hospital.values.masked, hospital.values.dropped),
        (4, 6, 4)
    );
    let ethnic = hospital.fields.masked.first().expect("a field");
    assert_eq!(ethnic.class.as_deref(), Some("sensitive: ethnicity"));
    assert_eq!((ethnic.mask, ethnic.times), (Some("null"), 2));
}

#[test]
fn tells_every_mismatch_of_a_sample_and_not_only_the_first() {
    let broken = with(
        record(),
        &[
            ("/HoVaTen", json!("N")),
            ("/GioiTinh", json!("1")),
            ("/NgaySinh", json!("2019020x")),
            ("/NoiSinh", json!([])),
        ],
    );
    let report = of_record(&[record(), broken.clone(), broken]);
    let [answer] = report.answers.as_slice() else { panic!("{report:#?}") };
    assert_eq!((answer.samples, answer.fit, report.clean), (3, 1, false));
    let found: Vec<_> = answer
        .mismatches
        .iter()
        .map(|m| (m.at.as_str(), m.keyword.as_str(), m.samples, m.first.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("/GioiTinh", "type", 2, "1.json"),
            ("/HoVaTen", "minLength", 2, "1.json"),
            ("/NgaySinh", "pattern", 2, "1.json"),
            ("/NoiSinh", "type", 2, "1.json"),
        ]
    );
}

#[test]
fn a_body_that_cannot_be_read_is_told_as_a_whole() {
    let service = service();
    let mut deep = "[".repeat(200);
    deep.push_str(&"]".repeat(200));
    for (body, keyword) in [
        (b"{".to_vec(), "malformed"),
        (b"{\"a\":1,\"a\":2}".to_vec(), "duplicate key"),
        (b"\xff".to_vec(), "not UTF-8"),
        (format!("{{\"x\":{deep}}}").into_bytes(), "nested too deep"),
        (vec![b' '; 2 << 20], "too large"),
        (Vec::new(), "malformed"),
    ] {
        let report = rehearse(&service, ("getBirthRecord", 200), &[body]);
        let [answer] = report.answers.as_slice() else { panic!("{report:#?}") };
        assert!(answer.fit == 0 && answer.drift.is_empty(), "{answer:#?}");
        assert!(answer.mismatches.iter().any(|m| m.keyword == keyword), "{keyword}: {answer:#?}");
    }
}

#[test]
fn a_status_that_is_not_declared_does_not_fit() {
    let service = service();
    let report = rehearse(&service, ("getBirthRecord", 500), &[b"{}".to_vec()]);
    assert_eq!(report.answers[0].mismatches[0].keyword, "status is not declared");
    assert!(!report.clean);
}

#[test]
fn drift_is_told_by_name_type_and_how_often() {
    let drifted = with(
        record(),
        &[
            ("/NhomMau", json!("O")),
            ("/NoiSinh/KinhDo", json!(106.7)),
            ("/Con", json!([{"Ten": "a"}])),
        ],
    );
    let other = with(record(), &[("/NhomMau", json!(null))]);
    let report = of_record(&[record(), drifted, other]);
    let [answer] = report.answers.as_slice() else { panic!("{report:#?}") };
    assert_eq!((answer.fit, report.clean), (3, false));
    let found: Vec<_> =
        answer.drift.iter().map(|d| (d.at.as_str(), d.types.clone(), d.samples)).collect();
    assert_eq!(
        found,
        [
            ("/Con", BTreeMap::from([("array", 1)]), 1),
            ("/NhomMau", BTreeMap::from([("null", 1), ("string", 1)]), 2),
            ("/NoiSinh/KinhDo", BTreeMap::from([("number", 1)]), 1),
        ]
    );
}

#[test]
fn under_the_proposed_patch_the_samples_fit() {
    let service = service();
    let body = with(
        record(),
        &[
            ("/NhomMau", json!("O")),
            ("/GioiTinh", json!(null)),
            ("/NoiSinh/KinhDo", json!(106.7)),
            ("/Cha", json!({"HoVaTen": null})),
            ("/Con", json!([{"Ten": "a", "Tuoi": null}, {"Ten": "b", "Tuoi": 3}])),
            ("/a.b", json!({})),
        ],
    );
    let bodies = [body.to_string().into_bytes()];
    let of = ("getBirthRecord", 200);
    let report = rehearse(&service, of, &bodies);
    assert!(report.left_out.is_empty(), "{:#?}", report.left_out);
    assert_eq!(report.answers[0].fit, 0);

    let mut document = service.document.clone();
    apply(&mut document, &report.patch);
    let start = json!({"$ref": "#/components/schemas/KhaiSinh"});
    let schema = Schema::read(&document, &start, "").expect("the patched schema is read");
    let required =
        |service: &Value| service["components"]["schemas"]["KhaiSinh"]["required"].clone();
    assert_eq!(required(&document), required(&service.document));

    let mut patched = Service::clone(&service);
    let mut operation = Operation::clone(&patched.operations[of.0]);
    operation.answers.insert(of.1, Answer { media: Media::Json, schema: Some(schema) });
    patched.operations.insert(operation.id.clone(), Arc::new(operation));
    let again = rehearse(&patched, of, &bodies);
    let [answer] = again.answers.as_slice() else { panic!("{again:#?}") };
    assert_eq!((answer.fit, answer.drift.len(), again.patch.len()), (1, 0, 0), "{answer:#?}");
}

#[test]
fn neither_values_nor_names_that_may_be_data_are_told() {
    let secret = with(
        record(),
        &[
            ("/HoVaTen", json!("X")),
            ("/079219000001", json!("canary-value")),
            ("/x", json!({"079219000002": "canary-value"})),
            ("/NhomMau", json!("canary-value")),
            ("/Bệnh án", json!(1)),
        ],
    );
    let report = of_record(&[secret]);
    let texts = [
        serde_json::to_string(&report).expect("JSON"),
        report.text(Language::English),
        report.text(Language::Vietnamese),
    ];
    for text in texts {
        for word in ["canary", "0792190000", "Nguyễn", "Bệnh", "26734-2019"] {
            assert!(!text.contains(word), "`{word}` is in {text}");
        }
    }
    let left_out: Vec<_> = report.left_out.iter().map(|l| (l.at.as_str(), l.why)).collect();
    assert_eq!(
        left_out,
        [
            ("/components/schemas/KhaiSinh/properties/?", LeftOut::KeyedByData),
            ("/components/schemas/KhaiSinh/properties/x", LeftOut::KeyedByData),
        ]
    );
}

#[test]
fn more_undeclared_names_than_are_kept_count_as_one() {
    let many: Vec<(String, Value)> = (0..1200).map(|n| (format!("/n{n}"), json!(1))).collect();
    let many: Vec<(&str, Value)> = many.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    let report = of_record(&[with(record(), &many)]);
    let drift = &report.answers[0].drift;
    assert_eq!(drift.len(), 1001);
    let rest = drift.iter().find(|d| d.at == "/?").expect("the rest");
    assert_eq!((rest.times, rest.samples), (200, 1));
}

#[test]
fn what_is_shown_is_what_the_consumer_would_get() {
    let service = service();
    let mut rehearsal = Rehearsal::new(&POLICIES, &service);
    let mut shown = BTreeMap::new();
    let body = with(record(), &[("/NhomMau", json!("canary"))]).to_string();
    let of = sample("getBirthRecord", 200, "a.json");
    rehearsal
        .take(&of, body.as_bytes(), &mut |one| {
            let body: Value = serde_json::from_slice(one.body).expect("JSON");
            shown.insert(one.consumer.to_string(), body);
        })
        .unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(shown["H29.60"]["SoDinhDanh"], "***0001");
    assert_eq!(shown["H29.60"]["NgaySinh"], "2019");
    assert_eq!(shown["H29.60"].get("SoDangKy"), None);
    assert!(shown.values().all(|body| body.get("NhomMau").is_none()), "{shown:#?}");
}

#[test]
fn an_undeclared_field_of_a_shared_component_is_added_once() {
    let service = service();
    let mut rehearsal = Rehearsal::new(&POLICIES, &service);
    for (operation, value) in
        [("getBirthRecord", json!("a".repeat(20))), ("getBirthExtract", json!("b"))]
    {
        let body = with(record(), &[("/NhomMau", value)]).to_string();
        let of = sample(operation, 200, "a.json");
        let taken = rehearsal.take(&of, body.as_bytes(), &mut |_| {});
        taken.unwrap_or_else(|found| panic!("{found}"));
    }
    let report = rehearsal.report();
    let expected = PatchOperation {
        op: "add",
        path: "/components/schemas/KhaiSinh/properties/NhomMau".to_owned(),
        value: json!({"type": "string", "maxLength": 32}),
    };
    assert_eq!(report.patch, [expected]);
}

fn summary() -> Value {
    json!({
        "SoDinhDanh": "079090912345", "HoVaTen": "Nguyễn Văn Mẫu", "NgaySinh": "19900214",
        "GioiTinh": 1, "MaPhuongXa": "26740", "BenhManTinh": ["I10"], "SoLuotKham": 3,
    })
}

/// A summary, one with an undeclared field, and one with two fields that do not fit.
fn summaries() -> [Value; 3] {
    let drifted = with(summary(), &[("/SoHoKhauCu", json!("canary"))]);
    let broken = with(summary(), &[("/GioiTinh", json!("nam")), ("/BenhManTinh", json!(["i10"]))]);
    [summary(), drifted, broken]
}

fn health_book() -> Arc<Service> {
    Arc::clone(&POLICIES.services["health-book"])
}

/// What does not fit: field, keyword, how often, first.
fn told(answer: &AnswerReport) -> Vec<(&str, &str, u64, &str)> {
    let mismatches = answer.mismatches.iter();
    mismatches.map(|m| (m.at.as_str(), m.keyword.as_str(), m.samples, m.first.as_str())).collect()
}

#[test]
fn lines_of_a_stream_are_judged_one_by_one() {
    let lines: String = summaries().iter().map(|one| format!("{one}\n")).collect();
    let of = ("extractHealthBooks", 200);
    let report = rehearse(&health_book(), of, &[lines.clone().into_bytes(), Vec::new()]);
    let [answer] = report.answers.as_slice() else { panic!("{report:#?}") };
    assert_eq!((answer.files, answer.samples, answer.fit), (Some(2), 3, 2));
    let expected =
        [("/BenhManTinh/*", "pattern", 1, "0.json#3"), ("/GioiTinh", "type", 1, "0.json#3")];
    assert_eq!(told(answer), expected);
    assert_eq!((answer.drift[0].at.as_str(), answer.drift[0].samples), ("/SoHoKhauCu", 1));
    let centre = answer.consumers.iter().find(|c| c.consumer.as_str() == "H29.20");
    let centre = centre.expect("an agreement");
    assert_eq!((centre.samples, centre.refused.len()), (2, 1));
    let add = report.patch.iter().find(|patch| patch.op == "add").expect("a patch");
    assert_eq!(add.path, "/components/schemas/TomTat/properties/SoHoKhauCu");
    let text = report.text(Language::English);
    assert!(text.contains("extractHealthBooks 200: 3 elements of 2 samples, 2 fit"), "{text}");
    assert!(text.contains("(1/3 elements, 1 time)") && !text.contains("canary"), "{text}");

    let cut = lines.trim_end().to_owned();
    let report = rehearse(&health_book(), of, &[cut.into_bytes()]);
    let whole = told(&report.answers[0]);
    assert!(whole.contains(&("", "NDJSON line without end", 1, "0.json")), "{whole:?}");
}

#[test]
fn a_line_over_its_limit_or_empty_is_told_with_its_number() {
    let long = with(summary(), &[("/HoVaTen", json!("x".repeat(9_000)))]);
    let body = format!("{}\n{long}\n\n", summary()).into_bytes();
    let report = rehearse(&health_book(), ("extractHealthBooks", 200), &[body]);
    let expected = [("", "malformed", 1, "0.json#3"), ("", "too large", 1, "0.json#2")];
    assert_eq!(told(&report.answers[0]), expected);
}

#[test]
fn elements_of_an_array_are_judged_apart_from_what_stands_around_them() {
    let [good, drifted, broken] = summaries();
    let of = ("listHealthBooks", 200);
    let body = json!({"MaPhuongXa": "26740", "HoSo": [good, drifted, broken, good], "Tong": 4});
    let report = rehearse(&health_book(), of, &[body.to_string().into_bytes()]);
    let [answer] = report.answers.as_slice() else { panic!("{report:#?}") };
    assert_eq!((answer.files, answer.samples, answer.fit), (Some(1), 4, 3));
    let expected = [
        ("/HoSo/*/BenhManTinh/*", "pattern", 1, "0.json#3"),
        ("/HoSo/*/GioiTinh", "type", 1, "0.json#3"),
    ];
    assert_eq!(told(answer), expected);
    let drift: Vec<&str> = answer.drift.iter().map(|drift| drift.at.as_str()).collect();
    assert_eq!(drift, ["/Tong", "/HoSo/*/SoHoKhauCu"]);
    let [centre] = answer.consumers.as_slice() else { panic!("{answer:#?}") };
    let ward = centre.fields.passed.iter().find(|field| field.at == "/MaPhuongXa");
    assert_eq!((centre.samples, ward.expect("the ward passes").times), (3, 1));
    assert!(!answer.never_seen.contains(&"/MaPhuongXa".to_owned()), "{:?}", answer.never_seen);
}

#[test]
fn a_document_around_an_array_must_fit_as_well() {
    let of = ("listHealthBooks", 200);
    let without = json!({"HoSo": [summary()]}).to_string();
    let open = format!("{{\"MaPhuongXa\":\"26740\",\"HoSo\":[{}", summary());
    for (body, keyword) in [(without, "required"), (open, "malformed")] {
        let report = rehearse(&health_book(), of, &[body.into_bytes()]);
        let [answer] = report.answers.as_slice() else { panic!("{report:#?}") };
        let keywords: Vec<&str> = answer.mismatches.iter().map(|m| m.keyword.as_str()).collect();
        assert_eq!((keywords.as_slice(), report.clean), ([keyword].as_slice(), false));
    }
}
