use proptest::prelude::*;

use super::*;
use crate::fixture::{AGREEMENT, Files, LAW, RULES, denial, facts, opened};

const ETHNICITY: Option<(&str, Option<&str>)> =
    Some(("policy.denied", Some("ethnicity-only-for-its-purpose")));

/// A rule that forbids on a condition.
fn rule(id: &str, condition: &str) -> String {
    format!(
        "@id(\"{id}\") @cites(\"pdpl-2025#3.2\") @says_vi(\"Cấm.\") @says_en(\"No.\")\n\
         forbid (principal, action, resource) when {{ {condition} }};\n"
    )
}

#[test]
fn denies_whatever_the_agreement_demands_and_the_facts_lack() {
    let set = Files::new().set();
    let opened = opened(&set);
    let day = |text: &str| text.parse().expect("date");
    let id = |text: &str| text.parse::<ParticipantId>().expect("id");
    for (facts, reason) in [
        (Facts { purpose: "statistics".parse().expect("id"), ..facts() }, "purpose.not_permitted"),
        (Facts { today: day("2025-12-31"), ..facts() }, "agreement.not_yet_valid"),
        (Facts { today: day("2028-01-01"), ..facts() }, "agreement.expired"),
        (Facts { officer: Presence::Absent, ..facts() }, "agreement.officer_required"),
        (Facts { dossier: Presence::Absent, ..facts() }, "agreement.dossier_required"),
        (Facts { consumer: id("H29.12"), ..facts() }, "service.not_available"),
        (Facts { via: Some(id("H29.12")), ..facts() }, "service.not_available"),
    ] {
        let decision = opened.decide(&facts);
        assert_eq!(denial(&decision), Some((reason, None)), "{facts:?}");
        let Decision::Deny(denial) = &*decision else { panic!("permitted") };
        assert_eq!(denial.citations.len(), 2, "the agreement's own law is cited");
    }
}

#[test]
fn denies_on_consent_with_the_exact_reason_and_the_agreements_law() {
    let set = Files::on_consent().set();
    let opened = opened(&set);
    let missing = ConsentFact::WORDS.iter().filter_map(|(_, fact)| match fact {
        ConsentFact::Missing(reason) => Some((*fact, *reason)),
        _ => None,
    });
    for (consent, reason) in missing.chain([(ConsentFact::NotNeeded, ReasonCode::FactsUnavailable)])
    {
        // A permit in memory opens nothing.
        let given = Facts { consent: ConsentFact::Given, ..facts() };
        assert_eq!(denial(&opened.decide(&given)), None);
        let decision = opened.decide(&Facts { consent, ..facts() });
        assert_eq!(denial(&decision), Some((reason.as_str(), None)));
        let Decision::Deny(denial) = &*decision else { panic!("permitted") };
        assert_eq!(denial.citations.len(), 2, "the agreement's own law is cited");
        // The agreement's own demands come first.
        let unnamed = Facts { officer: Presence::Absent, consent, ..facts() };
        let expected = Some(("agreement.officer_required", None));
        assert_eq!(self::denial(&opened.decide(&unnamed)), expected);
    }
}

#[test]
fn rules_see_whether_consent_was_given() {
    let condition = "context.rests_on_consent && context.consent_given";
    let files = Files::on_consent().add("policies/rules/seen.cedar", &rule("seen", condition));
    let given = Facts { consent: ConsentFact::Given, ..facts() };
    let decision = opened(&files.set()).decide(&given);
    assert_eq!(denial(&decision), Some(("policy.denied", Some("seen"))));
}

#[test]
fn permits_on_the_first_and_last_day_directly_and_through_its_intermediary() {
    let set = Files::new().edit(LAW, "until: 2027-06-30", "until: null").set();
    let opened = opened(&set);
    for today in ["2026-01-01", "2027-12-31"] {
        for via in [None, Some("H29.90".parse().expect("id"))] {
            let facts = Facts { today: today.parse().expect("date"), via, ..facts() };
            let decision = opened.decide(&facts);
            let Decision::Permit(permit) = &*decision else { panic!("denied: {decision:?}") };
            let cited: Vec<String> = permit.citations.iter().map(ToString::to_string).collect();
            assert_eq!(cited, ["pdpl-2025#19.1.c", "sector-law#whole"]);
        }
    }
}

#[test]
fn denies_by_a_rule_with_its_law_and_its_words() {
    let files = Files::new().edit(AGREEMENT, "/DanToc: drop", "/DanToc: pass");
    let decision = opened(&files.set()).decide(&facts());
    assert_eq!(denial(&decision), ETHNICITY);
    let Decision::Deny(denial) = &*decision else { panic!("permitted") };
    assert_eq!(
        denial.citations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["pdpl-2025#3.2"]
    );
    assert!(denial.says.as_ref().is_some_and(|says| says.en.starts_with("Ethnic origin")));
    let named = Facts { purpose: "ethnic_policy".parse().expect("id"), ..facts() };
    assert_eq!(self::denial(&opened(&files.set()).decide(&named)), None);
}

