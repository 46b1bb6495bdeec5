use lienthong_policy::operator::OperatorRole::{Auditor, Compliance, Monitor, Operator};

use super::*;

#[test]
fn a_role_allows_what_its_table_says_and_nothing_else() {
    let table = [
        (Task::Observe, &[Operator, Compliance, Auditor, Monitor][..]),
        (Task::Hashes, &[Auditor, Monitor]),
        (Task::Entries, &[Auditor]),
        (Task::Reload, &[Operator]),
        (Task::Drain, &[Operator]),
        (Task::Why, &[Operator, Compliance, Auditor]),
        (Task::Search, &[Compliance, Auditor]),
        (Task::Keys, &[]),
    ];
    for (task, roles) in table {
        for role in [Operator, Compliance, Auditor, Monitor] {
            assert_eq!(allows(role, task), roles.contains(&role), "{task:?} by {role:?}");
        }
        assert!(Actor::Local.may(task).is_ok());
    }
}
