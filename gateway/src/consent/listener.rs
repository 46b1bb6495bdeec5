//! The consent listener: calls of collectors and participants over mutual TLS.
//!
//! In: a connection whose certificate a trust anchor vouches for. Out: an answer of one of the calls,
//! each group of which is a file here. Who calls is known before a call is looked at; more calls at
//! once than are set are refused.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use http::{Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use lienthong_model::reason::ReasonCode;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::{
    Consents,
    call::{self, Api},
    caller::Caller,
    change, disclosures, give, look, notices, participants, receipts, rights,
};
use crate::{
    gateway::Gateway,
    listen::{Body, Cut, Peer, Serve},
    operator,
    refusal::Refusal,
};

/// Serves the calls of the consent listener.
pub struct ConsentListener {
    api: Api,
    calls: Router,
    places: Semaphore,
}

impl std::fmt::Debug for ConsentListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsentListener").finish_non_exhaustive()
    }
}

impl ConsentListener {
    /// Serves the consents of this gateway.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, consents: Arc<Consents>) -> Self {
        let places = Semaphore::new(consents.settings().in_flight);
        let api = Api { gateway, consents };
        Self { calls: calls().with_state(api.clone()), api, places }
    }

    async fn answer(&self, caller: Caller, mut request: Request<Incoming>) -> Response<Body> {
        request.extensions_mut().insert(caller);
        let Ok(response) = self.calls.clone().oneshot(request).await;
        response.map(|body| Body::stream(body.map_err(|_| Cut)))
    }
}

/// Every call. Those of a group stand in a file of their own.
fn calls() -> Router<Api> {
    Router::new()
        .merge(records())
        .merge(rights::calls())
        .merge(disclosures::calls())
        .merge(participants::calls())
        .route("/v1/service/notices", get(notices::list))
        .route("/v1/service/notices/{id}", get(notices::show))
        .route("/.well-known/jwks.json", get(receipts::jwks))
        .fallback(call::not_found)
        .method_not_allowed_fallback(call::not_allowed)
        .layer(DefaultBodyLimit::max(call::MAX_BODY))
}

fn records() -> Router<Api> {
    Router::new()
        .route("/v1/service/consent-records", post(give::give))
        .route("/v1/service/consent-records/search", post(look::search))
        .route("/v1/service/consent-records/{id}", get(look::show))
        .route("/v1/service/consent-records/{id}/history", get(look::history))
        .route("/v1/service/consent-records/{id}/receipt", get(receipts::receipt))
        .route("/v1/service/consent-records/{id}/withdraw", post(change::withdraw))
        .route("/v1/service/consent-records/{id}/restrict", post(change::restrict))
        .route("/v1/service/consent-records/{id}/release", post(change::release))
        .route("/v1/service/consent-records/{id}/object", post(change::object))
}

impl Serve for ConsentListener {
    async fn call(&self, peer: &Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
        // SECURITY: no call, not even an unknown one, is looked at before who calls is known.
        let caller = Caller::of(&self.api.gateway, peer);
        let place = self.places.try_acquire();
        let refused = match (caller, &place) {
            (Ok(caller), Ok(_)) => return self.answer(caller, request).await,
            (Err(refusal), _) => refusal,
            (Ok(_), Err(_)) => Refusal::new(ReasonCode::GatewayOverloaded),
        };
        self.api.consents.metrics().call("connect", "refused");
        let mut response = operator::refused("", &refused, request.headers());
        // What is left of the body is not read.
        response.headers_mut().insert(header::CONNECTION, http::HeaderValue::from_static("close"));
        response.map(Body::from)
    }

    fn standing(&self, peer: &Peer) -> Result<(), ReasonCode> {
        Caller::of(&self.api.gateway, peer).map(drop).map_err(|refusal| refusal.reason)
    }
}
