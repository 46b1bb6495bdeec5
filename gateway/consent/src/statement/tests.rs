use lienthong_model::{reason::ReasonCode, sensitive::Sensitive};
use serde_json::{Value, json};

use super::*;
use crate::{
    testing::{CITIZEN, checked, limits, statement, wire, with},
    vneid::Authentication,
};

fn read(wire: &Value) -> Result<Statement, StatementError> {
    Statement::read(wire.to_string().as_bytes())
}

fn refused(changes: &Value) -> (ReasonCode, &'static str) {
    let error = statement(changes).check(&limits()).unwrap_err();
    (error.reason, error.field)
}

const CHILD: &str = "079216000001";
const PARENT: &str = "079185000002";

fn of_child(changes: &Value) -> Value {
    let mut all = json!({
        "data_subject": {"kind": "citizen_number", "value": CHILD},
        "representative": {
            "identifier": {"kind": "citizen_number", "value": PARENT}, "relationship": "mother"
        },
        "child_agreed": true,
    });
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

#[test]
fn refuses_what_is_no_object_of_known_members() {
    for text in ["", "{", "[]", "null", "\"x\"", "{\"decision\":\"give\"} x"] {
        let error = Statement::read(text.as_bytes()).unwrap_err();
        assert_eq!(error.reason, ReasonCode::RequestMalformed, "{text}");
    }
    let unknown = read(&with(&json!({"purposes": ["health_care"]}))).unwrap_err();
    assert_eq!(unknown.reason, ReasonCode::RequestMalformed);
    let twice = wire().to_string().replacen('{', "{\"decision\":\"refuse\",", 1);
    let error = Statement::read(twice.as_bytes()).unwrap_err();
    assert_eq!(error.reason, ReasonCode::RequestMalformed);
    let long = format!("{}{}", wire(), " ".repeat(64 * 1024));
    assert!(Statement::read(long.as_bytes()).is_err());
}

#[test]
fn refuses_a_statement_without_any_of_what_has_to_be_said() {
    for field in [
        "data_subject",
        "controller",
        "recipients",
        "service",
        "purpose",
        "fields",
        "notice",
        "given",
        "period",
        "frequency",
        "retention_days",
        "decision",
    ] {
        let error = read(&with(&json!({field: null}))).unwrap_err();
        assert_eq!((error.reason, error.field), (ReasonCode::RequestSchema, field));
    }
}

#[test]
fn refuses_members_of_another_shape_and_names_them_alone() {
    let secret = "0791850-secret";
    for (field, value) in [
        ("data_subject", json!({"kind": "citizen_number", "value": secret})),
        ("data_subject", json!({"kind": "citizen_number", "value": CITIZEN, "name": secret})),
        ("controller", json!(secret)),
        ("recipients", json!([])),
        ("recipients", json!("H29.41")),
        ("recipients", json!(vec!["H29.41"; 101])),
        ("service", json!("Health Book")),
        ("purpose", json!(["health_care", "research"])),
        ("fields", json!([])),
        ("fields", json!(["all"])),
        ("notice", json!({"id": "x", "hash": "AB".repeat(32), "language": "vi"})),
        ("notice", json!({"id": "x", "hash": "ab".repeat(32), "language": "fr"})),
        ("notice", json!({"id": "", "hash": "ab".repeat(32), "language": "vi"})),
        ("given", json!({"channel": "telephone"})),
        ("given", json!({"channel": "paper", "reference": CITIZEN})),
        ("given", json!({"channel": "paper", "reference": "Nguyễn Văn A"})),
        ("account_level", json!(2)),
        ("representative", json!({"relationship": "mother"})),
        ("child_agreed", json!("yes")),
        ("birth_date", json!("1985-02-30")),
        ("birth_date", json!("19850101")),
        ("period", json!({"from": "2026-12-02", "until": "2026-12-01"})),
        ("frequency", json!("always")),
        ("retention_days", json!(0)),
        ("retention_days", json!(-1)),
        ("decision", json!("maybe")),
        ("decision", json!(true)),
    ] {
        let error = read(&with(&json!({field: value}))).unwrap_err();
        assert_eq!((error.reason, error.field), (ReasonCode::RequestSchema, field), "{value}");
        assert!(!error.to_string().contains("secret") && !error.to_string().contains(CITIZEN));
    }
}

#[test]
fn refuses_representatives_of_an_unknown_relationship() {
    let by = json!({
        "identifier": {"kind": "citizen_number", "value": PARENT}, "relationship": "neighbour"
    });
    let error = read(&with(&json!({"representative": by}))).unwrap_err();
    assert_eq!((error.reason, error.field), (ReasonCode::RequestSchema, "representative"));
}

#[test]
fn refuses_a_period_that_is_over_or_too_long() {
    for (from, until) in [("2026-11-01", "2026-11-29"), ("2026-11-30", "2027-11-30")] {
        let period = json!({"period": {"from": from, "until": until}});
        assert_eq!(refused(&period), (ReasonCode::RequestSchema, "period"));
    }
    checked(&json!({"period": {"from": "2026-11-30", "until": "2027-11-29"}}));
    checked(&json!({"period": {"from": "2026-11-01", "until": "2026-11-30"}}));
}

#[test]
fn a_log_in_has_to_meet_the_level_and_says_only_that() {
    let vneid = json!({"given": {"channel": "vneid"}});
    assert_eq!(refused(&vneid), (ReasonCode::ConsentAccountLevel, "account_level"));
    for level in ["2", "level2", "MET", ""] {
        let error = read(&with(&json!({"account_level": level}))).unwrap_err();
        assert_eq!((error.reason, error.field), (ReasonCode::ConsentAccountLevel, "account_level"));
    }
    checked(&json!({"given": {"channel": "vneid"}, "account_level": "met"}));
}

#[test]
fn an_authentication_of_another_person_or_level_opens_nothing() {
    let check = |citizen: &str, level| {
        let authentication = Authentication::new(Sensitive::new(citizen.to_owned()), level);
        let vneid = json!({"given": {"channel": "vneid"}});
        statement(&vneid).check_authenticated(&limits(), authentication, 2)
    };
    assert_eq!(check(PARENT, 2).unwrap_err().field, "data_subject");
    assert_eq!(check(CITIZEN, 1).unwrap_err().reason, ReasonCode::ConsentAccountLevel);
    let checked = check(CITIZEN, 2).unwrap();
    assert_eq!(checked.statement().account_level, Some(AccountLevel::Met));
}

#[test]
fn a_child_needs_a_representative_who_is_somebody_else() {
    let required = ReasonCode::ConsentRepresentativeRequired;
    let alone = of_child(&json!({"representative": null}));
    assert_eq!(refused(&alone), (required, "representative"));
    let oneself = of_child(&json!({"representative": {
        "identifier": {"kind": "citizen_number", "value": CHILD}, "relationship": "guardian"
    }}));
    assert_eq!(refused(&oneself), (required, "representative"));
    assert!(checked(&of_child(&json!({}))).is_child());
}

#[test]
fn a_child_of_seven_agrees_too() {
    let required = (ReasonCode::ConsentRepresentativeRequired, "child_agreed");
    for agreed in [json!(null), json!(false)] {
        assert_eq!(refused(&of_child(&json!({"child_agreed": agreed}))), required);
    }
    let seven = json!({"birth_date": "2019-11-30", "child_agreed": null});
    assert_eq!(refused(&of_child(&seven)), required);
    checked(&of_child(&json!({"birth_date": "2019-12-01", "child_agreed": null})));
}

#[test]
fn somebody_of_sixteen_speaks_alone_and_one_of_fifteen_does_not() {
    let passport = json!({"kind": "passport", "value": "C1234567"});
    let born = |date: &str| json!({"data_subject": passport, "birth_date": date});
    let required = (ReasonCode::ConsentRepresentativeRequired, "representative");
    assert_eq!(refused(&born("2010-12-01")), required);
    assert!(!checked(&born("2010-11-30")).is_child());
    // The number says 2010 and not on which day.
    let number = json!({"kind": "citizen_number", "value": "079210000001"});
    assert_eq!(refused(&json!({"data_subject": number})), required);
    checked(&json!({"data_subject": number, "birth_date": "2010-11-30"}));
}

#[test]
fn an_age_that_nothing_tells_is_asked_for() {
    let age = (ReasonCode::RequestSchema, "birth_date");
    for subject in [
        json!({"kind": "passport", "value": "C1234567"}),
        json!({"kind": "citizen_number", "value": "079345000001"}),
    ] {
        assert_eq!(refused(&json!({"data_subject": subject})), age);
    }
    let future = json!({"birth_date": "2026-12-01"});
    assert_eq!(refused(&future), age);
}

#[test]
fn no_counts_from_whoever_says_it() {
    checked(&of_child(&json!({"decision": "refuse", "representative": null})));
    let over = json!({"from": "2026-01-01", "until": "2026-01-02"});
    checked(&json!({"decision": "refuse", "period": over}));
}

#[test]
fn the_date_of_birth_is_looked_at_and_not_kept() {
    let checked = checked(&json!({"birth_date": "1985-01-01"}));
    assert_eq!(checked.statement().birth_date, None);
    assert!(!format!("{checked:?}").contains("1985"));
}

#[test]
fn has_one_canonical_spelling() {
    let spelled = String::from_utf8(statement(&json!({})).canonical()).unwrap();
    assert_eq!(
        spelled,
        format!(
            concat!(
                r#"{{"controller":"H29.12","data_subject":{{"kind":"citizen_number","value":"{}"}},"#,
                r#""decision":"give","fields":["getHealthBook/200/HoVaTen","getHealthBook/200/NhomMau"],"#,
                r#""frequency":"as_needed","given":{{"channel":"paper","reference":"PYT-12/2026"}},"#,
                r#""notice":{{"hash":"{}","id":"health-book","language":"vi"}},"#,
                r#""period":{{"from":"2026-11-30","until":"2026-12-29"}},"purpose":"health_care","#,
                r#""recipients":["H29.30","H29.41"],"retention_days":30,"service":"health-book"}}"#
            ),
            CITIZEN,
            "ab".repeat(32)
        )
    );
    let other = json!({"recipients": ["H29.30", "H29.41", "H29.30"]});
    assert_eq!(statement(&other).hash(), statement(&json!({})).hash());
    assert_ne!(statement(&json!({"decision": "refuse"})).hash(), statement(&json!({})).hash());
    let all = statement(&of_child(&json!({"birth_date": "2016-01-02", "account_level": "met"})));
    let again = Statement::read(&all.canonical()).unwrap();
    assert_eq!(again.canonical(), all.canonical());
}

#[test]
fn the_check_keeps_the_hash_of_what_was_said() {
    let said = json!({"birth_date": "1985-01-01"});
    assert_eq!(checked(&said).hash(), &statement(&said).hash());
}
