//! Reading a statement: every member named, none unknown, none twice.

use jiff::civil::Date;
use lienthong_model::{id::ParticipantId, reason::ReasonCode, text::Language};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    AccountLevel, Channel, Decision, Frequency, Given, NoticeShown, Relationship, Representative,
    Statement, StatementError,
};
use crate::{
    fields::{Fields, MOST_FIELDS},
    hex,
    identifier::Identifier,
    period::Period,
    scope::{MOST_RECIPIENTS, Scope},
};

/// Most bytes of a statement.
pub(crate) const LONGEST_STATEMENT: usize = 64 * 1024;
const LONGEST_NAME: usize = 80;
const LONGEST_RETENTION_DAYS: u32 = 36_500;

type Raw<'a> = Option<&'a RawValue>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    data_subject: Raw<'a>,
    #[serde(borrow)]
    controller: Raw<'a>,
    #[serde(borrow)]
    recipients: Raw<'a>,
    #[serde(borrow)]
    service: Raw<'a>,
    #[serde(borrow)]
    purpose: Raw<'a>,
    #[serde(borrow)]
    fields: Raw<'a>,
    #[serde(borrow)]
    notice: Raw<'a>,
    #[serde(borrow)]
    given: Raw<'a>,
    #[serde(borrow)]
    account_level: Raw<'a>,
    #[serde(borrow)]
    representative: Raw<'a>,
    #[serde(borrow)]
    child_agreed: Raw<'a>,
    #[serde(borrow)]
    birth_date: Raw<'a>,
    #[serde(borrow)]
    period: Raw<'a>,
    #[serde(borrow)]
    frequency: Raw<'a>,
    #[serde(borrow)]
    retention_days: Raw<'a>,
    #[serde(borrow)]
    decision: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireIdentifier {
    kind: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireNotice {
    id: String,
    hash: String,
    language: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireGiven {
    channel: String,
    reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRepresentative {
    identifier: WireIdentifier,
    relationship: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePeriod {
    from: String,
    until: String,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    /// When it is no JSON object of just these members, or one of them has another shape.
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let malformed = StatementError::new(ReasonCode::RequestMalformed, "statement");
        if bytes.len() > LONGEST_STATEMENT {
            return Err(malformed);
        }
        let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(|_| malformed)?;
        let data_subject: WireIdentifier = member(wire.data_subject, "data_subject")?;
        Ok(Self {
            data_subject: data_subject.checked("data_subject")?,
            scope: scope(&wire)?,
            fields: fields(wire.fields)?,
            notice: notice(wire.notice)?,
            given: given(wire.given)?,
            account_level: account_level(wire.account_level)?,
            representative: representative(wire.representative)?,
            child_agreed: optional(wire.child_agreed, "child_agreed")?,
            birth_date: match optional::<String>(wire.birth_date, "birth_date")? {
                Some(text) => Some(date(&text, "birth_date")?),
                None => None,
            },
            period: period(wire.period)?,
            frequency: word(wire.frequency, "frequency", Frequency::from_word)?,
            retention_days: retention_days(wire.retention_days)?,
            decision: word(wire.decision, "decision", Decision::from_word)?,
        })
    }
}

fn optional<'a, T: Deserialize<'a>>(
    raw: Raw<'a>,
    field: &'static str,
) -> Result<Option<T>, StatementError> {
    let read = raw.map(|raw| serde_json::from_str(raw.get())).transpose();
    read.map_err(|_| StatementError::schema(field))
}

fn member<'a, T: Deserialize<'a>>(raw: Raw<'a>, field: &'static str) -> Result<T, StatementError> {
    optional(raw, field)?.ok_or_else(|| StatementError::schema(field))
}

fn id<T: std::str::FromStr>(raw: Raw<'_>, field: &'static str) -> Result<T, StatementError> {
    member::<String>(raw, field)?.parse().map_err(|_| StatementError::schema(field))
}

fn word<T>(
    raw: Raw<'_>,
    field: &'static str,
    from_word: fn(&str) -> Option<T>,
) -> Result<T, StatementError> {
    from_word(&member::<String>(raw, field)?).ok_or_else(|| StatementError::schema(field))
}

fn date(text: &str, field: &'static str) -> Result<Date, StatementError> {
    let date: Date = text.parse().map_err(|_| StatementError::schema(field))?;
    // Other spellings of ISO 8601 are dates too; one is enough.
    (date.to_string() == text).then_some(date).ok_or_else(|| StatementError::schema(field))
}

impl WireIdentifier {
    fn checked(&self, field: &'static str) -> Result<Identifier, StatementError> {
        Identifier::new(&self.kind, &self.value, field)
    }
}

fn scope(wire: &Wire<'_>) -> Result<Scope, StatementError> {
    let field = "recipients";
    let texts: Vec<String> = member(wire.recipients, field)?;
    if texts.is_empty() || texts.len() > MOST_RECIPIENTS {
        return Err(StatementError::schema(field));
    }
    let recipients: Result<Vec<ParticipantId>, _> = texts.iter().map(|text| text.parse()).collect();
    Ok(Scope::new(
        id(wire.controller, "controller")?,
        recipients.map_err(|_| StatementError::schema(field))?,
        id(wire.service, "service")?,
        id(wire.purpose, "purpose")?,
    ))
}

fn fields(raw: Raw<'_>) -> Result<Fields, StatementError> {
    let wrong = StatementError::schema("fields");
    let texts: Vec<String> = member(raw, "fields")?;
    if texts.is_empty() || texts.len() > MOST_FIELDS {
        return Err(wrong);
    }
    let fields: Result<Vec<_>, _> = texts.iter().map(|text| text.parse()).collect();
    fields.map(Fields::new).map_err(|_| wrong)
}

fn notice(raw: Raw<'_>) -> Result<NoticeShown, StatementError> {
    let wrong = StatementError::new(ReasonCode::RequestSchema, "notice");
    let wire: WireNotice = member(raw, "notice")?;
    let named = wire.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if wire.id.is_empty() || wire.id.len() > LONGEST_NAME || !named {
        return Err(wrong);
    }
    let language = match wire.language.as_str() {
        "vi" => Language::Vietnamese,
        "en" => Language::English,
        _ => return Err(wrong),
    };
    Ok(NoticeShown { id: wire.id, hash: hex::decode(&wire.hash).ok_or(wrong)?, language })
}

fn given(raw: Raw<'_>) -> Result<Given, StatementError> {
    let wrong = StatementError::schema("given");
    let wire: WireGiven = member(raw, "given")?;
    let plain = |text: &String| {
        !text.is_empty()
            && text.len() <= LONGEST_NAME
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
            // SECURITY: twelve digits would be a citizen number that nothing seals.
            && !text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 12)
    };
    if !wire.reference.as_ref().is_none_or(plain) {
        return Err(wrong);
    }
    let channel = Channel::from_word(&wire.channel).ok_or(wrong)?;
    Ok(Given { channel, reference: wire.reference })
}

fn account_level(raw: Raw<'_>) -> Result<Option<AccountLevel>, StatementError> {
    let field = "account_level";
    let Some(text) = optional::<String>(raw, field)? else { return Ok(None) };
    let level = AccountLevel::from_word(&text);
    level.map(Some).ok_or_else(|| StatementError::new(ReasonCode::ConsentAccountLevel, field))
}

fn representative(raw: Raw<'_>) -> Result<Option<Representative>, StatementError> {
    let field = "representative";
    let Some(wire) = optional::<WireRepresentative>(raw, field)? else { return Ok(None) };
    let relationship = Relationship::from_word(&wire.relationship);
    Ok(Some(Representative {
        identifier: wire.identifier.checked(field)?,
        relationship: relationship.ok_or_else(|| StatementError::schema(field))?,
    }))
}

fn period(raw: Raw<'_>) -> Result<Period, StatementError> {
    let wire: WirePeriod = member(raw, "period")?;
    let (from, until) = (date(&wire.from, "period")?, date(&wire.until, "period")?);
    Period::new(from, until).ok_or_else(|| StatementError::schema("period"))
}

fn retention_days(raw: Raw<'_>) -> Result<u32, StatementError> {
    let field = "retention_days";
    let days: u32 = member(raw, field)?;
    let some = (1..=LONGEST_RETENTION_DAYS).contains(&days);
    some.then_some(days).ok_or_else(|| StatementError::schema(field))
}
