use super::*;

#[test]
fn refuses_what_is_no_snapshot() {
    for text in ["", "1", "1:2", "2:1:", "1:5:7", "1:5:x", "a:5:"] {
        assert!(text.parse::<Moment>().is_err(), "{text}");
    }
}

#[test]
fn a_short_moment_counts_nothing_as_ended_that_had_not() {
    let open: Vec<String> = (100..300).step_by(2).map(|n: u64| n.to_string()).collect();
    let text = format!("100:300:{}", open.join(","));
    let whole: Moment = text.parse().unwrap();
    let short = whole.clone().short();
    let ended = |moment: &Moment, n: u64| n < moment.end && !moment.open.contains(&n);
    for n in 90..310 {
        assert!(!ended(&short, n) || ended(&whole, n), "{n}");
    }
    assert!(ended(&short, 101) && String::from(short.clone()).len() < 300);
    assert_eq!(String::from(short.clone()).parse::<Moment>().unwrap(), short);
}
