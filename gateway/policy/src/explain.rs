//! Explanations of a decision, for people and programs.
//!
//! Takes facts; gives the decision with the clause or rule behind it, the articles it cites and the
//! fields that pass, as text in Vietnamese or English and as JSON. Decides nothing itself.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::civil::Date;
use lienthong_model::{
    field::{DataClass, FieldPath},
    id::{AgreementId, OperationId, ParticipantId, PurposeId, RuleId, ServiceId},
    mask::{Generalisation, Mask},
    reason::ReasonCode,
    text::{Bilingual, Language},
};
use serde::Serialize;

use crate::{
    agreement::{AgreementOperation, ConsentTerms, Limits},
    case::DecisionKind,
    decide::{ConsentFact, Decision, Denial, Facts, Presence},
    hash::to_hex,
    legal_basis::Citation,
    service::FieldClass,
    set::PolicySet,
};

mod text;

/// A decision with the clause, the law and the fields behind it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// `permit` or `deny`.
    pub decision: &'static str,
    /// Why not.
    pub reason: Option<&'static str>,
    /// The same for people.
    pub reason_title: Option<Bilingual>,
    /// The rule that forbids it.
    pub rule: Option<RuleId>,
    /// What the rule says.
    pub says: Option<Bilingual>,
    /// The part of the agreement or the rule file that decides.
    pub clause: String,
    /// The agreement.
    pub agreement: AgreementId,
    /// Its title; none when there is no such agreement.
    pub agreement_title: Option<Bilingual>,
    /// The hash of its canonical form, in hexadecimal.
    pub agreement_version: Option<String>,
    /// The service.
    pub service: Option<ServiceId>,
    /// The operation.
    pub operation: OperationId,
    /// The participant that holds the data.
    pub provider: Option<Named<ParticipantId>>,
    /// The participant that asks.
    pub consumer: Named<ParticipantId>,
    /// The intermediary it came through.
    pub via: Option<Named<ParticipantId>>,
    /// The purpose.
    pub purpose: Named<PurposeId>,
    /// The civil date.
    pub today: Date,
    /// Whether the officer is named.
    pub officer_present: bool,
    /// Whether the dossier is named.
    pub dossier_present: bool,
    /// What the agreement asks of each consent, when it rests on consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<ExplainedConsent>,
    /// How much the consumer may ask; none when there is no such agreement.
    pub limits: Option<ExplainedLimits>,
    /// The law.
    pub cites: Vec<CitedArticle>,
    /// The request fields that pass; none on a deny.
    pub request: Vec<ExplainedField>,
    /// The answer fields that pass, by status; none on a deny.
    pub answers: BTreeMap<u16, Vec<ExplainedField>>,
}

/// An id and the name it stands for, when it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named<T> {
    /// The id.
    pub id: T,
    /// The name.
    pub name: Option<Bilingual>,
}

/// What an agreement asks of each consent, by the names that its file has for it, and what the facts
/// say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedConsent {
    /// The word for what the facts say; none when nobody was asked for.
    pub fact: Option<&'static str>,
    /// The level of the e-ID account that must have been checked at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_level: Option<u8>,
    /// How many days a consent may hold at most.
    pub max_days: u32,
    /// How often data may be asked for under one consent.
    pub frequency: Vec<&'static str>,
    /// The age below which a representative consents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub child_under: Option<u8>,
}

impl ExplainedConsent {
    fn new(terms: &ConsentTerms, facts: &Facts) -> Self {
        Self {
            fact: facts.consent.word(),
            account_level: terms.account_level,
            max_days: terms.max_days,
            frequency: terms.frequency.iter().map(|frequency| frequency.as_str()).collect(),
            child_under: terms.child_under,
        }
    }
}

/// The limits of an agreement, by the names that its file has for them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedLimits {
    /// Requests at once after a pause.
    pub burst: u32,
    /// Sustained requests per second.
    pub per_second: f64,
    /// Requests in flight.
    pub in_flight: u32,
    /// Data subjects a civil day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_subjects_per_day: Option<u32>,
    /// Distinct data subjects an officer and hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects_per_officer_hour: Option<u32>,
    /// The largest share of answers that found nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_found_share: Option<f64>,
    /// The number of answers from which on that share counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_found_after: Option<u32>,
    /// Elements of one streamed answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elements_per_stream: Option<u64>,
}

