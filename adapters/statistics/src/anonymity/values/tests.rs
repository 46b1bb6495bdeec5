use super::*;

#[test]
fn refuses_a_text_without_an_end() {
    let mut values = Values::default();
    let long = "a".repeat(LONGEST_TEXT + 1);
    assert_eq!(values.number(Value::Text(&long)), Err(AnonymityError::TextTooLong));
    assert_eq!(values.len(), 0);
}

#[test]
fn an_id_and_a_text_of_its_digits_are_two_values() {
    let mut values = Values::default();
    assert_eq!(values.number(Value::Id(7)), Ok((0, true)));
    assert_eq!(values.number(Value::Text("7")), Ok((1, true)));
    assert_eq!(values.number(Value::Id(7)), Ok((0, false)));
    assert_eq!(values.in_order(), [Value::Id(7), Value::Text("7")]);
}
