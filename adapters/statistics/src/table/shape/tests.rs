use super::*;

fn sex() -> Dimension {
    Dimension::flat("sex", "T", &["f", "m"]).expect("a dimension")
}

fn place() -> Dimension {
    let categories = [("city", None), ("d1", Some("city")), ("d2", Some("city"))];
    let wards = [("w1", Some("d1")), ("w2", Some("d1")), ("w3", Some("d2"))];
    Dimension::new("place", &[&categories[..], &wards[..]].concat()).expect("a dimension")
}

#[test]
fn refuses_none_and_more_than_four_dimensions_and_too_many_cells() {
    assert_eq!(Shape::new(Vec::new(), 10), Err(ShapeError::Dimensions(0)));
    let five = (0..5).map(|n| Dimension::flat(&n.to_string(), "T", &["a"]).expect("one")).collect();
    assert_eq!(Shape::new(five, 1_000), Err(ShapeError::Dimensions(5)));
    assert_eq!(Shape::new(vec![sex(), sex()], 10), Err(ShapeError::Twice("sex".to_owned())));
    assert_eq!(Shape::new(vec![place(), sex()], 17), Err(ShapeError::TooLarge(17)));
    assert_eq!(Shape::new(vec![place(), sex()], 18).expect("a shape").len(), 18);
}

#[test]
fn cells_are_named_by_codes_and_found_by_them() {
    let shape = Shape::new(vec![place(), sex()], 100).expect("a shape");
    let cell = shape.cell(&["w3", "m"]).expect("a cell");
    assert_eq!(shape.name(cell).to_string(), "place=w3,sex=m");
    assert_eq!(shape.cell(&["w4", "m"]), None);
    assert_eq!(shape.cell(&["w3"]), None);
    assert!(shape.is_leaf(cell));
    let up: Vec<String> =
        shape.upward(cell).into_iter().map(|c| shape.name(c).to_string()).collect();
    assert_eq!(up.first().map(String::as_str), Some("place=w3,sex=m"));
    assert_eq!(up.last().map(String::as_str), Some("place=city,sex=T"));
    assert_eq!(up.len(), 6);
}

#[test]
fn every_total_is_the_sum_of_its_parts_along_each_dimension() {
    let shape = Shape::new(vec![place(), sex()], 100).expect("a shape");
    // Three places with parts and three sexes; six places and one total of sex.
    assert_eq!(shape.sums().count(), 3 * 3 + 6);
}
