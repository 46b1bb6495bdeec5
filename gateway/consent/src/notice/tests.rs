use jiff::civil::date;

use super::*;
use crate::{
    rights::tests::{at, person},
    testing::CITIZEN,
};

pub(crate) const OPENED: &str = "2026-11-30T03:00:00Z";

pub(crate) fn telling(participant: &str, cause: Cause) -> Telling {
    let id = NoticeId::new(at(OPENED));
    let (subject, data_subject) = person(id.sealing(), CITIZEN);
    Telling {
        id,
        participant: participant.parse().unwrap(),
        cause,
        subject,
        data_subject,
        service: "health-book".parse().unwrap(),
        exchanges: Exchanges {
            count: 3,
            first_at: at("2026-10-01T00:00:00Z"),
            last_at: at("2026-11-01T00:00:00Z"),
            newest_index: 41,
        },
    }
}

pub(crate) fn withdrawal() -> Cause {
    Cause::Consent { id: ConsentId::from_bytes([9; 16]), action: Action::Withdraw }
}

pub(crate) fn notice(participant: &str) -> NoticeRecord {
    NoticeRecord::opened(telling(participant, withdrawal()), at(OPENED), NOTICE_DAYS).unwrap()
}

#[test]
fn refuses_causes_that_nobody_is_told_of() {
    let told = [Action::Withdraw, Action::Restrict, Action::Object];
    for action in Action::ALL {
        let cause = Cause::Consent { id: ConsentId::from_bytes([9; 16]), action };
        let opened = NoticeRecord::opened(telling("H29.30", cause), at(OPENED), NOTICE_DAYS);
        assert_eq!(opened.is_ok(), told.contains(&action), "{action:?}");
    }
    for kind in RightKind::ALL {
        let cause = Cause::Right { id: RightId::from_bytes([9; 16]), kind };
        assert_eq!(cause.is_told(), kind != RightKind::View, "{kind:?}");
    }
}

#[test]
fn refuses_a_notice_of_nothing_received() {
    let mut nothing = telling("H29.30", withdrawal());
    nothing.exchanges.count = 0;
    let opened = NoticeRecord::opened(nothing, at(OPENED), NOTICE_DAYS);
    assert_eq!(opened, Err(NoticeError::Exchanges));
    let mut backwards = telling("H29.30", withdrawal());
    backwards.exchanges.last_at = at("2026-09-01T00:00:00Z");
    assert!(NoticeRecord::opened(backwards, at(OPENED), NOTICE_DAYS).is_err());
}

#[test]
fn is_acknowledged_once() {
    let pending = notice("H29.30");
    let done = pending.acknowledge(Handled::Deleted, at("2026-12-01T00:00:00Z")).unwrap();
    assert!(done.acknowledge(Handled::NotHeld, at("2026-12-01T00:00:00Z")).is_err());
    let said = done.acknowledged.unwrap();
    assert_eq!((said.by.as_str(), said.done), ("H29.30", Handled::Deleted));
}

#[test]
fn is_overdue_after_its_last_day_until_acknowledged() {
    let pending = notice("H29.30");
    assert_eq!(pending.due, date(2026, 12, 5));
    let over = at("2026-12-05T17:00:00Z");
    assert!(!pending.is_overdue(at("2026-12-05T16:59:59Z")));
    assert!(pending.is_overdue(over));
    assert!(!pending.acknowledge(Handled::Stopped, over).unwrap().is_overdue(over));
}

#[test]
fn refuses_records_of_another_form_and_tells_nobody_who() {
    let record = notice("H29.30");
    let text = serde_json::to_string(&record).unwrap();
    assert!(!text.contains(CITIZEN) && !format!("{record:?}").contains(CITIZEN));
    assert_eq!(serde_json::from_str::<NoticeRecord>(&text).unwrap(), record);
    let later = text.replace(r#""form":1"#, r#""form":2"#);
    assert!(serde_json::from_str::<NoticeRecord>(&later).is_err());
    let more = text.replace(r#""form":1"#, r#""form":1,"name":"x""#);
    assert!(serde_json::from_str::<NoticeRecord>(&more).is_err());
}
