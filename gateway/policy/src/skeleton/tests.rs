use super::*;
use crate::fixture::{DOCUMENT, Files, SERVICE};

fn draft() -> Draft {
    Draft {
        id: "civil-status".parse().expect("id"),
        provider: Some("H29.12".parse().expect("id")),
        subsystem: Some("HOTICH".to_owned()),
        service: Some("birth".to_owned()),
        document: "services/v1/civil-status.yaml".to_owned(),
    }
}

fn document() -> String {
    Files::new().0[DOCUMENT].clone()
}

/// The fixture without what names its service, but with a drafted service file.
fn with_service(text: &str) -> Files {
    let files = Files::new().remove(SERVICE).remove(crate::fixture::CASES);
    files.remove(crate::fixture::AGREEMENT).add(SERVICE, text)
}

#[test]
fn lists_every_field_and_classifies_none() {
    let text = skeleton(DOCUMENT, &document(), &draft()).expect("a draft");
    for line in [
        "        query.soDinhDanh: classify-me  # gợi ý: cơ bản, Điều 3 / hint: basic, Art. 3",
        "        header.madonvi: classify-me",
        "          /DanToc: classify-me  # gợi ý: nhạy cảm, Điều 4 / hint: {sensitive: ethnicity}, Art. 4",
        "          /GhiChu/*: classify-me",
        "        /nguoi/ten: classify-me",
        "        \"404\":",
        "    effect: reads",
        "    effect: \"<reads or writes>\"",
        "    media: {request: none, answer: json}",
        "    media: {request: json, answer: json}",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
    let classified = text.lines().filter_map(|line| line.split('#').next()).any(|line| {
        let line = line.trim_end();
        [": basic", ": none", "}"].iter().any(|end| line.ends_with(end))
            && line.starts_with("        ")
    });
    assert!(!classified, "a class was guessed:\n{text}");
}

#[test]
fn a_draft_is_refused_until_every_field_is_classified() {
    let text = skeleton(DOCUMENT, &document(), &draft()).expect("a draft");
    let found = with_service(&text).mistakes();
    for field in ["query.soDinhDanh", "header.madonvi", "/DanToc", "/GhiChu/*", "/nguoi/ten"] {
        let message = format!("`{field}`: unknown class `classify-me`");
        assert!(found.iter().any(|m| m.contains(&message)), "{message}: {found:#?}");
    }
    assert_eq!(found.iter().filter(|m| m.contains("unknown class")).count(), 15, "{found:#?}");
    assert!(found.iter().any(|m| m.contains("`data_subjects` must be a list")), "{found:#?}");

    let classified = text
        .replace("data_subjects: classify-me", "data_subjects: none")
        .replace("classify-me", "basic")
        .replace("<reads or writes>", "writes");
    let found = with_service(&classified).mistakes();
    let of_service: Vec<_> = found.iter().filter(|m| m.starts_with(SERVICE)).collect();
    assert!(of_service.is_empty(), "{of_service:#?}");
}

#[test]
fn what_is_not_known_is_left_open_and_refused() {
    let open = Draft { provider: None, subsystem: None, service: None, ..draft() };
    let text = skeleton(DOCUMENT, &document(), &open).expect("a draft");
    let found = with_service(&text).mistakes();
    assert!(found.iter().any(|m| m.contains("`<provider>` is not an agency code")), "{found:#?}");
    assert!(found.iter().any(|m| m.contains("`subsystem` must be")), "{found:#?}");
    assert!(found.iter().any(|m| m.contains("`service` must be")), "{found:#?}");
}

#[test]
fn reads_json_as_well() {
    let root = document::parse(DOCUMENT, &document(), &mut Diagnostics::new()).expect("a tree");
    let json = serde_json::to_string_pretty(&root.to_json()).expect("JSON");
    let from_json = skeleton("civil-status.json", &json, &draft()).expect("a draft");
    assert_eq!(from_json, skeleton(DOCUMENT, &document(), &draft()).expect("a draft"));
}

#[test]
fn tells_everything_that_cannot_be_read_at_once() {
    let text = document()
        .replace("type: array, maxItems: 9", "type: array, maxItmes: 9")
        .replace("in: header", "in: cookie")
        .replace("\"404\": {$ref", "default: {$ref")
        .replace("type: string, enum", "type: string, format: password, enum");
    let found = skeleton(DOCUMENT, &text, &draft()).expect_err("mistakes").sorted();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    for part in ["keyword `maxItmes`", "cookies do not pass", "`default`", "format `password`"] {
        assert!(found.iter().any(|m| m.contains(part)), "{part}: {found:#?}");
    }
    assert!(found.iter().all(|m| m.starts_with(&format!("{DOCUMENT}:"))), "{found:#?}");
}

#[test]
fn a_document_cannot_write_into_the_file_it_becomes() {
    let text = document()
        .replace("title: Hộ tịch", "title: \"x\\\"}\\nid: other # \\u2028\"")
        .replace("NgaySinh:", "\"a: none\\n/b\":");
    let text = skeleton(DOCUMENT, &text, &draft()).expect("a draft");
    let root = document::parse(SERVICE, &text, &mut Diagnostics::new()).expect("a tree");
    let json = root.to_json();
    assert_eq!(json["id"], "civil-status");
    assert_eq!(json["name"]["vi"], "x\"}\nid: other # \u{2028}");
    let classes = &json["operations"]["getBirthRecord"]["classes"]["answers"]["200"];
    assert_eq!(classes["/a: none\n~1b"], UNCLASSIFIED);
}

#[test]
fn texts_that_yaml_reads_otherwise_are_quoted() {
    for (text, written) in [
        ("/a/*/b", "/a/*/b"),
        ("query.x", "query.x"),
        ("012", "\"012\""),
        ("No", "\"No\""),
        ("/a b", "\"/a b\""),
        ("", "\"\""),
        ("a\\\"", "\"a\\\\\\\"\""),
    ] {
        assert_eq!(scalar(text), written);
    }
}

#[test]
fn names_the_media_that_the_document_declares() {
    let text = Files::with_files().0[crate::fixture::FILES_DOCUMENT].clone();
    let text = skeleton(DOCUMENT, &text, &draft()).expect("a draft");
    for line in [
        "    media: {request: multipart, answer: json}",
        "    media: {request: form, answer: opaque}",
        "          /: classify-me",
        "        /scan: classify-me",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
    let lines = document().replacen("application/json", "application/x-ndjson", 1);
    let text = skeleton(DOCUMENT, &lines, &draft()).expect("a draft");
    assert!(
        text.contains("    answer: stream\n    media: {request: none, answer: ndjson}\n"),
        "{text}"
    );
}
