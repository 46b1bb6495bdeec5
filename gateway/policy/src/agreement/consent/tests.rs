use crate::fixture::{AGREEMENT, Files, SERVICE};

const BLOCK: &str = "consent: {account_level: 2, max_days: 365, frequency: [once, as_needed]}\n";

#[test]
fn refuses_another_basis_beside_consent() {
    let files = Files::on_consent().edit(
        AGREEMENT,
        "legal_bases:\n",
        "legal_bases:\n  - {instrument: pdpl-2025, article: \"19.1.c\"}\n",
    );
    files.refused(&["`pdpl-2025#19.1.c` gives another basis beside consent", "one reason"]);
}

#[test]
fn refuses_the_block_without_consent_and_consent_without_the_block() {
    let files = Files::on_consent().edit(AGREEMENT, BLOCK, "");
    files.refused(&["an agreement that rests on consent needs the key `consent`"]);
    let files = Files::on_consent().edit(AGREEMENT, "article: \"9\"", "article: \"19.1.c\"");
    files.refused(&["does not rest on consent"]);
}

#[test]
fn refuses_terms_out_of_bounds() {
    for (from, to, problem) in [
        ("max_days: 365", "max_days: 0", "from 1 to 3650"),
        ("max_days: 365, ", "", "`max_days`"),
        ("account_level: 2", "account_level: 3", "from 1 to 2"),
        ("[once, as_needed]", "[]", "`frequency` must name"),
        ("[once, as_needed]", "[once, once]", "`once` stands twice"),
        ("[once, as_needed]", "[one]", "did you mean `once`?"),
        ("account_level: 2", "child_under: 19", "from 1 to 18"),
    ] {
        let found = Files::on_consent().edit(AGREEMENT, from, to).mistakes();
        assert!(found.iter().any(|mistake| mistake.contains(problem)), "{to}: {found:#?}");
    }
}

#[test]
fn refuses_an_operation_whose_people_nobody_can_name() {
    let owner = "role: owner";
    let files = Files::on_consent().edit(SERVICE, owner, "role: related");
    files.refused(&["`getBirthRecord` names no data subject in role `owner`"]);
    let listed = "- {field: query.soDinhDanh, role: owner, identifier: citizen_number}";
    let answer = "- {answer: \"200\", field: /SoDinhDanh, role: owner, identifier: citizen_number}";
    let files = Files::on_consent().edit(SERVICE, listed, answer);
    files.refused(&["`getBirthRecord` names no data subject"]);
    let files = files.edit(AGREEMENT, "      \"404\": {/maLoi: pass}\n", "");
    assert!(files.set().agreements["ward-civil-status"].consent.is_some());
}

#[test]
fn consent_is_part_of_the_version() {
    let version = |files: &Files| files.set().agreements["ward-civil-status"].version;
    let other = Files::on_consent().edit(AGREEMENT, "max_days: 365", "max_days: 30");
    assert_ne!(version(&Files::on_consent()), version(&other));
}
