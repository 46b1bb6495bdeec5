//! What is in force: one immutable, hashed value that each exchange uses from end to end.
//!
//! Takes a checked policy set and the configured providers; gives identities, routes and compiled
//! views. Everything that does not depend on a request is decided here, once a load.

mod shared;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use http::{HeaderValue, header::InvalidHeaderValue};
use jiff::civil::Date;
use lienthong_disclosure::{
    Bounds, Direction, Disclosed, ParameterRule, ParameterView, Pseudonymiser, StreamBounds,
    StreamShape, StreamView, ViewError,
};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    id::{OperationId, ParticipantId, ServiceId, TrustAnchorId},
    sensitive::Sensitive,
};
use lienthong_policy::{
    Agreement, AgreementOperation, CertificateMatcher, DataLimits, FieldMasks, Limits, Operation,
    Participant, PolicySet, Segment, Service,
};
use percent_encoding::{CONTROLS, utf8_percent_encode};

use self::shared::SharedViews;
use crate::{
    certificate::PeerCertificate,
    lgsp::Lgsp,
    limit::{AgreementLimiter, ConsumerPlaces},
    media::{self, BodyView},
    metrics::RouteCounters,
    provider::Provider,
};

/// The city-wide pseudonym key of a period.
#[derive(Debug, Clone)]
pub struct PseudonymKey {
    /// The key.
    pub key: Sensitive<[u8; 32]>,
    /// The period's name.
    pub period: String,
}

/// What is in force.
#[derive(Debug)]
pub struct Snapshot {
    /// The policy set.
    pub policies: PolicySet,
    /// Who is who.
    pub identities: Identities,
    /// The dialect of present LGSP clients, where it is spoken.
    pub lgsp: Option<Lgsp>,
    services: HashMap<String, ServiceRoutes>,
}

/// Participants by certificate and by member code.
#[derive(Debug, Default)]
pub struct Identities {
    participants: HashMap<ParticipantId, Arc<Identity>>,
    by_name: HashMap<(TrustAnchorId, String), ParticipantId>,
    by_subject: HashMap<(TrustAnchorId, String), ParticipantId>,
    by_key: HashMap<(TrustAnchorId, [u8; 32]), ParticipantId>,
    codes: HashMap<ParticipantId, (ParticipantId, Option<Date>)>,
}

/// A participant and what is limited by participant.
#[derive(Debug)]
pub struct Identity {
    /// The participant.
    pub participant: Participant,
    /// Limits the metaservices, which no agreement covers.
    pub metaservices: Arc<AgreementLimiter>,
    /// Its places in flight, over all its agreements.
    pub places: Arc<ConsumerPlaces>,
}

/// The operations of one service.
#[derive(Debug)]
pub struct ServiceRoutes {
    /// The service.
    pub service: Arc<Service>,
    /// Its operations.
    pub operations: Vec<OperationRoutes>,
}

/// The agreements on one operation.
#[derive(Debug)]
pub struct OperationRoutes {
    /// The operation.
    pub operation: Arc<Operation>,
    routes: HashMap<ParticipantId, Vec<Arc<Route>>>,
}

/// One operation under one agreement, compiled.
#[derive(Debug)]
pub struct Route {
    /// The service.
    pub service: Arc<Service>,
    /// The operation.
    pub operation: Arc<Operation>,
    /// The agreement.
    pub agreement: Arc<Agreement>,
    /// The operation's terms, with the compiled decision.
    pub terms: Arc<AgreementOperation>,
    /// What may pass; equal ones are one.
    pub views: Arc<Views>,
    /// The agreement's limits.
    pub limiter: Arc<AgreementLimiter>,
    /// Where the data is.
    pub provider: Arc<Provider>,
    /// Derives pseudonyms for this consumer.
    pub pseudonymiser: Pseudonymiser,
    /// The articles, as an answer's header.
    pub cites_header: HeaderValue,
    /// Agreement and version, as an answer's header.
    pub agreement_header: HeaderValue,
    /// Service address, as a header.
    pub service_header: HeaderValue,
    /// Where its exchanges are counted.
    pub counters: Arc<RouteCounters>,
}

