//! Who gets past the handshake, and who stays past it.

use std::{io, sync::Arc, time::Duration};

use jiff::SignedDuration;
use lienthong_gateway::pki::ExamplePki;
use lienthong_model::reason::ReasonCode;
use rustls::{AlertDescription, ClientConfig, HandshakeKind};

use super::harness::{
    Anchors, Files, Gate, HTTP1, HTTP2, Pki, Reply, Setup, World, admin, alert, connect, now,
    person,
};

/// The alert with which a handshake ends.
async fn alert_for(world: &World, identity: Arc<ClientConfig>) -> AlertDescription {
    let error = match connect(world.gateway.address, identity).await {
        // With TLS 1.3 a client learns at its first read that its certificate was refused.
        Ok(mut connection) => match connection.read().await {
            Err(error) => error,
            Ok(read) => panic!("the gateway let it in ({read} bytes)"),
        },
        Err(error) => error,
    };
    alert(&error).unwrap_or_else(|| panic!("no alert but {error}"))
}

#[tokio::test]
async fn refuses_handshakes_without_a_good_certificate() {
    let world = World::new().await;
    let pki = &world.pki;
    let expired = pki.issue_until("desk", now() - SignedDuration::from_secs(1));
    let early = pki.issue_until("desk", now() + SignedDuration::from_hours(10));
    let revoked = pki.issue("desk");
    pki.revoke(&revoked);
    pki.publish(SignedDuration::from_hours(1));
    world.reloaded().await;
    let hour = SignedDuration::from_hours(1);
    let elsewhere = |authority: &str| {
        let authority = ExamplePki::new(authority, now()).unwrap();
        authority.issue("desk", now() - hour, now() + hour).unwrap()
    };
    let (foreign, namesake) = (elsewhere("other"), elsewhere("pki"));
    let of = |issued| pki.client_with(issued, HTTP1);
    let rows = [
        ("no certificate", pki.client_without_certificate(), AlertDescription::CertificateRequired),
        ("expired", of(&expired), AlertDescription::CertificateExpired),
        ("not yet valid", of(&early), AlertDescription::CertificateExpired),
        ("revoked", of(&revoked), AlertDescription::CertificateRevoked),
        ("unknown authority", of(&foreign), AlertDescription::UnknownCA),
        // The name of the authority is ours, its key is not.
        ("authority of the same name", of(&namesake), AlertDescription::DecryptError),
        ("TLS 1.2", pki.client_of_tls12("desk"), AlertDescription::ProtocolVersion),
    ];
    for (name, identity, expected) in rows {
        assert_eq!(alert_for(&world, identity).await, expected, "{name}");
    }
    assert_eq!(world.ask(&person()).await.status, 200);
    assert_eq!(world.provider.requests().len(), 1);
}

/// A certificate made for a server does not identify a consumer.
#[tokio::test]
async fn refuses_a_certificate_of_another_use() {
    let world = World::new().await;
    let server = world.pki.issue_server();
    let refused = alert_for(&world, world.pki.client_with(&server, HTTP1)).await;
    assert_ne!(refused, AlertDescription::CloseNotify);
    assert!(world.provider.requests().is_empty());
}

/// A resumed session would carry an old chain past the verifier.
#[tokio::test]
async fn never_resumes_a_session() {
    let world = World::new().await;
    let identity = world.pki.client("desk", HTTP1);
    for _ in 0..3 {
        let mut connection = connect(world.gateway.address, Arc::clone(&identity)).await.unwrap();
        connection.send(&person().bytes()).await;
        assert_eq!(connection.answer().await.status, 200);
        let session = connection.stream.get_ref().1;
        assert_eq!(session.handshake_kind(), Some(HandshakeKind::Full));
        assert!(!session.is_early_data_accepted());
    }
}

