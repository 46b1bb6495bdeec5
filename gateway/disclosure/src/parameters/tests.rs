use lienthong_model::{schema::Kind, sensitive::Sensitive};
use serde_json::{Value, json};

use super::*;

fn rule(place: Place, name: &str, source: Value, disclosed: Disclosed) -> ParameterRule {
    let schema = Schema::read(&source, &source, "").unwrap();
    let array = matches!(schema.kind, Kind::Array(_));
    ParameterRule { place, name: name.into(), required: false, array, schema, disclosed }
}

fn passes(place: Place, name: &str, source: Value) -> ParameterRule {
    rule(place, name, source, Disclosed::Passes(None))
}

fn required(rule: ParameterRule) -> ParameterRule {
    ParameterRule { required: true, ..rule }
}

fn compile(rules: &[ParameterRule]) -> ParameterView {
    ParameterView::compile(rules, Bounds::default()).unwrap()
}

fn problem(rule: ParameterRule) -> ViewProblem {
    ParameterView::compile(&[rule], Bounds::default()).unwrap_err().remove(0).problem
}

type Shown = Vec<(Place, String, String)>;

fn disclose(
    view: &ParameterView,
    values: &[(Place, &str, &str)],
) -> Result<(Shown, Tally), Violation> {
    let pseudonyms = Pseudonymiser::new(Sensitive::new([1; 32]), &"H29".parse().unwrap(), "1");
    let (disclosed, tally) = view.disclose(values, &pseudonyms)?;
    Ok((disclosed.into_iter().map(|p| (p.place, p.name.to_string(), p.value)).collect(), tally))
}

fn refusal(view: &ParameterView, values: &[(Place, &str, &str)]) -> (ViolationKind, String) {
    let violation = disclose(view, values).unwrap_err();
    (violation.kind, violation.at.to_string())
}

fn broken(keyword: &'static str) -> ViolationKind {
    ViolationKind::Schema { keyword }
}

#[test]
fn refuses_undeclared_parameters_without_naming_them() {
    let view = compile(&[passes(Place::Query, "so", json!({"type": "string"}))]);
    let undeclared = |place: &str| (ViolationKind::Undeclared, place.to_owned());
    assert_eq!(refusal(&view, &[(Place::Query, "la", "1")]), undeclared("/query"));
    assert_eq!(refusal(&view, &[(Place::Query, "SO", "1")]), undeclared("/query"));
    assert_eq!(refusal(&view, &[(Place::Path, "so", "1")]), undeclared("/path"));
    assert_eq!(refusal(&view, &[(Place::Header, "so", "1")]), undeclared("/header"));
}

#[test]
fn refuses_missing_and_repeated_parameters() {
    let text = json!({"type": "string"});
    let view = compile(&[required(passes(Place::Query, "so", text))]);
    assert_eq!(refusal(&view, &[]), (broken("required"), "/query/so".into()));
    let twice = [(Place::Query, "so", "1"), (Place::Query, "so", "1")];
    assert_eq!(refusal(&view, &twice), (ViolationKind::DuplicateKey, "/query/so".into()));
}

#[test]
fn refuses_other_spellings_of_typed_values() {
    let view = compile(&[
        passes(Place::Query, "n", json!({"type": "integer", "minimum": 1, "maximum": 50})),
        passes(Place::Query, "x", json!({"type": "number"})),
        passes(Place::Query, "b", json!({"type": "boolean"})),
        passes(Place::Query, "d", json!({"type": "string", "format": "date"})),
    ]);
    for (name, value, keyword) in [
        ("n", "", "type"),
        ("n", "01", "type"),
        ("n", "+1", "type"),
        ("n", " 1", "type"),
        ("n", "1 ", "type"),
        ("n", "1.0", "type"),
        ("n", "1e1", "type"),
        ("n", "٣", "type"),
        ("n", "0", "minimum"),
        ("n", "51", "maximum"),
        ("x", "1e999", "type"),
        ("x", "NaN", "type"),
        ("x", "0x1", "type"),
        ("b", "True", "type"),
        ("b", "1", "type"),
        ("b", "", "type"),
        ("d", "01/02/2026", "format"),
    ] {
        let found = refusal(&view, &[(Place::Query, name, value)]);
        assert_eq!(found, (broken(keyword), format!("/query/{name}")), "{name}={value}");
    }
    let good = [("n", "50"), ("x", "-1.5e3"), ("b", "false"), ("d", "2026-11-21")];
    let good: Vec<_> = good.iter().map(|(n, v)| (Place::Query, *n, *v)).collect();
    assert_eq!(disclose(&view, &good).unwrap().1.disclosed, 4);
}

#[test]
fn refuses_values_that_could_change_the_path_or_a_header() {
    let text = json!({"type": "string"});
    let view = compile(&[
        passes(Place::Path, "id", text.clone()),
        passes(Place::Header, "Accept-Language", text.clone()),
        passes(Place::Query, "q", text),
    ]);
    for value in ["", ".", "..", "a/b", "a\\b", "%2e%2e", "a%2fb", "a?b", "a#b", "a\0", "a\n"] {
        let found = refusal(&view, &[(Place::Path, "id", value)]);
        assert_eq!(found, (ViolationKind::Malformed, "/path/id".into()), "{value:?}");
    }
    for value in ["vi\r\nX-A: b", "vi\u{7f}"] {
        let found = refusal(&view, &[(Place::Header, "accept-language", value)]);
        assert_eq!(found.0, ViolationKind::Malformed);
    }
    assert_eq!(refusal(&view, &[(Place::Query, "q", "a\0")]).0, ViolationKind::Malformed);
    let spaced = [(Place::Path, "id", "Nguyễn Văn ..")];
    assert!(disclose(&view, &spaced).is_ok());
}

