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
