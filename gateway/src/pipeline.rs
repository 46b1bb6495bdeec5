//! The journey of one exchange, whole and in order.
//!
//! Each stage is one file and hands the next a value that only it can make: `forward` cannot be
//! called without [`decide::Permitted`], [`disclose_request::DisclosedRequest`],
//! [`charge::Charged`] and [`record_intent::Receipt`] and never sees the consumer's bytes; `respond`
//! cannot be called without [`record_outcome::Recorded`].
//!
//! ```text
//! listen -> tls -> edge -> identify -> route -> admit -> read -> validate_request -> gather -> decide
//!                                                                                                |
//!                       provider <- forward <- record_intent <- charge <- disclose_request <-----+
//!                          |
//!                          +-> validate_answer -> disclose_answer -> record_outcome -> respond
//! ```

pub mod admit;
pub mod charge;
pub mod decide;
pub mod disclose_answer;
pub mod disclose_request;
pub mod edge;
pub mod forward;
pub mod gather;
pub mod identify;
pub mod read;
pub mod record_intent;
pub mod record_outcome;
pub mod respond;
pub mod route;
pub mod validate_answer;
pub mod validate_request;

use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use lienthong_model::clock::civil_date;

use crate::{
    gateway::Gateway, lgsp, listen::Peer, record::Exchange, refusal::Refusal, snapshot::Snapshot,
    telemetry::Stage,
};

/// Carries one request through every stage.
///
/// # Errors
/// The refusal of the first stage that says no; nothing after it has run.
pub async fn exchange(
    gateway: &Arc<Gateway>,
    snapshot: &Arc<Snapshot>,
    peer: &Peer,
    request: Request<Incoming>,
    record: &mut Exchange,
) -> Result<Response<respond::Body>, Refusal> {
    let now = gateway.clock().now();
    let today = civil_date(now);

    let (received, incoming) = edge::edge(request)?;
    if lgsp::is_token_request(snapshot, &received) {
        let answer = lgsp::answer(gateway, snapshot, peer, (&received, incoming), record).await?;
        return Ok(answer.map(respond::Body::from));
    }
    let consumer = identify::identify(gateway, snapshot, peer, &received, now)?;
    record.consumer(&consumer);
    let routed = match route::route(snapshot, &consumer, received, today)? {
        route::Target::Exchange(routed) => routed,
        route::Target::Metaservice(answer) => return Ok(answer.map(respond::Body::from)),
    };
    record.route(&routed);
    let admitted = admit::admit(routed, &consumer, gateway.limits().consumer_in_flight)?;
    let body = read::read(incoming, &admitted, gateway.limits().body).await?;
    record.reached(Stage::Read);
    let evidence = gateway.evidence();
    let message = consumer.message();
    let valid = validate_request::validate_request(admitted, &body, message, (evidence, now))?;
    record.named(&valid, &snapshot.policies.hash, today);
    let gathered = gather::gather(gateway, valid, &body, &consumer)?;
    record.reached(Stage::Gather);
    let permitted = decide::decide(gathered, &consumer, today)?;
    record.permitted(&permitted)?;
    let disclosed_request = disclose_request::disclose_request(&permitted)?;
    record.sending(&disclosed_request);
    let charged = charge::charge(gateway.quotas(), &permitted).await?;
    record.reached(Stage::Charge);
    let receipt =
        record_intent::record_intent(evidence, &permitted, &disclosed_request, record).await?;
    record.reached(Stage::RecordIntent);
    let proofs = (charged, receipt);
    let answer =
        forward::forward(&permitted, disclosed_request, proofs, record.request_id()).await?;
    record.reached(Stage::Forward);
    charge::answered(gateway.quotas(), &answer);
    let valid_answer = validate_answer::validate_answer(&permitted, answer).await?;
    record.reached(Stage::ValidateAnswer);
    let disclosed =
        disclose_answer::disclose_answer(gateway, snapshot, &permitted, valid_answer).await?;
    let recorded = record_outcome::record_outcome(evidence, &permitted, disclosed, record).await?;
    record.reached(Stage::RecordOutcome);
    Ok(respond::respond(permitted, recorded))
}
