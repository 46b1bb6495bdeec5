use std::path::Path;

use lienthong_model::id::OperationId;
use lienthong_policy::{Bundle, PolicySet};

use super::*;

fn shipped() -> PolicySet {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let bundle = Bundle::read(&root.join("policies"), &root.join("schemas")).expect("policies");
    PolicySet::check(&bundle, "2026-11-21".parse().expect("a date")).expect("policies")
}

#[test]
fn terms_share_a_view_only_when_they_let_the_same_pass() {
    let set = shipped();
    let id: OperationId = "getBirthRecord".parse().expect("an id");
    let of_operation = || set.agreements.values().filter_map(|a| a.operations.get(&id));
    let first = of_operation().next().expect("an agreement");
    let mut shared = SharedViews::new(&first.operation);
    let mut views = Vec::new();
    for terms in of_operation() {
        views.push((terms, shared.under(terms).expect("views")));
    }
    assert!(views.len() > 1);
    for (one, of_one) in &views {
        for (other, of_other) in &views {
            let same = one.request_parameters == other.request_parameters
                && one.request_body == other.request_body
                && one.answers == other.answers;
            assert_eq!(Arc::ptr_eq(of_one, of_other), same);
        }
    }
    assert!(views.iter().any(|(_, of)| !Arc::ptr_eq(of, &views[0].1)));
}
