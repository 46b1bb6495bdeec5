use std::time::Duration;

use rustls::{HandshakeKind, client::Resumption, version::TLS12};

use super::harness::*;
use crate::{
    listen::ListenSettings,
    pki::{ExamplePki, Issued},
    tls::{RevocationPolicy, Stale, TrustAnchorSettings},
};

/// What the client reads after a handshake that the server ends.
async fn refusal(world: &World, client: Option<&Issued>) -> String {
    let config = world.client_config(client, &["http/1.1"]);
    let refused = async {
        let mut http1 = Http1(world.connect_with(config).await?);
        http1.get("/").await
    };
    within(refused).await.expect_err("the handshake must fail").to_string()
}

async fn assert_refused(world: &World, client: Option<&Issued>, alert: &str) {
    let error = refusal(world, client).await;
    assert!(error.contains(alert), "{error}");
    assert!(world.paths().is_empty(), "nothing was served");
    until(|| world.server().counts().handshakes_failed == 1).await;
    assert_eq!(world.server().connections(), 0);
}

#[tokio::test]
async fn serves_a_client_with_a_good_certificate() {
    let world = world().await;
    let mut http1 = world.http1(&world.client()).await;
    let (status, subject) = within(http1.get("/peer")).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(subject, b"CN=h29-12.gov.example,O=Example City,C=VN");
    assert_eq!(world.server().connections(), 1);
}

#[tokio::test]
async fn refuses_a_client_without_a_certificate() {
    assert_refused(&world().await, None, "CertificateRequired").await;
}

#[tokio::test]
async fn refuses_an_expired_certificate() {
    let world = world().await;
    let expired = world.pki.issue("a", world.now() - HOUR * 2, world.now() - HOUR).unwrap();
    assert_refused(&world, Some(&expired), "CertificateExpired").await;
}

#[tokio::test]
async fn refuses_a_certificate_that_is_not_valid_yet() {
    let world = world().await;
    let early = world.pki.issue("a", world.now() + HOUR, world.now() + HOUR * 2).unwrap();
    assert_refused(&world, Some(&early), "CertificateExpired").await;
}

#[tokio::test]
async fn refuses_a_revoked_certificate() {
    let mut world = world().await;
    let revoked = world.client();
    world.revoke(&revoked);
    assert_refused(&world, Some(&revoked), "CertificateRevoked").await;
    world.assert_serves().await;
}

#[tokio::test]
async fn refuses_a_certificate_of_an_unknown_authority() {
    let world = world().await;
    let unknown = ExamplePki::new("city", world.now()).unwrap();
    let forged = unknown.issue("h29-12", world.now() - HOUR, world.now() + HOUR).unwrap();
    let error = refusal(&world, Some(&forged)).await;
    // The forged authority bears the same name, so the signature is what fails.
    assert!(error.contains("UnknownCA") || error.contains("DecryptError"), "{error}");
}

#[tokio::test]
async fn refuses_a_server_certificate_as_a_client() {
    let world = world().await;
    let server = world.pki.issue_server("x", world.now() - HOUR, world.now() + HOUR).unwrap();
    assert_refused(&world, Some(&server), "received fatal alert").await;
}

#[tokio::test]
async fn refuses_everyone_when_the_revocation_list_is_stale() {
    let mut world = world().await;
    world.write_list(world.now() - HOUR * 2, world.now() - HOUR);
    world.reload();
    assert_refused(&world, Some(&world.client()), "received fatal alert").await;
}

#[tokio::test]
async fn serves_within_the_grace_of_a_stale_list() {
    let mut world = world_with(patient(), |tls| {
        tls.trust_anchors[0].revocation =
            RevocationPolicy::Required { stale: Stale::Grace { seconds: 3 * 3600 } };
    })
    .await;
    world.write_list(world.now() - HOUR * 2, world.now() - HOUR);
    world.reload();
    world.assert_serves().await;
    assert_eq!(world.trust.load().stale_revocation(world.now()).len(), 1);
}

