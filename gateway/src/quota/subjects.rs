//! Whom a request is about, as digests under a key that ends with the process.
//!
//! Takes the validated values of a request; gives one digest for each distinct data subject. What
//! the gateway remembers of a data subject or an officer is such a digest and never the value.

use std::collections::{BTreeSet, HashMap};

use aws_lc_rs::{error::Unspecified, hmac, rand::SystemRandom};
use lienthong_model::{
    field::{FieldPath, Place},
    reason::ReasonCode,
};
use lienthong_policy::{IdentifierKind, Operation, SubjectRole};
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// A data subject.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectDigest([u8; 16]);

impl std::fmt::Debug for SubjectDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectDigest")
    }
}

/// An officer, or whoever asks without naming one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct OfficerDigest([u8; 16]);

impl std::fmt::Debug for OfficerDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OfficerDigest")
    }
}

/// Makes digests under the key of this process.
pub(super) struct Digester(hmac::Key);

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digester")
    }
}

impl Digester {
    pub(super) fn new() -> Result<Self, Unspecified> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map(Self)
    }

    pub(super) fn officer(&self, officer: Option<&[u8]>) -> OfficerDigest {
        OfficerDigest(match officer {
            Some(officer) => self.digest("officer", officer),
            None => self.digest("no officer", &[]),
        })
    }

    /// The distinct data subjects of a request whose values have been validated.
    pub(super) fn subjects(
        &self,
        operation: &Operation,
        values: &[(Place, &str, &str)],
        body: &[u8],
    ) -> Result<Vec<SubjectDigest>, Refusal> {
        let mut found = BTreeSet::new();
        let fields = operation.data_subjects.iter();
        for field in fields.filter(|field| field.role != SubjectRole::Officer) {
            let mut add = |value: &str| {
                found.insert(self.subject(field.identifier, value));
            };
            match &field.field {
                FieldPath::Parameter(place, name) => values
                    .iter()
                    .filter(|(p, n, _)| p == place && n.eq_ignore_ascii_case(name))
                    .for_each(|(_, _, value)| add(value)),
                FieldPath::Body(_) if body.is_empty() => {}
                FieldPath::Body(pointer) => {
                    // The body was validated as JSON: what cannot be read here is our own mistake,
                    // and nobody goes uncounted for it.
                    serde_json::from_slice::<&RawValue>(body)
                        .and_then(|whole| walk(whole, pointer.tokens(), &mut add))
                        .map_err(uncounted)?;
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    /// One person is one digest whatever the role, and two kinds of identifier are two.
    pub(super) fn subject(&self, kind: IdentifierKind, value: &str) -> SubjectDigest {
        SubjectDigest(self.digest(kind.as_str(), value.as_bytes()))
    }

    fn digest(&self, domain: &str, value: &[u8]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(domain.as_bytes());
        context.update(&[0]);
        context.update(value);
        let mut digest = [0; 16];
        for (byte, value) in digest.iter_mut().zip(context.sign().as_ref()) {
            *byte = *value;
        }
        digest
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
