//! What is in force: one immutable, hashed value that each exchange uses from end to end.
//!
//! Takes a checked policy set and the configured providers; gives identities, routes and compiled
//! views. Everything that does not depend on a request is decided here, once a load.

mod identities;
mod narrowed;
mod shared;
mod views;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use http::{HeaderValue, header::InvalidHeaderValue};
use lienthong_disclosure::Pseudonymiser;
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    id::{OperationId, ParticipantId, ServiceId},
    sensitive::Sensitive,
};
use lienthong_policy::{Agreement, AgreementOperation, Operation, PolicySet, Segment, Service};
use percent_encoding::{CONTROLS, utf8_percent_encode};

use self::shared::SharedViews;
pub(crate) use self::views::MAX_ENVELOPE_BYTES;
pub use self::{
    identities::{Identities, Identity},
    narrowed::{NarrowedViews, Narrowing},
    views::{AnswerView, Disclosure, MAX_BODY_DEPTH, Views},
};
use crate::{lgsp::Lgsp, limit::AgreementLimiter, metrics::RouteCounters, provider::Provider};

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
    /// What may pass for people who agreed to a part of that.
    pub narrowed: NarrowedViews,
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
    ) -> impl Iterator<Item = &'a Arc<Route>> + Clone {
        self.routes.get(consumer).into_iter().flatten().filter(move |route| match via {
            None => true,
            Some(via) => route.agreement.via.contains(via),
        })
    }

    /// The path parameters, when a decoded path matches the operation's template.
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut segments = path.split('/').filter(|_| !path.is_empty());
        let mut values = Vec::new();
        for part in self.operation.path.segments() {
            let segment = segments.next()?;
            match part {
                Segment::Literal(literal) if literal == segment => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(name) => values.push((name.clone(), segment.to_owned())),
            }
        }
        segments.next().is_none().then_some(values)
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
            narrowed: NarrowedViews::default(),
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

#[cfg(test)]
mod tests;
