use super::closed;
use crate::state::{Action, State};

/// Whatever a log says: a consent is never more afterwards than it was.
#[test]
fn nothing_that_is_replayed_makes_a_consent_hold() {
    for state in State::ALL {
        for action in Action::ALL {
            let after = closed(state, action);
            assert_ne!(after, State::Given, "{state:?} {action:?}");
            if state.is_final() {
                assert_eq!(after, state, "{action:?}");
            }
        }
    }
}

#[test]
fn what_the_person_said_is_what_it_is_afterwards() {
    for (action, state) in [
        (Action::Withdraw, State::Withdrawn),
        (Action::Restrict, State::Restricted),
        (Action::Object, State::Objected),
        (Action::Use, State::Used),
    ] {
        assert_eq!(closed(State::Given, action), state);
    }
    // What a restriction was released for, the store cannot tell.
    assert_eq!(closed(State::Restricted, Action::Release), State::Lost);
}
