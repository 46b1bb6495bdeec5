use super::*;

fn scope(recipients: &[&str]) -> Scope {
    Scope::new(
        "H29.12".parse().unwrap(),
        recipients.iter().map(|id| id.parse().unwrap()),
        "health-book".parse().unwrap(),
        "health_care".parse().unwrap(),
    )
}

fn covers(scope: &Scope, recipient: &str, controller: &str, service: &str, purpose: &str) -> bool {
    scope.covers(&Asked {
        recipient: &recipient.parse().unwrap(),
        controller: &controller.parse().unwrap(),
        service: &service.parse().unwrap(),
        purpose: &purpose.parse().unwrap(),
    })
}

#[test]
fn covers_nothing_else_than_was_said() {
    let scope = scope(&["H29.41", "H29.30"]);
    assert!(!covers(&scope, "H29.42", "H29.12", "health-book", "health_care"));
    assert!(!covers(&scope, "H29.41", "H29.41", "health-book", "health_care"));
    assert!(!covers(&scope, "H29.41", "H29.12", "health-books", "health_care"));
    assert!(!covers(&scope, "H29.41", "H29.12", "health-book", "research"));
    for recipient in ["H29.41", "H29.30"] {
        assert!(covers(&scope, recipient, "H29.12", "health-book", "health_care"));
    }
}

#[test]
fn is_one_scope_in_whatever_order_recipients_are_said() {
    assert_eq!(scope(&["H29.41", "H29.30", "H29.41"]), scope(&["H29.30", "H29.41"]));
}