#[tokio::test]
async fn speaks_tls_1_2_only_by_configuration() {
    let default = world().await;
    let config =
        |world: &World| world.client_config_of(Some(&world.client()), &["http/1.1"], &[&TLS12]);
    let error = within(default.connect_with(config(&default))).await.unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");

    let older = world_with(patient(), |tls| tls.tls12 = true).await;
    let mut http1 = Http1(within(older.connect_with(config(&older))).await.unwrap());
    assert_eq!(within(http1.get("/")).await.unwrap().0, 200);
}

#[tokio::test]
async fn resumes_no_session() {
    for tls12 in [false, true] {
        let world = world_with(patient(), |tls| tls.tls12 = tls12).await;
        let versions = if tls12 { &TLS12 } else { &rustls::version::TLS13 };
        let mut config = world.client_config_of(Some(&world.client()), &["http/1.1"], &[versions]);
        config.resumption = Resumption::in_memory_sessions(8);
        config.enable_early_data = true;
        for _ in 0..2 {
            let mut http1 = Http1(within(world.connect_with(config.clone())).await.unwrap());
            assert_eq!(within(http1.get("/")).await.unwrap().0, 200);
            let connection = http1.0.get_ref().1;
            assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(connection.tls13_tickets_received(), 0);
        }
    }
}

#[tokio::test]
async fn knows_clients_of_several_anchors_apart() {
    let mut world = world().await;
    let national = ExamplePki::new("national", world.now()).unwrap();
    let file = world.dir.path().join("national.pem");
    std::fs::write(&file, national.certificate_pem()).unwrap();
    world.tls.trust_anchors.push(TrustAnchorSettings {
        id: "national".parse().unwrap(),
        certificate_file: file,
        crl_files: vec![],
        revocation: RevocationPolicy::None,
    });
    world.reload();
    let client = national.issue("g22", world.now() - HOUR, world.now() + HOUR).unwrap();
    world.http1(&client).await;
    world.http1(&world.client()).await;
}

#[tokio::test]
async fn shows_a_certificate_that_was_replaced_while_running() {
    let world = world().await;
    let shown = |http1: &Http1| http1.0.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut old = world.http1(&world.client()).await;
    world.write_server();
    world.reload();
    world.server().recheck();
    let new = world.http1(&world.client()).await;
    assert_ne!(shown(&old), shown(&new));
    assert_eq!(within(old.get("/")).await.unwrap().0, 200, "old connections go on");
}

#[tokio::test]
async fn ends_half_open_handshakes_at_their_deadline() {
    use tokio::io::AsyncReadExt as _;
    let settings = ListenSettings { handshake: Duration::from_millis(300), ..patient() };
    let world = world_with(settings, |_| {}).await;
    let mut silent = world.tcp().await;
    assert_eq!(within(silent.read(&mut [0; 1])).await.unwrap_or(0), 0);
    until(|| world.server().counts().handshakes_failed == 1).await;
    world.assert_serves().await;
}

#[tokio::test]
async fn the_oldest_half_open_handshake_makes_room() {
    use tokio::io::AsyncReadExt as _;
    let settings = ListenSettings { workers: 1, max_handshakes: 4, ..patient() };
    let world = world_with(settings, |_| {}).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(world.tcp().await);
    }
    for socket in silent.iter_mut().take(4) {
        assert_eq!(within(socket.read(&mut [0; 1])).await.unwrap_or(0), 0);
    }
    world.assert_serves().await;
}

#[tokio::test]
async fn refuses_connections_beyond_the_limit() {
    let settings = ListenSettings { max_connections: 2, ..patient() };
    let world = world_with(settings, |_| {}).await;
    let first = world.http1(&world.client()).await;
    let mut second = world.http1(&world.client()).await;
    let mut third = Http1(world.connect(&world.client(), "http/1.1").await);
    assert!(within(third.get("/")).await.is_err());
    assert_eq!(world.server().counts().refused, 1);
    assert_eq!(within(second.get("/")).await.unwrap().0, 200);
    drop(first);
    until(|| world.server().connections() == 1).await;
    world.assert_serves().await;
}
