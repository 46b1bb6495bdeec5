use crate::{
    DataLimits, NotFoundLimit, OutcomeTiming, ValueCommitments,
    fixture::{AGREEMENT, Files, SERVICE},
};

const NOTE: &str = "  sendNote:\n    request: {path.so: pass, /noiDung: pass}\n    answers: {\"200\": {/maLoi: pass}}\n";

fn with_note(request: &str) -> Files {
    let note = NOTE.replace("{path.so: pass, /noiDung: pass}", request);
    Files::new().edit(AGREEMENT, "operations:\n", &format!("operations:\n{note}"))
}

#[test]
fn refuses_to_mask_what_the_consumer_signs() {
    let signed = |files: Files| {
        let effect = "effect: writes\n    answer: whole\n    media: {request: json";
        files.edit(SERVICE, effect, &effect.replace("answer:", "request: signed\n    answer:"))
    };
    for mask in ["redact", "drop", "{keep_first: 2}"] {
        let request = format!("{{path.so: pass, /noiDung: pass, /nguoi/ten: {mask}}}");
        let told = signed(with_note(&request)).mistakes();
        let said = |mistake: &String| {
            mistake.contains("`/nguoi/ten` is masked, and the consumer signs `sendNote`")
        };
        assert!(told.iter().any(said), "{mask}: {told:#?}");
    }
    let files = signed(with_note("{path.so: pass, /noiDung: pass}"));
    assert_eq!(files.mistakes(), [""; 0]);
}

#[test]
fn refuses_unknown_participants_services_operations_and_purposes() {
    for (from, to, message, near) in [
        ("consumer: H29.40", "consumer: H29.04", "unknown participant `H29.04`", "`H29.40`"),
        (
            "service: civil-status",
            "service: civil-state",
            "unknown service `civil-state`",
            "`civil-status`",
        ),
        (
            "getBirthRecord:",
            "getBirthRecrod:",
            "unknown operation of `civil-status`",
            "`getBirthRecord`",
        ),
        ("[dossier_processing,", "[dossier_procesing,", "unknown purpose", "`dossier_processing`"),
        (
            "exchange_mode: query_peer",
            "exchange_mode: query_pear",
            "unknown exchange_mode",
            "`query_peer`",
        ),
        ("retention_days:", "retention:", "unknown key `retention`", "`retention_days`"),
    ] {
        let found = Files::new().edit(AGREEMENT, from, to).mistakes();
        let here = found.iter().find(|m| m.contains(message));
        let here = here.unwrap_or_else(|| panic!("{to}: {found:#?}"));
        assert!(here.contains(near), "{here}");
    }
}

#[test]
fn refuses_a_consumer_that_is_the_provider_and_a_service_of_another() {
    let files = Files::new().edit(AGREEMENT, "consumer: H29.40", "consumer: H29.12").edit(
        AGREEMENT,
        "via: [H29.90]\n",
        "",
    );
    let found = files.mistakes();
    assert!(found[0].contains("consumer and provider are the same participant"), "{found:#?}");
    let files = Files::new().edit(AGREEMENT, "provider: H29.12", "provider: H29.90");
    files.refused(&["service `civil-status` is not of provider `H29.90`", "`provider: H29.12`"]);
}

#[test]
fn refuses_fields_that_are_unknown_or_not_leaves() {
    let files = Files::new().edit(AGREEMENT, "/HoVaTen: pass", "/HoVaTne: pass");
    files.refused(&["`/HoVaTne` is not a field of answer 200", "did you mean `/HoVaTen`?"]);
    let files = Files::new().edit(AGREEMENT, "/HoVaTen: pass", "/Cha: pass");
    files.refused(&["`/Cha` is an object or a list", "`/Cha/HoVaTen`"]);
    let files = Files::new().edit(AGREEMENT, "/HoVaTen: pass", "HoVaTen: pass");
    files.refused(&["`HoVaTen` is not a field path"]);
    let files = Files::new().edit(AGREEMENT, "\"404\":", "\"405\":");
    files.refused(&["the service declares no answer `405`", "expected one of `200`, `404`"]);
}