/// What may pass under the terms of one agreement operation, compiled.
#[derive(Debug)]
pub struct Views {
    /// What of the parameters passes.
    pub parameters: ParameterView,
    /// What of the request body passes; `None` when there is no body.
    pub request: Option<BodyView>,
    /// What of each answer passes, by status.
    pub answers: BTreeMap<u16, AnswerView>,
    /// What the provider may answer, as a header.
    pub accept: HeaderValue,
}

/// What of one answer status passes.
#[derive(Debug)]
pub enum AnswerView {
    /// The status alone; the answer has no body.
    Empty,
    /// A whole body.
    Whole(BodyView),
    /// The fields of each element of a stream.
    Stream(Arc<StreamView>),
}

/// Deepest nesting of a body.
pub const MAX_BODY_DEPTH: usize = 32;

/// Most bytes around the array of a stream.
pub(crate) const MAX_ENVELOPE_BYTES: usize = 64 << 10;

impl Snapshot {
    /// Compiles a policy set. Limiters of `previous` live on where nothing changed.
    ///
    /// # Errors
    /// Every view that does not compile and every service without a provider.
    pub fn build(
        policies: PolicySet,
        providers: &BTreeMap<ServiceId, Arc<Provider>>,
        pseudonyms: &PseudonymKey,
        previous: Option<&Self>,
    ) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        for service in providers.keys().filter(|id| !policies.services.contains_key(*id)) {
            let message = format!("`providers` names service `{service}`, which no policy knows");
            found.add("configuration", Position::default(), message);
        }
        let mut services = HashMap::new();
        for service in policies.services.values() {
            let agreements = policies.agreements.values().filter(|a| a.service == service.id);
            let agreements: Vec<_> = agreements.cloned().collect();
            if agreements.is_empty() {
                continue;
            }
            let Some(provider) = providers.get(&service.id) else {
                let message = format!("service `{}` has no entry in `providers`", service.id);
                found.add("configuration", Position::default(), message);
                continue;
            };
            let kept = previous.and_then(|p| p.provider(&service.id));
            let provider = kept.filter(|kept| kept.is_same(provider)).unwrap_or(provider);
            let builder = Builder { service, provider, pseudonyms, previous };
            let routes = builder.service(&agreements, &mut found);
            services.insert(address_key(service), routes);
        }
        let identities = Identities::new(&policies, previous);
        found.into_result(Self { policies, identities, lgsp: None, services })
    }

    /// The routes of a service by its address.
    #[must_use]
    pub fn service(&self, address: &str) -> Option<&ServiceRoutes> {
        self.services.get(address)
    }

    /// The route of an operation under an agreement.
    #[must_use]
    pub fn route(
        &self,
        service: &Service,
        operation: &OperationId,
        agreement: &Agreement,
    ) -> Option<&Arc<Route>> {
        let routes = self.service(&address_key(service))?;
        let operation = routes.operations.iter().find(|o| o.operation.id == *operation)?;
        let routes = operation.routes.get(&agreement.consumer)?;
        routes.iter().find(|route| route.agreement.id == agreement.id)
    }

    /// Every service that an agreement opens to `consumer` when it comes through `via`.
    pub fn available<'a>(
        &'a self,
        consumer: &'a ParticipantId,
        via: Option<&'a ParticipantId>,
    ) -> impl Iterator<Item = (&'a ServiceRoutes, Vec<&'a Arc<Route>>)> {
        let mut services: Vec<&ServiceRoutes> = self.services.values().collect();
        services.sort_by(|a, b| a.service.id.cmp(&b.service.id));
        services.into_iter().filter_map(move |service| {
            let routes: Vec<_> =
                service.operations.iter().flat_map(|o| o.routes(consumer, via)).collect();
            (!routes.is_empty()).then_some((service, routes))
        })
    }

    fn provider(&self, service: &ServiceId) -> Option<&Arc<Provider>> {
        let routes = self.services.values().find(|s| s.service.id == *service)?;
        let route = routes.operations.iter().flat_map(|o| o.routes.values()).flatten().next()?;
        Some(&route.provider)
    }

    fn limiter(&self, agreement: &Agreement) -> Option<Arc<AgreementLimiter>> {
        self.services
            .values()
            .flat_map(|s| &s.operations)
            .filter_map(|o| o.routes.get(&agreement.consumer))
            .flatten()
            .find(|r| r.agreement.id == agreement.id && r.limiter.keeps(&agreement.limits))
            .map(|r| Arc::clone(&r.limiter))
    }
}

