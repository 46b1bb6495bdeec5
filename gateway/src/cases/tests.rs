use std::{fs, path::Path};

use jiff::civil::date;
use lienthong_policy::{Bundle, Case, PolicySet};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::check_bodies;

const AGREEMENT: &str = "agreements/ndc-registrations.yaml";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).expect("copied");
        }
    }
}

/// The shipped policies with this in the place of that in an agreement, and the case of a registration,
/// which its sender signs.
fn shipped(from: &str, to: &str) -> (PolicySet, Case) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = TempDir::new().expect("a folder");
    copy(&root.join("policies"), folder.path());
    let agreement = folder.path().join(AGREEMENT);
    let text = fs::read_to_string(&agreement).expect("a text");
    assert!(text.contains(from), "{text}");
    fs::write(&agreement, text.replace(from, to)).expect("written");
    let bundle = Bundle::read(folder.path(), &root.join("schemas")).expect("files");
    let set = PolicySet::check(&bundle, date(2026, 11, 23)).expect("no mistakes");
    let named = |case: &&Case| case.name.starts_with("a registration goes whole");
    let case = set.cases.iter().find(named).expect("the case").clone();
    (set, case)
}

/// The same request, expected to be refused there.
fn refused_at(case: &Case, at: &str, change: impl FnOnce(&mut Value)) -> Case {
    let mut case = Case {
        expect_request: None,
        expect_refused: Some(at.to_owned()),
        answer: None,
        expect_answer: None,
        ..case.clone()
    };
    change(case.request.as_mut().expect("a request"));
    case
}

#[test]
fn a_request_that_should_be_refused_and_passes_is_told() {
    let (set, case) = shipped("", "");
    assert_eq!(check_bodies(&set, &case), [""; 0]);
    let told = check_bodies(&set, &refused_at(&case, "/duLieu", |_| ()));
    let expected = "request: expected to be refused at `/duLieu`, disclosed {";
    assert!(matches!(&told[..], [only] if only.starts_with(expected)), "{told:?}");
}

#[test]
fn a_request_is_refused_where_the_case_says_and_nowhere_else() {
    let (set, case) = shipped("", "");
    let undeclared = |request: &mut Value| request["duLieu"]["DanToc"] = json!("01");
    assert_eq!(check_bodies(&set, &refused_at(&case, "/duLieu", undeclared)), [""; 0]);
    let told = check_bodies(&set, &refused_at(&case, "/chuKy", undeclared));
    assert_eq!(told, ["request: expected to be refused at `/chuKy`: Undeclared at `/duLieu`"]);
    // Whoever expects it to pass is told too.
    let mut passes = refused_at(&case, "", undeclared);
    (passes.expect_refused, passes.expect_request) = (None, case.request.clone());
    assert_eq!(check_bodies(&set, &passes), ["request: Undeclared at `/duLieu`"]);
}

#[test]
fn a_signed_request_of_which_less_would_pass_is_refused_at_the_member() {
    let (set, case) = shipped("      /duLieu/HoTen: pass\n", "");
    assert_eq!(check_bodies(&set, &refused_at(&case, "/duLieu/HoTen", |_| ())), [""; 0]);
    // Without the member there is nothing that is kept back.
    let mut without = Case { answer: None, expect_answer: None, ..case };
    for body in [&mut without.request, &mut without.expect_request] {
        let members = body.as_mut().and_then(|body| body["duLieu"].as_object_mut());
        assert!(members.is_some_and(|members| members.remove("HoTen").is_some()));
    }
    assert_eq!(check_bodies(&set, &without), [""; 0]);
}