#[test]
fn refuses_masks_that_do_not_fit_or_cannot_be_read() {
    for (mask, problem) in [
        ("{keep_last: 7}", "would keep 7 of a value"),
        ("{generalise: year}", "needs a date"),
        ("null", "`null` without quotes is not a mask"),
        ("\"null\"", "needs a field whose schema allows null"),
        ("{keep_last: 0}", "expected a count"),
        ("mask", "unknown mask"),
        ("{keep_lats: 4}", "unknown mask"),
        ("true", "unknown mask"),
    ] {
        let from = "/SoDinhDanh: {keep_last: 4}";
        let files = Files::new().edit(AGREEMENT, from, &format!("/SoDinhDanh: {mask}"));
        files.refused(&["ward-civil-status.yaml:23:", problem]);
    }
    let files = Files::new().edit(AGREEMENT, "/DanToc: drop", "/DanToc: \"null\"");
    assert_eq!(files.mistakes(), [""; 0]);
}

#[test]
fn refuses_a_request_that_withholds_what_the_provider_needs() {
    let files = Files::new().edit(AGREEMENT, "{query.soDinhDanh: pass}", "{query.namSinh: pass}");
    files.refused(&["the provider needs `query.soDinhDanh`"]);
    let files =
        Files::new().edit(AGREEMENT, "{query.soDinhDanh: pass}", "{query.soDinhDanh: drop}");
    files.refused(&["the provider needs `query.soDinhDanh`"]);
    with_note("{/noiDung: pass}").refused(&["the provider needs `path.so`"]);
    with_note("{path.so: pass}").refused(&["the provider needs `/noiDung`"]);
    with_note("{path.so: pass, /noiDung: drop}").refused(&["the provider needs `/noiDung`"]);
    // `nguoi` may be missing, but once some of it passes, its own needs count.
    with_note("{path.so: pass, /noiDung: pass, /nguoi/tuoi: pass}")
        .refused(&["the provider needs `/nguoi/ten`"]);
    assert_eq!(with_note("{path.so: pass, /noiDung: pass}").mistakes(), [""; 0]);
}

#[test]
fn refuses_two_agreements_that_leave_the_choice_open() {
    let second = "policies/agreements/second.yaml";
    let id = ("id: ward-civil-status", "id: second");
    let files = Files::new().copy(AGREEMENT, second, &[id]);
    files.refused(&["`getBirthRecord` is open to `H29.40` for the same purpose and days"]);
    let direct = Files::new().copy(AGREEMENT, second, &[id, ("via: [H29.90]\n", "")]);
    direct.refused(&["`getBirthRecord` is open to `H29.40` for the same purpose and days"]);
    let purposes = ("[dossier_processing, ethnic_policy]", "[statistics]");
    assert_eq!(Files::new().copy(AGREEMENT, second, &[id, purposes]).mistakes(), [""; 0]);
    let term = ("{from: 2026-01-01, until: 2027-12-31}", "{from: 2028-01-01, until: 2028-12-31}");
    assert_eq!(Files::new().copy(AGREEMENT, second, &[id, term]).mistakes(), [""; 0]);
}

#[test]
fn refuses_limits_and_terms_out_of_range() {
    for (from, to, problem) in [
        ("burst: 20", "burst: 0", "whole number from 1"),
        ("per_second: 10", "per_second: 0", "`per_second` must be a number"),
        ("until: 2027-12-31", "until: 2025-12-31", "`until` is before `from`"),
        ("until: 2027-12-31", "until: 31/12/2027", "is not a civil date"),
        ("by: [Director, Chair]", "by: [Director]", "for both sides"),
        ("officer: required", "officer: yes", "ambiguous value `yes`"),
        ("purposes: [dossier_processing, ethnic_policy]", "purposes: []", "at least one purpose"),
    ] {
        let found = Files::new().edit(AGREEMENT, from, to).mistakes();
        assert!(found.iter().any(|m| m.contains(problem)), "{to}: {found:#?}");
    }
}

