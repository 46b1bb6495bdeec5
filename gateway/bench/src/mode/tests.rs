use super::*;

#[test]
fn everybody_has_one_turn_a_round_and_the_first_changes() {
    assert_eq!(order(3, 0).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(order(3, 4).collect::<Vec<_>>(), [1, 2, 0]);
}

#[test]
fn a_request_ends_with_an_empty_line() {
    for size in Size::ALL {
        assert!(request(size).ends_with("\r\n\r\n"));
        assert!(!request(size).contains("\n\n"));
    }
}
