use rand::SeedableRng as _;

use super::*;

fn sessions(quotas: Quotas) -> Sessions {
    Sessions::new(60, quotas, StdRng::seed_from_u64(1))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_020 + second).unwrap()
}

#[test]
fn refuses_a_session_that_nobody_opened_or_that_has_ended() {
    let mut sessions = sessions(Quotas::default());
    assert_eq!(sessions.take("x", at(0)), Err(SESSION_EXPIRED));
    let id = sessions.open(at(0));
    assert_eq!(sessions.take(&id, at(59)), Ok(()));
    assert_eq!(sessions.take(&id, at(60)), Err(SESSION_EXPIRED));
    assert_eq!(sessions.take(&id, at(0)), Err(SESSION_EXPIRED), "it does not come back");
}

#[test]
fn a_clock_that_is_ahead_ends_sessions_early() {
    let mut sessions = sessions(Quotas::default());
    let id = sessions.open(at(0));
    assert_eq!(sessions.take(&id, at(10 + 55)), Err(SESSION_EXPIRED));
}

#[test]
fn refuses_calls_beyond_each_quota_by_its_own_code() {
    let mut one = sessions(Quotas { per_session: Some(1), ..Quotas::default() });
    let id = one.open(at(0));
    assert_eq!(one.take(&id, at(0)), Ok(()));
    assert_eq!(one.take(&id, at(0)), Err(SESSION_QUOTA));
    let id = one.open(at(0));
    assert_eq!(one.take(&id, at(0)), Ok(()), "a new session counts anew");

    let mut one = sessions(Quotas { per_minute: Some(2), ..Quotas::default() });
    let id = one.open(at(0));
    assert_eq!([one.take(&id, at(0)), one.take(&id, at(1))], [Ok(()), Ok(())]);
    assert_eq!(one.take(&id, at(2)), Err(MINUTE_QUOTA));
    let next_minute = at(60 - at(0).as_second().rem_euclid(60));
    let id = one.open(next_minute);
    assert_eq!(one.take(&id, next_minute), Ok(()));

    let mut one = sessions(Quotas { per_day: Some(1), ..Quotas::default() });
    let id = one.open(at(0));
    assert_eq!(one.take(&id, at(0)), Ok(()));
    assert_eq!(one.take(&id, at(1)), Err(ACCOUNT_QUOTA));
}

#[test]
fn keeps_a_bounded_number_of_sessions() {
    let mut sessions = sessions(Quotas::default());
    let first = sessions.open(at(0));
    for _ in 0..MOST_SESSIONS {
        sessions.open(at(1));
    }
    assert_eq!(sessions.open.len(), MOST_SESSIONS);
    assert_eq!(sessions.take(&first, at(2)), Err(SESSION_EXPIRED));
}