#[test]
fn reads_how_much_data_may_be_asked_for() {
    let limits =
        |more: &str| Files::new().edit(AGREEMENT, "in_flight: 8", &format!("in_flight: 8{more}"));
    let data = |more: &str| limits(more).set().agreements["ward-civil-status"].limits.data;
    assert_eq!(data(""), DataLimits::default());
    assert!(!data(", elements_per_stream: 5").counts_subjects());
    let whole = data(
        ", data_subjects_per_day: 2000, subjects_per_officer_hour: 60, not_found_share: 0.5,
          not_found_after: 40, elements_per_stream: 200000",
    );
    let not_found = NotFoundLimit { share: 0.5, after: 40 };
    let expected = DataLimits {
        data_subjects_per_day: Some(2000),
        subjects_per_officer_hour: Some(60),
        not_found: Some(not_found),
        elements_per_stream: Some(200_000),
    };
    assert_eq!(whole, expected);
    assert!(whole.counts_subjects());
    let default = NotFoundLimit { share: 1.0, after: 20 };
    assert_eq!(data(", not_found_share: 1").not_found, Some(default));
    for (more, problem) in [
        (", data_subjects_per_day: 0", "whole number from 1"),
        (", data_subjects_per_day: many", "whole number from 1"),
        (", subjects_per_officer_hour: 100001", "whole number from 1 to 100000"),
        (", not_found_share: 0.01", "`not_found_share` must be a number from 0.05 to 1"),
        (", not_found_share: 1.5", "`not_found_share` must be a number from 0.05 to 1"),
        (", not_found_share: half", "`not_found_share` must be a number"),
        (", not_found_after: 5", "limits nothing without `not_found_share`"),
        (", elements_per_stream: -1", "whole number from 1"),
        (", data_subjects_per_hour: 5", "unknown key `data_subjects_per_hour`"),
    ] {
        let found = limits(more).mistakes();
        assert!(found.iter().any(|m| m.contains(problem)), "{more}: {found:#?}");
    }
}

#[test]
fn a_version_depends_on_what_is_said_not_on_how() {
    let version = |files: &Files| files.set().agreements["ward-civil-status"].version;
    let plain = version(&Files::new());
    let commented =
        Files::new().edit(AGREEMENT, "officer: required\n", "officer:   required # both\n");
    assert_eq!(version(&commented), plain);
    let moved = Files::new().edit(AGREEMENT, "officer: required\n", "").edit(
        AGREEMENT,
        "retention_days",
        "officer: required\nretention_days",
    );
    assert_eq!(version(&moved), plain);
    let longer = Files::new().edit(AGREEMENT, "retention_days: 90", "retention_days: 91");
    assert_ne!(version(&longer), plain);
}

#[test]
fn reads_parameters_fields_and_masks() {
    let set = Files::new().set();
    let opened = crate::fixture::opened(&set);
    assert_eq!(opened.request_parameters.len(), 1);
    assert!(opened.request_body.is_empty());
    let names: Vec<String> = opened.answers[&200].keys().map(ToString::to_string).collect();
    assert_eq!(names, ["/DanToc", "/GhiChu/*", "/HoVaTen", "/NgaySinh", "/SoDinhDanh"]);
}

#[test]
fn evidence_comes_first_where_anything_sensitive_leaves_unless_the_agreement_says_otherwise() {
    let terms = |files: Files| {
        files.set().agreements["ward-civil-status"].operations["getBirthRecord"].evidence
    };
    let said = |line: &str| {
        let line = format!("evidence: {line}\nsigned:");
        Files::new().edit(AGREEMENT, "signed:", &line)
    };
    let dropped = terms(Files::new());
    assert_eq!(dropped.outcome, OutcomeTiming::AfterAnswer);
    assert_eq!(dropped.values, ValueCommitments::Left);
    let policy = "purposes: [dossier_processing, ethnic_policy]";
    let sensitive = |files: Files| {
        files.edit(AGREEMENT, "/DanToc: drop", "/DanToc: {keep_first: 1}").edit(
            AGREEMENT,
            policy,
            "purposes: [ethnic_policy]",
        )
    };
    let open = terms(sensitive(Files::new()));
    assert_eq!(open.outcome, OutcomeTiming::BeforeAnswer);
    let after = terms(sensitive(said("{outcome: after_answer}")));
    assert_eq!(after.outcome, OutcomeTiming::AfterAnswer);
    let before = terms(said("{outcome: before_answer, commit_fields: true}"));
    assert_eq!(before.outcome, OutcomeTiming::BeforeAnswer);
    assert_eq!(before.values, ValueCommitments::Made);
    said("{outcome: sometime}").refused(&["unknown outcome `sometime`"]);
    said("{outcomes: after_answer}").refused(&["unknown key `outcomes`"]);
}
