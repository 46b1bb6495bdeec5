use proptest::prelude::*;

use super::*;

fn status(number: u64) -> Status {
    Status::new(number).unwrap()
}

fn standing(text: &str) -> Standing {
    text.parse().unwrap()
}

fn step(text: &str, step: Step, to: u64) -> Result<String, String> {
    let mut standing = standing(text);
    let taken = standing.step(&Transitions::default(), step, status(to));
    taken.map(|()| standing.to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_move_that_the_table_does_not_have_is_refused_with_the_history() {
    let told = step("1,2,4*3", Step::Sync, 10).unwrap_err();
    assert_eq!(told, "status 10 may not follow 4 (history 1,2,4*3)");
    assert_eq!(step("", Step::Sync, 4).unwrap_err(), "dossier may not begin with status 4");
    assert_eq!(step("", Step::Progress, 2).unwrap_err(), "dossier may not begin with status 2");
    for closed in [3, 7, 8, 10] {
        assert!(Transitions::default().is_terminal(status(closed)));
        for to in Status::all().filter(|to| *to != status(closed)) {
            assert!(!Transitions::default().may_move(status(closed), to), "{closed} to {to}");
        }
    }
}

#[test]
fn a_refused_step_leaves_the_standing_as_it_was() {
    let mut standing = standing("1,2");
    standing.step(&Transitions::default(), Step::Sync, status(9)).unwrap_err();
    assert_eq!(standing.to_string(), "1,2");
}

#[test]
fn a_dossier_goes_from_its_registration_to_the_handing_over_of_its_result() {
    let mut standing = Standing::default();
    let table = Transitions::default();
    standing.step(&table, Step::Sync, status(1)).unwrap();
    for (kind, to) in [
        (Step::Sync, 2),
        (Step::Progress, 4),
        (Step::Progress, 4),
        (Step::Progress, 5),
        (Step::Progress, 4),
        (Step::Progress, 6),
        (Step::Progress, 4),
        (Step::Sync, 9),
        (Step::Sync, 9),
        (Step::Sync, 10),
    ] {
        standing.step(&table, kind, status(to)).unwrap();
    }
    assert_eq!(standing.to_string(), "1,2,4*2,5,4,6,4,9*2,10");
    assert_eq!(standing.status(), Some(status(10)));
}

#[test]
fn a_history_stays_short_however_often_a_dossier_moves() {
    let mut standing = standing("2");
    let table = Transitions::default();
    for _ in 0..1_000 {
        for to in [4, 4, 5, 5] {
            standing.step(&table, Step::Progress, status(to)).unwrap();
        }
    }
    let text = standing.to_string();
    assert!(text.len() < 300 && text.starts_with("..,") && text.ends_with("4*2,5*2"), "{text}");
    assert_eq!(text.parse::<Standing>().unwrap(), standing);
}

#[test]
fn what_is_no_history_is_not_read_as_one() {
    for text in ["0", "11", "1,", ",1", "1;2", "1*0", "1*x", "04", "+4", "..", "1,..", "1 "] {
        assert!(text.parse::<Standing>().is_err(), "{text}");
    }
    assert!("1,".repeat(2_000).parse::<Standing>().is_err());
}

#[test]
fn statuses_have_their_names() {
    assert_eq!(status(1).vietnamese(), "Mới đăng ký");
    assert_eq!(status(7).vietnamese(), "Công dân yêu cầu rút hồ sơ");
    assert_eq!(status(10).english(), "result handed over");
    assert!(Status::all().all(|s| !s.english().is_empty() && !s.vietnamese().is_empty()));
    assert!(Status::new(0).is_none() && Status::new(11).is_none());
}

proptest! {
    /// A walk is taken exactly as far as each of its moves stands in the table.
    #[test]
    fn a_step_is_taken_when_and_only_when_the_table_has_it(
        steps in proptest::collection::vec((any::<bool>(), 1_u64..=10), 1..40)
    ) {
        let pairs = "1>2 1>3 1>7 2>4 2>5 2>7 2>8 4>5 4>6 4>7 4>8 4>9 5>4 5>7 5>8 6>4 6>7 6>8 9>10";
        let mut standing = Standing::default();
        let mut at: Option<u64> = None;
        for (is_sync, to) in steps {
            let kind = if is_sync { Step::Sync } else { Step::Progress };
            let legal = match at {
                None => is_sync && to <= 2,
                Some(from) => {
                    from == to || pairs.split(' ').any(|pair| pair == format!("{from}>{to}"))
                }
            };
            let taken = standing.step(&Transitions::default(), kind, status(to));
            prop_assert_eq!(taken.is_ok(), legal);
            if legal {
                at = Some(to);
            }
            prop_assert_eq!(standing.status().map(|s| s.to_string()), at.map(|n| n.to_string()));
            prop_assert_eq!(&standing.to_string().parse::<Standing>().unwrap(), &standing);
        }
    }
}
