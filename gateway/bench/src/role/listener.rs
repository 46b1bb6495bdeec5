//! The gateway's listener and its pools to the provider, with no check between them: what the
//! deadlines, the framing guard and whole answers cost by themselves.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use arc_swap::ArcSwap;
use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use lienthong_gateway::{
    config::Config,
    listen::{Body, Peer, Serve, Server},
    provider::Provider,
    tls::Trust,
};
use lienthong_model::reason::ReasonCode;

use crate::world::clock;

/// Largest answer.
const MAX_ANSWER: usize = 64 << 20;

/// Serves until it is killed.
pub(crate) async fn serve(config: &Path) -> anyhow::Result<()> {
    let config = Config::read(config).map_err(|mistakes| anyhow!("{mistakes}"))?;
    let trust =
        Trust::load(&config.tls, clock().now()).map_err(|mistakes| anyhow!("{mistakes}"))?;
    let (service, settings) = config.providers.into_iter().next().context("no provider")?;
    let provider = Provider::load(service, settings).map_err(|found| anyhow!("{found}"))?;
    let trust = Arc::new(ArcSwap::from_pointee(trust));
    let serve = Arc::new(Forward { provider: Arc::new(provider) });
    let server = Server::bind(config.listen, trust, serve, clock()).await?;
    std::future::pending::<()>().await;
    drop(server);
    Ok(())
}

struct Forward {
    provider: Arc<Provider>,
}

impl Serve for Forward {
    async fn call(&self, _: &Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
        let response = self.forward(request).await.unwrap_or_else(|_| {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        });
        response.map(Body::from)
    }

    fn standing(&self, _: &Peer) -> Result<(), ReasonCode> {
        Ok(())
    }
}

impl Forward {
    async fn forward(&self, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
        let (parts, _) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut forwarded = Request::new(Full::default());
        *forwarded.method_mut() = parts.method;
        *forwarded.uri_mut() = self.provider.address(target)?;
        *forwarded.headers_mut() = parts.headers;
        let answer = self.provider.send(forwarded).await;
        let answer = answer.map_err(|refusal| anyhow!("{}", refusal.reason))?;
        let (parts, body) = answer.into_parts();
        Ok(Response::from_parts(parts, Full::new(whole(body).await?)))
    }
}

/// The whole body; one frame is not copied.
async fn whole<B>(mut body: B) -> anyhow::Result<Bytes>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        anyhow::ensure!(first.len() + rest.len() + data.len() <= MAX_ANSWER, "answer too large");
        if first.is_empty() && rest.is_empty() {
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest.extend_from_slice(&std::mem::take(&mut first));
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
