//! The data path as the listener serves it: the bound on requests in flight, the pipeline, and the
//! account of how each exchange ended.

use std::sync::Arc;

use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use lienthong_model::{reason::ReasonCode, text::Language};
use tokio::sync::Semaphore;

use crate::{
    account::{self, Account},
    gateway::Gateway,
    listen::{Body, Peer, Serve},
    pipeline::{self, respond},
    record::Cites,
    refusal::Refusal,
    xroad,
};

/// Nothing of an exchange is to be kept on its way.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Serves exchanges, so many at once.
#[derive(Debug)]
pub struct DataPath {
    gateway: Arc<Gateway>,
    places: Semaphore,
}

impl DataPath {
    /// The data path of a gateway.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>) -> Self {
        let places = Semaphore::new(gateway.limits().in_flight.min(Semaphore::MAX_PERMITS));
        Self { gateway, places }
    }

    async fn exchange(&self, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
        let language = language(&request);
        let snapshot = self.gateway.snapshot();
        let mut account = Account::open(&self.gateway, &snapshot);
        let outcome = match (self.places.try_acquire(), account.record()) {
            (Ok(_place), Some(record)) => {
                pipeline::exchange(&self.gateway, &snapshot, peer, request, record).await
            }
            // Shed load by refusing.
            (Err(_), _) => Err(Refusal::new(ReasonCode::GatewayOverloaded)),
            (_, None) => Err(Refusal::new(ReasonCode::GatewayInternal)),
        };
        let mut response = finish(account, outcome, language);
        response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
        response
    }
}

impl Serve for DataPath {
    async fn call(&self, peer: &Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
        // PERF: boxed, to be given back when it is over: a quiet connection keeps what it needs
        // only.
        Box::pin(self.exchange(peer, request)).await
    }

    fn standing(&self, peer: &Peer) -> Result<(), ReasonCode> {
        self.gateway.standing(peer)
    }
}

fn language(request: &Request<Incoming>) -> Language {
    let header = request.headers().get(header::ACCEPT_LANGUAGE);
    header.and_then(|v| v.to_str().ok()).map(Language::negotiate).unwrap_or_default()
}

/// Gives the consumer its answer, or the refusal, and closes the account when that is all.
fn finish(
    mut account: Account,
    outcome: Result<Response<respond::Body>, Refusal>,
    language: Language,
) -> Response<Body> {
    let snapshot = Arc::clone(account.snapshot());
    let Some(record) = account.record() else {
        return Refusal::new(ReasonCode::GatewayInternal)
            .response("", &Cites::default(), language)
            .map(Body::from);
    };
    let mut response = outcome.unwrap_or_else(|refusal| {
        record.refused(&refusal, &snapshot.policies);
        let response = refusal.response(record.request_id.as_str(), &record.cites, language);
        response.map(respond::Body::from)
    });
    response.headers_mut().insert(xroad::REQUEST_ID, record.request_id().clone());
    account.answers(response.status().as_u16());
    response.map(|body| match body {
        respond::Body::Whole(body) => {
            account.close();
            Body::from(body)
        }
        respond::Body::Stream(stream) => account::streaming(account, stream),
    })
}
