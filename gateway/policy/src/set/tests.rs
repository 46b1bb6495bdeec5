use std::path::Path;

use jiff::civil::date;

use super::*;

#[test]
fn the_shipped_policies_have_no_mistake() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bundle = Bundle::read(&root.join("policies"), &root.join("schemas")).expect("reads");
    let set = PolicySet::check(&bundle, date(2026, 11, 21)).unwrap_or_else(|e| panic!("{e}"));
    assert!(!set.agreements.is_empty());
    let failed: Vec<_> = crate::run_cases(&set)
        .into_iter()
        .filter(|case| !case.holds())
        .map(|case| format!("{}:{} {}: {:?}", case.file, case.at.line, case.name, case.problems))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_fixture_has_no_mistake() {
    let set = crate::fixture::Files::new().set();
    assert!(crate::run_cases(&set).iter().all(crate::CaseOutcome::holds));
}

#[test]
fn tells_every_mistake_of_every_file_at_once() {
    use crate::fixture::{AGREEMENT, DOCUMENT, Files, LAW, RULES, SERVICE, WARD};
    let files = Files::new()
        .edit(WARD, "status: active", "status: activ")
        .edit(SERVICE, "          /HoVaTen: basic\n", "")
        .edit(DOCUMENT, "pattern: \"^\\\\d{8}$\"", "pattern: \"^(?=x)$\"")
        .edit(LAW, "from: 2020-01-01", "from: 01/01/2020")
        .edit(AGREEMENT, "officer: required", "officer: yes")
        .edit(AGREEMENT, "[dossier_processing,", "[dossier_proccessing,")
        .edit(AGREEMENT, "limits: {burst: 20,", "limits: {burts: 20,")
        .edit(RULES, "@says_vi(\"Dân tộc chỉ được truyền khi mục đích nêu đích danh.\")\n", "")
        .add("policies/rule/extra.cedar", "forbid (principal, action, resource);")
        .add("policies/rules/by-hand.cedar", "permit (principal, action, resource);");
    insta::assert_snapshot!(files.mistakes().join("\n"));
}

#[test]
fn refuses_files_that_no_reader_opens() {
    use crate::fixture::Files;
    let files = Files::new().add("policies/agreement/a.yaml", "id: a");
    files.refused(&["no kind of policy file has this name", "did you mean `agreements`?"]);
    Files::new().add("policies/agreements/a.yml", "id: a").refused(&["no kind of policy file"]);
    Files::new().add("policies/rules/a.yaml", "id: a").refused(&["no kind of policy file"]);
    assert_eq!(Files::new().add("policies/README.md", "Read me.").mistakes(), [""; 0]);
    Files::new().remove(crate::fixture::PURPOSES).mistakes().iter().for_each(|mistake| {
        assert!(mistake.contains("file is missing") || mistake.contains("unknown"), "{mistake}");
    });
}

#[test]
fn warns_of_agreements_on_instruments_not_in_force() {
    let files = crate::fixture::Files::new();
    assert!(files.set().warnings.is_empty());
    let bundle = Bundle::from_files(files.0);
    let set = PolicySet::check(&bundle, date(2027, 7, 1)).expect("no mistake");
    let warnings: Vec<String> = set.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("`sector-law`, which is not in force on 2027-07-01"));
    assert!(warnings[0].contains("it was replaced by `pdpl-2025`"));
}

#[test]
fn the_hash_depends_on_what_decides_and_on_nothing_else() {
    use crate::fixture::{AGREEMENT, CASES, DOCUMENT, Files, RULES};
    let hash = |files: &Files| files.set().hash;
    let plain = hash(&Files::new());
    assert_eq!(hash(&Files::new().add("policies/README.md", "Read me.")), plain);
    assert_eq!(hash(&Files::new().edit(CASES, "nobody is named", "no officer is named")), plain);
    assert_eq!(hash(&Files::new().edit(AGREEMENT, "officer: ", "officer:  ")), plain);
    assert_ne!(
        hash(&Files::new().edit(AGREEMENT, "retention_days: 90", "retention_days: 9")),
        plain
    );
    assert_ne!(hash(&Files::new().edit(RULES, "ethnic_policy", "statistics")), plain);
    assert_ne!(hash(&Files::new().edit(DOCUMENT, "maxLength: 100", "maxLength: 99")), plain);
}

#[test]
fn one_mistake_is_told_once() {
    use crate::fixture::{DOCUMENT, Files, SERVICE};
    Files::new().edit(SERVICE, "effect: reads", "effect: read").refused(&["unknown effect `read`"]);
    Files::new().edit(DOCUMENT, "maxLength: 100", "maxLenght: 100").refused(&["`maxLenght`"]);
}
