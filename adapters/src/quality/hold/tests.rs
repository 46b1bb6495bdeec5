use lienthong_model::quality::Criteria;

use super::*;
use crate::config::QualityConfig;

fn marks(correct: (u64, u64), clean: (u64, u64)) -> Marks {
    let mut marks = Marks::default();
    for (criterion, (good, all)) in [(Criterion::Correct, correct), (Criterion::Clean, clean)] {
        marks.set(criterion, Share { good, all });
    }
    marks
}

fn settings() -> QualityConfig {
    let ratio = |text: &str| text.parse().unwrap();
    let thresholds = [(Criterion::Correct, ratio("0.9")), (Criterion::Clean, ratio("0.5"))];
    QualityConfig { thresholds: thresholds.into(), ..QualityConfig::default() }
}

fn failing(marks: &Marks) -> Criteria {
    low(&settings(), marks).into_iter().map(|low| low.criterion).collect()
}

#[test]
fn nothing_is_too_low_before_there_are_rows_enough() {
    assert!(failing(&marks((0, 99), (0, 99))).is_empty());
    assert_eq!(failing(&marks((89, 100), (0, 100))).iter().count(), 2);
    assert!(failing(&marks((90, 100), (50, 100))).is_empty(), "at the threshold");
}

#[test]
fn what_a_person_said_counts_until_a_score_that_is_too_low_is_worse() {
    let release = Release { why: "x".to_owned(), scores: marks((80, 100), (90, 100)) };
    let still = |marks: &Marks| counts(&release, &low(&settings(), marks));
    assert!(still(&marks((80, 100), (90, 100))));
    assert!(still(&marks((161, 200), (60, 100))), "better, and another that is not too low");
    assert!(!still(&marks((79, 100), (90, 100))), "worse");
    assert!(!still(&marks((85, 100), (40, 100))), "another is too low");
    assert!(!still(&marks((95, 100), (90, 100))), "nothing is too low any more");
}
