use super::*;

fn fields(texts: &[&str]) -> Fields {
    Fields::new(texts.iter().map(|text| text.parse().unwrap()))
}

fn covers(fields: &Fields, field: &str) -> bool {
    let field: ConsentField = field.parse().unwrap();
    fields.covers(&field.operation, field.part, &field.field)
}

#[test]
fn refuses_what_is_not_spelled_as_a_field() {
    let long = format!("getBook/200/{}", "a".repeat(300));
    for text in [
        "",
        "getBook",
        "getBook/200",
        "getBook/200/a/",
        "getBook//a",
        "/200/a",
        "getBook/20/a",
        "getBook/0200/a",
        "getBook/600/a",
        "getBook/request.cookie.a",
        "getBook/request.query.",
        "get book/200/a",
        "getBook/200/a~2b",
        &long,
    ] {
        assert_eq!(text.parse::<ConsentField>(), Err(FieldError), "{text}");
    }
}

#[test]
fn spells_each_field_in_one_way() {
    for text in [
        "getBook/200/HoVaTen",
        "getBook/200/",
        "getBook/request.query.soDinhDanh",
        "getBook/request/data/*/a~1b",
    ] {
        assert_eq!(text.parse::<ConsentField>().unwrap().to_string(), text);
    }
}

#[test]
fn covers_nothing_of_another_operation_part_or_field() {
    let set = fields(&["getBook/200/Cha", "getBook/404/maLoi", "getBook/request.query.id"]);
    for field in [
        "getBook/200/ChaMe",
        "getBook/404/Cha",
        "getBook/200/maLoi",
        "listBooks/200/Cha",
        "getBook/request/query.id",
        "getBook/200/",
    ] {
        assert!(!covers(&set, field), "{field}");
    }
    for field in ["getBook/200/Cha", "getBook/200/Cha/HoVaTen", "getBook/request.query.id"] {
        assert!(covers(&set, field), "{field}");
    }
    assert!(!covers(&Fields::default(), "getBook/200/Cha"));
}

#[test]
fn is_one_set_in_whatever_order_it_was_said() {
    let one = fields(&["b/200/x", "a/200/y", "a/200/x", "b/200/x"]);
    assert_eq!(one, fields(&["a/200/x", "b/200/x", "a/200/y"]));
    let text = serde_json::to_string(&one).unwrap();
    assert_eq!(text, r#"["a/200/x","a/200/y","b/200/x"]"#);
    assert_eq!(serde_json::from_str::<Fields>(&text).unwrap(), one);
}
