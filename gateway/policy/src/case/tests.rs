use super::*;
use crate::fixture::{CASES, Files};

fn problems(files: &Files) -> Vec<String> {
    run_cases(&files.set()).into_iter().flat_map(|outcome| outcome.problems).collect()
}

#[test]
fn tells_what_differs_from_the_expectation() {
    let files = Files::new().edit(CASES, "officer: present", "officer: absent");
    let expected = "decided deny with `agreement.officer_required`, expected permit";
    assert_eq!(problems(&files), [expected]);
    let files = Files::new().edit(CASES, "pdpl-2025#19.1.c", "pdpl-2025#3.2");
    assert_eq!(problems(&files), ["`pdpl-2025#3.2` is not cited"]);
    let files = Files::new().edit(CASES, "officer_required}", "dossier_required}");
    let expected = "reason `agreement.officer_required`, expected `agreement.dossier_required`";
    assert_eq!(problems(&files), [expected]);
    let rule = "officer_required, rule: no-lapsed-instrument}";
    let files = Files::new().edit(CASES, "officer_required}", rule);
    assert_eq!(problems(&files), ["rule `none`, expected `no-lapsed-instrument`"]);
}

#[test]
fn refuses_cases_about_what_does_not_exist() {
    for (from, to, message) in [
        ("agreement: ward-civil-status", "agreement: ward-civil-statu", "unknown agreement"),
        ("operation: getBirthRecord", "operation: getBirth", "unknown operation of"),
        ("purpose: dossier_processing", "purpose: dossier_proces", "unknown purpose"),
        ("officer_required", "officer_needed", "unknown reason code"),
        ("officer: present", "officer: named", "unknown officer `named`"),
        ("decision: permit", "decision: allow", "unknown decision `allow`"),
        ("expect_answer", "expected_answer", "did you mean `expect_answer`?"),
        ("status: 200", "status: 2000", "whole number from 100 to 599"),
    ] {
        Files::new().edit(CASES, from, to).refused(&["civil-status.yaml:", message]);
    }
}

#[test]
fn refuses_expectations_that_nothing_is_compared_with() {
    let case = "    operation: getBirthRecord\n";
    for (stated, message) in [
        ("expect_request: {}", "`expect_request` is stated, but there is no `request`"),
        ("expect_refused: /a", "`expect_refused` is stated, but there is no `request`"),
        (
            "request: {}\n    expect_request: {}\n    expect_refused: /a",
            "a request is refused or passes: `expect_refused` or `expect_request`",
        ),
    ] {
        let stated = format!("{case}    {stated}\n");
        Files::new().edit(CASES, case, &stated).refused(&["civil-status.yaml:", message]);
    }
    let lone = Files::new().edit(CASES, "    answer:", "    request:");
    lone.refused(&["`expect_answer` is stated, but there is no `answer`"]);
    let stated = format!("{case}    request: {{}}\n    expect_refused: /a\n");
    let set = Files::new().edit(CASES, case, &stated).set();
    assert_eq!(set.cases[0].expect_refused.as_deref(), Some("/a"));
}

#[test]
fn carries_the_sample_bodies() {
    let set = Files::new().set();
    let case = &set.cases[0];
    assert_eq!(case.answer.as_ref().map(|answer| answer.status), Some(200));
    assert_eq!(case.expect_answer.as_ref().map(|body| body["HoVaTen"].is_string()), Some(true));
    assert!(problems(&Files::new()).is_empty());
}

#[test]
fn the_shipped_policies_have_no_mistake_and_their_cases_hold() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bundle = crate::Bundle::read(&root.join("policies"), &root.join("schemas"));
    let set = PolicySet::check(&bundle.expect("files"), crate::fixture::TODAY);
    let set = set.unwrap_or_else(|found| panic!("{found}"));
    let wrong: Vec<_> = run_cases(&set).into_iter().filter(|case| !case.holds()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(set.notices.len(), 2);
}