/// A service's address as paths spell it after decoding.
#[must_use]
pub fn address_key(service: &Service) -> String {
    let a = &service.address;
    format!("{}/{}/{}/{}/{}", a.instance, a.class, a.member, a.subsystem, a.service)
}

impl OperationRoutes {
    /// The routes that `consumer` has when it comes through `via`.
    pub fn routes<'a>(
        &'a self,
        consumer: &ParticipantId,
        via: Option<&'a ParticipantId>,
    ) -> impl Iterator<Item = &'a Arc<Route>> {
        self.routes.get(consumer).into_iter().flatten().filter(move |route| match via {
            None => true,
            Some(via) => route.agreement.via.contains(via),
        })
    }

    /// The path parameters, when the decoded segments match the operation's template.
    #[must_use]
    pub fn matches(&self, segments: &[String]) -> Option<Vec<(String, String)>> {
        let template = self.operation.path.segments();
        if template.len() != segments.len() {
            return None;
        }
        let mut values = Vec::new();
        for (part, segment) in template.iter().zip(segments) {
            match part {
                Segment::Literal(literal) if literal == segment => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(name) => values.push((name.clone(), segment.clone())),
            }
        }
        Some(values)
    }
}

struct Builder<'a> {
    service: &'a Arc<Service>,
    provider: &'a Arc<Provider>,
    pseudonyms: &'a PseudonymKey,
    previous: Option<&'a Snapshot>,
}

impl Builder<'_> {
    fn service(&self, agreements: &[Arc<Agreement>], found: &mut Diagnostics) -> ServiceRoutes {
        let limiters: BTreeMap<_, _> = agreements
            .iter()
            .map(|agreement| {
                let kept = self.previous.and_then(|p| p.limiter(agreement));
                let limiter =
                    kept.unwrap_or_else(|| Arc::new(AgreementLimiter::new(&agreement.limits)));
                (agreement.id.clone(), limiter)
            })
            .collect();
        let mut operations = Vec::new();
        for operation in self.service.operations.values() {
            let mut routes: HashMap<ParticipantId, Vec<Arc<Route>>> = HashMap::new();
            let mut shared = SharedViews::new(operation);
            for agreement in agreements {
                let Some(terms) = agreement.operations.get(&operation.id) else { continue };
                let Some(limiter) = limiters.get(&agreement.id) else { continue };
                let limiter = Arc::clone(limiter);
                let route = shared
                    .under(terms)
                    .and_then(|views| self.route(operation, agreement, terms, views, limiter));
                match route {
                    Ok(route) => {
                        routes.entry(agreement.consumer.clone()).or_default().push(Arc::new(route));
                    }
                    Err(problems) => found.extend(problems),
                }
            }
            operations.push(OperationRoutes { operation: Arc::clone(operation), routes });
        }
        ServiceRoutes { service: Arc::clone(self.service), operations }
    }

    fn route(
        &self,
        operation: &Arc<Operation>,
        agreement: &Arc<Agreement>,
        terms: &Arc<AgreementOperation>,
        views: Arc<Views>,
        limiter: Arc<AgreementLimiter>,
    ) -> Result<Route, Diagnostics> {
        let cites: Vec<String> = agreement.legal_bases.iter().map(ToString::to_string).collect();
        let version: String =
            agreement.version.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let unfit = |error: InvalidHeaderValue| {
            let mut found = Diagnostics::new();
            let file = format!("policies/agreements/{}.yaml", agreement.id);
            found.add(&file, Position::default(), format!("cannot be told in a header: {error}"));
            found
        };
        let agreement_text = format!("{}; version={version}", agreement.id);
        Ok(Route {
            service: Arc::clone(self.service),
            operation: Arc::clone(operation),
            agreement: Arc::clone(agreement),
            terms: Arc::clone(terms),
            views,
            limiter,
            provider: Arc::clone(self.provider),
            pseudonymiser: Pseudonymiser::new(
                self.pseudonyms.key.clone(),
                &agreement.consumer,
                &self.pseudonyms.period,
            ),
            cites_header: header(&cites.join(", ")).map_err(&unfit)?,
            agreement_header: header(&agreement_text).map_err(&unfit)?,
            service_header: header(&address_key(self.service)).map_err(&unfit)?,
            counters: Arc::default(),
        })
    }
}

