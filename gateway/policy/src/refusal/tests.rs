use lienthong_model::reason::ReasonCode;

use crate::fixture::Files;

const FILE: &str = "policies/refusals.yaml";

#[test]
fn refuses_unknown_reasons_articles_and_repeats() {
    let with = |text: &str| Files::new().add(FILE, text);
    with("refusals:\n  - {reasons: [consumer.unknwon], cites: [\"pdpl-2025#19.1.c\"]}\n")
        .refused(&["a reason code"]);
    with("refusals:\n  - {reasons: [consumer.unknown], cites: [\"pdpl-2025#99\"]}\n")
        .refused(&["article"]);
    with("refusals:\n  - {reasons: [consumer.unknown], cites: []}\n").refused(&["at least one"]);
    let twice = "  - {reasons: [consumer.unknown], cites: [\"pdpl-2025#19.1.c\"]}\n";
    with(&format!("refusals:\n{twice}{twice}")).refused(&["stands twice"]);
}

#[test]
fn gives_the_citations_of_a_reason() {
    let text = "refusals:\n  - {reasons: [consumer.unknown], cites: [\"pdpl-2025#19.1.c\"]}\n";
    let set = Files::new().add(FILE, text).set();
    let cites = set.refusals.get(&ReasonCode::ConsumerUnknown).expect("cites");
    assert_eq!(cites.iter().map(ToString::to_string).collect::<Vec<_>>(), ["pdpl-2025#19.1.c"]);
    assert!(Files::new().set().refusals.is_empty());
}