#[test]
fn counts_a_masked_field_as_leaving_unless_nothing_of_it_is_left() {
    for (mask, expected) in [
        ("pass", ETHNICITY),
        ("pseudonymise", ETHNICITY),
        ("{keep_first: 1}", ETHNICITY),
        ("redact", None),
        ("\"null\"", None),
        ("drop", None),
    ] {
        let document = crate::fixture::DOCUMENT;
        let files =
            Files::new().edit(AGREEMENT, "/DanToc: drop", &format!("/DanToc: {mask}")).edit(
                document,
                "DanToc: {type: [string, \"null\"],",
                "DanToc: {type: [string, \"null\"], minLength: 2,",
            );
        assert_eq!(denial(&opened(&files.set()).decide(&facts())), expected, "{mask}");
    }
}

#[test]
fn tells_a_field_that_leaves_as_it_is_from_one_that_is_masked() {
    let condition = "context.unmasked.contains(\"answer 200 /NgaySinh\")";
    let files = Files::new().add("policies/rules/plain.cedar", &rule("plain", condition));
    assert_eq!(denial(&opened(&files.set()).decide(&facts())), None);
    let files = files.edit(AGREEMENT, "/NgaySinh: {generalise: year}", "/NgaySinh: pass");
    let expected = Some(("policy.denied", Some("plain")));
    assert_eq!(denial(&opened(&files.set()).decide(&facts())), expected);
}

#[test]
fn denies_when_a_cited_instrument_is_not_in_force_on_the_day() {
    let set = Files::new().set();
    let last = Facts { today: "2027-06-30".parse().expect("date"), ..facts() };
    assert_eq!(denial(&opened(&set).decide(&last)), None);
    let after = Facts { today: "2027-07-01".parse().expect("date"), ..facts() };
    let expected = Some(("policy.denied", Some("no-lapsed-instrument")));
    assert_eq!(denial(&opened(&set).decide(&after)), expected);
}

#[test]
fn names_the_first_of_several_rules_whatever_their_files() {
    let files = Files::new()
        .add("policies/rules/a.cedar", &rule("zz", "true"))
        .add("policies/rules/z.cedar", &rule("aa", "context.today > 0"));
    assert_eq!(denial(&opened(&files.set()).decide(&facts())), Some(("policy.denied", Some("aa"))));
}

#[test]
fn denies_when_a_rule_errs_even_though_cedar_would_skip_it() {
    let erring = "context.today + 9223372036854775807 > 0";
    let files = Files::new().add("policies/rules/err.cedar", &rule("err", erring));
    let set = files.set();
    assert_eq!(denial(&opened(&set).decide(&facts())), Some(("policy.error", None)));
    // The same facts, decided from memory.
    assert_eq!(denial(&opened(&set).decide(&facts())), Some(("policy.error", None)));
}

#[test]
fn denies_when_the_permit_and_the_terms_disagree() {
    let mut set = Files::new().set();
    let agreement = set.agreements.get_mut("ward-civil-status").expect("agreement");
    let agreement = Arc::get_mut(agreement).expect("alone");
    let operation = agreement.operations.get_mut("getBirthRecord").expect("operation");
    let operation = Arc::get_mut(operation).expect("alone");
    let never = "permit (principal, action, resource) when { false };";
    operation.policy.permit = Policy::parse(None, never).expect("a permit");
    assert_eq!(denial(&operation.decide(&facts())), Some(("policy.error", None)));
}

#[test]
fn remembers_a_bounded_number_of_decisions() {
    let files = Files::new().edit(LAW, "until: 2027-06-30", "until: null");
    let files = files.edit(AGREEMENT, "until: 2027-12-31", "until: 2099-12-31");
    let set = files.set();
    let opened = opened(&set);
    let mut today: Date = "2026-01-01".parse().expect("date");
    for _ in 0..MEMO + 10 {
        assert_eq!(denial(&opened.decide(&Facts { today, ..facts() })), None);
        today = today.tomorrow().expect("date");
    }
    assert!(opened.policy.memo.read().expect("memo").len() <= MEMO);
}

/// Conditions that hold for some facts and not for others.
const CONDITIONS: &[&str] = &[
    "context.via != \"\"",
    "context.purpose == \"ethnic_policy\"",
    "context.today > 20270101",
    "!context.officer_present",
    "context.classes.contains(\"sensitive\")",
    "context.fields.contains(\"answer 200 /HoVaTen\") && context.today < 20260601",
    "!context.lapsed_instruments.isEmpty()",
    "context.articles.contains(\"pdpl-2025#9\")",
    "context.today + 9223372036854775000 > 0",
    "context.via != \"\" && context.today * 9223372036854775807 > 0",
    "true",
];

