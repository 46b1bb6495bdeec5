use super::*;

#[test]
fn reads_types_and_dispositions() {
    let value = HeaderValue::read("Text/Plain; Charset=\"UTF-8\"").unwrap();
    assert!(value.is_utf8_of("text/plain") && !value.is_utf8_of("text/html"));
    assert!(HeaderValue::read("application/json").unwrap().is_utf8_of("application/json"));
    let value = HeaderValue::read("form-data; name=\"a;b=c\" ; filename=\"Ấn;.pdf\"").unwrap();
    assert!(value.is("form-data") && value.has_only(&["name", "filename"]));
    assert_eq!(value.parameter("NAME"), Some("a;b=c"));
    assert!(!value.has_only(&["name"]));
    let value = HeaderValue::read("form-data;name=x;filename*=UTF-8''%e1%ba%a5").unwrap();
    assert_eq!(value.parameter("filename*"), Some("UTF-8''%e1%ba%a5"));
}

#[test]
fn another_charset_or_parameter_is_not_utf_8() {
    for text in [
        "text/plain; charset=iso-8859-1",
        "text/plain; charset=utf-16",
        "text/plain; format=flowed",
    ] {
        assert!(!HeaderValue::read(text).unwrap().is_utf8_of("text/plain"), "{text}");
    }
}

#[test]
fn refuses_what_can_be_read_in_two_ways() {
    for text in [
        "",
        ";",
        "text/plain;",
        "text/plain; charset",
        "text/plain; =x",
        "text/plain; charset=",
        "text/plain; charset=utf-8; CHARSET=utf-16",
        "text/plain; charset=\"utf-8",
        "text/plain; charset=\"utf-8\"x",
        "text/plain; charset=utf\"8\"",
        "text/plain; charset=utf 8",
        "text/plain; char set=utf-8",
        "text/plain/x",
        "text plain",
        "text/plain, text/html",
        "form-data; name=\"a\\\"; filename=\\\"b\"",
        "form-data; name=\"a\u{0}\"",
    ] {
        assert!(HeaderValue::read(text).is_err(), "{text}");
    }
}
