use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1 << 16;

fn text(document: &str) -> String {
    String::from_utf8(json_text(document.as_bytes(), LIMIT).unwrap()).unwrap()
}

fn error(document: &str) -> CanonicalError {
    json_text(document.as_bytes(), LIMIT).unwrap_err()
}

#[test]
fn refuses_whole_numbers_that_some_readers_would_round() {
    for number in ["9007199254740992", "-9007199254740992", "18446744073709551615"] {
        assert_eq!(error(number), CanonicalError::Number, "{number}");
        let value: Value = serde_json::from_str(number).unwrap();
        assert_eq!(json(&value), Err(CanonicalError::Number), "{number}");
    }
    for number in ["123456789012345678901234567890", "9007199254740993.0", "1e20", "1.0e16"] {
        assert_eq!(error(&format!("{{\"a\":[{number}]}}")), CanonicalError::Number, "{number}");
    }
    assert_eq!(
        text("[9007199254740991,-9007199254740991]"),
        "[9007199254740991,-9007199254740991]"
    );
}

#[test]
fn does_not_take_digits_of_a_text_for_a_number() {
    let document = r#"{"\"9007199254740992":"9007199254740992\\","b":"x"}"#;
    assert_eq!(text(document), document);
}

#[test]
fn refuses_a_member_that_is_named_twice() {
    assert_eq!(error(r#"{"a":1,"a":1}"#), CanonicalError::NotJson);
    assert_eq!(error(r#"{"b":{"a":1,"\u0061":2}}"#), CanonicalError::NotJson);
}

#[test]
fn refuses_what_is_no_json_too_deep_or_too_long() {
    for document in ["", "{", "[1,]", "NaN", "1e400", "\"\\ud800\"", "1 2"] {
        assert_eq!(error(document), CanonicalError::NotJson, "{document}");
    }
    assert_eq!(error(&"[".repeat(LIMIT)), CanonicalError::NotJson);
    assert_eq!(error(&" ".repeat(LIMIT + 1)), CanonicalError::TooLarge);
}

#[test]
fn rfc_8785_section_3_2_2_members_and_numbers() {
    let document = r#"{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"#;
    let expected = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,\
                    0.002,1e-27],\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
    assert_eq!(text(document), expected);
}

#[test]
fn rfc_8785_section_3_2_3_order_of_members() {
    let document = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return",
        "\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face",
        "\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#;
    let value: Value = serde_json::from_str(&text(document)).unwrap();
    let order: Vec<&str> = value.as_object().unwrap().values().filter_map(Value::as_str).collect();
    let expected = [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ];
    assert_eq!(order, expected);
}

#[test]
fn rfc_8785_appendix_b_numbers() {
    let numbers: [(u64, &str); 14] = [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
    ];
    for (bits, expected) in numbers {
        let value = Value::from(f64::from_bits(bits));
        assert_eq!(json(&value).unwrap(), expected.as_bytes(), "{bits:x}");
    }
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn the_canonical_form_is_its_own() {
    let config = ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() };
    proptest!(config, |(value in documents())| {
        let Ok(once) = json(&value) else { return Ok(()) };
        prop_assert_eq!(&json_text(&once, LIMIT).unwrap(), &once);
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(&json_text(&pretty, LIMIT).unwrap(), &once);
    });
    assert_eq!(json(&Value::Object(Map::new())).unwrap(), b"{}");
}