impl From<&Limits> for ExplainedLimits {
    fn from(limits: &Limits) -> Self {
        let data = limits.data;
        Self {
            burst: limits.burst,
            per_second: limits.per_second,
            in_flight: limits.in_flight,
            data_subjects_per_day: data.data_subjects_per_day,
            subjects_per_officer_hour: data.subjects_per_officer_hour,
            not_found_share: data.not_found.map(|limit| limit.share),
            not_found_after: data.not_found.map(|limit| limit.after),
            elements_per_stream: data.elements_per_stream,
        }
    }
}

/// An article that a decision cites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CitedArticle {
    /// Instrument and article.
    pub citation: Citation,
    /// The instrument's title.
    pub title: Bilingual,
    /// What the article says, in short.
    pub text: Bilingual,
    /// Whether the instrument is in force on the day of the facts.
    pub in_force: bool,
}

/// A field that passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedField {
    /// The field.
    pub field: FieldPath,
    /// How personal it is.
    pub class: DataClass,
    /// The category of a sensitive field.
    pub category: Option<&'static str>,
    /// How it is masked.
    pub mask: Option<String>,
}

impl Explanation {
    /// The explanation as text in one language.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        text::write(self, language)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::default()))
    }
}

/// Explains what an agreement operation decides on these facts. What no agreement opens is denied
/// as `service.not_available`.
#[must_use]
pub fn explain(
    set: &PolicySet,
    agreement: &AgreementId,
    operation: &OperationId,
    facts: &Facts,
) -> Explanation {
    let known = set.agreements.get(agreement);
    let opened = known.and_then(|agreement| agreement.operations.get(operation));
    let decision = match opened {
        Some(opened) => opened.decide(facts),
        None => Arc::new(Decision::Deny(Denial {
            reason: ReasonCode::ServiceNotAvailable,
            rule: None,
            citations: Arc::new([]),
            says: None,
        })),
    };
    let disclosing = opened.filter(|_| matches!(*decision, Decision::Permit(_)));
    let (request, answers) = disclosing.map(|opened| fields(opened)).unwrap_or_default();
    let (reason, rule, says, citations) = match &*decision {
        Decision::Permit(permit) => (None, None, None, &permit.citations),
        Decision::Deny(denial) => {
            (Some(denial.reason), denial.rule.clone(), denial.says.clone(), &denial.citations)
        }
    };
    let verdict = if reason.is_none() { DecisionKind::Permit } else { DecisionKind::Deny };
    Explanation {
        decision: verdict.as_str(),
        reason: reason.map(ReasonCode::as_str),
        reason_title: reason.map(title),
        clause: clause(reason, rule.as_ref(), operation, opened.is_some()),
        rule,
        says,
        agreement: agreement.clone(),
        agreement_title: known.map(|agreement| agreement.title.clone()),
        agreement_version: known.map(|agreement| to_hex(&agreement.version)),
        service: known.map(|agreement| agreement.service.clone()),
        operation: operation.clone(),
        provider: known.map(|agreement| participant(set, &agreement.provider)),
        consumer: participant(set, &facts.consumer),
        via: facts.via.as_ref().map(|via| participant(set, via)),
        purpose: Named {
            id: facts.purpose.clone(),
            name: set.purposes.get(&facts.purpose).map(|purpose| purpose.name.clone()),
        },
        today: facts.today,
        officer_present: facts.officer == Presence::Present,
        dossier_present: facts.dossier == Presence::Present,
        consent: known
            .and_then(|agreement| agreement.consent.as_ref())
            .map(|terms| ExplainedConsent::new(terms, facts)),
        limits: known.map(|agreement| ExplainedLimits::from(&agreement.limits)),
        cites: citations.iter().filter_map(|cited| article(set, cited, facts.today)).collect(),
        request,
        answers,
    }
}

