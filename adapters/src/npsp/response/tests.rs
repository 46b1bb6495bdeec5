use lienthong_model::sensitive::Sensitive;
use serde_json::json;

use super::*;

fn config() -> NpspConfig {
    NpspConfig {
        service: "VN/GOV/G22/DVCQG/cases".to_owned(),
        agency: "H29.20".to_owned(),
        dstcode: None,
        purpose: None,
        username: "x".to_owned(),
        password: Sensitive::new("x".to_owned()),
        session_seconds: 600,
        session_ended_codes: vec!["101".to_owned()],
        rate: None,
        retry_codes: vec!["999".to_owned()],
        records: std::collections::BTreeMap::new(),
        calls: Vec::new(),
    }
}

fn json_answer(body: &Value) -> Result<Received, NoAnswer> {
    Ok(Received {
        status: 200,
        is_problem: false,
        is_json: true,
        retry_after: None,
        body: body.to_string().into_bytes(),
    })
}

fn problem_answer(reason: ReasonCode) -> Result<Received, NoAnswer> {
    Ok(Received {
        status: reason.status(),
        is_problem: true,
        is_json: false,
        retry_after: Some(SignedDuration::from_secs(7)),
        body: json!({"reason": reason.as_str()}).to_string().into_bytes(),
    })
}

fn outcome(answer: Answer) -> Outcome {
    match answer {
        Answer::Not(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_reason_of_the_gateway_has_its_place() {
    for reason in ReasonCode::ALL {
        let outcome = outcome(read(&config(), problem_answer(*reason)));
        let status = reason.status();
        let expected = match reason {
            ReasonCode::ProviderUnreachable => "unavailable",
            _ if [401, 408, 429, 503].contains(&status) => "unavailable",
            _ if status < 500 => "refused",
            _ => "unknown",
        };
        let found = match outcome {
            Outcome::Unavailable(_, wait) => {
                assert_eq!(wait, Some(SignedDuration::from_secs(7)));
                "unavailable"
            }
            Outcome::Refused(why) => {
                assert_eq!(why.as_str(), reason.as_str());
                "refused"
            }
            Outcome::Unknown(_) => "unknown",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{reason}");
    }
}

#[test]
fn an_error_with_status_200_is_an_error() {
    for (code, refused) in [(json!("204"), true), (json!(-1), true), (json!("999"), false)] {
        let answer = read(&config(), json_answer(&json!({"error_code": code, "result": "x"})));
        match (outcome(answer), refused) {
            (Outcome::Refused(reason), true) => assert!(reason.as_str().starts_with("portal ")),
            (Outcome::Failed(_), false) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(read(&config(), json_answer(&json!({"error_code": 101}))), Answer::SessionEnded);
}

#[test]
fn success_is_spelled_in_three_ways() {
    for code in [json!("00"), json!("0"), json!(0)] {
        let answer = read(&config(), json_answer(&json!({"error_code": code, "result": "x"})));
        assert_eq!(answer, Answer::Taken(json!("x")));
    }
}

#[test]
fn what_cannot_be_read_is_unknown_and_what_was_not_sent_is_not() {
    let mut html = json_answer(&json!({})).unwrap();
    (html.is_json, html.body) = (false, b"<html>".to_vec());
    assert!(matches!(outcome(read(&config(), Ok(html))), Outcome::Unknown(_)));
    let garbage = json_answer(&json!({"result": "no code"}));
    assert!(matches!(outcome(read(&config(), garbage)), Outcome::Unknown(_)));
    let lost = read(&config(), Err(NoAnswer::MaybeSent));
    assert!(matches!(outcome(lost), Outcome::Unknown(_)));
    let away = read(&config(), Err(NoAnswer::NotSent));
    assert!(matches!(outcome(away), Outcome::Unavailable(..)));
}

#[test]
fn a_code_from_outside_cannot_smuggle_a_value() {
    let answer = json!({"error_code": "Nguyễn Thị Bảy, 079190900001 \n", "result": "x"});
    let Outcome::Refused(reason) = outcome(read(&config(), json_answer(&answer))) else { panic!() };
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
