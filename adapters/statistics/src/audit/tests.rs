use super::*;
use crate::table::{Dimension, Shape};

fn release(codes: &[&str], figures: &[Option<u64>]) -> Release {
    let dimension = Dimension::flat("d", "T", codes).expect("a dimension");
    let shape = Shape::new(vec![dimension], 100).expect("a shape");
    Release::new("s", shape, figures.to_vec(), 0).expect("a release")
}

fn derive(release: &Release) -> Vec<Derived> {
    audit(release, &AuditBounds::default()).expect("an audit").into_values().collect()
}

#[test]
fn refuses_what_contradicts_itself() {
    let release = release(&["a", "b"], &[Some(1), Some(2), None]);
    assert_eq!(audit(&release, &AuditBounds::default()), Err(AuditError::Inconsistent));
}

#[test]
fn refuses_more_than_its_bounds() {
    let release = release(&["a", "b", "c"], &[Some(9), None, None, None]);
    let with = |most_together, most_solves| {
        audit(&release, &AuditBounds { most_together, most_solves, most_nodes: 10 })
    };
    assert_eq!(with(2, 100), Err(AuditError::TooLarge(3)));
    assert_eq!(with(3, 1), Err(AuditError::OutOfSolves));
    assert!(with(3, 100).is_ok());
}

#[test]
fn the_last_cell_of_a_total_is_derived() {
    let found = derive(&release(&["a", "b"], &[Some(9), Some(5), None]));
    assert_eq!(found, [Derived { reached: Some((4, 4)), possible: (4, Some(4)) }]);
    assert!(!found[0].meets(Need::Width(1)));
}

#[test]
fn two_cells_of_a_total_bound_each_other() {
    let found = derive(&release(&["a", "b", "c"], &[Some(9), Some(5), None, None]));
    assert_eq!(found, [Derived { reached: Some((0, 4)), possible: (0, Some(4)) }; 2]);
    assert!(found[0].meets(Need::Range(0, 4)) && !found[0].meets(Need::Range(0, 5)));
}

#[test]
fn where_everything_is_suppressed_nothing_has_an_upper_bound() {
    let found = derive(&release(&["a", "b"], &[None, None, None]));
    for one in found {
        assert_eq!(one.possible, (0, None));
        assert_eq!(one.reached, Some((0, FAR)));
    }
}

#[test]
fn figures_too_large_for_the_solver_are_not_taken_for_protected() {
    let found = derive(&release(&["a", "b"], &[Some(u64::MAX), None, None]));
    for one in found {
        assert_eq!(one.possible, (0, Some(i128::from(u64::MAX))));
        assert!(!one.meets(Need::Width(i128::from(u64::MAX))));
    }
}
