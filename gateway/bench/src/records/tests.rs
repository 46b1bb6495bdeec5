use super::*;

#[test]
fn one_record_is_about_a_kilobyte() {
    let bytes = answer(1).len();
    assert!((900..1124).contains(&bytes), "{bytes} bytes");
}

#[test]
fn sizes_grow_with_the_number_of_records() {
    for size in Size::ALL {
        let bytes = answer(size.records()).len();
        let wanted = match size {
            Size::One => 1 << 10,
            Size::Some => 16 << 10,
            Size::Many => 1 << 20,
        };
        assert!((wanted * 9 / 10..wanted * 11 / 10).contains(&bytes), "{size}: {bytes} bytes");
    }
}

#[test]
fn the_parts_of_a_stream_make_a_whole() {
    let (head, tail) = around(2);
    let block = elements();
    let text = format!("{head}{block}{block}{tail}");
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    let data = whole.get("data").and_then(Value::as_array).expect("an array");
    assert_eq!(data.len(), BLOCK * 2 + 1);
    assert_eq!(whole.get("tong"), Some(&json!(data.len())));
    assert_eq!(lines().lines().count(), BLOCK);
}

#[test]
fn people_have_numbers_of_their_own_and_of_one_length() {
    assert_eq!(citizen(1), "079090000001");
    assert_eq!(citizen(MOST_PEOPLE - 1), "079090999999");
}
