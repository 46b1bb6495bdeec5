//! Every reason code has a page for the person who meets it and a test that produces it.

use lienthong_model::reason::ReasonCode;

use super::tree;

const PAGES: &str = "gateway/docs/reasons/";

#[test]
fn every_reason_code_has_a_page_and_every_page_a_code() {
    let pages: Vec<_> =
        tree::files().into_iter().filter(|file| file.path.starts_with(PAGES)).collect();
    let missing: Vec<&str> = ReasonCode::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !pages.iter().any(|page| page.path == format!("{PAGES}{code}.md")))
        .collect();
    assert!(missing.is_empty(), "reason codes without a page in {PAGES}: {missing:?}");
    for page in pages.iter().filter(|page| page.name() != "README.md") {
        let code = page.name().trim_end_matches(".md");
        assert!(code.parse::<ReasonCode>().is_ok(), "{} is about no reason code", page.path);
        assert!(page.text.contains(code), "{} does not name its code", page.path);
    }
}

#[test]
fn every_reason_code_is_produced_by_a_test_of_the_data_path() {
    let tests: String = tree::files()
        .into_iter()
        .filter(|file| {
            file.path == "tests/data_path.rs" || file.path.starts_with("tests/data_path/")
        })
        .map(|file| file.text)
        .collect();
    let missing: Vec<&str> = ReasonCode::ALL
        .iter()
        .filter(|code| {
            let text = format!("\"{code}\"");
            let variant = format!("ReasonCode::{code:?}");
            let named = tests.match_indices(&variant).any(|(at, found)| {
                let next = tests.get(at + found.len()..).and_then(|rest| rest.chars().next());
                next.is_none_or(|c| !c.is_alphanumeric())
            });
            !named && !tests.contains(&text)
        })
        .map(|code| code.as_str())
        .collect();
    assert!(missing.is_empty(), "reason codes that tests/data_path never produces: {missing:?}");
}

#[test]
fn the_public_face_of_a_code_tells_no_more_than_the_code() {
    for code in ReasonCode::ALL {
        let face = code.public();
        assert_eq!(face.public(), face, "the face of `{code}` has a face of its own");
        assert_eq!(face.status(), code.status(), "the face of `{code}` has another status");
    }
}

#[test]
fn the_statuses_are_those_of_the_side_at_fault() {
    use lienthong_model::reason::Side;

    for code in ReasonCode::ALL {
        let status = code.status();
        let fits = match code.side() {
            Side::Consumer => (400..500).contains(&status),
            Side::Provider => (502..=504).contains(&status),
            Side::Gateway => (400..600).contains(&status),
        };
        assert!(fits, "`{code}` answers {status}");
    }
}
