//! The decision: may this exchange happen?
//!
//! Takes [`Facts`]; gives a [`Decision`] with its reason and its law. An agreement operation is one
//! Cedar permit and every forbid rule. It is permitted when that permit holds, no forbid holds and
//! nothing errs; Cedar itself would skip an erring rule, here it denies. Has no clock and no state
//! beyond a bounded memo that is never keyed by a data subject.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Entities, EntityUid, Policy, Request,
    RestrictedExpression,
};
use jiff::civil::Date;
use lienthong_model::{
    id::{ParticipantId, PurposeId, RuleId},
    reason::ReasonCode,
    text::Bilingual,
};

use crate::{
    agreement::{Requirement, Term},
    legal_basis::Citation,
    rule::Rules,
};

/// Most decisions remembered for one agreement operation. Its purposes and intermediaries are few,
/// so only the passing of days fills the memo; it is then emptied.
const MEMO: usize = 1024;

/// Everything a decision may look at beside the policy files. Nothing of the payload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    /// The participant the exchange is for.
    pub consumer: ParticipantId,
    /// The intermediary it came through.
    pub via: Option<ParticipantId>,
    /// The purpose.
    pub purpose: PurposeId,
    /// The civil date in Ho Chi Minh City.
    pub today: Date,
    /// Whether the officer is named.
    pub officer: Presence,
    /// Whether the dossier is named.
    pub dossier: Presence,
    /// What the registry of consents says of the people the exchange is about.
    pub consent: ConsentFact,
}

/// What is known of the consent of the data subjects. Says nothing of who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentFact {
    /// Nobody was asked for, since the agreement does not rest on consent.
    NotNeeded,
    /// All of them consented, and it holds now.
    Given,
    /// At least one did not, or nobody can tell.
    Missing(ReasonCode),
}

impl ConsentFact {
    /// Every word for it, in cases and at the command line.
    pub const WORDS: &[(&str, Self)] = &[
        ("given", Self::Given),
        ("not_given", Self::Missing(ReasonCode::ConsentNotGiven)),
        ("refused", Self::Missing(ReasonCode::ConsentRefused)),
        ("withdrawn", Self::Missing(ReasonCode::ConsentWithdrawn)),
        ("expired", Self::Missing(ReasonCode::ConsentExpired)),
        ("restricted", Self::Missing(ReasonCode::ConsentRestricted)),
        ("objected", Self::Missing(ReasonCode::ConsentObjected)),
        ("used", Self::Missing(ReasonCode::ConsentUsed)),
        ("unavailable", Self::Missing(ReasonCode::FactsUnavailable)),
    ];

    /// The word for it; none when nobody was asked for.
    #[must_use]
    pub fn word(self) -> Option<&'static str> {
        Self::WORDS.iter().find(|(_, fact)| *fact == self).map(|(word, _)| *word)
    }
}

/// Whether something was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// It was.
    Present,
    /// It was not.
    Absent,
}

/// Whether an exchange may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Permit(Permit),
    /// It may not.
    Deny(Denial),
}

/// Why an exchange may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// The law the agreement rests on.
    pub citations: Arc<[Citation]>,
}

/// Why an exchange may not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The reason.
    pub reason: ReasonCode,
    /// The rule that forbids it, when a rule does.
    pub rule: Option<RuleId>,
    /// The law that the rule, or else the agreement, cites.
    pub citations: Arc<[Citation]>,
    /// What the rule says to people.
    pub says: Option<Bilingual>,
}

/// The permit of one agreement operation and the rules that may forbid it.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    pub(crate) terms: Terms,
    pub(crate) permit: Policy,
    pub(crate) rules: Arc<Rules>,
    pub(crate) scope: Scope,
    /// The facts that the agreement fixes.
    pub(crate) fixed: Vec<(&'static str, Fact)>,
    /// Instruments the agreement cites, and when each is in force.
    pub(crate) instruments: Vec<(String, Date, Option<Date>)>,
    pub(crate) citations: Arc<[Citation]>,
    pub(crate) memo: Memo,
}

/// A fact that an agreement fixes. A Cedar expression takes many times the memory, so it is made
/// when Cedar is asked.
#[derive(Debug)]
pub(crate) enum Fact {
    Text(Box<str>),
    Flag(bool),
    Day(i32),
    Set(Box<[Box<str>]>),
}

impl Fact {
    fn expression(&self) -> RestrictedExpression {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        match self {
            Self::Text(value) => text(value),
            Self::Flag(value) => RestrictedExpression::new_bool(*value),
            Self::Day(value) => RestrictedExpression::new_long(i64::from(*value)),
            Self::Set(values) => {
                RestrictedExpression::new_set(values.iter().map(|value| text(value)))
            }
        }
    }
}

/// What the agreement itself demands, for the reason of a deny. Never a ground to permit.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) consumer: ParticipantId,
    pub(crate) via: Vec<ParticipantId>,
    pub(crate) purposes: Vec<PurposeId>,
    pub(crate) valid: Term,
    pub(crate) officer: Requirement,
    pub(crate) dossier: Requirement,
    pub(crate) rests_on_consent: bool,
}

/// Who asks for what, in Cedar's terms.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) principal: EntityUid,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
}

/// The facts read, in a word: positions within the agreement's closed lists, and the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MemoKey {
    purpose: u16,
    via: u16,
    today: i32,
    officer: Presence,
    dossier: Presence,
    consent_given: bool,
}

pub(crate) type Memo = RwLock<HashMap<MemoKey, Arc<Decision>>>;

