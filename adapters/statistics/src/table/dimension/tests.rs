use super::*;

#[test]
fn refuses_what_is_not_one_tree_below_one_total() {
    let new = |categories: &[(&str, Option<&str>)]| Dimension::new("ward", categories);
    assert!(matches!(new(&[]), Err(DimensionError::Empty(_))));
    assert!(matches!(new(&[("a b", None)]), Err(DimensionError::Unfit(0))));
    assert!(matches!(new(&[("T", None), ("", Some("T"))]), Err(DimensionError::Unfit(1))));
    let twice = new(&[("T", None), ("a", Some("T")), ("a", Some("T"))]);
    assert!(matches!(twice, Err(DimensionError::Twice { code, .. }) if code == "a"));
    let unknown = new(&[("T", None), ("a", Some("U"))]);
    assert!(matches!(unknown, Err(DimensionError::UnknownParent { code, .. }) if code == "a"));
    assert!(matches!(
        new(&[("T", None), ("U", None)]),
        Err(DimensionError::Total { found: 2, .. })
    ));
    assert!(matches!(new(&[("a", Some("a"))]), Err(DimensionError::Total { found: 0, .. })));
    let circle = new(&[("T", None), ("a", Some("b")), ("b", Some("a"))]);
    assert!(matches!(circle, Err(DimensionError::Circle { code, .. }) if code == "a"));
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let one =
        Dimension::new("d", &[("T", None), ("p", Some("T")), ("b", Some("p")), ("a", Some("p"))]);
    let two =
        Dimension::new("d", &[("a", Some("p")), ("b", Some("p")), ("T", None), ("p", Some("T"))]);
    assert_eq!(one, two);
    let one = one.expect("a dimension");
    let codes: Vec<&str> = one.categories().map(|category| one.code(category)).collect();
    assert_eq!(codes, ["T", "p", "a", "b"]);
    assert_eq!(one.leaves_below(one.total()).len(), 2);
    assert_eq!(one.height(one.total()), 2);
}
