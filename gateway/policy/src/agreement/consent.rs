//! Reads the block `consent` of an agreement, and holds it against what the agreement cites and opens.
//!
//! An exchange has one reason: an agreement rests on consent alone, or not on consent at all.

use std::collections::BTreeSet;

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{MapReader, Node},
    field::FieldPath,
};

use super::{ConsentFrequency, ConsentTerms};
use crate::{
    compile::Disclosed,
    legal_basis::{Basis, Citation},
    read::word,
    service::{Effect, FieldClass, IdentifierKind, Operation, SubjectRole},
};

const KEYS: &[&str] = &["account_level", "max_days", "frequency", "child_under"];

const FREQUENCIES: &[(&str, ConsentFrequency)] =
    &[("once", ConsentFrequency::Once), ("as_needed", ConsentFrequency::AsNeeded)];

/// Whether the cited bases are consent. Every other basis beside it is told.
pub(super) fn rests_on_consent(
    file: &str,
    bases: &[(Basis, Citation, Position)],
    found: &mut Diagnostics,
) -> bool {
    let rests = bases.iter().any(|(basis, ..)| *basis == Basis::Consent);
    let others = bases.iter().filter(|(basis, ..)| rests && *basis != Basis::Consent);
    for (_, citation, at) in others {
        // LAW: PDPL Art. 9 and 19.1: who was asked for consent must be able to stop it by withdrawing.
        let message = format!(
            "`{citation}` gives another basis beside consent: each exchange has one reason, and whoever \
             withdraws a consent must be able to rely on it"
        );
        let help = "split the agreement in two, one that rests on consent and one that does not";
        found.add_with_help(file, *at, message, help);
    }
    rests
}

/// Reads `consent`, which stands there exactly when the agreement rests on consent. The outer option
/// is none when that is not so, or something in it is wrong.
pub(super) fn read_consent(
    map: &mut MapReader<'_, '_>,
    rests: Option<bool>,
) -> Option<Option<ConsentTerms>> {
    let file = map.file();
    match (map.optional("consent"), rests?) {
        (None, false) => Some(None),
        (Some(node), true) => read_terms(file, node, map.found()).map(Some),
        (None, true) => {
            let at = map.at();
            let message = "an agreement that rests on consent needs the key `consent`";
            let help = "such as `consent: {max_days: 365, frequency: [once, as_needed]}`";
            map.found().add_with_help(file, at, message, help);
            None
        }
        (Some(node), false) => {
            let message = "`consent` stands in an agreement that does not rest on consent";
            let help = "cite an article whose `basis` is `consent`, or leave the key out";
            map.found().add_with_help(file, node.at, message, help);
            None
        }
    }
}

fn read_terms(file: &str, node: &Node, found: &mut Diagnostics) -> Option<ConsentTerms> {
    let mut map = MapReader::new(file, node, "`consent`", KEYS, found)?;
    let account_level = small(&mut map, "account_level", 2);
    let child_under = small(&mut map, "child_under", 18);
    let max_days = map.required("max_days").map(|_| map.integer("max_days", 1..=3650, 1));
    let listed = map.required("frequency")?;
    let mut frequency = BTreeSet::new();
    for node in map.list("frequency") {
        let Some(word) = word(file, node, "frequency", FREQUENCIES, map.found()) else { continue };
        if !frequency.insert(word) {
            map.found().add(file, node.at, format!("`{}` stands twice", word.as_str()));
        }
    }
    if frequency.is_empty() {
        map.found().add(file, listed.at, "`frequency` must name `once`, `as_needed` or both");
        return None;
    }
    let max_days = u32::try_from(max_days?).ok()?;
    Some(ConsentTerms { account_level, max_days, frequency, child_under })
}

/// A whole number from 1, when the key is there.
fn small(map: &mut MapReader<'_, '_>, key: &str, most: i64) -> Option<u8> {
    map.optional(key)?;
    u8::try_from(map.integer(key, 1..=most, 1)).ok()
}

/// Reports an operation of which nobody could tell whose consent it needs.
pub(super) fn check_owners(
    file: &str,
    disclosed: &[(Disclosed, Position)],
    found: &mut Diagnostics,
) {
    for (disclosed, at) in disclosed {
        let operation = disclosed.operation.as_ref();
        check_sent(file, (disclosed, *at), found);
        if operation.data_subjects.iter().any(|subject| owns(subject.role, subject.identifier)) {
            continue;
        }
        let mut bodies = disclosed.answers.iter().filter(|(_, masks)| !masks.is_empty()).peekable();
        if bodies.peek().is_some() && bodies.all(|(status, _)| names_owner(operation, *status)) {
            continue;
        }
        let message = format!(
            "`{}` names no data subject in role `owner` by citizen number in its request, nor in every \
             answer that is disclosed: nobody could have consented",
            operation.id
        );
        let help =
            "declare the field under `data_subjects` of the service, or leave the answer out";
        found.add_with_help(file, *at, message, help);
    }
}

/// Reports personal data that would be sent to be kept: people are asked about fields of answers.
fn check_sent(file: &str, (disclosed, at): (&Disclosed, Position), found: &mut Diagnostics) {
    let operation = disclosed.operation.as_ref();
    let classes = &operation.classes.request;
    let mut fields = disclosed.request_body.keys();
    let personal = fields
        .find(|field| classes.get(&FieldPath::Body((*field).clone())) != Some(&FieldClass::None));
    if let (Effect::Writes, Some(field)) = (operation.effect, personal) {
        let message = format!(
            "`{}` would send personal data (`{field}`) to be kept, and a notice names fields of \
             answers only: nobody could have consented to it",
            operation.id
        );
        found.add_with_help(file, at, message, "leave the operation out of this agreement");
    }
}

/// Consents are kept under the citizen number.
fn owns(role: SubjectRole, identifier: IdentifierKind) -> bool {
    role == SubjectRole::Owner && identifier == IdentifierKind::CitizenNumber
}

fn names_owner(operation: &Operation, status: u16) -> bool {
    let mut subjects = operation.subjects_of(status).iter();
    subjects.any(|subject| owns(subject.role, subject.identifier))
}

#[cfg(test)]
mod tests;