fn title(reason: ReasonCode) -> Bilingual {
    Bilingual {
        vi: reason.title(Language::Vietnamese).to_owned(),
        en: reason.title(Language::English).to_owned(),
    }
}

fn participant(set: &PolicySet, id: &ParticipantId) -> Named<ParticipantId> {
    let name = set.participants.get(id).map(|participant| participant.name.clone());
    Named { id: id.clone(), name }
}

fn article(set: &PolicySet, citation: &Citation, today: Date) -> Option<CitedArticle> {
    let instrument = set.instruments.get(&citation.instrument)?;
    let article = instrument.articles.get(&citation.article)?;
    Some(CitedArticle {
        citation: citation.clone(),
        title: instrument.title.clone(),
        text: article.text.clone(),
        in_force: instrument.in_force(today),
    })
}

/// The part of the policy files that a reader should look at.
fn clause(
    reason: Option<ReasonCode>,
    rule: Option<&RuleId>,
    operation: &OperationId,
    opened: bool,
) -> String {
    match (reason, rule) {
        (_, Some(rule)) => format!("rules: {rule}"),
        (Some(ReasonCode::PurposeNotPermitted), _) => "purposes".to_owned(),
        (Some(ReasonCode::AgreementNotYetValid), _) => "valid.from".to_owned(),
        (Some(ReasonCode::AgreementExpired), _) => "valid.until".to_owned(),
        (Some(ReasonCode::AgreementOfficerRequired), _) => "officer".to_owned(),
        (Some(ReasonCode::AgreementDossierRequired), _) => "dossier".to_owned(),
        (Some(reason), _) if ConsentFact::Missing(reason).word().is_some() => "consent".to_owned(),
        (Some(ReasonCode::ServiceNotAvailable), _) if opened => "consumer, via".to_owned(),
        _ => format!("operations.{operation}"),
    }
}

type Fields = (Vec<ExplainedField>, BTreeMap<u16, Vec<ExplainedField>>);

fn fields(opened: &AgreementOperation) -> Fields {
    let classes = &opened.operation.classes;
    let parameters = opened
        .request_parameters
        .iter()
        .map(|((place, name), mask)| (FieldPath::Parameter(*place, name.clone()), mask));
    let body = opened.request_body.iter();
    let body = body.map(|(pointer, mask)| (FieldPath::Body(pointer.clone()), mask));
    let request = parameters
        .chain(body)
        .filter_map(|(field, mask)| explained(classes.request.get(&field), field, mask.as_ref()))
        .collect();
    let answers = opened.answers.iter().map(|(status, masks)| {
        let of_status = classes.answers.get(status);
        let fields = masks.iter().filter_map(|(pointer, mask)| {
            let class = of_status.and_then(|classes| classes.get(pointer));
            explained(class, FieldPath::Body(pointer.clone()), mask.as_ref())
        });
        (*status, fields.collect())
    });
    (request, answers.collect())
}

fn explained(
    class: Option<&FieldClass>,
    field: FieldPath,
    mask: Option<&Mask>,
) -> Option<ExplainedField> {
    if mask == Some(&Mask::Drop) {
        return None;
    }
    let class = *class?;
    Some(ExplainedField {
        field,
        class: class.class(),
        category: class.category().map(|category| category.as_str()),
        mask: mask.map(mask_text),
    })
}

/// A mask as policy files write it.
pub(crate) fn mask_text(mask: &Mask) -> String {
    let name = mask.name();
    match mask {
        Mask::KeepFirst(n) | Mask::KeepLast(n) => format!("{name}: {n}"),
        Mask::Generalise(to) => match to {
            Generalisation::Year => format!("{name}: year"),
            Generalisation::Month => format!("{name}: month"),
            Generalisation::Province => format!("{name}: province"),
            Generalisation::Bands(bounds) => format!("{name}: bands {bounds:?}"),
        },
        Mask::Opaque(terms) => {
            format!("{name}: {}, at most {} bytes", terms.article, terms.bytes)
        }
        Mask::Drop | Mask::Redact | Mask::Pseudonymise | Mask::Null => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
