use serde_json::json;

use super::*;

fn checks() -> Checks {
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["MaHoSo", "ChuHoSo"],
        "properties": {
            "MaHoSo": {"type": "string", "pattern": "^[A-Z]"},
            "ChuHoSo": {"type": "string", "minLength": 2},
            "Email": {"type": "string", "format": "email"},
            "SoDienThoai": {"type": "string"},
            "SoDinhDanh": {"type": "string", "format": "citizen-number"},
        },
    });
    let rule = |field: &str, kind| IdentifierRule {
        field: field.to_owned(),
        kind,
        gender: None,
        birth: None,
    };
    let identifiers = vec![
        rule("MaHoSo", IdentifierKind::DossierCode),
        rule("SoDienThoai", IdentifierKind::Phone),
    ];
    Checks::new(&schema, identifiers).unwrap()
}

fn findings(record: &Value) -> Findings {
    checks().check(record)
}

#[test]
fn tells_every_rule_that_is_broken_and_no_value() {
    let found = findings(&json!({
        "MaHoSo": "secret",
        "Email": "secret",
        "SoDinhDanh": "secret",
        "Khac": "secret",
    }));
    let told: Vec<_> = found.wrong.iter().map(|one| one.told.as_str()).collect();
    let told = told.join("; ");
    for rule in [
        "`MaHoSo` is not a dossier code",
        "`MaHoSo` breaks `pattern`",
        "`Email` breaks `format`",
        "`SoDinhDanh` breaks `format`",
        "`required`",
        "`additionalProperties`",
    ] {
        assert!(told.contains(rule), "{rule} in {told}");
    }
    assert!(!told.contains("secret"));
}

#[test]
fn a_doubt_refuses_nothing() {
    let found = findings(&json!({
        "MaHoSo": "H29.40-261102-0001",
        "ChuHoSo": "Nguyễn",
        "SoDienThoai": "12",
    }));
    assert!(found.wrong.is_empty());
    assert_eq!(found.doubtful, ["`SoDienThoai` is not a telephone number of Viet Nam"]);
}

#[test]
fn refuses_a_schema_that_would_have_to_be_fetched() {
    let remote = json!({"$ref": "https://schemas.example/case.json"});
    assert!(Checks::new(&remote, Vec::new()).is_none());
    let unknown = json!({"type": "string", "format": "so-dinh-danh"});
    assert!(Checks::new(&unknown, Vec::new()).is_none());
}
