use jiff::civil::date;
use lienthong_model::text::Language;

use super::NoticeScope;
use crate::fixture::{AGREEMENT, Files, SERVICE};

const FILE: &str = "policies/notices/birth.yaml";

const NOTICE: &str = "id: birth
controller: H29.12
recipients: [H29.40]
service: civil-status
purpose: dossier_processing
valid: {from: 2026-01-01, until: 2026-12-31}
fields: {getBirthRecord: {\"200\": [/HoVaTen, /NgaySinh]}}
text: {vi: Dữ liệu nhạy cảm về sức khoẻ, en: Sensitive data on health}
";

fn files() -> Files {
    Files::on_consent().add(FILE, NOTICE)
}

#[test]
fn refuses_what_no_agreement_on_consent_opens() {
    for (from, to, problem) in [
        ("[/HoVaTen,", "[/DanToc,", "no agreement on consent opens `/DanToc`"),
        ("[/HoVaTen,", "[/HoVaTne,", "no agreement on consent opens `/HoVaTne`"),
        ("recipients: [H29.40]", "recipients: [H29.90]", "no agreement on consent opens"),
        ("until: 2026-12-31", "until: 2028-12-31", "no agreement on consent opens"),
        ("dossier_processing", "statistics", "no agreement on consent opens"),
        ("controller: H29.12", "controller: H29.21", "unknown participant `H29.21`"),
        ("getBirthRecord", "getBirth", "unknown operation"),
        ("vi: Dữ liệu nhạy cảm về sức khoẻ, ", "", "`vi`"),
        ("id: birth", "id: death", "not the name of the file"),
    ] {
        let found = files().edit(FILE, from, to).mistakes();
        assert!(found.iter().any(|mistake| mistake.contains(problem)), "{to}: {found:#?}");
    }
    let found = Files::new().add(FILE, NOTICE).mistakes();
    assert!(found[0].contains("no agreement on consent opens"), "{found:#?}");
}

#[test]
fn refuses_a_text_that_does_not_say_what_is_sensitive() {
    let sensitive = files().edit(SERVICE, "/HoVaTen: basic", "/HoVaTen: {sensitive: health}");
    sensitive.refused(&["fields that are sensitive as `health`"]);
    let said = |vi: &str, en: &str| {
        let words = format!("sensitive: {{health: {{vi: {vi}, en: {en}}}}}\ntext:");
        sensitive.clone().edit(FILE, "text:", &words)
    };
    said("về tôn giáo", "Sensitive").refused(&["`về tôn giáo` does not stand in the text"]);
    said("nhạy cảm", "secret").refused(&["`secret` does not stand in the text in `en`"]);
    assert!(said("nhạy cảm", "Sensitive").set().notice("birth").is_some());
    let words = "sensitive: {health: {vi: nhạy cảm, en: Sensitive}}\ntext:";
    files().edit(FILE, "text:", words).refused(&["no field of the notice is sensitive"]);
}

#[test]
fn hashes_the_text_in_nfc_and_counts_in_the_hash_of_the_set() {
    let set = files().set();
    let hash = set.notice("birth").and_then(|notice| notice.hash(Language::Vietnamese));
    let decomposed = files().edit(FILE, "Dữ", "Du\u{31b}\u{303}").set();
    let other = decomposed.notice("birth").and_then(|notice| notice.hash(Language::Vietnamese));
    assert_eq!(hash, other);
    assert_ne!(set.hash, Files::on_consent().set().hash);
}

#[test]
fn covers_only_what_the_person_was_told() {
    let set = files().set();
    let notice = set.notice("birth").expect("notice");
    let scope = NoticeScope {
        controller: &notice.controller,
        recipients: &notice.recipients,
        service: &notice.service,
        purpose: &notice.purpose,
        fields: &notice.fields,
    };
    assert!(!notice.covers(&scope, date(2027, 1, 1)));
    let mut more = notice.fields.clone();
    let mut field = more.first().expect("field").clone();
    field.field = "/DanToc".parse().expect("pointer");
    more.insert(field);
    assert!(!notice.covers(&NoticeScope { fields: &more, ..scope }, date(2026, 12, 31)));
    assert!(notice.covers(&scope, date(2026, 12, 31)));
}

#[test]
fn finds_agreements_on_consent_in_force_only() {
    let set = files().set();
    let notice = set.notice("birth").expect("notice");
    let recipient = notice.recipients.first().expect("recipient");
    let count = |set: &crate::PolicySet, on| {
        let (from, service, purpose) = (&notice.controller, &notice.service, &notice.purpose);
        set.consent_agreements(from, recipient, service, purpose, on).count()
    };
    assert_eq!(count(&set, date(2025, 12, 31)), 0);
    assert_eq!(count(&Files::new().set(), date(2026, 1, 1)), 0);
    assert_eq!(count(&set, date(2026, 1, 1)), 1);
    assert!(set.agreements.contains_key("ward-civil-status"), "{AGREEMENT}");
}
