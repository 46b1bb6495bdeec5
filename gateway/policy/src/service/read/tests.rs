use crate::{
    SubjectRole,
    fixture::{DOCUMENT, Files, SERVICE},
};

#[test]
fn refuses_a_leaf_without_class_and_a_class_without_leaf() {
    let files = Files::new().edit(SERVICE, "          /HoVaTen: basic\n", "");
    files.refused(&["`/HoVaTen` of `getBirthRecord` (a field of answer 200) is not classified"]);
    let files = Files::new().edit(SERVICE, "        query.namSinh: basic\n", "");
    files.refused(&["`query.namSinh` of `getBirthRecord` (a request field) is not classified"]);
    let files = Files::new().edit(SERVICE, "        \"404\": {/maLoi: none}\n", "");
    files.refused(&["`/maLoi` of `getBirthRecord` (a field of answer 404) is not classified"]);
    let files = Files::new().edit(SERVICE, "{/maLoi: none}", "{/maLoi: none, /maLio: none}");
    files.refused(&["`/maLio` is not a field of answer 404", "did you mean `/maLoi`?"]);
    let files = Files::new().edit(SERVICE, "\"404\": {", "\"405\": {");
    assert!(files.mistakes().iter().any(|m| m.contains("status `405` is not declared")));
}

#[test]
fn refuses_a_field_that_somebody_adds_to_the_document_tomorrow() {
    let files = Files::new().edit(
        DOCUMENT,
        "        Cha: {",
        "        TonGiao: {type: string}\n        Cha: {",
    );
    files.refused(&["`/TonGiao` of `getBirthRecord`", "is not classified"]);
}

#[test]
fn refuses_unbounded_text_that_is_said_not_to_be_personal() {
    let files = Files::new().edit(SERVICE, "/HoVaTen: basic", "/HoVaTen: none");
    files.refused(&["`/HoVaTen`: an unbounded string is at least basic"]);
    let tree = "anyOf: [{type: string, pattern: \"^a$\"}, {type: integer}]";
    let bounded = Files::new().edit(DOCUMENT, "type: string, enum: [\"0\", \"201\"]", tree);
    assert_eq!(bounded.mistakes(), [""; 0]);
    let free = "anyOf: [{type: string}, {type: integer}]";
    let files = Files::new().edit(DOCUMENT, "type: string, enum: [\"0\", \"201\"]", free);
    assert!(files.mistakes()[0].contains("an unbounded string is at least basic"));
}

#[test]
fn refuses_classes_of_objects_and_unknown_categories() {
    let files = Files::new().edit(SERVICE, "/Cha/HoVaTen: basic", "/Cha: basic");
    let found = files.mistakes();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().any(|m| m.contains("`/Cha` is an object or a list")), "{found:#?}");
    let files = Files::new().edit(SERVICE, "sensitive: ethnicity", "sensitive: ethnicty");
    files.refused(&["unknown category `ethnicty`", "did you mean `ethnicity`?"]);
    let files = Files::new().edit(SERVICE, "{sensitive: ethnicity}", "sensitive");
    files.refused(&["a sensitive field needs its category"]);
}

#[test]
fn refuses_media_other_than_the_documents() {
    let files = Files::new().edit(SERVICE, "answer: json", "answer: xml");
    files.refused(&["unknown media `xml`"]);
    let files = Files::new().edit(SERVICE, "request: none", "request: json");
    files.refused(&["the OpenAPI document declares another request", "expected `none`"]);
    let files = Files::new().edit(DOCUMENT, "application/json:", "application/x-ndjson:");
    let found = files.mistakes();
    assert!(found.iter().any(|m| m.contains("another answer")), "{found:#?}");
    assert!(found.iter().any(|m| m.contains("an NDJSON answer is a stream")), "{found:#?}");
}

#[test]
fn refuses_a_signature_over_no_request_of_json() {
    let whole = "effect: reads\n    answer: whole";
    let files =
        Files::new().edit(SERVICE, whole, "effect: reads\n    request: signed\n    answer: whole");
    files.refused(&["only a request of JSON can be signed by its consumer"]);
    let files =
        Files::new().edit(SERVICE, whole, "effect: reads\n    request: sigend\n    answer: whole");
    files.refused(&["unknown request `sigend`", "did you mean `signed`?"]);
}

#[test]
fn refuses_a_stream_whose_elements_are_not_where_it_says() {
    let whole = "effect: reads\n    answer: whole";
    let files = Files::new().edit(SERVICE, whole, "effect: reads\n    answer: stream");
    files.refused(&["a stream of JSON needs `elements`", "such as `elements: /HoSo`"]);
    let files = Files::new().edit(SERVICE, whole, &format!("{whole}\n    elements: /GhiChu"));
    files.refused(&["`elements` belongs to `answer: stream`"]);
    let lines = "effect: reads\n    answer: stream\n    elements: /GhiChu";
    let ndjson = Files::new()
        .edit(SERVICE, whole, lines)
        .edit(SERVICE, "answer: json", "answer: ndjson")
        .edit(DOCUMENT, "application/json:", "application/x-ndjson:");
    ndjson.refused(&["each line of an NDJSON answer is an element"]);
}

