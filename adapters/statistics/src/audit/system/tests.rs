use super::*;
use crate::table::{Dimension, Shape};

fn release(statistic: &str, codes: &[&str], figures: &[Option<u64>], least: u64) -> Release {
    let dimension = Dimension::flat("d", "T", codes).expect("a dimension");
    let shape = Shape::new(vec![dimension], 100).expect("a shape");
    Release::new(statistic, shape, figures.to_vec(), least).expect("a release")
}

#[test]
fn figures_that_do_not_add_up_are_a_contradiction() {
    let whole = release("s", &["a", "b"], &[Some(5), Some(2), Some(2)], 0);
    assert!(!System::new(&[&whole]).is_consistent);
    let part = release("s", &["a", "b"], &[Some(5), Some(6), None], 0);
    assert!(!System::new(&[&part]).is_consistent);
}

#[test]
fn a_figure_that_is_the_rest_is_known() {
    let one = release("s", &["a", "b"], &[Some(5), Some(2), None], 0);
    let system = System::new(&[&one]);
    assert_eq!(system.possible, [(3, Some(3))]);
    assert!(system.components().is_empty());
}

#[test]
fn what_readers_know_without_figures_narrows_the_others() {
    let one = release("s", &["a", "b", "c"], &[Some(5), None, None, None], 1);
    assert_eq!(System::new(&[&one]).possible, [(1, Some(3)); 3]);
}

#[test]
fn cells_of_two_releases_are_one_figure_only_when_the_statistic_is() {
    let old = release("s", &["a", "b"], &[None, Some(2), None], 0);
    let new = release("s", &["a", "b"], &[Some(5), None, None], 0);
    let system = System::new(&[&old, &new]);
    assert_eq!(system.possible, [(3, Some(3))]);
    assert!(system.contradictions.is_empty());
    let other = release("other", &["a", "b"], &[Some(5), None, None], 0);
    assert_eq!(System::new(&[&old, &other]).possible.len(), 4);
}

#[test]
fn figures_without_a_common_equation_are_apart() {
    let one = release("s", &["a", "b"], &[Some(5), None, None], 0);
    let two = release("t", &["a", "b"], &[Some(5), None, None], 0);
    assert_eq!(System::new(&[&one, &two]).components(), [vec![0, 1], vec![2, 3]]);
}
