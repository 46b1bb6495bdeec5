use super::*;

type Parts = Vec<(Part, String)>;
type Wrong = Vec<(String, &'static str)>;

fn cut(shape: &Shape, body: &str) -> (Parts, Wrong) {
    let mut parts = Vec::new();
    let wrong = shape.cut(body.as_bytes(), &mut |part, bytes| {
        parts.push((part, String::from_utf8(bytes.to_vec()).expect("UTF-8")));
    });
    (parts, wrong.into_iter().map(|(at, word)| (at.to_string(), word)).collect())
}

fn array(at: &str) -> Shape {
    Shape::Array { at: at.parse().expect("a pointer"), fewest: 1, most: 2 }
}

#[test]
fn each_line_is_an_element_and_the_last_one_ends_too() {
    let shape = Shape::Lines { most: 2 };
    let element = |n, text: &str| (Part::Element(n), text.to_owned());
    assert_eq!(cut(&shape, ""), (vec![], vec![]));
    assert_eq!(cut(&shape, "{}\r\n1\n"), (vec![element(1, "{}"), element(2, "1")], vec![]));
    let (parts, wrong) = cut(&shape, "{}\n\n1");
    assert_eq!(parts, [element(1, "{}"), element(2, ""), element(3, "1")]);
    let root = String::new;
    assert_eq!(wrong, [(root(), "NDJSON line without end"), (root(), "too many elements")]);
}

#[test]
fn elements_of_an_array_stand_each_in_a_document_of_their_own() {
    let body = r#" {"n": [0], "a": {"b~/\"": [ {"x":1} , 2 ], "m": [ ]}} "#;
    let (parts, wrong) = cut(&array("/a/b~0~1\""), body);
    let expected = [
        (Part::Envelope, r#" {"n": [0], "a": {"b~/\"": [], "m": [ ]}} "#),
        (Part::Element(1), r#"{"a":{"b~/\"":[{"x":1}]}}"#),
        (Part::Element(2), r#"{"a":{"b~/\"":[2]}}"#),
    ];
    assert_eq!(parts, expected.map(|(part, text)| (part, text.to_owned())));
    assert_eq!(wrong, []);
}

#[test]
fn what_cannot_be_cut_is_given_as_it_is() {
    for body in ["", "{", r#"{"a":1}"#, "[1]", "{\"b\":[1]}", "{\"a\":[1}"] {
        assert_eq!(cut(&array("/a"), body), (vec![(Part::Envelope, body.to_owned())], vec![]));
    }
}

#[test]
fn the_number_of_elements_is_checked() {
    assert_eq!(cut(&array("/a"), r#"{"a":[]}"#).1, [("/a".to_owned(), "minItems")]);
    let many = cut(&array("/a"), r#"{"a":[1,2,3]}"#).1;
    assert_eq!(many, [("/a".to_owned(), "too many elements")]);
}