/// Both protocols; the other peers keep their connections.
#[tokio::test]
async fn a_revoked_peers_connections_end_within_a_second() {
    let world = World::new().await;
    let issued = world.pki.issue("desk");
    let mut stays = world.connection("clinic").await;
    let good = person().certificate("clinic").set("x-road-client", "VN/TEST/T01.21/CLINIC");
    let mut connections = Vec::new();
    for protocol in [HTTP1, HTTP1, HTTP2] {
        let identity = world.pki.client_with(&issued, protocol);
        connections.push(world.connection_as(identity).await);
    }
    // One has been used, one has not, one has never said what it speaks.
    connections[0].send(&person().bytes()).await;
    assert_eq!(connections[0].answer().await.status, 200);
    stays.send(&good.bytes()).await;
    assert_eq!(stays.answer().await.status, 200);
    world.pki.revoke(&issued);
    world.pki.publish(SignedDuration::from_hours(1));
    world.reloaded().await;
    let begun = tokio::time::Instant::now();
    for connection in &mut connections {
        let left = Duration::from_secs(1).saturating_sub(begun.elapsed());
        connection.closed_within(left).await;
    }
    stays.send(&good.bytes()).await;
    assert_eq!(stays.answer().await.status, 200);
}

#[tokio::test]
async fn a_suspended_participants_connection_ends_within_a_second() {
    let world = World::new().await;
    let mut connection = world.connection("desk").await;
    connection.send(&person().bytes()).await;
    assert_eq!(connection.answer().await.status, 200);
    world.edit("policies/participants/desk.yaml", "status: active", "status: suspended");
    world.reloaded().await;
    connection.closed_within(Duration::from_secs(1)).await;
    let refused = world.ask(&person()).await;
    world.assert_refused(&refused, ReasonCode::ConsumerSuspended).await;
    world.edit("policies/participants/desk.yaml", "status: suspended", "status: active");
    world.reloaded().await;
    assert_eq!(world.ask(&person()).await.status, 200);
}

#[tokio::test]
async fn a_new_certificate_of_the_gateway_serves_without_a_restart() {
    let world = World::new().await;
    let shown = |connection: &super::harness::Connection| {
        connection.stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    };
    let mut before = world.connection("desk").await;
    let renewed = world.pki.renew_gateway();
    world.reloaded().await;
    let after = world.connection("desk").await;
    assert_eq!(shown(&after), renewed);
    assert_ne!(shown(&before), renewed);
    // The older connection goes on.
    before.send(&person().bytes()).await;
    assert_eq!(before.answer().await.status, 200);
}

/// What signs the handshake is a secret: a key that others may read is not used.
#[tokio::test]
async fn a_readable_key_is_refused_and_the_older_certificate_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    let key = world.directory.path().join("pki/gateway.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let answer = world.reload().await;
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("gateway.key"), "{}", answer.text());
    assert_eq!(world.ask(&person()).await.status, 200);
}

/// A peer that breaks the handshake leaves no trace but a log line.
#[tokio::test]
async fn garbage_instead_of_a_handshake_ends_the_socket() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    for bytes in [&b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[..], &[0x16, 3, 1, 0xff, 0xff], &[0; 64]] {
        let mut socket = tokio::net::TcpStream::connect(world.gateway.address).await.unwrap();
        socket.write_all(bytes).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let ended: io::Result<usize> =
            super::harness::within("the end", socket.read_to_end(&mut rest)).await;
        // An alert at most, never an answer.
        assert!(ended.is_err() || rest.len() <= 7, "{rest:?}");
    }
    assert_eq!(world.ask(&person()).await.status, 200);
}

/// The authority of another installation is not ours, whatever it calls itself.
#[tokio::test]
async fn a_client_does_not_trust_another_gateway_either() {
    let world = World::new().await;
    let other = tempfile::TempDir::new().unwrap();
    let elsewhere = Pki::write(other.path(), "pki");
    let error = connect(world.gateway.address, elsewhere.client("desk", HTTP1)).await.err();
    assert!(error.is_some());
}

/// A certificate that leads to two participants leads to none.
#[tokio::test]
async fn a_certificate_with_the_names_of_two_participants_is_nobodys() {
    let world = World::new().await;
    let both = world.pki.client_of_names(&["desk", "clinic"], HTTP1);
    let mut connection = world.connection_as(both).await;
    connection.send(&person().bytes()).await;
    let answer = connection.answer().await;
    world.assert_refused(&answer, ReasonCode::ConsumerUnknown).await;
    // One name of a participant beside one of nobody is that participant.
    let one = world.pki.client_of_names(&["nobody", "desk"], HTTP1);
    let mut connection = world.connection_as(one).await;
    connection.send(&person().bytes()).await;
    assert_eq!(connection.answer().await.status, 200);
}

