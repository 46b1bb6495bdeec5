//! An agreement operation as one Cedar permit, beside every forbid rule.
//!
//! Takes an agreement's terms and what it discloses; gives the compiled policy. The permit says in
//! full what it demands, so that reading it is enough; it is checked in strict mode like any rule.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    str::FromStr,
    sync::{Arc, RwLock},
};

use cedar_policy::{
    EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, ValidationMode,
};
use lienthong_model::{
    field::{DataClass, FieldPath, Place, Pointer},
    id::{InstrumentId, OperationId, PurposeId, ServiceId},
    mask::Mask,
};

use crate::{
    agreement::{
        Agreement, AgreementOperation, EvidenceTerms, FieldMasks, OutcomeTiming, Requirement,
    },
    decide::{CompiledPolicy, Fact, Scope, Terms, day_number},
    legal_basis::{Citation, Instrument},
    rule::Rules,
    service::{FieldClass, Operation},
};

/// What an agreement lets pass in one operation.
#[derive(Debug)]
pub(crate) struct Disclosed {
    pub(crate) operation: Arc<Operation>,
    pub(crate) request_parameters: BTreeMap<(Place, String), Option<Mask>>,
    pub(crate) request_body: FieldMasks,
    pub(crate) answers: BTreeMap<u16, FieldMasks>,
}

/// Compiles one operation of an agreement whose own operations are not filled in yet.
pub(crate) fn compile(
    agreement: &Agreement,
    disclosed: Disclosed,
    instruments: &BTreeMap<InstrumentId, Instrument>,
    rules: &Arc<Rules>,
) -> Result<AgreementOperation, String> {
    let operation = &disclosed.operation.id;
    let text = permit(agreement, operation);
    let id = PolicyId::new(format!("permit {}/{operation}", agreement.id));
    let permit = Policy::parse(Some(id), &text).map_err(|error| error.to_string())?;
    check_strictly(&permit, rules)?;
    let scope = Scope {
        principal: entity("Participant", agreement.consumer.as_str())?,
        action: entity("Action", "exchange")?,
        resource: entity("Operation", &resource(&agreement.service, operation))?,
    };
    let policy = CompiledPolicy {
        terms: Terms {
            consumer: agreement.consumer.clone(),
            via: agreement.via.iter().cloned().collect(),
            purposes: agreement.purposes.clone(),
            valid: agreement.valid,
            officer: agreement.officer,
            dossier: agreement.dossier,
            rests_on_consent: agreement.consent.is_some(),
        },
        permit,
        rules: Arc::clone(rules),
        scope,
        fixed: fixed_facts(agreement, &disclosed),
        instruments: cited(agreement)
            .filter_map(|id| instruments.get(id))
            .map(|i| (i.id.as_str().to_owned(), i.from, i.until))
            .collect(),
        citations: agreement.legal_bases.clone().into(),
        memo: RwLock::new(HashMap::new()),
    };
    let evidence = evidence(agreement, &disclosed);
    let Disclosed { operation, request_parameters, request_body, answers } = disclosed;
    Ok(AgreementOperation {
        agreement: agreement.id.clone(),
        operation,
        request_parameters,
        request_body,
        answers,
        evidence,
        policy,
    })
}

/// What holds of the evidence. Where anything sensitive leaves in an answer, its outcome is durable
/// first, unless the agreement says otherwise.
fn evidence(agreement: &Agreement, disclosed: &Disclosed) -> EvidenceTerms {
    let is_sensitive = |status: &u16, pointer: &Pointer| {
        let classes = disclosed.operation.classes.answers.get(status);
        class(classes.and_then(|classes| classes.get(pointer))).class() == DataClass::Sensitive
    };
    let sensitive = disclosed.answers.iter().any(|(status, masks)| {
        let mut telling = masks.iter().filter(|(_, mask)| tells_something(mask.as_ref()));
        telling.any(|(pointer, _)| is_sensitive(status, pointer))
    });
    let usual = match sensitive {
        true => OutcomeTiming::BeforeAnswer,
        false => OutcomeTiming::AfterAnswer,
    };
    let written = agreement.evidence;
    EvidenceTerms { outcome: written.outcome.unwrap_or(usual), values: written.values }
}

/// The one permit of an agreement operation, in Cedar. Ids hold no quotes, by their own shape.
pub(crate) fn permit(agreement: &Agreement, operation: &OperationId) -> String {
    let purposes: Vec<String> = agreement.purposes.iter().map(|p| format!("\"{p}\"")).collect();
    let via: Vec<String> = agreement.via.iter().map(|v| format!("\"{v}\"")).collect();
    let mut conditions = vec![format!("[{}].contains(context.purpose)", purposes.join(", "))];
    conditions.push(if via.is_empty() {
        "context.via == \"\"".to_owned()
    } else {
        format!("[\"\", {}].contains(context.via)", via.join(", "))
    });
    conditions.push(format!("{} <= context.today", day_number(agreement.valid.from)));
    conditions.push(format!("context.today <= {}", day_number(agreement.valid.until)));
    if agreement.officer == Requirement::Required {
        conditions.push("context.officer_present".to_owned());
    }
    if agreement.dossier == Requirement::Required {
        conditions.push("context.dossier_present".to_owned());
    }
    if agreement.consent.is_some() {
        conditions.push("context.consent_given".to_owned());
    }
    format!(
        "permit (\n  principal == Participant::\"{}\",\n  action == Action::\"exchange\",\n  \
         resource == Operation::\"{}\"\n) when {{\n  {}\n}};\n",
        agreement.consumer,
        resource(&agreement.service, operation),
        conditions.join(" &&\n  "),
    )
}

