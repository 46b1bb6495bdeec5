//! Whether the policies in force know of what a person says yes or no to.
//!
//! A consent opens nothing by itself: between the controller and each recipient an agreement must
//! rest on it, and the person must have been shown a notice that says so.

use std::collections::BTreeSet;

use jiff::civil::Date;
use lienthong_consent::{
    fields::{ConsentField, Part},
    statement::{Checked, Decision, Limits, Statement},
};
use lienthong_model::{
    field::{FieldPath, Pointer},
    mask::Mask,
    reason::ReasonCode,
};
use lienthong_policy::{Agreement, ConsentTerms, FieldMasks, NoticeField, NoticeScope, PolicySet};

use crate::refusal::Refusal;

/// The agreements that a statement would open something under.
pub(super) struct Covering<'a> {
    policies: &'a PolicySet,
    today: Date,
    /// For each recipient one or more; none where one recipient has none.
    agreements: Option<Vec<Vec<&'a Agreement>>>,
}

impl<'a> Covering<'a> {
    /// Those in force today between the controller and each recipient.
    pub(super) fn of(policies: &'a PolicySet, statement: &Statement, today: Date) -> Self {
        let scope = &statement.scope;
        let binds = |agreement: &&Agreement| {
            agreement.consent.is_some()
                && agreement.provider == scope.controller
                && agreement.service == scope.service
                && agreement.purposes.contains(&scope.purpose)
                && agreement.valid.from <= today
                && today <= agreement.valid.until
        };
        let agreements = scope.recipients.iter().map(|recipient| {
            let of = policies.agreements.values().map(AsRef::as_ref).filter(binds);
            let of: Vec<_> = of.filter(|agreement| agreement.consumer == *recipient).collect();
            (!of.is_empty()).then_some(of)
        });
        Self { policies, today, agreements: agreements.collect() }
    }

    fn terms(&self) -> impl Iterator<Item = &'a ConsentTerms> {
        let agreements = self.agreements.iter().flatten().flatten();
        agreements.filter_map(|agreement| agreement.consent.as_ref())
    }

    /// What the statement is measured by: of several agreements the strictest.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            today: self.today,
            max_days: self.terms().map(|terms| terms.max_days).min().unwrap_or(u32::MAX),
            child_under: self
                .terms()
                .filter_map(|terms| terms.child_under)
                .max()
                .unwrap_or(Limits::CHILD_UNDER),
        }
    }

    /// Checks a statement against agreements and notice.
    ///
    /// # Errors
    /// `consent.no_agreement`, `consent.notice`, `consent.account_level`,
    /// `consent.representative_required`.
    pub(super) fn check(&self, checked: &Checked) -> Result<(), Refusal> {
        let statement = checked.statement();
        self.check_agreements(statement)?;
        self.check_notice(statement)?;
        if statement.decision == Decision::Refuse {
            return Ok(());
        }
        let asks_level = self.terms().any(|terms| terms.account_level.is_some());
        if asks_level && statement.account_level.is_none() {
            return Err(Refusal::named(ReasonCode::ConsentAccountLevel, "account_level"));
        }
        let for_another = checked.is_child() || statement.representative.is_some();
        if for_another && self.terms().any(|terms| terms.child_under.is_none()) {
            // The agreement is not for children.
            let reason = ReasonCode::ConsentRepresentativeRequired;
            return Err(Refusal::named(reason, "representative"));
        }
        Ok(())
    }

    fn check_agreements(&self, statement: &Statement) -> Result<(), Refusal> {
        let refused = |field| Refusal::named(ReasonCode::ConsentNoAgreement, field);
        let each = self.agreements.as_ref().ok_or_else(|| refused("recipients"))?;
        for of_recipient in each {
            let opened = |field: &ConsentField| of_recipient.iter().any(|a| opens(a, field));
            if !statement.fields.as_slice().iter().all(opened) {
                return Err(refused("fields"));
            }
        }
        if statement.decision == Decision::Refuse {
            return Ok(());
        }
        let frequency = statement.frequency.as_str();
        let allows = |terms: &ConsentTerms| terms.frequency.iter().any(|f| f.as_str() == frequency);
        if !self.terms().all(allows) {
            return Err(refused("frequency"));
        }
        let kept = each.iter().flatten().map(|agreement| agreement.retention_days);
        if kept.min().is_none_or(|days| statement.retention_days > days) {
            return Err(refused("retention_days"));
        }
        Ok(())
    }

    fn check_notice(&self, statement: &Statement) -> Result<(), Refusal> {
        let refused = |field| Refusal::named(ReasonCode::ConsentNotice, field);
        let (scope, shown) = (&statement.scope, &statement.notice);
        let notice = self.policies.notices.get(shown.id.as_str()).ok_or_else(|| refused("id"))?;
        let hash = notice.hash(shown.language).ok_or_else(|| refused("language"))?;
        if hash != shown.hash {
            return Err(refused("hash"));
        }
        let fields: Option<BTreeSet<NoticeField>> =
            statement.fields.as_slice().iter().map(of_answer).collect();
        let recipients: BTreeSet<_> = scope.recipients.iter().cloned().collect();
        let told = NoticeScope {
            controller: &scope.controller,
            recipients: &recipients,
            service: &scope.service,
            purpose: &scope.purpose,
            // A notice speaks of answers: what people are told is what leaves the provider.
            fields: &fields.ok_or_else(|| refused("fields"))?,
        };
        notice.covers(&told, self.today).then_some(()).ok_or_else(|| refused("covers"))
    }
}

fn of_answer(field: &ConsentField) -> Option<NoticeField> {
    match (field.part, &field.field) {
        (Part::Status(status), FieldPath::Body(pointer)) => {
            Some(NoticeField { operation: field.operation.clone(), status, field: pointer.clone() })
        }
        _ => None,
    }
}

/// Whether something of a field passes under an agreement.
fn opens(agreement: &Agreement, field: &ConsentField) -> bool {
    let Some(operation) = agreement.operations.get(&field.operation) else { return false };
    match (field.part, &field.field) {
        (Part::Request, FieldPath::Parameter(place, name)) => {
            let mask = operation.request_parameters.get(&(*place, name.clone()));
            mask.is_some_and(passes)
        }
        (Part::Request, FieldPath::Body(pointer)) => names(&operation.request_body, pointer),
        (Part::Status(status), FieldPath::Body(pointer)) => {
            operation.answers.get(&status).is_some_and(|masks| names(masks, pointer))
        }
        (Part::Status(_), FieldPath::Parameter(..)) => false,
    }
}

fn names(masks: &FieldMasks, pointer: &Pointer) -> bool {
    masks.get(pointer).is_some_and(passes)
}

fn passes(mask: &Option<Mask>) -> bool {
    *mask != Some(Mask::Drop)
}
