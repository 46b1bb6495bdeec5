use super::*;
use crate::fixture::{AGREEMENT, Files, opened};

fn projected(files: &Files) -> Value {
    let set = files.set();
    project_openapi(&set.services["civil-status"], &[&opened(&set)])
}

#[test]
fn shows_nothing_of_what_is_withheld() {
    let document = projected(&Files::new());
    let text = document.to_string();
    for withheld in
        ["DanToc", "canary", "Cha", "namSinh", "madonvi", "sendNote", "components", "$ref"]
    {
        assert!(!text.contains(withheld), "`{withheld}` is in {document:#}");
    }
    let answers = &document["paths"]["/ho-tich/khai-sinh"]["get"]["responses"];
    let schema = &answers["200"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["HoVaTen", "SoDinhDanh"]));
    assert_eq!(schema["additionalProperties"], json!(false));
}

#[test]
fn shows_no_operation_without_agreement() {
    let set = Files::new().set();
    let document = project_openapi(&set.services["civil-status"], &[]);
    assert_eq!(document["paths"], json!({}));
}

#[test]
fn shows_masked_fields_as_the_consumer_will_see_them() {
    let document = projected(&Files::new());
    let answers = &document["paths"]["/ho-tich/khai-sinh"]["get"]["responses"];
    let fields = &answers["200"]["content"]["application/json"]["schema"]["properties"];
    let number = json!({
        "type": "string", "x-lienthong-mask": "keep_last: 4", "description": "Personal number."
    });
    assert_eq!(fields["SoDinhDanh"], number);
    assert_eq!(fields["NgaySinh"]["pattern"], "^\\d{4}$");
    assert_eq!(fields["HoVaTen"], json!({"type": "string", "minLength": 2, "maxLength": 100}));
    assert_eq!(fields["GhiChu"]["items"]["x-lienthong-mask"], "redact");
}

#[test]
fn keeps_the_declared_form_of_what_the_consumer_sends() {
    let request = "{query.soDinhDanh: {keep_last: 4}, query.namSinh: pass}";
    let document = projected(&Files::new().edit(AGREEMENT, "{query.soDinhDanh: pass}", request));
    let parameters = &document["paths"]["/ho-tich/khai-sinh"]["get"]["parameters"];
    assert_eq!(parameters[0]["schema"]["format"], "citizen-number");
    assert_eq!(parameters[0]["required"], true);
    assert_eq!(parameters[0]["description"], "Whose record.");
    assert_eq!(parameters[1]["style"], "form");
    assert_eq!(parameters[1]["explode"], true);
}

#[test]
fn shows_the_fields_that_any_of_several_agreements_discloses() {
    let second = [
        ("id: ward-civil-status", "id: second"),
        ("[dossier_processing, ethnic_policy]", "[statistics]"),
        ("/SoDinhDanh: {keep_last: 4}", "/SoDinhDanh: pass"),
        ("/HoVaTen: pass", "/Cha/HoVaTen: pass"),
    ];
    let files = Files::new().copy(AGREEMENT, "policies/agreements/second.yaml", &second);
    let set = files.set();
    let other = &set.agreements["second"].operations["getBirthRecord"];
    let document = project_openapi(&set.services["civil-status"], &[&opened(&set), other]);
    let answers = &document["paths"]["/ho-tich/khai-sinh"]["get"]["responses"];
    let fields = &answers["200"]["content"]["application/json"]["schema"]["properties"];
    assert!(fields.get("HoVaTen").is_some() && fields.get("Cha").is_some(), "{fields:#}");
    assert_eq!(
        fields["SoDinhDanh"],
        json!({
            "x-lienthong-mask": "keep_last: 4", "description": "Personal number."
        })
    );
}
