use lienthong_model::clock::civil_date;
use lienthong_policy::{Bundle, PolicySet};

use super::*;

#[test]
fn the_policies_hold_for_any_number_of_agreements() {
    for agreements in [2, 10, 57] {
        let bundle = Bundle::from_files(policies(agreements));
        let set = PolicySet::check(&bundle, civil_date(clock().now())).expect("policies");
        assert_eq!(set.agreements.len(), agreements);
        assert_eq!(set.services.len(), agreements.clamp(1, 10));
    }
}

#[test]
fn the_same_terms_hold_on_consent_and_on_another_basis() {
    let mut files = policies(2);
    files.extend(consents::files());
    let set = PolicySet::check(&Bundle::from_files(files), civil_date(clock().now()));
    let set = set.expect("policies");
    let terms = |id: &str| set.agreements.get(id).expect("an agreement");
    let (other, consented) = (terms("bench-consumer"), terms("bench-consented"));
    assert!(other.consent.is_none() && consented.consent.is_some());
    let masks = |of: &lienthong_policy::Agreement| {
        let operations = of.operations.values();
        operations.map(|operation| operation.answers.clone()).collect::<Vec<_>>()
    };
    assert_eq!(masks(other), masks(consented));
    assert_eq!(other.limits, consented.limits);
    assert!(set.notice("bench-notice").is_some());
}

#[test]
fn the_streaming_service_holds_too() {
    let mut files = policies(2);
    files.extend(streams::files());
    let set = PolicySet::check(&Bundle::from_files(files), civil_date(clock().now()));
    let set = set.expect("policies");
    let agreement = set.agreements.get("bench-streams").expect("the agreement");
    assert!(agreement.limits.data.elements_per_stream.is_some());
    assert_eq!(agreement.limits.data.subjects_per_officer_hour, None);
    let service = set.services.get(streams::ID).expect("the service");
    assert!(service.operations.values().all(|operation| operation.stream(200).is_some()));
}
