//! Asks what the decision rests on beside the request: whether the people it is about agreed.
//!
//! Where an agreement rests on consent, takes the data subjects in role owner that a request names;
//! gives the fact for the decision, and what their consents let pass of what the agreement names.
//! Whom only the answer names is asked about before anything of them leaves. What cannot be known is
//! a refusal, and never "no consent needed".

use std::sync::Arc;

use lienthong_consent::{
    fields::{ConsentField, Fields},
    index::{Active, Missing, Standing},
    keys::SubjectDigest,
    scope::Asked,
};
use lienthong_disclosure::{Judge, Judgement, Locator};
use lienthong_evidence::entry::ExchangeId;
use lienthong_model::{
    id::{ParticipantId, PurposeId},
    reason::ReasonCode,
};
use lienthong_policy::{ConsentFact, IdentifierKind, SubjectRole};
use uuid::Uuid;

use super::{identify::Consumer, read::Body, validate_request::ValidRequest};
use crate::{
    consent::Consents,
    evidence::{AnswerSubjects, each_subject},
    gateway::Gateway,
    refusal::Refusal,
    snapshot::{AnswerView, Narrowing, Route, Views},
};

/// The kind of identifier that consents are kept under. Another one of the same person, a card's or a
/// file's number, is no ground to let his data leave.
const KIND: IdentifierKind = IdentifierKind::CitizenNumber;

/// A request, and what is known of those it is about.
#[derive(Debug)]
pub struct Gathered {
    pub(super) request: ValidRequest,
    pub(super) consent: ConsentFact,
    pub(super) basis: Basis,
}

/// What an exchange rests on beside its agreement.
#[derive(Debug)]
pub(super) enum Basis {
    /// Nothing.
    Agreement,
    /// What people agreed to.
    Consent(Box<OnConsent>),
}

/// An exchange that rests on consent.
#[derive(Debug, Clone)]
pub(super) struct OnConsent {
    consents: Arc<Consents>,
    route: Arc<Route>,
    recipient: ParticipantId,
    purpose: PurposeId,
    /// The owners that the request names.
    owners: Vec<SubjectDigest>,
    /// What they agreed to; none when it names nobody.
    given: Option<Given>,
}

/// What everyone who was asked about agreed to.
#[derive(Debug, Clone)]
struct Given {
    records: Vec<(SubjectDigest, Active)>,
    fields: Arc<Fields>,
    views: Arc<Views>,
}

/// Gathers the facts of a request.
///
/// # Errors
/// `facts.unavailable`, `disclosure.unfulfillable`, `request.schema`.
pub fn gather(
    gateway: &Gateway,
    mut request: ValidRequest,
    body: &Body,
    consumer: &Consumer,
) -> Result<Gathered, Refusal> {
    let route = Arc::clone(&request.admitted.routed.route);
    if route.agreement.consent.is_none() {
        let (consent, basis) = (ConsentFact::NotNeeded, Basis::Agreement);
        return Ok(Gathered { request, consent, basis });
    }
    let consents = gateway.consents().ok_or_else(unavailable)?;
    let mut basis = OnConsent {
        consents: Arc::clone(consents),
        recipient: consumer.acting().clone(),
        purpose: request.admitted.routed.purpose.clone(),
        owners: Vec::new(),
        given: None,
        route: Arc::clone(&route),
    };
    let values = request.admitted.routed.values();
    let fields = request.fields(body)?;
    each_subject(&route.operation, &values, &fields, &mut |field, value| {
        if field.role == SubjectRole::Owner && field.identifier == KIND {
            basis.owners.push(consents.digest(KIND.as_str(), value));
        }
    })?;
    drop((values, fields));
    let mut consent = ConsentFact::Given;
    // Whom the request does not name is asked about in the answer.
    if !basis.owners.is_empty() {
        match basis.ask(basis.owners.clone())? {
            Ok(given) => {
                request.narrow(body, &given.views)?;
                basis.given = Some(given);
            }
            Err(missing) => consent = ConsentFact::Missing(missing),
        }
    }
    Ok(Gathered { request, consent, basis: Basis::Consent(Box::new(basis)) })
}

