use super::*;

#[test]
fn refuses_what_is_no_single_question_that_all_engines_read_alike() {
    for (text, told) in [
        ("", TemplateError::NotASelect),
        ("DELETE FROM a", TemplateError::NotASelect),
        ("-- SELECT\nUPDATE a SET b = 1", TemplateError::NotASelect),
        (":from", TemplateError::NotASelect),
        ("SELECT 1; DROP TABLE a", TemplateError::Forbidden(';')),
        ("SELECT $1", TemplateError::Forbidden('$')),
        ("SELECT ?", TemplateError::Forbidden('?')),
        ("SELECT $a$x$a$", TemplateError::Forbidden('$')),
        (r"SELECT 'a\'", TemplateError::Backslash),
        ("SELECT 'a", TemplateError::Open),
        ("SELECT 1 /* a", TemplateError::Open),
        ("SELECT 1 /* a /* b */ */", TemplateError::Open),
        ("SELECT :until", TemplateError::UnknownName("until".to_owned())),
        ("SELECT : from", TemplateError::UnknownName(String::new())),
    ] {
        assert_eq!(Template::parse(text), Err(told), "{text}");
    }
}

#[test]
fn binds_names_where_they_are_names_and_nowhere_else() {
    let text = "SELECT ':from', \":to\", a::date -- :from\n/* :to ; */ FROM b\n\
                WHERE c >= :from AND c < :to AND d < :to";
    let template = Template::parse(text).unwrap();
    let (sql, bound) = template.render(Engine::Sqlite);
    assert_eq!(bound, [Bound::From, Bound::To, Bound::To]);
    assert!(sql.contains("':from', \":to\", a::date -- :from\n/* :to ; */"), "{sql}");
    assert!(sql.ends_with("c >= ? AND c < ? AND d < ?"), "{sql}");
    let (sql, _) = template.render(Engine::Postgres);
    assert!(sql.ends_with("c < CAST($2 AS timestamp) AND d < CAST($3 AS timestamp)"), "{sql}");
    let (sql, _) = template.render(Engine::Mysql);
    assert!(sql.ends_with("c < CAST(? AS DATETIME) AND d < CAST(? AS DATETIME)"), "{sql}");
}

#[test]
fn a_quote_within_quotes_is_written_twice() {
    let template = Template::parse("SELECT 'it''s :from' WHERE a < :to").unwrap();
    assert!(!template.names(Bound::From) && template.names(Bound::To));
}
