use super::*;
use crate::fixture::{AGREEMENT, Files, facts};

fn explained(files: &Files, facts: &Facts) -> Explanation {
    let (agreement, operation) = ("ward-civil-status", "getBirthRecord");
    explain(&files.set(), &agreement.parse().expect("id"), &operation.parse().expect("id"), facts)
}

#[test]
fn explains_a_deny_by_the_rule_and_names_no_field() {
    let files = Files::new().edit(AGREEMENT, "/DanToc: drop", "/DanToc: pass");
    let explanation = explained(&files, &facts());
    assert_eq!(explanation.clause, "rules: ethnicity-only-for-its-purpose");
    assert!(explanation.request.is_empty() && explanation.answers.is_empty());
    insta::assert_snapshot!(explanation.text(Language::English));
}

#[test]
fn explains_a_deny_by_the_clause_of_the_agreement() {
    let facts = Facts { officer: Presence::Absent, ..facts() };
    let explanation = explained(&Files::new(), &facts);
    assert_eq!(explanation.reason, Some("agreement.officer_required"));
    assert_eq!(explanation.clause, "officer");
}

#[test]
fn tells_every_limit_by_its_name() {
    let files = Files::new().edit(
        AGREEMENT,
        "in_flight: 8",
        "in_flight: 8, data_subjects_per_day: 400, subjects_per_officer_hour: 60,
          not_found_share: 0.5, elements_per_stream: 9000",
    );
    let explanation = explained(&files, &facts());
    let json = serde_json::to_value(&explanation).expect("JSON");
    let expected = serde_json::json!({
        "burst": 20, "per_second": 10.0, "in_flight": 8, "data_subjects_per_day": 400,
        "subjects_per_officer_hour": 60, "not_found_share": 0.5, "not_found_after": 20,
        "elements_per_stream": 9000,
    });
    assert_eq!(json["limits"], expected);
    let text = explanation.text(Language::Vietnamese);
    for told in [
        "hạn mức       yêu cầu dồn một lúc: 20",
        "chủ thể dữ liệu mỗi ngày: 400",
        "chủ thể dữ liệu mỗi cán bộ mỗi giờ: 60",
        "tỷ lệ không tìm thấy, sau số câu trả lời: 0.5, 20",
        "phần tử mỗi luồng: 9000",
    ] {
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn explains_what_no_agreement_opens_as_not_available() {
    let set = Files::new().set();
    let operation = "sendNote".parse().expect("id");
    let explanation =
        explain(&set, &"ward-civil-status".parse().expect("id"), &operation, &facts());
    assert_eq!((explanation.decision, explanation.reason), ("deny", Some("service.not_available")));
    let explanation = explain(&set, &"nothing".parse().expect("id"), &operation, &facts());
    assert_eq!((explanation.decision, explanation.reason), ("deny", Some("service.not_available")));
    assert!(explanation.text(Language::English).starts_with("DENY  ?/sendNote\n"));
}

#[test]
fn explains_a_permit_with_its_law_and_its_fields() {
    let facts = Facts { via: Some("H29.90".parse().expect("id")), ..facts() };
    insta::assert_snapshot!(explained(&Files::new(), &facts).to_string());
}

#[test]
fn tells_programs_the_same() {
    let json = serde_json::to_value(explained(&Files::new(), &facts())).expect("serialises");
    assert_eq!(json["decision"], "permit");
    assert_eq!(json["cites"][0]["citation"], "pdpl-2025#19.1.c");
    assert_eq!(json["answers"]["200"][0]["field"], "/GhiChu/*");
    assert_eq!(json["answers"]["200"][0]["mask"], "redact");
    assert_eq!(json["request"][0]["class"], "basic");
}
