use crate::fixture::{DOCUMENT, Files, SERVICE};

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
fn refuses_media_and_answers_that_this_build_cannot_check() {
    let files = Files::new().edit(SERVICE, "answer: whole", "answer: stream");
    files.refused(&["answer `stream` is not available in this build"]);
    let files = Files::new().edit(SERVICE, "answer: json", "answer: xml");
    files.refused(&["not available in this build", "expected `json`"]);
    let files = Files::new().edit(SERVICE, "request: none", "request: json");
    files.refused(&["the OpenAPI document declares another request", "expected `none`"]);
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