fn check_strictly(permit: &Policy, rules: &Rules) -> Result<(), String> {
    let alone = PolicySet::from_policies([permit.clone()]).map_err(|error| error.to_string())?;
    let result = rules.validator.validate(&alone, ValidationMode::Strict);
    match result.validation_errors().next() {
        Some(error) => Err(error.to_string()),
        None => Ok(()),
    }
}

/// The name of an operation as a Cedar resource.
pub(crate) fn resource(service: &ServiceId, operation: &OperationId) -> String {
    format!("{service}/{operation}")
}

fn entity(kind: &str, id: &str) -> Result<EntityUid, String> {
    let kind = EntityTypeName::from_str(kind).map_err(|error| error.to_string())?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn cited(agreement: &Agreement) -> impl Iterator<Item = &InstrumentId> {
    agreement
        .legal_bases
        .iter()
        .map(|citation| &citation.instrument)
        .collect::<BTreeSet<_>>()
        .into_iter()
}

/// The facts that do not depend on the exchange.
fn fixed_facts(agreement: &Agreement, disclosed: &Disclosed) -> Vec<(&'static str, Fact)> {
    let text = |text: &str| Fact::Text(text.into());
    let flag = |demand| Fact::Flag(demand == Requirement::Required);
    let day = |date| Fact::Day(day_number(date));
    let leaving = leaving(disclosed);
    let fields = leaving.iter().map(|leaving| leaving.field.clone());
    let unmasked = leaving.iter().filter(|leaving| !leaving.masked);
    let unmasked = unmasked.map(|leaving| leaving.field.clone());
    let categories = leaving.iter().filter_map(|leaving| leaving.class.category());
    let classes = leaving.iter().map(|leaving| leaving.class.class().as_str().to_owned());
    vec![
        ("agreement", text(agreement.id.as_str())),
        ("provider", text(agreement.provider.as_str())),
        ("consumer", text(agreement.consumer.as_str())),
        ("service", text(agreement.service.as_str())),
        ("operation", text(disclosed.operation.id.as_str())),
        ("exchange_mode", text(agreement.exchange_mode.as_str())),
        ("purposes", set(agreement.purposes.iter().map(|p: &PurposeId| p.to_string()))),
        ("valid_from", day(agreement.valid.from)),
        ("valid_until", day(agreement.valid.until)),
        ("officer_required", flag(agreement.officer)),
        ("dossier_required", flag(agreement.dossier)),
        ("rests_on_consent", Fact::Flag(agreement.consent.is_some())),
        ("instruments", set(cited(agreement).map(InstrumentId::to_string))),
        ("articles", set(agreement.legal_bases.iter().map(Citation::to_string))),
        ("fields", set(fields)),
        ("unmasked", set(unmasked)),
        ("categories", set(categories.map(|c| c.as_str().to_owned()))),
        ("classes", set(classes)),
    ]
}

fn set(texts: impl Iterator<Item = String>) -> Fact {
    let texts: BTreeSet<String> = texts.collect();
    Fact::Set(texts.into_iter().map(String::into_boxed_str).collect())
}

/// A field of which something may leave.
struct Leaving {
    field: String,
    class: FieldClass,
    masked: bool,
}

impl Leaving {
    /// None when the mask leaves nothing of the value.
    fn new(field: String, known: Option<&FieldClass>, mask: Option<&Mask>) -> Option<Self> {
        // A file has a mask that lets it pass as it is.
        let masked = !matches!(mask, None | Some(Mask::Opaque(_)));
        tells_something(mask).then(|| Self { field, class: class(known), masked })
    }
}

/// Every field of which something may leave.
fn leaving(disclosed: &Disclosed) -> Vec<Leaving> {
    let classes = &disclosed.operation.classes;
    let mut fields = Vec::new();
    for ((place, name), mask) in &disclosed.request_parameters {
        let field = FieldPath::Parameter(*place, name.clone());
        let known = classes.request.get(&field);
        fields.extend(Leaving::new(request_name(&field), known, mask.as_ref()));
    }
    for (pointer, mask) in &disclosed.request_body {
        let field = FieldPath::Body(pointer.clone());
        let known = classes.request.get(&field);
        fields.extend(Leaving::new(request_name(&field), known, mask.as_ref()));
    }
    for (status, masks) in &disclosed.answers {
        let of_status = classes.answers.get(status);
        for (pointer, mask) in masks {
            let field = FieldPath::Body(pointer.clone());
            let known = of_status.and_then(|classes| classes.get(pointer));
            fields.extend(Leaving::new(answer_name(*status, &field), known, mask.as_ref()));
        }
    }
    fields
}

/// How rules name a field of a request.
pub(crate) fn request_name(field: &FieldPath) -> String {
    format!("request {field}")
}

/// How rules name a field of an answer.
pub(crate) fn answer_name(status: u16, field: &FieldPath) -> String {
    format!("answer {status} {field}")
}

/// A field whose class is not known counts as the most personal there is.
fn class(known: Option<&FieldClass>) -> FieldClass {
    known.copied().unwrap_or(FieldClass::Sensitive(crate::service::SensitiveCategory::PrivateLife))
}

/// Whether anything of the value is left under a mask.
pub(crate) fn tells_something(mask: Option<&Mask>) -> bool {
    !matches!(mask, Some(Mask::Drop | Mask::Redact | Mask::Null))
}
