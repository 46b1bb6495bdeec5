//! The listener of those who watch the log, or examine it: `c2sp.org/tlog-tiles` over mutual TLS.
//!
//! In: requests of operators. Out: the newest checkpoint and hash tiles for whoever watches, entries
//! for auditors only. That entries are read is itself on record before they leave. Nothing leaves
//! that is not under the newest checkpoint, and no path of a request ever reaches the file system.

mod reads;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use jiff::Timestamp;
use lienthong_evidence::{
    published::{Published, PublishedError},
    tile::{Kind, Tile, WIDTH},
};
use lienthong_model::reason::ReasonCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::reads::Reads;
use crate::{
    config::MonitorSettings,
    gateway::Gateway,
    listen::{Body, Peer, Serve},
    operator::{self, Actor, Task},
    refusal::Refusal,
};

/// Serves the log to those who watch it.
pub struct Monitor {
    gateway: Arc<Gateway>,
    published: Published,
    places: Arc<Semaphore>,
    reads: Reads,
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    Checkpoint,
    Tile(Tile),
}

impl Resource {
    /// Reads the one form of an address; none for anything else.
    fn parse(target: &Uri) -> Option<Self> {
        let path = target.path().strip_prefix('/').filter(|_| target.query().is_none())?;
        if path == "checkpoint" {
            return Some(Self::Checkpoint);
        }
        Tile::parse(path).map(Self::Tile)
    }

    fn task(self) -> Task {
        match self {
            Self::Tile(Tile { kind: Kind::Entries, .. }) => Task::Entries,
            Self::Tile(_) | Self::Checkpoint => Task::Hashes,
        }
    }

    /// The word for it in metrics.
    fn word(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Tile(Tile { kind: Kind::Entries, .. }) => "entries",
            Self::Tile(_) => "hashes",
        }
    }

    /// Its media type, and how long it may be kept. A checkpoint changes; a tile of this width never
    /// does. Entries are on record each time they are read, so nobody keeps them in between.
    fn headers(self) -> (&'static str, &'static str) {
        match self {
            Self::Checkpoint => ("text/plain; charset=utf-8", "no-store"),
            Self::Tile(Tile { kind: Kind::Entries, .. }) => {
                ("application/octet-stream", "no-store")
            }
            Self::Tile(Tile { width: WIDTH, .. }) => {
                ("application/octet-stream", "private, max-age=31536000, immutable")
            }
            Self::Tile(_) => ("application/octet-stream", "private, max-age=60"),
        }
    }
}

impl Monitor {
    /// Serves the log of this gateway.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>, settings: &MonitorSettings) -> Self {
        let published = Published::new(gateway.evidence().directory());
        let places = Arc::new(Semaphore::new(settings.in_flight));
        Self { gateway, published, places, reads: Reads::default() }
    }

    /// Puts on record how much was read in the minutes that have ended by now.
    pub async fn tell_reads(&self, now: Timestamp) {
        self.reads.tell_ended(&self.gateway, now).await;
    }

    /// Puts on record how much was read. To be called when nobody reads any more.
    pub async fn tell_all_reads(&self) {
        self.reads.tell_all(&self.gateway).await;
    }

    async fn answer(
        &self,
        actor: &Actor,
        request: (&Method, &Uri),
    ) -> (&'static str, Result<Response<Body>, Refusal>) {
        let Some(resource) = Resource::parse(request.1) else {
            return ("other", Err(Refusal::new(ReasonCode::OperatorNotFound)));
        };
        let allowed = actor.may(resource.task());
        let answer = match allowed {
            Ok(()) if request.0 == Method::GET => self.give(actor, resource).await,
            Ok(()) => Err(Refusal::new(ReasonCode::RequestMethod)),
            Err(refusal) => Err(refusal),
        };
        (resource.word(), answer)
    }

    async fn give(&self, actor: &Actor, resource: Resource) -> Result<Response<Body>, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Refusal::new(ReasonCode::GatewayOverloaded))?;
        let bytes = self.read(resource).await?;
        if resource.task() == Task::Entries {
            self.reads.note(&self.gateway, actor).await?;
        }
        let metrics = &self.gateway.metrics().operators;
        metrics.monitor_bytes.inc_by(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut response = Response::new(Body::from(Full::new(bytes)));
        let (media_type, kept) = resource.headers();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
        // The place is taken until the peer has the answer.
        response.extensions_mut().insert(Held { _place: Arc::new(place) });
        Ok(response)
    }

    async fn read(&self, resource: Resource) -> Result<Bytes, Refusal> {
        let published = self.published.clone();
        let read = tokio::task::spawn_blocking(move || match resource {
            Resource::Checkpoint => Ok(published.checkpoint()?.map(|newest| newest.note)),
            Resource::Tile(tile) => published.tile(&tile),
        });
        let read: Result<_, PublishedError> =
            read.await.map_err(|error| Refusal::caused(ReasonCode::GatewayInternal, error))?;
        let bytes = read.map_err(|error| Refusal::caused(ReasonCode::GatewayInternal, error))?;
        bytes.map(Bytes::from).ok_or_else(|| Refusal::new(ReasonCode::OperatorNotFound))
    }
}

/// A place that is taken as long as an answer is in memory.
#[derive(Debug, Clone)]
struct Held {
    _place: Arc<OwnedSemaphorePermit>,
}

impl Serve for Monitor {
    async fn call(&self, peer: &Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
        let (head, _) = request.into_parts();
        let actor = Actor::of(&self.gateway, peer);
        let (who, (word, answer)) = match &actor {
            Ok(actor) => (actor.name(), self.answer(actor, (&head.method, &head.uri)).await),
            Err(refusal) => ("", ("other", Err(Refusal::new(refusal.reason)))),
        };
        let metrics = &self.gateway.metrics().operators;
        match answer {
            Ok(response) => {
                metrics.monitor(word, "served");
                response
            }
            Err(refusal) => {
                let outcome = if refusal.reason.status() < 500 { "refused" } else { "failed" };
                metrics.monitor(word, outcome);
                let mut response = operator::refused(who, &refusal, &head.headers);
                if refusal.reason == ReasonCode::RequestMethod {
                    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
                }
                response.map(Body::from)
            }
        }
    }

    fn standing(&self, peer: &Peer) -> Result<(), ReasonCode> {
        operator::standing(&self.gateway, peer)
    }
}

#[cfg(test)]
mod tests;
