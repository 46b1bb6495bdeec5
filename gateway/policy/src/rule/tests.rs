use crate::fixture::{Files, RULES};

const GOOD: &str = "@id(\"a\") @cites(\"pdpl-2025#3.2\") @says_vi(\"Cấm.\") @says_en(\"No.\")\n";

fn with(head: &str, body: &str) -> Files {
    Files::new().add("policies/rules/extra.cedar", &format!("// A rule.\n{head}{body}\n"))
}

fn when(condition: &str) -> Files {
    with(GOOD, &format!("forbid (principal, action, resource) when {{ {condition} }};"))
}

#[test]
fn refuses_a_permit_written_by_hand() {
    with(GOOD, "permit (principal, action, resource);")
        .refused(&["extra.cedar:2:1", "a rule must not permit"]);
}

#[test]
fn refuses_a_rule_without_its_annotations() {
    let body = "forbid (principal, action, resource) when { context.today > 1 };";
    for key in ["id", "cites", "says_vi", "says_en"] {
        let head = GOOD.replace(&format!("@{key}("), "@x(");
        let found = with(&head, body).mistakes();
        let missing = format!("annotation `@{key}` is missing");
        assert!(found.iter().any(|m| m.contains(&missing)), "{found:#?}");
        assert!(found.iter().any(|m| m.contains("unknown annotation `@x`")), "{found:#?}");
    }
    with(&GOOD.replace("\"a\"", "\"Not Kebab\""), body)
        .refused(&["`@id` `Not Kebab` is not a kebab-case rule id"]);
    let id = GOOD.replace("\"a\"", "\"no-lapsed-instrument\"");
    with(&id, body).refused(&["rule `no-lapsed-instrument` is used twice"]);
}

#[test]
fn refuses_citations_of_what_does_not_stand_there() {
    let body = "forbid (principal, action, resource) when { context.today > 1 };";
    let cites = |text: &str| with(&GOOD.replace("pdpl-2025#3.2", text), body);
    cites("pdpl-2025#3.3")
        .refused(&["unknown article of `pdpl-2025` `3.3`", "did you mean `3.2`?"]);
    cites("pdpl-2024#3.2")
        .refused(&["unknown instrument `pdpl-2024`", "did you mean `pdpl-2025`?"]);
    cites("pdpl-2025").refused(&["`pdpl-2025` is not a citation"]);
}

#[test]
fn refuses_what_cedar_cannot_read_or_prove_well_typed() {
    when("context.categoris.contains(\"ethnicity\")").refused(&["extra.cedar:3:", "categoris"]);
    when("context.today == \"2026\"").refused(&["extra.cedar:3:"]);
    when("context.today >").refused(&["extra.cedar:", "not Cedar"]);
    when("false").refused(&["extra.cedar:", "impossible"]);
    with(GOOD, "forbid (principal == ?principal, action, resource);")
        .refused(&["must not have slots"]);
}

#[test]
fn refuses_names_that_nothing_bears_for_such_a_rule_would_never_forbid() {
    for (condition, message) in [
        ("context.categories.contains(\"ethnicty\")", "did you mean `ethnicity`?"),
        ("context.categories.containsAny([\"health\", \"helth\"])", "did you mean `health`?"),
        ("[\"ethnic_polcy\"].contains(context.purpose)", "did you mean `ethnic_policy`?"),
        ("context.purpose != \"dossier\"", "unknown value of `context.purpose` `dossier`"),
        ("\"H29.04\" == context.consumer", "did you mean"),
        ("context.fields.contains(\"answer 200 /DanTco\")", "did you mean `answer 200 /DanToc`?"),
        ("context.unmasked.contains(\"request query.so\")", "unknown value of `context.unmasked`"),
        ("context.lapsed_instruments.contains(\"pdpl-2024\")", "did you mean `pdpl-2025`?"),
        ("context.exchange_mode == \"sync\"", "unknown value of `context.exchange_mode` `sync`"),
        ("principal == Participant::\"H29.04\"", "unknown entity of type `Participant` `H29.04`"),
        ("resource == Operation::\"civil-status/get\"", "unknown entity of type `Operation`"),
    ] {
        when(condition).refused(&["extra.cedar:2:1", message]);
    }
    assert_eq!(when("context.via == \"H29.90\" || context.via == \"\"").mistakes(), [""; 0]);
    assert_eq!(when("resource == Operation::\"civil-status/sendNote\"").mistakes(), [""; 0]);
}

#[test]
fn tells_the_place_of_the_second_of_two_equal_rules() {
    let rules = Files::new().0[RULES].clone();
    let files = Files::new().add(RULES, &format!("{rules}{rules}"));
    let found = files.mistakes();
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("sensitive.cedar:17:1: rule `ethnicity-only"), "{found:#?}");
}

#[test]
fn accepts_a_copy_of_the_vocabulary_and_refuses_another() {
    let copy = Files::new().add(super::SCHEMA_FILE, super::SCHEMA);
    assert_eq!(copy.mistakes(), [""; 0]);
    let other = super::SCHEMA.replace("today: Long", "today: String");
    Files::new().add(super::SCHEMA_FILE, &other).refused(&["is not the vocabulary of this build"]);
    Files::new().add(super::SCHEMA_FILE, "entity").refused(&["not a Cedar schema"]);
}
