use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

use super::*;
use crate::testing::{Got, exchange, pki, send};

struct Echo;

impl Serve for Echo {
    async fn serve(&self, request: Request) -> Answer {
        let query: Vec<_> = request.query.iter().map(|(n, v)| json!([n, v])).collect();
        Answer::json(200, &json!({"call": request.call(), "query": query}))
    }
}

#[tokio::test]
async fn refuses_plain_http_beyond_this_machine() {
    let address = "0.0.0.0:0".parse().unwrap();
    let listen = Listen { address, tls: None };
    assert!(matches!(start(&listen, Arc::new(Echo)).await, Err(Error::PlainHttp(_))));
}

#[tokio::test]
async fn refuses_a_body_without_end() {
    let running = start(&Listen::loopback(), Arc::new(Echo)).await.unwrap();
    let long = json!("x".repeat(MAX_BODY + 1));
    let got = send(running.addr, "POST", "/x", Some(&long)).await;
    assert!(got.is_none_or(|got| got.status == 413));
}

#[tokio::test]
async fn reads_paths_and_queries() {
    let running = start(&Listen::loopback(), Arc::new(Echo)).await.unwrap();
    let got = send(running.addr, "GET", "/a/b?x=%C4%91+1&y", None).await.unwrap();
    assert_eq!(got.json(), json!({"call": "b", "query": [["x", "đ 1"], ["y", ""]]}));
}

#[tokio::test]
async fn stops_when_it_is_dropped() {
    let running = start(&Listen::loopback(), Arc::new(Echo)).await.unwrap();
    let addr = running.addr;
    drop(running);
    // The listener goes with its task.
    while TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

async fn over_tls(
    running: &Running,
    anchor: &Path,
    identity: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> Option<Got> {
    let mut roots = RootCertStore::empty();
    roots.add(read_pem(anchor).unwrap().remove(0)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => builder.with_no_client_auth(),
    };
    let stream = TcpStream::connect(running.addr).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    exchange(stream, "GET", "/x", None).await
}

#[tokio::test]
async fn takes_only_clients_with_a_certificate_of_its_anchor() {
    let (ours, others) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (files, issuer) = pki(ours.path());
    let (_, stranger) = pki(others.path());
    let anchor = files.client_trust_anchor_file.clone();
    let running = start(&Listen::loopback_tls(files), Arc::new(Echo)).await.unwrap();
    let identity = |issuer: &rcgen::Issuer<'static, rcgen::KeyPair>| {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    };
    assert!(over_tls(&running, &anchor, None).await.is_none());
    assert!(over_tls(&running, &anchor, Some(identity(&stranger))).await.is_none());
    let got = over_tls(&running, &anchor, Some(identity(&issuer))).await.unwrap();
    assert_eq!(got.status, 200);
}