#[test]
fn refuses_more_bytes_than_the_bounds() {
    let rules = [passes(Place::Query, "q", json!({"type": "string"}))];
    let view = ParameterView::compile(&rules, Bounds { max_bytes: 10, max_depth: 1 }).unwrap();
    assert!(disclose(&view, &[(Place::Query, "q", "12345678")]).is_ok());
    assert_eq!(refusal(&view, &[(Place::Query, "q", "123456789")]).0, ViolationKind::TooLarge);
}

#[test]
fn refuses_to_compile_what_no_request_could_fulfil() {
    let text = || json!({"type": "string"});
    let number = || json!({"type": "string", "format": "citizen-number"});
    let masked = |source, mask| rule(Place::Query, "a", source, Disclosed::Passes(Some(mask)));
    let withheld = rule(Place::Query, "a", text(), Disclosed::Withheld);
    assert_eq!(problem(required(withheld.clone())), ViewProblem::RequiredWithheld);
    assert_eq!(problem(required(masked(text(), Mask::Drop))), ViewProblem::RequiredWithheld);
    assert_eq!(problem(masked(number(), Mask::Redact)), ViewProblem::NeverFulfilled("redact"));
    let nullable = json!({"type": ["string", "null"]});
    assert_eq!(problem(masked(nullable, Mask::Null)), ViewProblem::NeverFulfilled("null"));
    assert!(matches!(problem(masked(text(), Mask::KeepLast(4))), ViewProblem::Mask(_)));
    let object = json!({"type": "object", "properties": {}});
    assert_eq!(problem(passes(Place::Query, "a", object)), ViewProblem::NotAText);
    let tree = json!({"oneOf": [{"type": "string"}]});
    assert_eq!(problem(passes(Place::Query, "a", tree)), ViewProblem::NotAText);
    assert_eq!(problem(passes(Place::Body, "a", text())), ViewProblem::NotAText);
    let not_array = ParameterRule { array: true, ..passes(Place::Query, "a", text()) };
    assert_eq!(problem(not_array), ViewProblem::NotAText);
    let twice = [passes(Place::Header, "X-A", text()), passes(Place::Header, "x-a", text())];
    let errors = ParameterView::compile(&twice, Bounds::default()).unwrap_err();
    assert_eq!(errors[0].problem, ViewProblem::DeclaredTwice);
    assert!(compile(&[withheld]).hash() != [0; 32]);
}

#[test]
fn discloses_in_order_under_the_declared_names() {
    let text = json!({"type": "string"});
    let list = json!({"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "integer"}});
    let view = compile(&[
        passes(Place::Path, "id", text.clone()),
        passes(Place::Header, "X-Ma", text.clone()),
        passes(Place::Query, "n", list),
        rule(Place::Query, "an", text.clone(), Disclosed::Withheld),
        rule(Place::Query, "che", text, Disclosed::Passes(Some(Mask::Redact))),
    ]);
    let values = [
        (Place::Query, "n", "2"),
        (Place::Path, "id", "079090000001"),
        (Place::Query, "an", "secret"),
        (Place::Query, "n", "1"),
        (Place::Query, "che", "secret"),
        (Place::Header, "x-mA", "7"),
    ];
    let (disclosed, tally) = disclose(&view, &values).unwrap();
    let expected = [
        (Place::Query, "n", "2"),
        (Place::Path, "id", "079090000001"),
        (Place::Query, "n", "1"),
        (Place::Query, "che", "***"),
        (Place::Header, "X-Ma", "7"),
    ];
    assert_eq!(disclosed, expected.map(|(p, n, v)| (p, n.to_owned(), v.to_owned())));
    assert_eq!((tally.disclosed, tally.masked, tally.dropped, tally.undeclared), (4, 1, 1, 0));
    assert_eq!(refusal(&view, &values[..1]), (broken("minItems"), "/query/n".into()));
    let many = [(Place::Query, "n", "1"); 4];
    assert_eq!(refusal(&view, &many), (broken("maxItems"), "/query/n".into()));
}

#[test]
fn refuses_a_masked_value_that_the_provider_would_refuse() {
    let source = json!({"type": "string", "minLength": 8, "pattern": "^\\d+$"});
    let mask = Disclosed::Passes(Some(Mask::KeepLast(4)));
    let view = compile(&[rule(Place::Query, "so", source, mask)]);
    let found = refusal(&view, &[(Place::Query, "so", "123456789")]);
    assert_eq!(found, (ViolationKind::Unfulfillable, "/query/so".into()));
}

#[test]
fn shows_no_value() {
    let one = DisclosedParameter { place: Place::Query, name: "so".into(), value: "secret".into() };
    assert!(!format!("{one:?}").contains("secret"));
}
