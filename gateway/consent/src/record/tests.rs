use jiff::civil::date;
use lienthong_model::sensitive::Sensitive;
use serde_json::json;

use super::*;
use crate::{
    hex,
    identifier::Identifier,
    keys::{SealKey, Sealing, SubjectKey},
    testing::{CITIZEN, statement},
};

fn record(said: bool, state: State) -> ConsentRecord {
    let statement = statement(&json!({}));
    let id = ConsentId::parse("019ad3f0-5b1a-7c3e-9d27-0a6b8e4f1c55").unwrap();
    let seal = SealKey::new(&Sensitive::new([1; 32])).unwrap();
    let person = Identifier::new("citizen_number", CITIZEN, "data_subject").unwrap();
    let sealed = seal.seal(id, Sealing::DataSubject, &person).unwrap();
    let subject_key = SubjectKey::new(&Sensitive::new([2; 32]));
    let said = said.then(|| Said {
        data_subject: sealed,
        notice: statement.notice.clone(),
        given: statement.given.clone(),
        collector: "desk-1".parse().unwrap(),
        account_level_met: true,
        representative: None,
        child: false,
        child_agreed: false,
        period: statement.period,
        frequency: statement.frequency,
        retention_days: statement.retention_days,
        statement: subject_key.statement(id, &statement.hash()),
        proof: Some(seal.seal_proof(id, "a.b.c").unwrap()),
    });
    let subject = subject_key.digest("citizen_number", CITIZEN);
    let at = date(2026, 11, 30).at(8, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    let fields = statement.fields.clone();
    ConsentRecord::new((id, subject), statement.scope, (fields, said), state, at.timestamp())
}

#[test]
fn refuses_bytes_of_another_form() {
    let bytes = record(true, State::Given).bytes().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let later = text.replacen("\"form\":1", "\"form\":2", 1);
    assert_ne!(later, text);
    let unknown = text.replacen('{', "{\"more\":1,", 1);
    for bytes in ["", "{}", &later, &unknown] {
        assert!(ConsentRecord::read(bytes.as_bytes()).is_err(), "{bytes}");
    }
}

#[test]
fn is_what_was_written() {
    for (said, state) in [(true, State::Given), (false, State::Lost)] {
        let record = record(said, state);
        assert_eq!(ConsentRecord::read(&record.bytes().unwrap()), Ok(record));
    }
    let by = Author { collector: "desk-1".parse().unwrap(), channel: Channel::Paper };
    for by in [None, Some(by)] {
        let event = ConsentEvent { action: Action::Use, at: Timestamp::UNIX_EPOCH, by };
        assert_eq!(ConsentEvent::read(&event.bytes().unwrap()), Ok(event));
    }
}

#[test]
fn shows_nobody_and_nothing_that_tells_who() {
    let record = record(true, State::Given);
    let subject = hex::encode(record.subject.as_bytes());
    let sealed = serde_json::to_value(&record.said.as_ref().unwrap().data_subject).unwrap();
    for shown in [record.view(17).to_string(), format!("{record:?}")] {
        for secret in [CITIZEN, subject.as_str(), sealed.as_str().unwrap()] {
            assert!(!shown.contains(secret));
        }
    }
    let kept = String::from_utf8(record.bytes().unwrap()).unwrap();
    assert!(!kept.contains(CITIZEN) && kept.contains(&subject));
}

#[test]
fn shows_the_words_of_the_vocabulary() {
    let view = record(true, State::Withdrawn).view(17);
    assert_eq!(view["revision"], 17);
    assert_eq!(view["state"], "withdrawn");
    assert_eq!(view["dpv:hasConsentStatus"], "dpv:ConsentWithdrawn");
    assert_eq!(view["dpv:hasPurpose"], "health_care");
    assert_eq!(view["dpv:hasRecipient"], json!(["H29.30", "H29.41"]));
    assert_eq!(view["dpv:isIndicatedBy"], "data_subject");
    assert_eq!(view["dpv:isIndicatedAtTime"], "2026-11-30T08:00:00Z");
    assert_eq!(view["dpv:hasNotice"]["language"], "vi");
    assert_eq!(view["account_level"], "met");
    assert_eq!(view["witnessed"], true);
    assert!(view.get("relationship").is_none());
    assert!(record(false, State::Lost).view(1).get("dpv:hasNotice").is_none());
}