fn unavailable() -> Refusal {
    Refusal::named(ReasonCode::FactsUnavailable, "consent")
}

impl OnConsent {
    fn standing(&self, owner: &SubjectDigest) -> Result<Standing, Refusal> {
        let service = &self.route.service;
        let asked = Asked {
            recipient: &self.recipient,
            controller: &service.provider,
            service: &service.id,
            purpose: &self.purpose,
        };
        self.consents.standing(owner, &asked)
    }

    /// What this exchange itself has used up.
    fn used_up(&self, owner: &SubjectDigest) -> Option<Active> {
        let mut records = self.given.iter().flat_map(|given| &given.records);
        let used = records.find(|(of, active)| of == owner && active.once);
        used.map(|(_, active)| active.clone())
    }

    /// What all of these agreed to, or why one of them did not.
    fn ask(&self, mut owners: Vec<SubjectDigest>) -> Result<Result<Given, ReasonCode>, Refusal> {
        owners.sort_unstable();
        owners.dedup();
        let mut records = Vec::with_capacity(owners.len());
        for owner in owners {
            match self.standing(&owner)? {
                Standing::Active(active) => records.push((owner, active)),
                Standing::Missing(missing) => match self.used_up(&owner) {
                    Some(active) if missing == Missing::Used => records.push((owner, active)),
                    _ => return Ok(Err(missing.reason())),
                },
            }
        }
        let all = records.iter().map(|(_, active)| Arc::clone(&active.fields));
        let Some(fields) = all.reduce(shared) else { return Ok(Err(ReasonCode::ConsentNotGiven)) };
        // PERF: lienthong-bench consent; the answer is mostly about whom the request was about.
        if let Some(known) = self.given.as_ref().filter(|known| Arc::ptr_eq(&known.fields, &fields))
        {
            let views = Arc::clone(&known.views);
            return Ok(Ok(Given { records, fields, views }));
        }
        match self.route.narrowed(&fields) {
            Narrowing::To(views) => Ok(Ok(Given { records, fields, views })),
            Narrowing::Nothing => Ok(Err(ReasonCode::ConsentNotGiven)),
            Narrowing::Unfulfillable => Err(Refusal::new(ReasonCode::DisclosureUnfulfillable)),
        }
    }
}

/// The fields that two people agreed to.
fn shared(one: Arc<Fields>, other: Arc<Fields>) -> Arc<Fields> {
    if one == other {
        return one;
    }
    // One may have agreed to all of what the other agreed to a part of.
    let within = |these: &Fields, those: &Fields| {
        let both = |f: &&ConsentField| those.covers(&f.operation, f.part, &f.field);
        these.as_slice().iter().filter(both).cloned().collect::<Vec<_>>()
    };
    Arc::new(Fields::new(within(&one, &other).into_iter().chain(within(&other, &one))))
}

impl Basis {
    /// The records of consent that a request rests on.
    pub(super) fn records(&self) -> Vec<ExchangeId> {
        let given = match self {
            Self::Consent(basis) => basis.given.as_ref(),
            Self::Agreement => None,
        };
        let records = given.into_iter().flat_map(|given| &given.records);
        records.map(|(_, active)| Uuid::from_bytes(*active.consent.as_bytes()).into()).collect()
    }

    /// What may pass, as far as it is known before the answer: what everyone agreed to whom the
    /// request names.
    pub(super) fn views<'a>(&'a self, agreed: &'a Arc<Views>) -> &'a Arc<Views> {
        match self {
            Self::Consent(basis) => basis.given.as_ref().map_or(agreed, |given| &given.views),
            Self::Agreement => agreed,
        }
    }

