//! The journey of one exchange, whole and in order.
//!
//! Each stage is one file and hands the next a value that only it can make: `forward` cannot be
//! called without [`decide::Permitted`] and [`disclose_request::DisclosedRequest`] and never sees
//! the consumer's bytes; `respond` cannot be called without [`disclose_answer::Disclosed`].
//!
//! ```text
//! listen -> tls -> edge -> identify -> route -> admit -> read -> validate_request -> decide -> disclose_request
//!                                                                                                    |
//!            respond <- disclose_answer <- validate_answer <-------------- provider <------------ forward
//! ```

pub mod admit;
pub mod decide;
pub mod disclose_answer;
pub mod disclose_request;
pub mod edge;
pub mod forward;
pub mod identify;
pub mod read;
pub mod respond;
pub mod route;
pub mod validate_answer;
pub mod validate_request;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use lienthong_model::clock::civil_date;

use crate::{
    gateway::Gateway, lgsp, listen::Peer, record::Exchange, refusal::Refusal, snapshot::Snapshot,
};

/// Carries one request through every stage.
///
/// # Errors
/// The refusal of the first stage that says no; nothing after it has run.
pub async fn exchange(
    gateway: &Gateway,
    snapshot: &Snapshot,
    peer: &Peer,
    request: Request<Incoming>,
    record: &mut Exchange,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let now = gateway.clock().now();
    let today = civil_date(now);

    let (received, incoming) = edge::edge(request)?;
    if lgsp::is_token_request(snapshot, &received) {
        return lgsp::answer(gateway, snapshot, peer, (&received, incoming), record).await;
    }
    let consumer = identify::identify(gateway, snapshot, peer, &received, now)?;
    record.consumer(&consumer);
    let routed = match route::route(snapshot, &consumer, received, today)? {
        route::Target::Exchange(routed) => routed,
        route::Target::Metaservice(answer) => return Ok(answer),
    };
    record.route(&routed);
    let admitted = admit::admit(routed, &consumer, gateway.limits().consumer_in_flight)?;
    let body = read::read(incoming, &admitted, gateway.limits().body).await?;
    let valid = validate_request::validate_request(admitted, &body)?;
    let permitted = decide::decide(valid, &consumer, today)?;
    record.permitted(&permitted);
    let disclosed_request = disclose_request::disclose_request(&permitted)?;
    let answer = forward::forward(&permitted, disclosed_request, record.request_id()).await?;
    let valid_answer = validate_answer::validate_answer(&permitted, answer).await?;
    let disclosed = disclose_answer::disclose_answer(&permitted, valid_answer)?;
    record.disclosed(&disclosed);
    Ok(respond::respond(permitted, disclosed))
}
