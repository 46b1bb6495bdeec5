//! `lienthong demo`: the built program, with a small register.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

/// People of the register here.
const RECORDS: u64 = 2_000;

#[test]
fn everything_ends_as_it_must_and_a_broken_extract_is_not_taken_for_a_whole_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("result.json");
    let output = Command::new(env!("CARGO_BIN_EXE_lienthong"))
        .args(["--lang", "en", "demo", "--once", "--records", &RECORDS.to_string()])
        .args([Path::new("--json"), &file, Path::new("--policies"), &root.join("policies")])
        .args([Path::new("--schemas"), &root.join("schemas")])
        .output()
        .expect("the program runs");
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{out}");

    let text = std::fs::read_to_string(&file).expect("a result");
    let result: Value = serde_json::from_str(&text).expect("JSON");
    let [whole, drifted, broken] = result["streams"].as_array().expect("streams").as_slice() else {
        panic!("{result:#}")
    };
    assert_eq!((&whole["elements"], &whole["complete"]), (&RECORDS.into(), &true.into()));
    assert!(drifted["drift"].to_string().contains("SoHoKhauCu"), "{drifted:#}");
    assert_eq!((&broken["complete"], &broken["decision"]), (&false.into(), &"cut".into()));
    assert_eq!(broken["elements"], broken["recorded"]);
    let journey = &result["journey"];
    assert_eq!(journey["history"], json!([1, 2, 4, 9, 10]), "{journey:#}");
    assert_eq!((&journey["retried"], &journey["duplicates"]), (&json!(2), &json!(0)));
    assert!(out.contains("the portal has status 10"), "{out}");
    the_centre_was_told(&result["centre"]);
    assert!(out.contains("93+ / 1") && out.contains("withheld"), "{out}");
    let consent = &result["consent"];
    let reasons = [json!("consent.not_given"), json!(null), json!("consent.withdrawn")];
    let told: Vec<_> = consent["exchanges"].as_array().into_iter().flatten().collect();
    assert_eq!(told.iter().map(|one| one["reason"].clone()).collect::<Vec<_>>(), reasons);
    assert_eq!(
        (&consent["receipt_verified"], &consent["tampered_rejected"]),
        (&json!(true), &json!(true)),
        "{consent:#}"
    );
    assert!(consent["proofs_verified"].as_u64().is_some_and(|proofs| proofs > 1), "{consent:#}");
    let evidence = &result["evidence"];
    assert_eq!(
        (&evidence["verified"], &evidence["tampered_rejected"]),
        (&true.into(), &true.into())
    );
    assert!(evidence["entries"].as_u64().is_some_and(|entries| entries > 30), "{evidence:#}");
    assert!(evidence["root"].as_str().is_some_and(|root| root.len() == 44), "{evidence:#}");
    assert!(evidence["finding"].to_string().contains("entry "), "{evidence:#}");
    assert!(out.contains("rejected"), "{out}");
    assert!(out.contains("NOT COMPLETE") && out.contains("lienthong why"), "{out}");
    assert!(!out.contains("DRIFT-CANARY") && !text.contains("DRIFT-CANARY"), "{out}");
}

/// The indicators, the dataset that was mended and the package on a medium.
fn the_centre_was_told(centre: &Value) {
    let figures = &centre["figures"];
    assert_eq!((&figures["delivered"], &figures["accepted"]), (&json!(1), &json!(1)), "{centre:#}");
    assert!(figures["withheld"].as_u64().is_some_and(|withheld| withheld > 0), "{centre:#}");
    let mended = &centre["mended"];
    assert_eq!(
        (&mended["criterion"], &mended["delivered_while_held"]),
        (&json!("correct"), &json!(0))
    );
    assert!(mended["delivered"].as_u64() > mended["wrong"].as_u64(), "{centre:#}");
    let medium = &centre["medium"];
    assert_eq!(
        (&medium["taken"], &medium["for_a_person"]),
        (&json!(800), &json!(200)),
        "{centre:#}"
    );
    assert_eq!(medium["mapped"]["25753 → 25747"], json!(200), "{centre:#}");
    assert_eq!(medium["once_more"], "package.replayed");
    assert_eq!(
        (&medium["closed"], &medium["changed_copy"]),
        (&json!(true), &json!("package.tampered"))
    );
}
