use serde_json::json;

use super::*;
use crate::npsp::testing::{CASES, Desk};

fn config() -> NpspConfig {
    let codes = "  retry_codes: [\"999\"]\n  pause_codes: [\"429\"]\n  exists_codes: [\"204\"]\n  \
                 unknown_case_codes: [\"205\"]\n";
    let desk = Desk::new(([127, 0, 0, 1], 1).into(), &format!("{CASES}{codes}"));
    desk.read().unwrap().npsp.unwrap()
}

fn raw(body: &[u8]) -> Result<Received, NoAnswer> {
    Ok(Received {
        status: 200,
        is_problem: false,
        is_json: true,
        retry_after: None,
        body: body.to_vec(),
    })
}

fn told(body: &Value) -> Answer {
    read(&config(), raw(body.to_string().as_bytes()))
}

#[test]
fn an_error_with_status_200_is_an_error() {
    let portal = |code: &str| Reason::code("portal", code);
    for (code, answer) in [
        (json!("203"), Answer::Not(Outcome::Refused(portal("203")))),
        (json!(-1), Answer::Not(Outcome::Refused(portal("-1")))),
        (json!("000"), Answer::Not(Outcome::Refused(portal("000")))),
        (json!(" 0"), Answer::Not(Outcome::Refused(portal("0")))),
        (json!(0.5), Answer::Not(Outcome::Refused(portal("0.5")))),
        (json!("999"), Answer::Not(Outcome::Failed(portal("999")))),
        (json!(429), Answer::Not(Outcome::Unavailable(portal("429"), None))),
        (json!("204"), Answer::Exists(portal("204"))),
        (json!("205"), Answer::UnknownCase(portal("205"))),
        (json!(101), Answer::SessionEnded),
    ] {
        assert_eq!(told(&json!({"error_code": code, "result": "x"})), answer, "{code}");
    }
}

#[test]
fn success_is_spelled_in_several_ways() {
    for code in ["\"00\"", "\"0\"", "0", "0.0"] {
        let body = format!("{{\"error_code\": {code}, \"result\": \"x\"}}");
        match read(&config(), raw(body.as_bytes())) {
            Answer::Taken(body) => assert_eq!(body["result"], "x", "{code}"),
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn what_cannot_be_read_is_unknown_and_what_was_not_sent_is_not() {
    let unknown = |received| {
        assert!(matches!(read(&config(), received), Answer::Not(Outcome::Unknown(_))));
    };
    let mut html = raw(b"<html>").unwrap();
    html.is_json = false;
    unknown(Ok(html));
    for body in [
        &b"<html>"[..],
        b"",
        b"{\"error_code\": \"0",
        b"[]",
        b"null",
        b"{}",
        b"{\"result\": \"no code\"}",
        b"{\"error_code\": null}",
        b"{\"error_code\": true}",
        b"{\"error_code\": {}}",
    ] {
        unknown(raw(body));
    }
    let mut empty = raw(b"").unwrap();
    empty.status = 204;
    unknown(Ok(empty));
    unknown(Err(NoAnswer::MaybeSent));
    let away = read(&config(), Err(NoAnswer::NotSent));
    assert!(matches!(away, Answer::Not(Outcome::Unavailable(..))));
}

#[test]
fn a_code_from_outside_cannot_smuggle_a_value() {
    let answer = told(&json!({"error_code": "Nguyễn Thị Bảy, 079190900001 \n", "result": "x"}));
    let Answer::Not(Outcome::Refused(reason)) = answer else { panic!() };
    assert!(reason.as_str().is_ascii() && reason.as_str().len() < 80);
    assert!(!reason.as_str().contains('\n'));
}

#[test]
fn a_look_up_compares_the_dossier_or_the_step() {
    let result = json!([{
        "MaHoSo": "A", "TrangThaiHoSo": "4",
        "QuaTrinhXuLy": [{"ThoiDiemXuLy": "20261102080000", "TrangThai": "4"}],
    }]);
    let holds = |record: Value| holds(&result, record.as_object().unwrap());
    assert!(holds(json!({"MaHoSo": "A", "TrangThaiHoSo": "4"})));
    assert!(!holds(json!({"MaHoSo": "A", "TrangThaiHoSo": "9"})));
    assert!(!holds(json!({"MaHoSo": "B", "TrangThaiHoSo": "4"})));
    assert!(!holds(json!({})));
    let step = |at: &str| json!({"MaHoSo": "A", "ThoiDiemXuLy": at, "TrangThai": "4"});
    assert!(holds(step("20261102080000")));
    assert!(!holds(step("20261102080001")));
}
