use super::*;

fn mistakes(text: &str) -> Vec<String> {
    let mut found = Diagnostics::new();
    parse("a.yaml", text, &mut found);
    found.sorted().iter().map(ToString::to_string).collect()
}

#[test]
fn tells_every_mistake_with_its_place() {
    let text = "id: a\nid: b\nflag: yes\ncode: 079\nbase: &x 1\nalso: *x\nbig: 1_000\n";
    let found = mistakes(text);
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(found[0].starts_with("a.yaml:2:1: key `id` stands twice"), "{}", found[0]);
    assert!(found[1].starts_with("a.yaml:3:7: ambiguous value `yes`"), "{}", found[1]);
    assert!(found[2].starts_with("a.yaml:4:7: ambiguous value `079`"), "{}", found[2]);
}

#[test]
fn refuses_broken_empty_deep_and_several_documents() {
    assert!(mistakes("a: [1,").first().is_some_and(|m| m.contains("not YAML")));
    assert_eq!(mistakes(""), ["a.yaml: file is empty"]);
    assert!(mistakes("a: 1\n---\nb: 2\n").iter().any(|m| m.contains("one document only")));
    let deep = "[".repeat(100) + &"]".repeat(100);
    assert!(mistakes(&deep).iter().any(|m| m.contains("nested deeper")));
}

#[test]
fn names_the_nearest_known_key() {
    let mut found = Diagnostics::new();
    let node = parse("a.yaml", "purpos: x\nid: z\n", &mut found).expect("parses");
    let mut map =
        MapReader::new("a.yaml", &node, "agreement", &["id", "purpose"], &mut found).expect("map");
    assert_eq!(map.text("id"), Some("z"));
    assert_eq!(map.text("purpose"), None);
    let all: Vec<String> = found.sorted().iter().map(ToString::to_string).collect();
    assert_eq!(
        all,
        [
            "a.yaml:1:1: key `purpose` is missing",
            "a.yaml:1:1: unknown key `purpos` in agreement\n    = did you mean `purpose`?",
        ]
    );
}

#[test]
fn reads_core_schema_scalars() {
    let mut found = Diagnostics::new();
    let text = "a: 12\nb: 1.5\nc: true\nd: null\ne: 2026-01-01\nf: \"079\"\ng: H29.12\n";
    let node = parse("a.yaml", text, &mut found).expect("parses");
    assert!(found.is_empty(), "{found}");
    let expected = serde_json::json!({
        "a": 12, "b": 1.5, "c": true, "d": null, "e": "2026-01-01", "f": "079", "g": "H29.12"
    });
    assert_eq!(node.to_json(), expected);
}
