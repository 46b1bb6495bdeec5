//! The floor: hyper and rustls of the same build with one event loop, and nothing checked.
//!
//! Takes the gateway's configuration for certificates and provider; passes every request on and
//! streams the answer back. The client certificate is verified in the handshake, as every
//! competitor does.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use http::{Request, Uri, uri::PathAndQuery};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use lienthong_gateway::{config::Config, tls::Trust};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::world::clock;

type Pool = Client<HttpConnector, Incoming>;

/// Serves until it is killed.
pub(crate) async fn serve(config: &Path) -> anyhow::Result<()> {
    let config = Config::read(config).map_err(|mistakes| anyhow!("{mistakes}"))?;
    let trust =
        Trust::load(&config.tls, clock().now()).map_err(|mistakes| anyhow!("{mistakes}"))?;
    let base = config.providers.values().next().context("no provider")?.url.clone();
    let acceptor = TlsAcceptor::from(trust.server_config());
    let listener = TcpListener::bind(config.listen.address).await?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pool: Pool = Client::builder(TokioExecutor::new()).build(connector);
    let base = Arc::new(base);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let (acceptor, pool, base) = (acceptor.clone(), pool.clone(), Arc::clone(&base));
        tokio::spawn(async move {
            // A peer that fails its handshake or goes away ends its own connection only.
            connection(socket, acceptor, pool, base).await.unwrap_or_default();
        });
    }
}

async fn connection(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    pool: Pool,
    base: Arc<Uri>,
) -> anyhow::Result<()> {
    let stream = acceptor.accept(socket).await?;
    let service = service_fn(move |request| {
        let (pool, base) = (pool.clone(), Arc::clone(&base));
        async move { anyhow::Ok(pool.request(forwarded(request, &base)?).await?) }
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?;
    Ok(())
}

fn forwarded(mut request: Request<Incoming>, base: &Uri) -> anyhow::Result<Request<Incoming>> {
    let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let address = Uri::builder()
        .scheme("http")
        .authority(base.authority().context("no authority")?.clone())
        .path_and_query(target)
        .build()?;
    *request.uri_mut() = address;
    Ok(request)
}
