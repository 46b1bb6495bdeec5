use jiff::civil::date;
use lienthong_model::sensitive::Sensitive;

use super::*;
use crate::{
    identifier::Identifier,
    keys::{SealKey, Sealing, SubjectKey},
    testing::CITIZEN,
};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A person's digest, and the identifier sealed for a record.
pub(crate) fn person(record: ConsentId, number: &str) -> (SubjectDigest, Sealed) {
    let identifier = Identifier::new("citizen_number", number, "data_subject").unwrap();
    let seal_key = SealKey::new(&Sensitive::new([7; 32])).unwrap();
    let sealed = seal_key.seal(record, Sealing::DataSubject, &identifier).unwrap();
    (SubjectKey::new(&Sensitive::new([6; 32])).digest_of(&identifier), sealed)
}

pub(crate) fn request(kind: RightKind, now: Timestamp) -> RightRequest {
    let id = RightId::new(now);
    let (subject, data_subject) = person(id.sealing(), CITIZEN);
    RightRequest {
        id,
        subject,
        data_subject,
        kind,
        about: About { consent: None, service: Some("health-book".parse().unwrap()) },
        channel: Channel::Paper,
        involved: Involved::ControllerAlone,
        by: "front-desk".parse().unwrap(),
    }
}

pub(crate) fn reason(text: &str) -> Reason {
    text.to_owned().try_into().unwrap()
}

pub(crate) fn refuse() -> Step {
    let cites = "pdpl-2025#14.2".to_owned().try_into().unwrap();
    Step::Refuse { cites, reason: reason("kept_by_law") }
}

fn received(kind: RightKind) -> RightRecord {
    let now = at("2026-11-30T03:00:00Z");
    RightRecord::received(request(kind, now), now, &Holidays::default())
}

fn steps() -> [Step; 4] {
    let extend = Step::Extend { reason: reason("archive_abroad") };
    [Step::Acknowledge {}, extend, Step::Fulfil {}, refuse()]
}

#[test]
fn refuses_every_step_that_a_state_does_not_allow() {
    use RightAction::{Acknowledge, Extend, Fulfil, Refuse};
    let allowed = |state| match state {
        RightState::Received => vec![Acknowledge],
        RightState::Acknowledged => vec![Extend, Fulfil, Refuse],
        RightState::Extended => vec![Fulfil, Refuse],
        RightState::Fulfilled | RightState::Refused => vec![],
    };
    for state in RightState::ALL {
        for action in RightAction::ALL {
            let is_allowed = allowed(state).contains(&action);
            assert_eq!(state.after(action).is_ok(), is_allowed, "{state:?} {action:?}");
        }
        assert_eq!(state.is_final(), allowed(state).is_empty());
    }
}

#[test]
fn refuses_to_extend_what_is_overdue() {
    let record = received(RightKind::View);
    let record = record.after(&Step::Acknowledge {}, at("2026-12-01T03:00:00Z")).unwrap();
    assert_eq!(record.due.answer_by, date(2026, 12, 10));
    let [_, extend, ..] = steps();
    assert_eq!(record.after(&extend, at("2026-12-10T17:00:00Z")), Err(StepError::Late));
    let extended = record.after(&extend, at("2026-12-10T16:59:59Z")).unwrap();
    assert_eq!(extended.due.answer_by, date(2026, 12, 20));
    assert_eq!(extended.next_due(), Some(date(2026, 12, 20)));
    assert!(extended.after(&extend, at("2026-12-11T03:00:00Z")).is_err());
}

#[test]
fn a_late_answer_is_still_an_answer() {
    let late = at("2027-03-01T03:00:00Z");
    let record = received(RightKind::Delete);
    assert!(record.is_overdue(late));
    let record = record.after(&Step::Acknowledge {}, late).unwrap();
    assert!(record.is_overdue(late));
    let record = record.after(&refuse(), late).unwrap();
    assert!(!record.is_overdue(late));
    assert_eq!(record.refusal.unwrap().cites.to_string(), "pdpl-2025#14.2");
}

#[test]
fn is_overdue_first_for_the_acknowledgement() {
    let record = received(RightKind::Withdraw);
    assert!(!record.is_overdue(at("2026-12-02T16:59:59Z")));
    assert!(record.is_overdue(at("2026-12-02T17:00:00Z")));
}

#[test]
fn a_clock_set_back_makes_no_older_event() {
    let record = received(RightKind::View);
    let record = record.after(&Step::Acknowledge {}, at("2020-01-01T00:00:00Z")).unwrap();
    assert_eq!(record.acknowledged_at, Some(record.received_at));
}

#[test]
fn refuses_reasons_and_articles_with_room_for_a_person() {
    for text in ["", "Nguyễn Văn A", "citizen 1", "id_079085000001", "1st", "a@b", &"a".repeat(65)]
    {
        assert_eq!(Reason::try_from(text.to_owned()), Err(WordError::Reason), "{text}");
    }
    for text in ["", "pdpl-2025", "#14", "pdpl-2025#", "pdpl-2025#14..2", "pdpl-2025#079085000001"]
    {
        assert_eq!(Cited::try_from(text.to_owned()), Err(WordError::Cited), "{text}");
    }
    assert_eq!(reason("decided_in_2026").as_str(), "decided_in_2026");
    let cited = Cited::try_from("pdpl-2025#19.1.đ".to_owned()).unwrap();
    assert_eq!((cited.instrument().as_str(), cited.article()), ("pdpl-2025", "19.1.đ"));
}

#[test]
fn refuses_records_of_another_form() {
    let record = serde_json::to_value(received(RightKind::Object)).unwrap();
    let read = |value| serde_json::from_value::<RightRecord>(value);
    let mut later = record.clone();
    later["form"] = 2.into();
    assert!(read(later).is_err());
    let mut more = record.clone();
    more["name"] = "x".into();
    assert!(read(more).is_err());
    assert_eq!(read(record).unwrap().kind, RightKind::Object);
    assert!(serde_json::from_str::<Step>(r#"{"refuse":{"reason":"kept_by_law"}}"#).is_err());
    assert!(serde_json::from_str::<Step>(r#"{"fulfil":{"note":"x"}}"#).is_err());
}

#[test]
fn every_step_comes_back_from_json() {
    for step in steps() {
        let text = serde_json::to_string(&step).unwrap();
        assert_eq!(serde_json::from_str::<Step>(&text).unwrap(), step);
        assert!(text.contains(step.action().as_str()));
    }
}

#[test]
fn neither_the_record_nor_its_debug_tells_who() {
    let record = received(RightKind::View);
    assert!(!serde_json::to_string(&record).unwrap().contains(CITIZEN));
    assert!(!format!("{record:?}").contains(CITIZEN));
}