/// A name counts only together with the authority that vouches for it.
#[tokio::test]
async fn a_name_under_another_authority_is_another_name() {
    let files = Files::default().replace(
        "policies/participants/clinic.yaml",
        "trust_anchor: city",
        "trust_anchor: national",
    );
    let setup = Setup { files, anchors: Anchors::CityAndNational, ..Setup::default() };
    let world = World::with(setup).await;
    let national = world.national.as_ref().unwrap();
    let clinic = person().set("x-road-client", "VN/TEST/T01.21/CLINIC");
    let rows = [
        (world.pki.client_of(national, "clinic"), clinic.clone(), None),
        (world.pki.client_of(&world.pki, "clinic"), clinic, Some(ReasonCode::ConsumerUnknown)),
        (world.pki.client_of(&world.pki, "desk"), person(), None),
        (world.pki.client_of(national, "desk"), person(), Some(ReasonCode::ConsumerUnknown)),
    ];
    for (identity, ask, refused) in rows {
        let mut connection = world.connection_as(identity).await;
        connection.send(&ask.bytes()).await;
        let answer = connection.answer().await;
        match refused {
            Some(reason) => drop(world.assert_refused(&answer, reason).await),
            None => assert_eq!(answer.status, 200, "{}", answer.text()),
        }
    }
}

/// What is in flight when its peer is revoked does not come to an end.
#[tokio::test]
async fn an_exchange_in_flight_ends_with_its_peers_standing() {
    let world = World::new().await;
    let gate = Gate::shut();
    let body = r#"{"number":"001122334455","name":"An"}"#;
    world.provider.replies(Reply::json("200 OK", body).behind(&gate));
    let issued = world.pki.issue("desk");
    let mut connection = world.connection_as(world.pki.client_with(&issued, HTTP1)).await;
    connection.send(&person().bytes()).await;
    world.provider.received(1).await;
    world.pki.revoke(&issued);
    world.pki.publish(SignedDuration::from_hours(1));
    world.reloaded().await;
    connection.closed_within(Duration::from_secs(1)).await;
    assert!(connection.buffer.is_empty());
    gate.open();
    let id = world.provider.only_request().header("lienthong-request-id").unwrap();
    let gone = |line: &serde_json::Value| {
        (line["request_id"] == id.as_str()).then(|| line["reason"].clone())
    };
    let reason = world.gateway.logs("the record of the exchange", gone).await;
    assert_eq!(reason, ReasonCode::ConsumerGone.as_str());
}

/// With a grace a stale list is used a while longer, and readiness says so.
#[tokio::test]
async fn a_stale_list_within_its_grace_turns_readiness_amber() {
    let world = World::with(Setup { grace: 3600, ..Setup::default() }).await;
    let revoked = world.pki.issue("desk");
    world.pki.revoke(&revoked);
    world.pki.publish(SignedDuration::from_mins(-1));
    world.reloaded().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    let refused = alert_for(&world, world.pki.client_with(&revoked, HTTP1)).await;
    assert_eq!(refused, AlertDescription::CertificateRevoked);
    let ready = admin(world.directory.path(), "GET", "/ready").await;
    assert_eq!((ready.status, &ready.json()["status"]), (200, &"degraded".into()));
    assert!(ready.text().contains("revocation list of trust anchor `city` is stale"));
    world.pki.publish(SignedDuration::from_hours(1));
    world.reloaded().await;
    let ready = admin(world.directory.path(), "GET", "/ready").await;
    assert!(!ready.text().contains("revocation list"), "{}", ready.text());
}

#[tokio::test]
async fn tls_1_2_is_spoken_when_the_configuration_says_so() {
    let world = World::with(Setup { tls: "  tls12: true\n", ..Setup::default() }).await;
    let mut connection = world.connection_as(world.pki.client_of_tls12("desk")).await;
    connection.send(&person().bytes()).await;
    assert_eq!(connection.answer().await.status, 200);
    assert_eq!(world.ask(&person()).await.status, 200);
    // There, too, nobody gets in without a certificate.
    let refused = alert_for(&world, world.pki.client_without_certificate()).await;
    assert_eq!(refused, AlertDescription::CertificateRequired);
}
