use super::*;

fn scan(text: &str) -> Result<(), Fault> {
    let mut scanner = Scanner::new(text, 8);
    scanner.blank();
    scanner.skip()?;
    scanner.finish()
}

#[test]
fn refuses_what_is_not_json() {
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1.e3",
        "0x10",
        "1 2",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "]",
        "{",
        "}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1 \"b\":2}",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\\u+123\"",
        "\"\u{1}\"",
        "\"\n\"",
        "\"\t\"",
        "{} {}",
        "[] x",
        "\u{feff}{}",
        "{}\u{feff}",
        "\u{a0}1",
        "1\u{c}",
        "//\n1",
        "\0",
        "1\0",
        "/**/1",
    ] {
        assert_eq!(scan(text), Err(Fault::Malformed), "{text:?}");
    }
}

#[test]
fn refuses_lone_surrogates() {
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud800\u0041""#,
        r#"{"\udfff":1}"#,
    ] {
        assert_eq!(scan(text), Err(Fault::Malformed), "{text}");
    }
    assert_eq!(scan(r#""\ud83d\ude00""#), Ok(()));
}

#[test]
fn refuses_numbers_beyond_a_double() {
    let long = "9".repeat(400);
    for text in ["1e400", "-1e400", "[1e309]", "1.8e308", long.as_str()] {
        assert_eq!(scan(text), Err(Fault::Malformed), "{text}");
    }
    let many_digits = format!("0.{}", "1".repeat(400));
    for text in ["1e308", "1e-400", "-0", "0.0", "1E+2", many_digits.as_str()] {
        assert_eq!(scan(text), Ok(()), "{text}");
    }
}

#[test]
fn refuses_duplicate_keys_at_every_level() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"\/":1,"/":2}"#,
        r#"{"":1,"":2}"#,
        r#"[{"x":{"a":1,"b":2,"a":3}}]"#,
        r#"{"x":[{"k":1},{"k":1,"l":{"m":1,"m":1}}]}"#,
        r#"{"\ud83d\ude00":1,"😀":2}"#,
    ] {
        assert_eq!(scan(text), Err(Fault::DuplicateKey), "{text}");
    }
    assert_eq!(scan(r#"{"a":{"a":{"a":1}},"b":{"a":1},"A":[{"a":1},{"a":1}]}"#), Ok(()));
}

#[test]
fn finds_one_duplicate_among_many_keys() {
    let keys = (0..5_000).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(",");
    assert_eq!(scan(&format!("{{{keys}}}")), Ok(()));
    let doubled = format!("{{{keys},\"k77\":0}}");
    assert_eq!(scan(&doubled), Err(Fault::DuplicateKey));
}

#[test]
fn refuses_nesting_beyond_the_bound() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(scan(&nested(8)), Ok(()));
    assert_eq!(scan(&nested(9)), Err(Fault::TooDeep));
    assert_eq!(scan(&"[".repeat(100_000)), Err(Fault::TooDeep));
    assert_eq!(scan(&"{\"a\":".repeat(100_000)), Err(Fault::TooDeep));
    let wide = format!("[{}]", vec!["[[]]"; 1_000].join(","));
    assert_eq!(scan(&wide), Ok(()), "depth is given back");
}

#[test]
fn accepts_every_kind_of_value_with_white_space_around_it() {
    for text in [
        "null",
        " true ",
        "\tfalse\n",
        "\r\n-0.5e-7\t",
        "\"\"",
        "[ ]",
        "{ }",
        "[ 1 , \"a\" ]",
        "{ \"a\" : [ { } ] , \"b\" : null }",
        "\"Nguyễn Văn Ấn \u{7f} 😀\"",
    ] {
        assert_eq!(scan(text), Ok(()), "{text:?}");
    }
}

#[test]
fn decodes_escapes() {
    let decode = |text: &str| {
        let mut scratch = "left over".to_owned();
        let mut scanner = Scanner::new(text, 1);
        scanner.string().unwrap();
        scanner.decoded(&mut scratch).to_owned()
    };
    assert_eq!(decode(r#""H\u1ecd T\u00EAn""#), "Họ Tên");
    assert_eq!(decode(r#""\"\\\/\b\f\n\r\t\u0000""#), "\"\\/\u{8}\u{c}\n\r\t\0");
    assert_eq!(decode(r#""a\ud83d\ude00b\uD834\uDD1E""#), "a😀b\u{1d11e}");
    assert_eq!(decode("\"plain\""), "plain");
}

#[test]
fn finds_the_end_of_a_string_wherever_it_stands() {
    for length in 0..40 {
        let plain = "ấ".repeat(length);
        for (stop, outcome) in [("\"", true), ("\\n\"", true), ("\u{1f}\"", false), ("", false)] {
            let text = format!("\"{plain}{stop}");
            assert_eq!(Scanner::new(&text, 1).string().is_ok(), outcome, "{length} {stop:?}");
        }
    }
}
