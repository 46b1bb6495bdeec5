use super::*;

#[test]
fn escapes_what_must_be_and_nothing_else() {
    for text in ["", "Họ và tên", "\"\\/\u{8}\t\n\u{c}\r\0\u{1f}\u{7f}", "a\"b\\c", "😀"] {
        let mut out = Vec::new();
        string(text, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::Value::from(text).to_string());
    }
}
