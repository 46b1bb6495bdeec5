//! `lienthong service`: the built program on the shipped policies and schemas.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A copy of the shipped policies and schemas, and a folder for samples.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["policies", "schemas"] {
            copy(&root.join(name), &folder.path().join(name));
        }
        fs::create_dir(folder.path().join("samples")).expect("made");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("read")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn sample(&self, name: &str, body: &Value) {
        self.write(&format!("samples/{name}"), &body.to_string());
    }

    /// Exit code, standard output and standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_lienthong"))
            .args(["--lang", "en"])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (status.code().expect("an exit code"), text(stdout), text(stderr))
    }

    fn rehearse(&self, more: &[&str]) -> (i32, String, String) {
        let arguments = ["service", "rehearse", "civil-status", "--samples", "samples"];
        self.run(&[&arguments, more].concat())
    }

    fn report(&self) -> (i32, Value) {
        let (code, out, _) = self.rehearse(&["--json"]);
        (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}")))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for entry in fs::read_dir(from).expect("read") {
        let entry = entry.expect("read");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}

fn record() -> Value {
    json!({
        "SoDangKy": "26734-2019-12", "HoVaTen": "Nguyễn Văn Mẫu", "GioiTinh": 1,
        "SoDinhDanh": "079219000001", "DanToc": "01", "NgaySinh": "20190203",
    })
}

/// The record with undeclared fields, and `null` where the document does not allow it.
fn drifted() -> Value {
    let mut record = record();
    record["NhomMau"] = json!("O canary");
    record["GioiTinh"] = Value::Null;
    record["Con"] = json!([{"Ten": "canary", "Tuoi": 3}, {"Ten": null, "Tuoi": 4}]);
    record
}

/// Applies the operations that a rehearsal proposes.
fn apply(document: &mut Value, patch: &Value) {
    for operation in patch.as_array().expect("a patch") {
        let path = operation["path"].as_str().expect("a path");
        let (parent, name) = path.rsplit_once('/').expect("a pointer");
        match document.pointer_mut(parent) {
            Some(Value::Array(items)) if name == "-" => items.push(operation["value"].clone()),
            Some(Value::Object(map)) => {
                drop(map.insert(name.to_owned(), operation["value"].clone()));
            }
            _ => panic!("{path} cannot be applied"),
        }
    }
}

