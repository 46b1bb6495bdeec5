use super::*;

fn entry(value: u32, above: &[u32]) -> (Value<'static>, Vec<Value<'static>>) {
    (Value::Id(value), above.iter().map(|class| Value::Id(*class)).collect())
}

#[test]
fn refuses_what_is_no_ladder() {
    let new = |entries: &[(Value<'static>, Vec<Value<'static>>)]| Ladder::new(entries).err();
    assert_eq!(new(&[entry(1, &[1, 1]), entry(2, &[1])]), Some(LadderError::Uneven(1)));
    assert_eq!(new(&[entry(1, &[1]), entry(1, &[1])]), Some(LadderError::Twice(1)));
    assert_eq!(new(&[entry(1, &[1, 1]), entry(2, &[1, 2])]), Some(LadderError::Parts(1)));
    assert_eq!(new(&[entry(1, &[0; MOST_LEVELS + 1])]), Some(LadderError::TooLarge));
    let long = "a".repeat(300);
    assert_eq!(new(&[(Value::Id(1), vec![])]), None);
    let long = [(Value::Id(1), vec![Value::Text(&long)])];
    assert_eq!(Ladder::new(&long).err(), Some(LadderError::TextTooLong(0)));
}

#[test]
fn names_the_column_whose_value_is_missing_and_not_the_value() {
    let ladder = Ladder::new(&[entry(1, &[0])]).expect("a ladder");
    let error = ladder.climb("ward", &[Value::Id(1), Value::Id(8)]).expect_err("a stranger");
    assert_eq!(error.to_string(), "the ladder of column `ward` lacks a value of the record set");
}

#[test]
fn values_become_one_level_by_level() {
    let ladder = Ladder::new(&[entry(1, &[0, 0]), entry(2, &[0, 0]), entry(3, &[1, 0])]);
    let seen = [Value::Id(3), Value::Id(1), Value::Id(2)];
    let climbed = ladder.expect("a ladder").climb("age", &seen).expect("levels");
    assert_eq!(climbed, [[0, 1, 2], [1, 0, 0], [0, 0, 0]]);
}
