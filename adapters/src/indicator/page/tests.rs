use super::*;
use crate::indicator::testing::{CASES, Office, read};

#[tokio::test]
async fn shows_what_is_withheld_as_withheld_and_no_markup_of_a_name() {
    let office = Office::new().await;
    let named = [("en: Cases}", "en: \"<script>alert(1)</script>\"}")];
    let definition = read(CASES, &named).unwrap();
    office.november(&definition, None).await;
    let indicators = office.indicators(vec![definition]);
    let definition = &indicators.definitions()[0];
    let report = indicators.status_of(definition).await.unwrap();
    let releases = indicators.shown(definition).await.unwrap();
    let at = Timestamp::UNIX_EPOCH;
    let html = page(&[(report.clone(), releases.clone())], Language::English, at);
    assert!(html.contains("<i>withheld</i>") && !html.contains("<script>"), "{html}");
    assert!(html.contains("<title>2026-11: 187</title>"), "{html}");
    let html = page(&[(report, releases)], Language::Vietnamese, at);
    assert!(html.contains("<i>không công bố</i>") && html.contains("lang=\"vi\""), "{html}");
}

#[test]
fn figures_have_the_separators_of_the_language() {
    let (vi, en) = (Words(Language::Vietnamese), Words(Language::English));
    assert_eq!(
        (vi.number("1234567.50"), en.number("1234567.50")),
        ("1.234.567,50".into(), "1,234,567.50".into())
    );
    assert_eq!(
        (en.number("0"), en.number("999"), en.number("1000")),
        ("0".into(), "999".into(), "1,000".into())
    );
}
