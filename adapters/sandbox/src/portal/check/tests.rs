use serde_json::json;

use super::*;

const RULES: Rules<'static> = Rules { required: &["Ma"], latest: None };

fn check(rules: Rules<'_>, record: Value) -> Result<(), PortalError> {
    rules.check(record.as_object().unwrap())
}

#[test]
fn refuses_a_record_without_what_it_must_have() {
    for record in [json!({}), json!({"Ma": null}), json!({"Ma": ""})] {
        assert_eq!(check(RULES, record), Err(MISSING_FIELD));
    }
    assert_eq!(check(RULES, json!({"Ma": "1"})), Ok(()));
}

#[test]
fn refuses_dates_that_do_not_exist_at_any_depth() {
    for date in ["20260231080000", "2026110208", "02/11/2026", "20261102256060"] {
        let wrong = check(RULES, json!({"Ma": "1", "NgayHenTra": date}));
        assert_eq!(wrong, Err(WRONG_DATE), "{date}");
    }
    let nested = json!({"Ma": "1", "DanhSachHoSoBoSung": [{"NgayBoSung": "x"}]});
    assert_eq!(check(RULES, nested), Err(WRONG_DATE));
    assert_eq!(check(RULES, json!({"Ma": "1", "NgayTra": 20_261_102})), Err(WRONG_DATE));
    assert_eq!(check(RULES, json!({"Ma": "1", "NgayTra": null, "NgayHenTra": ""})), Ok(()));
}

#[test]
fn refuses_what_has_not_happened_yet_when_it_looks_at_its_clock() {
    let rules = Rules { latest: Some("20261102080000"), ..RULES };
    let record = |name: &str| json!({"Ma": "1", name: "20261102080001"});
    assert_eq!(check(rules, record("ThoiDiemXuLy")), Err(FUTURE_DATE));
    assert_eq!(check(rules, record("NgayHenTra")), Ok(()));
    assert_eq!(check(RULES, record("ThoiDiemXuLy")), Ok(()));
}

#[test]
fn counts_characters_not_bytes() {
    let name = |length: usize| json!({"Ma": "1", "ChuHoSo": "ệ".repeat(length)});
    assert_eq!(check(RULES, name(200)), Ok(()));
    assert_eq!(check(RULES, name(201)), Err(TOO_LONG));
    let other = |length: usize| json!({"Ma": "1", "Khac": "x".repeat(length)});
    assert_eq!(check(RULES, other(LONGEST)), Ok(()));
    assert_eq!(check(RULES, other(LONGEST + 1)), Err(TOO_LONG));
}

#[test]
fn takes_a_bounded_list_of_objects() {
    let taken = |body: Value| records(&mut body.clone(), 2);
    for body in [json!({}), json!({"data": []}), json!({"data": ["A"]}), json!({"data": {}})] {
        assert_eq!(taken(body.clone()), Err(MALFORMED), "{body}");
    }
    assert_eq!(taken(json!({"data": [{}, {}, {}]})), Err(TOO_MANY_RECORDS));
    assert_eq!(taken(json!({"data": [{}, {}]})).unwrap().len(), 2);
}

#[test]
fn writes_moments_in_the_time_of_the_country() {
    assert_eq!(moment("2026-11-02T17:30:00Z".parse().unwrap()), "20261103003000");
}
