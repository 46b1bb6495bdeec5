use super::*;

#[test]
fn nothing_happens_to_what_is_final() {
    for state in State::ALL.into_iter().filter(|state| state.is_final()) {
        for action in Action::ALL {
            let error = state.after(action).unwrap_err();
            assert_eq!(error, StateError { state, action });
            assert_eq!(error.reason(), ReasonCode::ConsentState);
        }
    }
}

#[test]
fn nothing_is_given_or_refused_a_second_time() {
    for state in [State::Given, State::Restricted] {
        assert!(state.after(Action::Give).is_err());
        assert!(state.after(Action::Refuse).is_err());
    }
    assert!(State::Given.after(Action::Release).is_err());
    assert!(State::Restricted.after(Action::Restrict).is_err());
    assert!(State::Restricted.after(Action::Use).is_err());
}

#[test]
fn only_a_release_leads_back_to_given() {
    for state in State::ALL {
        for action in Action::ALL {
            if state.after(action) == Ok(State::Given) {
                assert_eq!((state, action), (State::Restricted, Action::Release));
            }
        }
    }
}

#[test]
fn a_record_begins_with_a_statement_or_a_loss() {
    let begins: Vec<_> = Action::ALL.into_iter().filter_map(State::beginning).collect();
    assert_eq!(begins, [State::Given, State::Refused, State::Lost]);
}

#[test]
fn words_are_the_ones_that_are_written_down() {
    for state in State::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    for action in Action::ALL {
        assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
    }
}