    /// Uses up the consents that were for one exchange: this one, whatever comes of it.
    ///
    /// # Errors
    /// `consent.used` when another exchange was first, `facts.unavailable`, `evidence.unavailable`.
    pub(super) async fn use_up(&self) -> Result<(), Refusal> {
        let Self::Consent(basis) = self else { return Ok(()) };
        let given = basis.given.iter().flat_map(|given| &given.records);
        for (_, active) in given.filter(|(_, active)| active.once) {
            basis.consents.use_once(active).await?;
        }
        Ok(())
    }

    /// What may pass of a whole answer, by everyone whom it or its request names.
    ///
    /// # Errors
    /// The reason of the first who did not agree; then nothing of it leaves.
    pub(super) fn of_whole<'a>(
        &'a self,
        agreed: &'a Arc<Views>,
        (status, about): (u16, Option<&AnswerSubjects>),
        body: &[u8],
    ) -> Result<Arc<Views>, Refusal> {
        let Self::Consent(basis) = self else { return Ok(Arc::clone(agreed)) };
        let mut owners = basis.owners.clone();
        if let Some(about) = about {
            about.owners(body, &mut |kind, value| {
                if kind == KIND.as_str() {
                    owners.push(basis.consents.digest(KIND.as_str(), value));
                }
            });
        }
        if owners.is_empty() {
            return match agreed.personal.contains(&status) {
                true => Err(Refusal::named(ReasonCode::ConsentNotGiven, "answer")),
                false => Ok(Arc::clone(agreed)),
            };
        }
        let asked = basis.ask(owners)?;
        let given = asked.map_err(|reason| Refusal::named(reason, "answer"))?;
        Ok(given.views)
    }

    /// Who judges the elements of a stream; none where nobody has to.
    pub(super) fn judge(
        &self,
        status: u16,
        about: Option<&Arc<AnswerSubjects>>,
    ) -> Option<Judging> {
        let Self::Consent(basis) = self else { return None };
        let about = about.cloned();
        let places = about.as_ref().map(|about| Arc::clone(about.places())).unwrap_or_default();
        let basis = OnConsent::clone(basis);
        let judge = ElementJudge { basis, about, status, named: Vec::new() };
        Some((places, Box::new(judge)))
    }
}

/// The places that say whom an element is about, and who judges by them.
pub(super) type Judging = (Arc<Locator>, Box<dyn Judge>);

/// Judges each element when it is about to leave, by what holds then: a consent that is withdrawn
/// while the answer streams counts for every element after it.
struct ElementJudge {
    basis: OnConsent,
    about: Option<Arc<AnswerSubjects>>,
    status: u16,
    /// Whom the present element names.
    named: Vec<SubjectDigest>,
}

impl Judge for ElementJudge {
    fn begin(&mut self) {
        self.named.clear();
    }

    fn value(&mut self, place: usize, value: &str) {
        let kind = self.about.as_ref().and_then(|about| about.owner(place));
        if kind.filter(|kind| *kind == KIND.as_str() && !value.is_empty()).is_some() {
            self.named.push(self.basis.consents.digest(KIND.as_str(), value));
        }
    }

    fn judgement(&mut self) -> Judgement {
        let owners = if self.named.is_empty() { &self.basis.owners } else { &self.named };
        let given = match self.basis.ask(owners.clone()) {
            Ok(Ok(given)) => given,
            Ok(Err(_)) => return Judgement::Withheld,
            Err(_) => return Judgement::Unknown,
        };
        // One consent for one exchange cannot be shared by those that an extract is about.
        if self.basis.given.is_none() && given.records.iter().any(|(_, active)| active.once) {
            return Judgement::Withheld;
        }
        match given.views.answers.get(&self.status) {
            Some(AnswerView::Stream(view)) if given.views.personal.contains(&self.status) => {
                Judgement::Narrowed(Arc::clone(view))
            }
            _ => Judgement::Withheld,
        }
    }
}