#[test]
fn samples_that_fit_end_with_success() {
    let world = World::new();
    world.sample("getBirthRecord.200.a.json", &record());
    world.sample("getBirthRecord.404.json", &json!({"maLoi": "201", "thongBao": "không có"}));
    let (code, out, err) = world.rehearse(&[]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for line in [
        "civil-status getBirthRecord 200: 1 sample, 1 fit the schema",
        "  declared, never seen",
        "  consumer H29.60 (hospital-civil-status): 1 sample answered",
        "    as it is 2 (2 values): /GioiTinh, /HoVaTen",
        "    masked 3 (3 values): /DanToc [null; sensitive: ethnicity], /NgaySinh [generalise], \
         /SoDinhDanh [keep_last]",
        "every sample fits, without an undeclared field",
    ] {
        assert!(out.lines().any(|found| found == line), "`{line}` is not in\n{out}");
    }
    assert!(!out.contains("Mẫu") && !out.contains("079219"), "{out}");
}

#[test]
fn drift_and_breakage_are_told_without_a_value() {
    let world = World::new();
    let mut broken = record();
    broken["HoVaTen"] = json!("X");
    broken["SoDinhDanh"] = json!(79_219_000_001_u64);
    world.sample("getBirthRecord.200.a.json", &drifted());
    world.sample("getBirthRecord.200.b.json", &broken);
    world.write("samples/getBirthRecord.200.c.json", "{\"HoVaTen\":");
    let (code, out, _) = world.rehearse(&[]);
    assert_eq!(code, 1, "{out}");
    for part in [
        "3 samples, 0 fit the schema",
        "/GioiTinh: type (1 sample, first getBirthRecord.200.a.json)",
        "/HoVaTen: minLength (1 sample, first getBirthRecord.200.b.json)",
        "/SoDinhDanh: type (1 sample, first getBirthRecord.200.b.json)",
        ": malformed (1 sample, first getBirthRecord.200.c.json)",
        "/NhomMau: string 1 (1/3 samples, 1 time)",
        "/Con: array 1 (1/3 samples, 1 time)",
        "proposed patch of the OpenAPI document (RFC 6902):",
    ] {
        assert!(out.contains(part), "`{part}` is not in\n{out}");
    }
    assert!(!out.contains("canary") && !out.contains("Mẫu"), "{out}");

    let (code, report) = world.report();
    assert_eq!((code, &report["clean"]), (1, &json!(false)));
    assert!(!report.to_string().contains("canary"), "{report}");
}

#[test]
fn the_patch_brings_the_document_to_the_samples() {
    let world = World::new();
    world.sample("getBirthRecord.200.a.json", &drifted());
    let (code, _, _) = world.rehearse(&["--patch", "patch.json"]);
    assert_eq!(code, 1);
    let patch: Value = serde_json::from_str(&world.text("patch.json")).expect("JSON");

    let file = "schemas/services/v1/civil-status.yaml";
    let mut found = lienthong_model::diagnostic::Diagnostics::new();
    let tree = lienthong_model::document::parse(file, &world.text(file), &mut found);
    let mut document = tree.expect("a document").to_json();
    apply(&mut document, &patch);
    world.write(file, &document.to_string());

    // What the patch brings in is to be classified before anything runs on.
    let (code, out, _) = world.run(&["policy", "check"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("`/NhomMau` of `getBirthRecord`"), "{out}");
    let service = "policies/services/civil-status.yaml";
    let added = "          /TrangThai: none\n          /NhomMau: {sensitive: health}\n          \
                 /Con/*/Ten: basic\n          /Con/*/Tuoi: basic\n";
    let text = world.text(service).replace("          /TrangThai: none\n", added);
    world.write(service, &text);
    let (code, out, _) = world.rehearse(&[]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn values_are_shown_only_when_asked_for_and_only_what_is_disclosed() {
    let world = World::new();
    world.sample("getBirthRecord.200.a.json", &drifted());
    let (_, out, err) = world.rehearse(&["--show-values"]);
    assert!(err.contains("warning: printing the data"), "{err}");
    let hospital = out.lines().find(|line| line.contains("→ H29.18 (ethnic-affairs"));
    assert_eq!(hospital, None, "a sample without a gender is refused there:\n{out}");
    let ward = out.lines().find(|line| line.contains("→ H29.43 ")).expect("a line");
    assert!(ward.contains("Nguyễn Văn Mẫu") && ward.contains("\"***0001\""), "{ward}");
    assert!(!out.contains("canary"), "an undeclared field is shown:\n{out}");
    let (code, _, _) = world.rehearse(&["--show-values", "--json"]);
    assert_eq!(code, 2);
}

#[test]
fn what_cannot_run_says_why() {
    let world = World::new();
    let (code, out, _) = world.rehearse(&[]);
    assert_eq!(code, 3);
    assert!(out.contains("OPERATION.STATUS.*.json"), "{out}");
    world.sample("getBirthRecor.200.json", &record());
    let (code, out, _) = world.rehearse(&[]);
    assert_eq!(code, 3);
    assert!(out.contains("did you mean `getBirthRecord`?"), "{out}");
    let (code, out, _) = world.rehearse(&["--operation", "getBirth"]);
    assert_eq!(code, 3);
    assert!(out.contains("no operation `getBirth`"), "{out}");
    let (code, out, _) = world.run(&["service", "rehearse", "civil-statu", "--samples", "samples"]);
    assert_eq!(code, 3);
    assert!(out.contains("`civil-status`?"), "{out}");
    world.write("policies/purposes.yaml", "purposes: [");
    let (code, out, _) = world.rehearse(&[]);
    assert_eq!(code, 3);
    assert!(out.contains("policies/purposes.yaml"), "{out}");
}

#[test]
fn an_imported_service_is_refused_until_every_field_is_classified() {
    let world = World::new();
    fs::copy(
        world.path("schemas/services/v1/civil-status.yaml"),
        world.path("schemas/services/v1/school-records.yaml"),
    )
    .expect("copied");
    let import = [
        "service",
        "import",
        "schemas/services/v1/school-records.yaml",
        "--provider",
        "H29.12",
        "--subsystem",
        "HOTICH",
        "--service",
        "school",
    ];
    let (code, out, err) = world.run(&import);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("wrote policies/services/school-records.yaml"), "{out}");
    let file = "policies/services/school-records.yaml";
    let text = world.text(file);
    assert!(text.contains("openapi: services/v1/school-records.yaml"), "{text}");
    let hint =
        "          /DanToc: classify-me  # gợi ý: nhạy cảm, Điều 4 / hint: {sensitive: ethnicity}";
    assert!(text.contains(hint), "{text}");

    let (code, out, _) = world.run(&["policy", "check"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("`/Cha/DanToc`: unknown class `classify-me`"), "{out}");
    let open = text.lines().filter(|line| line.contains(": classify-me"));
    let fields = open.filter(|line| !line.contains("data_subjects")).count();
    assert!(fields > 60, "{text}");
    assert_eq!(out.matches("unknown class `classify-me`").count(), fields, "{out}");

    let (code, _, err) = world.run(&import);
    assert_eq!(code, 3);
    assert!(err.contains("cannot write policies/services/school-records.yaml"), "{err}");
    assert_eq!(world.text(file), text, "the file was written twice");

    let classified = text
        .replace("data_subjects: classify-me", "data_subjects: none")
        .replace("classify-me", "basic");
    world.write(file, &classified);
    let (code, out, _) = world.run(&["policy", "check"]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn a_document_that_cannot_be_read_is_told_whole_and_nothing_is_written() {
    let world = World::new();
    let file = "schemas/services/v1/civil-status.yaml";
    let text = world
        .text(file)
        .replace("paths:\n", "servers: []\npaths:\n")
        .replace("format: citizen-number", "format: cccd")
        .replace(
            "type: object\n      additionalProperties: false",
            "type: object\n      additionalProperties: true",
        );
    world.write("other.yaml", &text);
    let (code, out, _) = world.run(&["service", "import", "other.yaml"]);
    assert_eq!(code, 1, "{out}");
    for part in ["`servers` is not read", "unknown format `cccd`", "objects are closed"] {
        assert!(out.contains(part), "`{part}` is not in\n{out}");
    }
    assert!(out.lines().any(|line| line.starts_with("other.yaml:")), "{out}");
    assert!(!world.path("policies/services/other.yaml").exists());
}

#[test]
fn a_stream_is_rehearsed_element_by_element() {
    let world = World::new();
    let summary = |year: &str| {
        json!({
            "SoDinhDanh": "079090912345", "HoVaTen": "Nguyễn Văn Mẫu", "NgaySinh": year,
            "GioiTinh": 1, "MaPhuongXa": "26740", "BenhManTinh": [],
        })
    };
    let lines = format!("{}\n{}\n", summary("19900214"), summary("1990"));
    world.write("samples/extractHealthBooks.200.a.ndjson", &lines);
    let ward = json!({"MaPhuongXa": "26740", "HoSo": [summary("19900214")]});
    world.sample("listHealthBooks.200.json", &ward);
    let rehearse = ["service", "rehearse", "health-book", "--samples", "samples"];
    let (code, out, _) = world.run(&rehearse);
    assert_eq!(code, 1, "{out}");
    for part in [
        "health-book extractHealthBooks 200: 2 elements of 1 sample, 1 fit the schema",
        "/NgaySinh: pattern (1 element, first extractHealthBooks.200.a.ndjson#2)",
        "consumer H29.20 (digital-centre-health-extract): 1 element answered",
        "health-book listHealthBooks 200: 1 element of 1 sample, 1 fit the schema",
    ] {
        assert!(out.contains(part), "`{part}` is not in\n{out}");
    }
    assert!(!out.contains("Mẫu") && !out.contains("079090912345"), "{out}");
    let (_, out, _) = world.run(&[&rehearse[..], &["--show-values"]].concat());
    let of = "extractHealthBooks.200.a.ndjson#1 → H29.20 ";
    let shown = out.lines().find(|line| line.starts_with(of));
    assert!(shown.is_some_and(|line| line.contains("\"NgaySinh\":\"1990\"")), "{out}");
    assert!(!out.contains("079090912345"), "{out}");
}

#[test]
fn an_imported_service_of_lines_streams() {
    let world = World::new();
    fs::copy(
        world.path("schemas/services/v1/health-book.yaml"),
        world.path("schemas/services/v1/other-book.yaml"),
    )
    .expect("copied");
    let document = "schemas/services/v1/other-book.yaml";
    let address = ["--provider", "H29.26", "--subsystem", "YTE", "--service", "other"];
    let import = [&["service", "import", document][..], &address].concat();
    let (code, out, err) = world.run(&import);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let text = world.text("policies/services/other-book.yaml");
    let stream =
        "    effect: reads\n    answer: stream\n    media: {request: none, answer: ndjson}\n";
    assert!(text.contains(&format!("  extractHealthBooks:\n{stream}")), "{text}");
    assert_eq!(text.matches("answer: stream").count(), 1, "{text}");
    let classified = text
        .replace("data_subjects: classify-me", "data_subjects: none")
        .replace("classify-me", "basic");
    world.write("policies/services/other-book.yaml", &classified);
    let (code, out, _) = world.run(&["policy", "check"]);
    assert_eq!(code, 0, "{out}");
}
