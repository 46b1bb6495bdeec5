//! The administration over mutual TLS: the calls of the socket, by whoever's role allows them.

use std::sync::Arc;

use axum::Router;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use lienthong_model::reason::ReasonCode;
use tower::ServiceExt as _;

use super::Admin;
use crate::{
    gateway::Gateway,
    listen::{Body, Cut, Peer, Serve},
    operator::{self, Actor, Task},
};

/// Serves administrative calls of operators.
pub struct AdminTls {
    gateway: Arc<Gateway>,
    calls: Router,
}

impl std::fmt::Debug for AdminTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminTls").finish_non_exhaustive()
    }
}

impl AdminTls {
    /// Serves the calls of this administration.
    #[must_use]
    pub fn new(admin: Admin) -> Self {
        Self { gateway: Arc::clone(&admin.gateway), calls: admin.calls() }
    }
}

impl Serve for AdminTls {
    async fn call(&self, peer: &Arc<Peer>, mut request: Request<Incoming>) -> Response<Body> {
        // SECURITY: no call, not even an unknown one, is looked at before who calls is known.
        let actor = Actor::of(&self.gateway, peer)
            .and_then(|actor| actor.may(Task::Observe).map(|()| actor));
        let actor = match actor {
            Ok(actor) => actor,
            Err(refusal) => {
                self.gateway.metrics().operators.administration("connect", "refused");
                return operator::refused("", &refusal, request.headers()).map(Body::from);
            }
        };
        request.extensions_mut().insert(actor);
        let Ok(response) = self.calls.clone().oneshot(request).await;
        response.map(|body| Body::stream(body.map_err(|_| Cut)))
    }

    fn standing(&self, peer: &Peer) -> Result<(), ReasonCode> {
        operator::standing(&self.gateway, peer)
    }
}
