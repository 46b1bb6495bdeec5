use proptest::prelude::*;

use super::*;

#[test]
fn refuses_every_ambiguous_path() {
    let cases = [
        ("", PathError::Segment),
        ("a", PathError::Segment),
        ("/", PathError::Segment),
        ("/a//b", PathError::Segment),
        ("/a/", PathError::Segment),
        ("/a/../b", PathError::Segment),
        ("/a/./b", PathError::Segment),
        ("/a/%2e%2e/b", PathError::Segment),
        ("/a/.%2E/b", PathError::Segment),
        ("/a%2fb", PathError::Separator),
        ("/a%2Fb", PathError::Separator),
        ("/a%5cb", PathError::Separator),
        ("/a\\b", PathError::Separator),
        ("/a%00b", PathError::Separator),
        ("/a%0d%0ab", PathError::Separator),
        ("/a%252fb", PathError::Encoding),
        ("/a%25252e", PathError::Encoding),
        ("/a%2", PathError::Encoding),
        ("/a%zz", PathError::Encoding),
        ("/a%c0%af", PathError::Utf8),
        ("/a%e0%80%af", PathError::Utf8),
        ("/a%ff", PathError::Utf8),
    ];
    for (path, error) in cases {
        assert_eq!(segments(path), Err(error), "{path}");
    }
    assert_eq!(segments(&"/a".repeat(65)), Err(PathError::TooLong));
    assert_eq!(segments(&format!("/{}", "a".repeat(MAX_TARGET))), Err(PathError::TooLong));
}

#[test]
fn decodes_plain_paths_and_queries() {
    assert_eq!(
        segments("/r1/VN/a%20b").as_deref(),
        Ok(["r1", "VN", "a b"].map(String::from).as_slice())
    );
    let pairs = query("a=1&b=Nguy%E1%BB%85n+A&c").expect("decodes");
    let expected = [("a", "1"), ("b", "Nguyễn A"), ("c", "")];
    assert_eq!(pairs.iter().collect::<Vec<_>>(), expected);
    assert_eq!(query("a=%2525"), Err(PathError::Encoding));
    assert_eq!(query(&"a=1&".repeat(65)), Err(PathError::TooLong));
}

proptest! {
    #[test]
    fn what_is_sent_decodes_to_what_was_decided_on(path in "(/[\\x21-\\x7e]{1,12}){1,6}") {
        if let Ok(decoded) = segments(&path) {
            let sent: String = decoded.iter().map(|s| format!("/{}", encode(s))).collect();
            prop_assert_eq!(segments(&sent), Ok(decoded));
            prop_assert!(!sent.contains("..") || !sent.split('/').any(|s| s == ".."));
        }
    }
}
