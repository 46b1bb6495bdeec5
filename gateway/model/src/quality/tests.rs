use super::*;

fn share(good: u64, all: u64) -> Share {
    Share { good, all }
}

#[test]
fn refuses_what_is_no_ratio() {
    for text in ["", "1.1", "2", "-0.5", "0.9999999", ".5", "0.", "1e0", "98%", "1.000001", "0,98"]
    {
        assert!(text.parse::<Ratio>().is_err(), "{text}");
    }
    for (text, told) in [("0", "0.0"), ("1", "1.0"), ("0.98", "0.98"), ("0.980000", "0.98")] {
        assert_eq!(text.parse::<Ratio>().unwrap().to_string(), told);
    }
}

#[test]
fn shares_are_compared_exactly() {
    let ratio: Ratio = "0.98".parse().unwrap();
    assert!(share(97, 100).is_below(ratio) && !share(98, 100).is_below(ratio));
    assert!(share(979_999, 1_000_000).is_below(ratio));
    assert!(!share(0, 0).is_below(Ratio::ONE), "nothing was counted");
    assert!(share(1, 3).is_worse_than(share(2, 5)) && !share(2, 6).is_worse_than(share(1, 3)));
    assert!(share(u64::MAX - 1, u64::MAX).is_below(Ratio::ONE));
}

#[test]
fn a_set_of_criteria_is_a_number_and_comes_back() {
    let set: Criteria = [Criterion::Complete, Criterion::Identifiers].into_iter().collect();
    assert_eq!(Criteria::of_bits(set.bits()), set);
    assert_eq!(set.iter().collect::<Vec<_>>(), [Criterion::Complete, Criterion::Identifiers]);
    assert!(!set.contains(Criterion::Correct) && Criteria::default().is_empty());
}

#[test]
fn marks_are_added_by_criterion() {
    let mut marks = Marks::default();
    marks.add(Criterion::Live, share(1, 2));
    let mut sum = marks;
    sum += marks;
    assert_eq!((sum.of(Criterion::Live), sum.of(Criterion::Clean)), (share(2, 4), share(0, 0)));
}
