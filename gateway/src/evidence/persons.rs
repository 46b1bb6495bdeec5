//! Whom a request names, as digests of the period's key.
//!
//! Takes the validated values of a request and its headers; gives one digest for each distinct data
//! subject, the officer, the case and the consumer's id. What the gateway remembers of a person is
//! such a digest and never the value.

use std::{collections::HashMap, sync::Arc};

use http::HeaderValue;
use lienthong_evidence::entry::{DigestKey, Domain, KeyedDigest, Role, Subject};
use lienthong_model::{
    field::{FieldPath, Place},
    reason::ReasonCode,
};
use lienthong_policy::{DataSubjectField, Operation, SubjectRole};
use serde_json::value::RawValue;

use crate::{refusal::Refusal, xroad::Message};

/// Most data subjects of one request: their digests fit into one entry.
pub(super) const MAX_SUBJECTS: usize = Subject::MOST;

/// Whom a request names.
#[derive(Debug, Clone)]
pub struct Persons {
    /// The key that made the digests.
    pub key: Arc<DigestKey>,
    /// The official in whose name it is made.
    pub officer: Option<KeyedDigest>,
    /// The case it is made for.
    pub dossier: Option<KeyedDigest>,
    /// The consumer's id of the exchange.
    pub correlation: Option<KeyedDigest>,
    /// Whom it is about, each once in each role.
    pub subjects: Vec<Subject>,
}

impl Persons {
    /// The persons of a request whose values have been validated; `body` is JSON or empty.
    ///
    /// # Errors
    /// `gateway.internal` when a declared field cannot be read, `request.too_large` when there are
    /// more data subjects than an entry holds.
    pub fn of(
        key: Arc<DigestKey>,
        operation: &Operation,
        message: &Message,
        values: &[(Place, &str, &str)],
        body: &[u8],
    ) -> Result<Self, Refusal> {
        let digest = |domain: Domain<'_>, header: &Option<HeaderValue>| {
            let text = header.as_ref().and_then(|value| value.to_str().ok());
            text.map(|text| key.digest(domain, text))
        };
        let subjects = subjects(&key, operation, values, body)?;
        Ok(Self {
            officer: digest(Domain::Officer, &message.officer),
            dossier: digest(Domain::Dossier, &message.dossier),
            correlation: digest(Domain::Correlation, &message.id),
            subjects,
            key,
        })
    }

    /// The distinct data subjects, whatever their role; no officers.
    #[must_use]
    pub fn distinct(&self) -> Vec<KeyedDigest> {
        let counted = self.subjects.iter().filter(|subject| subject.role != Role::Officer);
        let mut digests: Vec<KeyedDigest> = counted.map(|subject| subject.digest).collect();
        digests.sort_unstable();
        digests.dedup();
        digests
    }
}

/// One person is one digest whatever the role, and two kinds of identifier are two.
fn subjects(
    key: &DigestKey,
    operation: &Operation,
    values: &[(Place, &str, &str)],
    body: &[u8],
) -> Result<Vec<Subject>, Refusal> {
    let mut found = Vec::new();
    each_subject(operation, values, body, &mut |field, value| {
        let digest = key.digest(Domain::DataSubject(field.identifier.as_str()), value);
        found.push(Subject { digest, role: role(field.role) });
    })?;
    found.sort_unstable_by_key(|subject| (subject.digest, subject.role as u8));
    found.dedup();
    if found.len() > MAX_SUBJECTS {
        return Err(Refusal::named(ReasonCode::RequestTooLarge, "data_subjects"));
    }
    Ok(found)
}

/// Gives each data subject of a validated request: the field that names him, and the value.
///
/// # Errors
/// `gateway.internal` when a declared field cannot be read.
pub(crate) fn each_subject(
    operation: &Operation,
    values: &[(Place, &str, &str)],
    body: &[u8],
    each: &mut impl FnMut(&DataSubjectField, &str),
) -> Result<(), Refusal> {
    for field in &operation.data_subjects {
        match &field.field {
            FieldPath::Parameter(place, name) => values
                .iter()
                .filter(|(p, n, _)| p == place && n.eq_ignore_ascii_case(name))
                .for_each(|(_, _, value)| each(field, value)),
            FieldPath::Body(_) if body.is_empty() => {}
            FieldPath::Body(pointer) => {
                // The body was validated as JSON: what cannot be read here is our own mistake,
                // and nobody goes uncounted for it.
                serde_json::from_slice::<&RawValue>(body)
                    .and_then(|whole| {
                        walk(whole, pointer.tokens(), &mut |value| each(field, value))
                    })
                    .map_err(uncounted)?;
            }
        }
    }
    Ok(())
}

/// The role as entries say it.
pub(super) fn role(role: SubjectRole) -> Role {
    match role {
        SubjectRole::Owner => Role::Owner,
        SubjectRole::Related => Role::Related,
        SubjectRole::Officer => Role::Officer,
    }
}

fn uncounted(error: serde_json::Error) -> Refusal {
    // SECURITY: the error's text may quote the body.
    drop(error);
    Refusal::named(ReasonCode::GatewayInternal, "data_subjects")
}

/// Gives every value at a pointer. Numbers are taken as they are written, so that two long ones
/// stay two.
fn walk(
    value: &RawValue,
    tokens: &[String],
    add: &mut impl FnMut(&str),
) -> Result<(), serde_json::Error> {
    let text = value.get().trim_start();
    let Some((token, rest)) = tokens.split_first() else {
        match text.as_bytes().first() {
            Some(b'"') => add(&serde_json::from_str::<String>(text)?),
            Some(b'n') | None => {}
            Some(_) => add(text),
        }
        return Ok(());
    };
    match text.as_bytes().first() {
        Some(b'[') if token == "*" => {
            for item in serde_json::from_str::<Vec<&RawValue>>(text)? {
                walk(item, rest, add)?;
            }
        }
        Some(b'{') => {
            let members = serde_json::from_str::<HashMap<String, &RawValue>>(text)?;
            if let Some(member) = members.get(token.as_str()) {
                walk(member, rest, add)?;
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
