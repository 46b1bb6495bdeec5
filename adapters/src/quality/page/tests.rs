use super::*;
use crate::quality::text::tests::report;

#[test]
fn what_comes_from_a_city_is_escaped_and_nothing_is_fetched_or_run() {
    for language in [Language::Vietnamese, Language::English] {
        let page = page(&report(), language);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;"), "{page}");
        for outside in ["src=", "href=", "url(", "@import", "onload"] {
            assert!(!page.contains(outside), "{outside}");
        }
        let mut addresses = page.split("http").skip(1);
        assert!(addresses.all(|rest| rest.starts_with("://www.w3.org/2000/svg")));
    }
}

#[test]
fn every_picture_has_a_title_and_a_description() {
    let page = page(&report(), Language::English);
    let pictures = page.matches("<svg").count();
    assert!(pictures >= 4, "{pictures}");
    for part in ["role=\"img\"", "aria-labelledby=", "<title id=", "<desc id="] {
        assert_eq!(page.matches(part).count(), pictures, "{part}");
    }
}

#[test]
fn a_score_below_what_is_aimed_at_has_a_sign_beside_its_colour() {
    let picture = chart(&report(), Language::English);
    assert_eq!(picture.matches(" ▼").count(), 2, "correct and identifiers");
    assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(picture.contains("correct 97.00 % (aim 98.00 %)"), "{picture}");
}

#[test]
fn a_held_flow_says_why_in_both_languages() {
    let vietnamese = page(&report(), Language::Vietnamese);
    assert!(
        vietnamese.contains("bị giữ vì chất lượng: đúng 97.00 % (970/1000) dưới ngưỡng 98.00 %")
    );
    assert!(vietnamese.contains("lang=\"vi\"") && vietnamese.contains("quá hạn lần 1"));
    let english = page(&report(), Language::English);
    assert!(english.contains("held by quality: correct 97.00 % (970/1000), threshold 98.00 %"));
}

#[test]
fn units_are_drawn_where_a_row_names_one_and_otherwise_it_is_said() {
    let mut report = report();
    let said = "No row so far names a unit.";
    assert!(!page(&report, Language::English).contains(said));
    for flow in &mut report.flows {
        flow.units.iter_mut().for_each(|unit| unit.rows = 0);
    }
    let empty = page(&report, Language::English);
    assert!(empty.contains(said) && !empty.contains("id=\"units-"), "{empty}");
}
