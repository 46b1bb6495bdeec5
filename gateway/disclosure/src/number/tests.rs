use super::*;

fn quantity(raw: &str) -> Quantity {
    Quantity::of(Number { raw })
}

#[test]
fn compares_exactly_where_doubles_would_round() {
    let big = quantity("9007199254740993");
    assert_eq!(big.order(quantity("9007199254740992")), Some(Ordering::Greater));
    assert_eq!(big.order(Quantity::Double(9_007_199_254_740_992.0)), Some(Ordering::Greater));
    assert_eq!(Quantity::Double(0.5).order(quantity("0")), Some(Ordering::Greater));
    assert_eq!(quantity("-1").order(Quantity::Double(-0.5)), Some(Ordering::Less));
    assert_eq!(quantity("-1").order(Quantity::Double(-1.5)), Some(Ordering::Greater));
    assert_eq!(quantity("5").order(Quantity::Double(1e300)), Some(Ordering::Less));
    assert_eq!(quantity("5").order(Quantity::Double(-1e300)), Some(Ordering::Greater));
    assert_eq!(quantity("1.0").order(quantity("1")), Some(Ordering::Equal));
    assert_eq!(quantity("-0").order(Quantity::Double(0.0)), Some(Ordering::Equal));
}

#[test]
fn counts_whole_doubles_as_integers() {
    for raw in ["1", "-7", "1.0", "1e2", "12.50e1", "1e300"] {
        assert!(quantity(raw).is_integer(), "{raw}");
    }
    for raw in ["1.5", "1e-1", "-0.25"] {
        assert!(!quantity(raw).is_integer(), "{raw}");
    }
}

#[test]
fn orders_nothing_against_what_is_no_number() {
    assert_eq!(quantity("1").order(Quantity::Double(f64::NAN)), None);
    assert!(!quantity("1").at_least(Quantity::Double(f64::NAN)));
}