/// A text as a header, what is not ASCII percent-encoded: an article may be called `19.1.đ`.
fn header(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    HeaderValue::from_str(&utf8_percent_encode(text, CONTROLS).to_string())
}

impl AnswerView {
    /// Compiles what of the answer with `status` passes.
    ///
    /// # Errors
    /// Every field that does not compile.
    pub fn compile(
        operation: &Operation,
        status: u16,
        masks: &FieldMasks,
    ) -> Result<Self, Vec<ViewError>> {
        let answer = operation.answers.get(&status);
        let Some((media, schema)) =
            answer.and_then(|answer| Some((answer.media, answer.schema.as_ref()?)))
        else {
            return Ok(Self::Empty);
        };
        let Some(rules) = operation.stream(status) else {
            let bounds = Bounds { max_bytes: operation.answer_limit, max_depth: MAX_BODY_DEPTH };
            let answer = (Direction::Answer, bounds);
            return BodyView::compile(media, schema, masks, answer).map(Self::Whole);
        };
        let shape = match &rules.elements {
            Some(array) => StreamShape::Array(array.clone()),
            None => StreamShape::Ndjson,
        };
        let bounds = StreamBounds {
            element_bytes: rules.element_bytes,
            max_elements: rules.max_elements,
            envelope_bytes: operation.answer_limit.min(MAX_ENVELOPE_BYTES),
            max_depth: MAX_BODY_DEPTH,
        };
        StreamView::compile(schema, masks, &shape, bounds).map(|view| Self::Stream(Arc::new(view)))
    }
}

impl Views {
    /// Compiles the disclosures of one agreement operation.
    ///
    /// # Errors
    /// Every part that does not compile.
    pub fn compile(operation: &Operation, terms: &AgreementOperation) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let mut report = |part: &str, errors: Vec<ViewError>| {
            for error in errors {
                let message = format!("operation `{}`, {part}: {error}", operation.id);
                let file = format!("policies/agreements/{}.yaml", terms.agreement);
                found.add(&file, Position::default(), message);
            }
        };
        let bounds = Bounds { max_bytes: crate::path::MAX_TARGET, max_depth: MAX_BODY_DEPTH };
        let parameters = ParameterView::compile(&parameter_rules(operation, terms), bounds)
            .map_err(|errors| report("parameters", errors))
            .ok();
        let request = operation.request.as_ref().and_then(|body| {
            let bounds = Bounds { max_bytes: operation.request_limit, max_depth: MAX_BODY_DEPTH };
            let request = (Direction::Request, bounds);
            BodyView::compile(body.media, &body.schema, &terms.request_body, request)
                .map_err(|errors| report("request", errors))
                .ok()
        });
        let mut answers = BTreeMap::new();
        for (status, masks) in &terms.answers {
            match AnswerView::compile(operation, *status, masks) {
                Ok(view) => drop(answers.insert(*status, view)),
                Err(errors) => report(&format!("answer {status}"), errors),
            }
        }
        match parameters {
            Some(parameters) if found.is_empty() => {
                Ok(Self { parameters, request, answers, accept: media::accepted(operation) })
            }
            _ => Err(found),
        }
    }

    /// Compiles every disclosure of a policy set and gives all mistakes; for `policy check`, which
    /// has no providers.
    #[must_use]
    pub fn check(policies: &PolicySet) -> Diagnostics {
        let mut found = Diagnostics::new();
        for terms in policies.agreements.values().flat_map(|a| a.operations.values()) {
            if let Err(mistakes) = Self::compile(&terms.operation, terms) {
                found.extend(mistakes);
            }
        }
        found
    }
}