#[test]
fn reads_streams_of_lines_and_of_one_array() {
    let whole = "effect: reads\n    answer: whole";
    let array = "effect: reads\n    answer: stream\n    elements: /GhiChu\n    \
                 limits: {element_bytes: 4096, elements: 200000}";
    let set = Files::new().edit(SERVICE, whole, array).set();
    let operation = &set.services["civil-status"].operations["getBirthRecord"];
    let rules = operation.stream(200).unwrap();
    assert_eq!(rules.elements.as_ref().unwrap().to_string(), "/GhiChu");
    assert_eq!((rules.element_bytes, rules.max_elements), (4096, 200_000));
    assert_eq!(operation.stream(404), None);
    let set = Files::new()
        .edit(SERVICE, whole, "effect: reads\n    answer: stream")
        .edit(SERVICE, "answer: json", "answer: ndjson")
        .edit(DOCUMENT, "application/json:", "application/x-ndjson:")
        .set();
    let operation = &set.services["civil-status"].operations["getBirthRecord"];
    let rules = operation.stream(200).unwrap();
    assert_eq!((&rules.elements, rules.max_elements), (&None, 1_000_000));
}

#[test]
fn refuses_data_subjects_that_are_left_unsaid_or_do_not_exist() {
    let files = Files::new().edit(SERVICE, "    data_subjects: none\n", "");
    files.refused(&["key `data_subjects` is missing"]);
    let files = Files::new().edit(SERVICE, "field: query.soDinhDanh", "field: query.soDinhDan");
    files
        .refused(&["`query.soDinhDan` is not a request field", "did you mean `query.soDinhDanh`?"]);
}

#[test]
fn refuses_two_services_at_one_address() {
    let files = Files::new().copy(
        SERVICE,
        "policies/services/again.yaml",
        &[("id: civil-status", "id: again")],
    );
    files.refused(&["service address `VN/GOV/H29.12/HOTICH/birth` is used twice"]);
}

#[test]
fn refuses_an_address_outside_the_provider_and_a_file_of_another_name() {
    let files = Files::new().edit(SERVICE, "subsystem: HOTICH", "subsystem: HOTICK");
    files.refused(&["unknown subsystem of `H29.12` `HOTICK`", "did you mean `HOTICH`?"]);
    let files = Files::new().edit(SERVICE, "subsystem: HOTICH", "subsystem: ../x");
    files.refused(&["must be 1 to 64 letters"]);
    let files = Files::new().edit(SERVICE, "id: civil-status", "id: civil-statute");
    let found = files.mistakes();
    assert!(found.iter().any(|m| m.contains("is not the name of the file")), "{found:#?}");
}

#[test]
fn reads_limits_and_header_names_in_lower_case() {
    let set = Files::new().set();
    let operations = &set.services["civil-status"].operations;
    assert_eq!(operations["sendNote"].request_limit, 1000);
    assert_eq!(operations["getBirthRecord"].answer_limit, 1 << 20);
    let names: Vec<&str> =
        operations["getBirthRecord"].parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["soDinhDanh", "namSinh", "madonvi"]);
}

const LISTED: &str = "- {field: query.soDinhDanh, role: owner, identifier: citizen_number}";

fn with_subject(line: &str) -> Files {
    Files::new().edit(SERVICE, LISTED, &format!("{LISTED}\n      - {line}"))
}

#[test]
fn reads_whom_an_answer_is_about() {
    let set = with_subject(
        "{answer: \"200\", field: /SoDinhDanh, role: owner, identifier: citizen_number}",
    )
    .set();
    let operation = &set.services["civil-status"].operations["getBirthRecord"];
    assert_eq!(operation.data_subjects.len(), 1, "that of the request");
    let [subject] = operation.subjects_of(200) else { panic!("one") };
    assert_eq!(
        (subject.field.to_string().as_str(), subject.role),
        ("/SoDinhDanh", SubjectRole::Owner)
    );
    assert_eq!(operation.subjects_of(404), []);
}

#[test]
fn the_pointer_of_a_streaming_answer_begins_in_the_element() {
    let whole = "effect: reads\n    answer: whole";
    let stream = "effect: reads\n    answer: stream\n    elements: /GhiChu";
    let listed = |field: &str| {
        let line = format!("{{answer: \"200\", field: {field}, role: owner, identifier: other}}");
        with_subject(&line).edit(SERVICE, whole, stream)
    };
    let set = listed("/").set();
    let operation = &set.services["civil-status"].operations["getBirthRecord"];
    assert_eq!(operation.subjects_of(200)[0].field.to_string(), "");
    listed("/GhiChu/*").refused(&["`/GhiChu/*` is not a field of an element of answer 200"]);
    let lines =
        with_subject("{answer: \"200\", field: /SoDinhDanh, role: owner, identifier: other}")
            .edit(SERVICE, whole, "effect: reads\n    answer: stream")
            .edit(SERVICE, "answer: json", "answer: ndjson")
            .edit(DOCUMENT, "application/json:", "application/x-ndjson:");
    assert_eq!(
        lines.set().services["civil-status"].operations["getBirthRecord"].subjects_of(200).len(),
        1
    );
}

#[test]
fn refuses_data_subjects_of_answers_that_are_nowhere_or_twice() {
    let refused = |answer: &str, field: &str, message: &str| {
        let line = format!("{{answer: {answer}, field: {field}, role: owner, identifier: other}}");
        with_subject(&line).refused(&[message]);
    };
    refused("\"200\"", "/SoDinhDan", "did you mean `/SoDinhDanh`?");
    refused("\"200\"", "/Cha", "`/Cha` is an object or a list");
    refused("\"200\"", "query.soDinhDanh", "`query.soDinhDanh` is not a field of answer 200");
    refused("\"405\"", "/SoDinhDanh", "unknown answer `405`");
    let twice = "{answer: \"200\", field: /SoDinhDanh, role: owner, identifier: other}";
    with_subject(&format!("{twice}\n      - {twice}")).refused(&["`/SoDinhDanh` stands twice"]);
}
