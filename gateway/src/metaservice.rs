//! X-Road metaservices: listClients, listMethods, allowedMethods, getOpenAPI.
//!
//! Each shows only what the asking consumer has an agreement for, which is a documented deviation
//! from X-Road, where listMethods and listClients show everything.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::Full;
use jiff::civil::Date;
use lienthong_model::reason::ReasonCode;
use lienthong_policy::{AgreementOperation, Method, project_openapi};
use serde_json::{Value, json};

use crate::{
    pipeline::{edge::Received, identify::Consumer},
    refusal::Refusal,
    snapshot::{Route, ServiceRoutes, Snapshot},
    xroad,
};

/// Answers a metaservice request, or gives `None` when it is none.
///
/// # Errors
/// `service.not_available` where the consumer may not know of the provider; limits.
pub fn answer(
    snapshot: &Snapshot,
    consumer: &Consumer,
    received: &Received,
    today: Date,
) -> Result<Option<Response<Full<Bytes>>>, Refusal> {
    let Some(asked) = asked(received) else { return Ok(None) };
    // SECURITY: the limit comes before the work it protects.
    drop(consumer.identity().metaservices.admit()?);
    let services: Vec<Available<'_>> = snapshot
        .available(consumer.acting(), consumer.via())
        .map(|(service, routes)| (service, in_term(routes, today)))
        .filter(|(_, routes)| !routes.is_empty())
        .collect();
    let document = match asked {
        Asked::Clients => {
            no_query(received)?;
            list_clients(snapshot, &services)
        }
        Asked::Methods(subsystem) => {
            no_query(received)?;
            list_methods(&of_subsystem(services, &subsystem, snapshot, today))
        }
        Asked::Document(subsystem) => {
            open_api(received, &of_subsystem(services, &subsystem, snapshot, today))?
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(document.to_string())));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Some(response))
}

/// Instance, class, member and subsystem.
type Subsystem<'a> = [&'a str; 4];

/// What a metaservice request asks for.
enum Asked<'a> {
    Clients,
    Methods(Subsystem<'a>),
    Document(Subsystem<'a>),
}

/// What a request asks for, by method and path alone; `None` when it is no metaservice request.
fn asked(received: &Received) -> Option<Asked<'_>> {
    if received.method() != Method::Get {
        return None;
    }
    // A metaservice has one segment or six: no other path is looked at any further.
    let Some((named, method)) = received.path().rsplit_once('/') else {
        return (received.path() == "listClients").then_some(Asked::Clients);
    };
    if !matches!(method, "listMethods" | "allowedMethods" | "getOpenAPI") {
        return None;
    }
    let parts: Vec<&str> = named.split('/').collect();
    match *parts.as_slice() {
        [xroad::VERSION, instance, class, member, subsystem] => {
            let subsystem = [instance, class, member, subsystem];
            let is_document = method == "getOpenAPI";
            Some(if is_document { Asked::Document(subsystem) } else { Asked::Methods(subsystem) })
        }
        _ => None,
    }
}

type Available<'a> = (&'a ServiceRoutes, Vec<&'a Route>);

fn in_term(routes: Vec<&std::sync::Arc<Route>>, today: Date) -> Vec<&Route> {
    let valid = |r: &&Route| r.agreement.valid.from <= today && today <= r.agreement.valid.until;
    routes.into_iter().map(AsRef::as_ref).filter(valid).collect()
}

fn of_subsystem<'a>(
    services: Vec<Available<'a>>,
    [instance, class, member, subsystem]: &Subsystem<'_>,
    snapshot: &Snapshot,
    today: Date,
) -> Vec<Available<'a>> {
    let provider = snapshot.identities.by_code(member, today);
    let is_asked_for = |(routes, _): &Available<'_>| {
        let a = &routes.service.address;
        a.instance == *instance
            && a.class == *class
            && a.subsystem == *subsystem
            && provider.is_some_and(|p| p.participant.member.code == a.member)
    };
    services.into_iter().filter(is_asked_for).collect()
}

fn no_query(received: &Received) -> Result<(), Refusal> {
    if received.query().is_empty() {
        return Ok(());
    }
    Err(Refusal::new(ReasonCode::RequestUndeclaredField))
}

/// PR-MREST `listClients`, reduced to the subsystems whose services the consumer may use.
fn list_clients(snapshot: &Snapshot, services: &[Available<'_>]) -> Value {
    let mut members = BTreeMap::new();
    for (routes, _) in services {
        let service = &routes.service;
        let a = &service.address;
        let name = snapshot
            .identities
            .by_id(&service.provider)
            .map_or("", |identity| identity.participant.name.vi.as_str());
        members.insert(
            (a.member.clone(), a.subsystem.clone()),
            json!({
                "name": name,
                "id": {
                    "object_type": "SUBSYSTEM",
                    "xroad_instance": a.instance,
                    "member_class": a.class,
                    "member_code": a.member,
                    "subsystem_code": a.subsystem,
                },
            }),
        );
    }
    json!({ "member": members.into_values().collect::<Vec<_>>() })
}

/// PR-MREST `listMethods` and `allowedMethods`, which are one here.
fn list_methods(services: &[Available<'_>]) -> Value {
    let methods: Vec<Value> = services
        .iter()
        .map(|(routes, available)| {
            let a = &routes.service.address;
            let endpoints: BTreeMap<_, _> = available
                .iter()
                .map(|r| {
                    let (method, path) = (r.operation.method.as_str(), r.operation.path.as_str());
                    ((path, method), json!({ "method": method, "path": path }))
                })
                .collect();
            json!({
                "object_type": "SERVICE",
                "xroad_instance": a.instance,
                "member_class": a.class,
                "member_code": a.member,
                "subsystem_code": a.subsystem,
                "service_code": a.service,
                "service_type": "OPENAPI",
                "endpoint_list": endpoints.into_values().collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "service": methods })
}

/// PR-MREST `getOpenAPI?serviceCode=…`: the document projected to what is disclosed.
fn open_api(received: &Received, services: &[Available<'_>]) -> Result<Value, Refusal> {
    let mut query = received.query().iter();
    let (Some((name, code)), None) = (query.next(), query.next()) else {
        return Err(Refusal::named(ReasonCode::RequestSchema, "serviceCode"));
    };
    if name != "serviceCode" {
        return Err(Refusal::new(ReasonCode::RequestUndeclaredField));
    }
    let (routes, available) = services
        .iter()
        .find(|(routes, _)| routes.service.address.service == code)
        .ok_or_else(|| Refusal::new(ReasonCode::ServiceNotAvailable))?;
    let terms: Vec<&AgreementOperation> = available.iter().map(|r| r.terms.as_ref()).collect();
    Ok(project_openapi(&routes.service, &terms))
}