fn parameter_rules(operation: &Operation, terms: &AgreementOperation) -> Vec<ParameterRule> {
    operation
        .parameters
        .iter()
        .map(|parameter| {
            let key = (parameter.place, parameter.name.clone());
            let disclosed = match terms.request_parameters.get(&key) {
                Some(mask) => Disclosed::Passes(mask.clone()),
                None => Disclosed::Withheld,
            };
            ParameterRule {
                place: parameter.place,
                name: parameter.name.clone(),
                required: parameter.required,
                array: parameter.array,
                schema: parameter.schema.clone(),
                disclosed,
            }
        })
        .collect()
}

impl Identities {
    fn new(policies: &PolicySet, previous: Option<&Snapshot>) -> Self {
        let mut identities = Self::default();
        let data = DataLimits::default();
        let limits = Limits { burst: 20, per_second: 5.0, in_flight: 4, data };
        for participant in policies.participants.values() {
            let kept = previous.and_then(|p| p.identities.participants.get(&participant.id));
            let metaservices = kept.map_or_else(
                || Arc::new(AgreementLimiter::new(&limits)),
                |identity| Arc::clone(&identity.metaservices),
            );
            let places = kept.map(|identity| Arc::clone(&identity.places)).unwrap_or_default();
            let code = participant.member.code.clone();
            identities.codes.insert(code, (participant.id.clone(), None));
            for alias in &participant.aliases {
                identities
                    .codes
                    .insert(alias.code.clone(), (participant.id.clone(), Some(alias.until)));
            }
            identities.index(participant);
            let identity = Identity { participant: participant.clone(), metaservices, places };
            identities.participants.insert(participant.id.clone(), Arc::new(identity));
        }
        identities
    }

    fn index(&mut self, participant: &Participant) {
        for rule in &participant.certificates {
            let (anchor, id) = (rule.trust_anchor.clone(), participant.id.clone());
            match &rule.matcher {
                CertificateMatcher::San(name) => {
                    self.by_name.insert((anchor, name.to_ascii_lowercase()), id);
                }
                CertificateMatcher::Subject(subject) => {
                    self.by_subject.insert((anchor, subject.clone()), id);
                }
                CertificateMatcher::SpkiSha256(hash) => {
                    self.by_key.insert((anchor, *hash), id);
                }
            }
        }
    }

    /// The participant that a certificate belongs to. SECURITY: a certificate whose names lead to
    /// two participants belongs to neither.
    #[must_use]
    pub fn by_certificate(&self, certificate: &PeerCertificate) -> Option<&Arc<Identity>> {
        let anchor = &certificate.trust_anchor;
        let of_key = self.by_key.get(&(anchor.clone(), certificate.spki_sha256));
        let of_subject = self.by_subject.get(&(anchor.clone(), certificate.subject.clone()));
        let of_names = certificate
            .dns_names
            .iter()
            .filter_map(|name| self.by_name.get(&(anchor.clone(), name.to_ascii_lowercase())));
        let mut found = of_key.into_iter().chain(of_subject).chain(of_names);
        let first = found.next()?;
        if found.any(|other| other != first) {
            return None;
        }
        self.participants.get(first)
    }

    /// The participant of a member code on `today`, in either spelling or by a dated alias.
    #[must_use]
    pub fn by_code(&self, code: &str, today: Date) -> Option<&Arc<Identity>> {
        let code = ParticipantId::parse_either_spelling(code).ok()?;
        let (id, until) = self.codes.get(&code)?;
        if until.is_some_and(|until| today > until) {
            return None;
        }
        self.participants.get(id)
    }

    /// A participant by id.
    #[must_use]
    pub fn by_id(&self, id: &ParticipantId) -> Option<&Arc<Identity>> {
        self.participants.get(id)
    }

    /// Every participant, in order of id.
    #[must_use]
    pub fn all(&self) -> Vec<&Arc<Identity>> {
        let mut all: Vec<_> = self.participants.values().collect();
        all.sort_by(|a, b| a.participant.id.cmp(&b.participant.id));
        all
    }
}

#[cfg(test)]
mod tests;
