use super::*;

#[test]
fn what_is_not_near_a_whole_number_is_no_figure() {
    assert_eq!(whole(2.5), None);
    assert_eq!(whole(2.001), None);
    assert_eq!(whole(f64::NAN), None);
    assert_eq!(whole(f64::INFINITY), None);
    assert_eq!(whole(1e18), None);
    assert_eq!(whole(2.000_000_1), Some(2));
    assert_eq!(whole(-0.000_000_1), Some(0));
}

#[test]
fn the_end_of_an_interval_is_moved_outward() {
    assert_eq!(outward(2.000_000_1, Direction::Down), Some(2));
    assert_eq!(outward(1.999_999_9, Direction::Down), Some(2));
    assert_eq!(outward(1.999_999_9, Direction::Up), Some(2));
    assert_eq!(outward(2.5, Direction::Up), Some(2));
    assert_eq!(outward(2.5, Direction::Down), Some(3));
    assert_eq!(outward(f64::NAN, Direction::Up), None);
}

#[test]
fn numbers_that_floating_point_does_not_hold_are_not_given_to_it() {
    assert_eq!(float(EXACT + 1), None);
    assert_eq!(float(-EXACT), Some(-281_474_976_710_656.0));
}
