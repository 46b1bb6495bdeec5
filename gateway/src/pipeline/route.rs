//! Which service, operation and agreement. A service that does not exist and one that no agreement
//! opens to this consumer give the same refusal.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use jiff::civil::Date;
use lienthong_model::{field::Place, id::PurposeId, reason::ReasonCode};

use super::{edge::Received, identify::Consumer};
use crate::{
    coding::{Coding, UnknownCoding},
    metaservice,
    path::Pairs,
    refusal::Refusal,
    snapshot::{OperationRoutes, Route, Snapshot},
    xroad,
};

/// Where a request goes.
#[derive(Debug)]
pub enum Target {
    /// To a provider, under an agreement.
    Exchange(Routed),
    /// To the gateway itself: a list of what this consumer may use.
    Metaservice(Response<Full<Bytes>>),
}

/// A request with its agreement and purpose.
#[derive(Debug)]
pub struct Routed {
    pub(super) route: Arc<Route>,
    pub(super) purpose: PurposeId,
    path: Vec<(String, String)>,
    query: Pairs,
    headers: Vec<(String, String)>,
    pub(super) content_type: Option<http::HeaderValue>,
    pub(super) coding: Result<Coding, UnknownCoding>,
}

impl Routed {
    /// The route.
    #[must_use]
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// The purpose of this exchange.
    #[must_use]
    pub fn purpose(&self) -> &PurposeId {
        &self.purpose
    }

    /// The parameters: place, name and value as decoded.
    pub(super) fn values(&self) -> Vec<(Place, &str, &str)> {
        let path = self.path.iter().map(|(name, value)| (Place::Path, &**name, &**value));
        let query = self.query.iter().map(|(name, value)| (Place::Query, name, value));
        let headers = self.headers.iter().map(|(name, value)| (Place::Header, &**name, &**value));
        path.chain(query).chain(headers).collect()
    }
}

/// Finds the route of a request.
///
/// # Errors
/// `service.not_available`, `purpose.required`, `request.header`, and the metaservices' limits.
pub fn route(
    snapshot: &Snapshot,
    consumer: &Consumer,
    received: Received,
    today: Date,
) -> Result<Target, Refusal> {
    if let Some(answer) = metaservice::answer(snapshot, consumer, &received, today)? {
        return Ok(Target::Metaservice(answer));
    }
    let (operation, path) = find(snapshot, &received, today)
        .ok_or_else(|| Refusal::new(ReasonCode::ServiceNotAvailable))?;
    let candidates = operation.routes(consumer.acting(), consumer.via());
    let named = consumer.message().purpose.as_ref().map(purpose).transpose()?;
    let (route, purpose) = choose(candidates, named, today)?;
    Ok(Target::Exchange(Routed {
        path,
        headers: headers(&route, &received)?,
        purpose,
        content_type: received.headers.get(http::header::CONTENT_TYPE).cloned(),
        coding: Coding::of(&received.headers),
        query: received.query,
        route,
    }))
}

/// The operation that a request names, by X-Road address or by the path of a present LGSP client,
/// with the values in its path.
fn find<'a>(
    snapshot: &'a Snapshot,
    received: &Received,
    today: Date,
) -> Option<(&'a OperationRoutes, Vec<(String, String)>)> {
    if let Some(known) = snapshot.lgsp.as_ref().and_then(|lgsp| lgsp.known(&received.path)) {
        let routes = snapshot.service(&known.service)?;
        let is_named = |o: &&OperationRoutes| {
            o.operation.id == known.operation && o.operation.method == received.method
        };
        return routes.operations.iter().find(is_named).map(|operation| (operation, Vec::new()));
    }
    let (version, named) = received.path.split_once('/')?;
    if version != xroad::VERSION {
        return None;
    }
    let (address, rest) = xroad::split_address(named)?;
    // PERF: the address as its policy spells it is found without spelling it anew.
    let operations = match snapshot.service(address) {
        Some(routes) => &routes.operations,
        None => &snapshot.service(&canonical(snapshot, address, today)?)?.operations,
    };
    let mut of_method = operations.iter().filter(|o| o.operation.method == received.method);
    of_method.find_map(|o| o.matches(rest).map(|values| (o, values)))
}

/// A service's address with its member code as the policies spell it.
fn canonical(snapshot: &Snapshot, address: &str, today: Date) -> Option<String> {
    let mut parts: Vec<&str> = address.split('/').collect();
    let member = parts.get_mut(2)?;
    let provider = snapshot.identities.by_code(member, today)?;
    *member = provider.participant.member.code.as_str();
    Some(parts.join("/"))
}

fn purpose(header: &http::HeaderValue) -> Result<PurposeId, Refusal> {
    let refusal = || Refusal::named(ReasonCode::RequestHeader, "Lienthong-Purpose");
    header.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(refusal)
}

/// The agreement for a purpose: one that is in term if there is one, so that the successor of an
/// expired agreement takes over; else the latest, so that the refusal tells what ended.
fn choose<'a>(
    candidates: impl Iterator<Item = &'a Arc<Route>> + Clone,
    named: Option<PurposeId>,
    today: Date,
) -> Result<(Arc<Route>, PurposeId), Refusal> {
    let purpose = match named {
        Some(purpose) => purpose,
        None => {
            let mut purposes = candidates.clone().flat_map(|r| &r.agreement.purposes);
            let first = purposes.next();
            let first = first.ok_or_else(|| Refusal::new(ReasonCode::ServiceNotAvailable))?;
            if purposes.any(|other| other != first) {
                return Err(Refusal::new(ReasonCode::PurposeRequired));
            }
            first.clone()
        }
    };
    let rank = |route: &&Arc<Route>| {
        let agreement = &route.agreement;
        let in_term = agreement.valid.from <= today && today <= agreement.valid.until;
        (agreement.purposes.contains(&purpose), in_term, agreement.valid.until)
    };
    let route = candidates.max_by_key(rank);
    let route = route.ok_or_else(|| Refusal::new(ReasonCode::ServiceNotAvailable))?;
    Ok((Arc::clone(route), purpose))
}

/// The declared header parameters. All other headers stay behind.
fn headers(route: &Route, received: &Received) -> Result<Vec<(String, String)>, Refusal> {
    let mut values = Vec::new();
    for parameter in route.operation.parameters.iter().filter(|p| p.place == Place::Header) {
        for value in received.headers.get_all(parameter.name.as_str()) {
            // SECURITY: what is no text is refused, never mended: the provider would see another
            // value than the consumer sent.
            let text = std::str::from_utf8(value.as_bytes())
                .map_err(|_| Refusal::named(ReasonCode::RequestHeader, "header parameter"))?;
            values.push((parameter.name.clone(), text.to_owned()));
        }
    }
    Ok(values)
}