fn files_with(conditions: &[usize]) -> Files {
    let text: String =
        conditions.iter().map(|n| rule(&format!("rule-{n}"), CONDITIONS[*n])).collect();
    Files::new().add(RULES, &text)
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let purposes = prop::sample::select(vec!["dossier_processing", "ethnic_policy", "statistics"]);
    let ways = prop::sample::select(vec![None, Some("H29.90"), Some("H29.12")]);
    let days = prop::sample::select(vec![
        "2025-12-31",
        "2026-01-01",
        "2026-11-21",
        "2027-06-30",
        "2027-07-01",
        "2028-01-01",
    ]);
    let named = || prop::sample::select(vec![Presence::Present, Presence::Absent]);
    let consents = prop::sample::select(vec![
        ConsentFact::NotNeeded,
        ConsentFact::Given,
        ConsentFact::Missing(ReasonCode::ConsentWithdrawn),
        ConsentFact::Missing(ReasonCode::FactsUnavailable),
    ]);
    let all = (purposes, ways, days, named(), named(), consents);
    all.prop_map(|(purpose, via, today, officer, dossier, consent)| Facts {
        consent,
        purpose: purpose.parse().expect("id"),
        via: via.map(|via| via.parse().expect("id")),
        today: today.parse().expect("date"),
        officer,
        dossier,
        ..facts()
    })
}

fn some_conditions() -> impl Strategy<Value = Vec<usize>> {
    prop::sample::subsequence((0..CONDITIONS.len()).collect::<Vec<_>>(), 0..4)
}

fn permits(set: &crate::PolicySet, facts: &Facts) -> bool {
    matches!(*opened(set).decide(facts), Decision::Permit(_))
}

/// The plain authoriser on the permit and the rules, without terms, memo or shortcuts.
fn plainly_permits(set: &crate::PolicySet, facts: &Facts) -> bool {
    let opened = opened(set);
    let policy = &opened.policy;
    let request = policy.request(facts).expect("request");
    let policies = policy.rules.with(&policy.permit).expect("policies");
    let response = Authorizer::new().is_authorized(&request, &policies, &Entities::empty());
    response.decision() == CedarDecision::Allow && response.diagnostics().errors().count() == 0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn adding_a_rule_never_turns_a_deny_into_a_permit(
        conditions in some_conditions(),
        added in 0..CONDITIONS.len(),
        facts in prop::collection::vec(any_facts(), 8),
    ) {
        let fewer = files_with(&conditions).set();
        let text = rule("added", CONDITIONS[added]);
        let more = files_with(&conditions).add("policies/rules/added.cedar", &text).set();
        for facts in &facts {
            prop_assert!(permits(&fewer, facts) || !permits(&more, facts), "{facts:?}");
        }
    }

    #[test]
    fn the_order_of_rules_changes_nothing(
        conditions in some_conditions().prop_shuffle(),
        facts in prop::collection::vec(any_facts(), 8),
    ) {
        let mut sorted = conditions.clone();
        sorted.sort_unstable();
        let (one, other) = (files_with(&sorted).set(), files_with(&conditions).set());
        for facts in &facts {
            prop_assert_eq!(opened(&one).decide(facts), opened(&other).decide(facts));
        }
    }

    #[test]
    fn an_agreement_on_consent_never_permits_unless_it_is_given(
        facts in prop::collection::vec(any_facts(), 16),
    ) {
        let set = Files::on_consent().set();
        for facts in facts.iter().chain(&facts) {
            prop_assert_eq!(permits(&set, facts), plainly_permits(&set, facts), "{:?}", facts);
            let given = facts.consent == ConsentFact::Given;
            prop_assert!(given || !permits(&set, facts), "{facts:?}");
        }
    }

    #[test]
    fn an_error_in_any_rule_denies(
        conditions in some_conditions(),
        facts in prop::collection::vec(any_facts(), 8),
    ) {
        let erring = rule("err", "context.today + 9223372036854775807 > 0");
        let set = files_with(&conditions).add("policies/rules/err.cedar", &erring).set();
        for facts in &facts {
            prop_assert!(!permits(&set, facts), "{facts:?}");
        }
    }

    #[test]
    fn decides_as_the_plain_authoriser_does(
        conditions in some_conditions(),
        facts in prop::collection::vec(any_facts(), 8),
    ) {
        let set = files_with(&conditions).set();
        // Twice, so that the second answer comes from memory.
        for facts in facts.iter().chain(&facts) {
            prop_assert_eq!(permits(&set, facts), plainly_permits(&set, facts), "{:?}", facts);
        }
    }

    #[test]
    fn removing_an_agreement_never_permits(facts in prop::collection::vec(any_facts(), 8)) {
        let second = [("id: ward-civil-status", "id: second"), ("[dossier_processing, ethnic_policy]", "[statistics]")];
        let both = Files::new().copy(AGREEMENT, "policies/agreements/second.yaml", &second);
        let one = both.clone().remove("policies/agreements/second.yaml").set();
        let both = both.set();
        for facts in &facts {
            prop_assert_eq!(opened(&both).decide(facts), opened(&one).decide(facts));
            let gone = crate::explain(
                &one,
                &"second".parse().expect("id"),
                &"getBirthRecord".parse().expect("id"),
                facts,
            );
            prop_assert_eq!(gone.decision, "deny");
        }
    }
}