impl Terms {
    /// The first demand that the facts do not meet, or the key of the facts.
    fn meet(&self, facts: &Facts) -> Result<MemoKey, ReasonCode> {
        let via = match &facts.via {
            None => Some(0),
            Some(via) => self.via.iter().position(|known| known == via).map(|n| n + 1),
        };
        let (Some(via), true) = (via, facts.consumer == self.consumer) else {
            return Err(ReasonCode::ServiceNotAvailable);
        };
        let purpose = self.purposes.iter().position(|known| *known == facts.purpose);
        let Some(purpose) = purpose else { return Err(ReasonCode::PurposeNotPermitted) };
        if facts.today < self.valid.from {
            return Err(ReasonCode::AgreementNotYetValid);
        }
        if facts.today > self.valid.until {
            return Err(ReasonCode::AgreementExpired);
        }
        let missing =
            |demand, presence| demand == Requirement::Required && presence == Presence::Absent;
        if missing(self.officer, facts.officer) {
            return Err(ReasonCode::AgreementOfficerRequired);
        }
        if missing(self.dossier, facts.dossier) {
            return Err(ReasonCode::AgreementDossierRequired);
        }
        if self.rests_on_consent {
            match facts.consent {
                ConsentFact::Given => {}
                ConsentFact::Missing(reason) => return Err(reason),
                // SECURITY: nobody asked the registry, so nobody knows.
                ConsentFact::NotNeeded => return Err(ReasonCode::FactsUnavailable),
            }
        }
        let (Ok(purpose), Ok(via)) = (u16::try_from(purpose), u16::try_from(via)) else {
            return Err(ReasonCode::PolicyError);
        };
        let today = day_number(facts.today);
        let (officer, dossier) = (facts.officer, facts.dossier);
        let consent_given = facts.consent == ConsentFact::Given;
        Ok(MemoKey { purpose, via, today, officer, dossier, consent_given })
    }
}

impl CompiledPolicy {
    /// Decides, from memory where the same facts were decided before.
    pub(crate) fn decide(&self, facts: &Facts) -> Arc<Decision> {
        let key = match self.terms.meet(facts) {
            Ok(key) => key,
            Err(reason) => return Arc::new(self.deny(reason)),
        };
        let known = self.memo.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(decision) = known {
            return decision;
        }
        let decision = Arc::new(self.evaluate(facts));
        let mut memo = self.memo.write().unwrap_or_else(PoisonError::into_inner);
        if memo.len() >= MEMO {
            memo.clear();
        }
        memo.insert(key, Arc::clone(&decision));
        decision
    }

    /// Asks Cedar. The agreement's own terms are known to be met.
    fn evaluate(&self, facts: &Facts) -> Decision {
        let (Some(request), Ok(policies)) = (self.request(facts), self.rules.with(&self.permit))
        else {
            return self.deny(ReasonCode::PolicyError);
        };
        let response = Authorizer::new().is_authorized(&request, &policies, &Entities::empty());
        if response.diagnostics().errors().next().is_some() {
            return self.deny(ReasonCode::PolicyError);
        }
        if response.decision() == CedarDecision::Allow {
            return Decision::Permit(Permit { citations: Arc::clone(&self.citations) });
        }
        let mut forbidding: Vec<&str> =
            response.diagnostics().reason().map(AsRef::as_ref).collect();
        forbidding.sort_unstable();
        let rule = forbidding.first().and_then(|id| self.rules.rules.get(*id));
        match rule {
            Some(rule) => Decision::Deny(Denial {
                reason: ReasonCode::PolicyDenied,
                rule: Some(rule.id.clone()),
                citations: rule.citations.clone().into(),
                says: Some(rule.says.clone()),
            }),
            // The permit does not hold although the terms are met: the two disagree, so nobody
            // knows what the agreement means.
            None => self.deny(ReasonCode::PolicyError),
        }
    }

    fn request(&self, facts: &Facts) -> Option<Request> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let lapsed = self
            .instruments
            .iter()
            .filter(|(_, from, until)| {
                facts.today < *from || until.is_some_and(|until| facts.today > until)
            })
            .map(|(id, _, _)| text(id));
        let named = |presence| RestrictedExpression::new_bool(presence == Presence::Present);
        let via = facts.via.as_ref().map_or("", ParticipantId::as_str);
        let read = [
            ("via", text(via)),
            ("purpose", text(facts.purpose.as_str())),
            ("today", RestrictedExpression::new_long(i64::from(day_number(facts.today)))),
            ("officer_present", named(facts.officer)),
            ("dossier_present", named(facts.dossier)),
            ("consent_given", RestrictedExpression::new_bool(facts.consent == ConsentFact::Given)),
            ("lapsed_instruments", RestrictedExpression::new_set(lapsed)),
        ];
        let fixed = self.fixed.iter().map(|(key, fact)| (*key, fact.expression()));
        let facts = fixed.chain(read).map(|(key, value)| (key.to_owned(), value));
        let context = Context::from_pairs(facts).ok()?;
        let Scope { principal, action, resource } = &self.scope;
        let (principal, action, resource) = (principal.clone(), action.clone(), resource.clone());
        Request::new(principal, action, resource, context, Some(&self.rules.schema)).ok()
    }

    fn deny(&self, reason: ReasonCode) -> Decision {
        let citations = Arc::clone(&self.citations);
        Decision::Deny(Denial { reason, rule: None, citations, says: None })
    }
}

/// A civil date as rules compare it: `20261231`.
pub(crate) fn day_number(date: Date) -> i32 {
    i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day())
}

#[cfg(test)]
mod tests;
