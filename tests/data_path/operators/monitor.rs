//! Who gets what from the monitor listener.

use jiff::SignedDuration;
use lienthong_model::reason::ReasonCode;
use rustls::AlertDescription;

use super::{ask, ask_as, assert_refused, deed, monitor, recorded, world};
use crate::data_path::harness::{
    Ask, HTTP1, HTTP2, Setup, World, admin, alert, connect, now, person,
};

/// Waits until the newest checkpoint is of this many entries.
pub(super) async fn signed(world: &World, at_least: u64) -> u64 {
    let address = monitor(world).await;
    let mut connection = connect(address, world.pki.client("watch", HTTP1)).await.unwrap();
    let asked = Ask::get("watch", "/checkpoint").bytes();
    let grown = async {
        loop {
            connection.send(&asked).await;
            let answer = connection.answer().await;
            // Nothing is signed yet, at first.
            let text = if answer.status == 200 { answer.text() } else { String::new() };
            let size = text.lines().nth(1).and_then(|size| size.parse::<u64>().ok());
            match size {
                Some(size) if size >= at_least => return size,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    crate::data_path::harness::within("a checkpoint", grown).await
}

#[tokio::test]
async fn each_role_gets_what_it_may() {
    let world = world().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    signed(&world, 2).await;
    let address = monitor(&world).await;
    let resources = ["/checkpoint", "/tile/0/000.p/2", "/tile/entries/000.p/2"];
    let role = Some(ReasonCode::OperatorRole);
    let not_in_force = Some(ReasonCode::OperatorNotInForce);
    let unknown = Some(ReasonCode::OperatorUnknown);
    for (name, expected) in [
        ("watch", [None, None, role]),
        ("audit", [None, None, None]),
        ("operations", [role; 3]),
        ("privacy", [role; 3]),
        ("paused", [not_in_force; 3]),
        ("future", [not_in_force; 3]),
        // A participant is no operator, and neither is a stranger of the same authority.
        ("desk", [unknown; 3]),
        ("stranger", [unknown; 3]),
    ] {
        for (resource, expected) in resources.into_iter().zip(expected) {
            let answer = ask(&world, address, &Ask::get(name, resource)).await;
            match expected {
                Some(reason) => assert_refused(&answer, reason),
                None => assert_eq!(answer.status, 200, "{name} {resource}: {}", answer.text()),
            }
        }
    }
    // Nor is an operator a participant.
    let exchange = Ask { certificate: "audit".to_owned(), ..person() };
    let refused = world.ask(&exchange).await;
    world.assert_refused(&refused, ReasonCode::ConsumerUnknown).await;
}

#[tokio::test]
async fn a_certificate_of_two_belongs_to_neither() {
    let world = world().await;
    let address = monitor(&world).await;
    for names in [["audit", "watch"], ["audit", "desk"], ["desk", "watch"]] {
        let identity = world.pki.client_of_names(&names, HTTP1);
        let answer = ask_as(address, identity.clone(), &Ask::get("", "/checkpoint")).await;
        assert_refused(&answer, ReasonCode::OperatorUnknown);
        let mut exchange = world.connection_as(identity).await;
        exchange.send(&person().bytes()).await;
        let answer = exchange.answer().await;
        world.assert_refused(&answer, ReasonCode::ConsumerUnknown).await;
    }
    let same = world.pki.client_of_names(&["audit", "elsewhere"], HTTP1);
    let answer = ask_as(address, same, &Ask::get("", "/tile/9/000")).await;
    assert_refused(&answer, ReasonCode::OperatorNotFound);
}

#[tokio::test]
async fn refuses_handshakes_without_a_good_certificate() {
    let world = world().await;
    let revoked = world.pki.issue("audit");
    world.pki.revoke(&revoked);
    world.pki.publish(SignedDuration::from_hours(1));
    world.reloaded().await;
    let expired = world.pki.issue_until("audit", now() - SignedDuration::from_secs(1));
    for address in [monitor(&world).await, super::administration(&world).await] {
        for (identity, expected) in [
            (world.pki.client_without_certificate(), AlertDescription::CertificateRequired),
            (world.pki.client_with(&expired, HTTP1), AlertDescription::CertificateExpired),
            (world.pki.client_with(&revoked, HTTP1), AlertDescription::CertificateRevoked),
        ] {
            let error = match connect(address, identity).await {
                Ok(mut connection) => connection.read().await.expect_err("no way in"),
                Err(error) => error,
            };
            assert_eq!(alert(&error), Some(expected));
        }
    }
}

/// A connection that is open already ends when its operator is suspended.
#[tokio::test]
async fn an_operator_that_is_suspended_loses_its_connection() {
    let world = world().await;
    let address = monitor(&world).await;
    let mut connection = connect(address, world.pki.client("watch", HTTP1)).await.unwrap();
    connection.send(&Ask::get("watch", "/tile/9/000").bytes()).await;
    assert_refused(&connection.answer().await, ReasonCode::OperatorNotFound);
    let file = "policies/operators.yaml";
    world.edit(file, "status: active", "status: suspended");
    world.reloaded().await;
    connection.closed_within(std::time::Duration::from_secs(5)).await;
}

#[tokio::test]
async fn only_the_one_form_of_an_address_is_served() {
    let world = world().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    let size = signed(&world, 2).await;
    let address = monitor(&world).await;
    let beyond = [
        format!("/tile/0/000.p/{}", size + 50),
        format!("/tile/entries/000.p/{}", size + 50),
        "/tile/0/000".to_owned(),
        "/tile/entries/000".to_owned(),
        "/tile/0/001.p/1".to_owned(),
        "/tile/1/000.p/1".to_owned(),
        "/tile/63/000.p/1".to_owned(),
    ];
    let forms = [
        "/",
        "/checkpoint/",
        "/checkpoint?x",
        "/Checkpoint",
        "/%63heckpoint",
        "/lock",
        "/journal/00000000000000000000",
        "/tile/0/000.p/02",
        "/tile/0/000.p/256",
        "/tile/0/x000/000.p/2",
        "/tile/64/000.p/2",
        "/tile/entries/../0/000.p/2",
        "/tile/entries/../../../../evidence.key",
        "/../evidence.key",
        "/tile/entries/..%2f..%2f..%2f..%2fevidence.key",
        "/tile/entries/%2e%2e/%2e%2e/checkpoint",
        "/tile//000.p/2",
        "//checkpoint",
        "/tile/0/000.p/2?x=1",
        "/tile/0/000.p/2/",
    ];
    for path in beyond.iter().map(String::as_str).chain(forms) {
        let answer = ask(&world, address, &Ask::get("audit", path)).await;
        assert_refused(&answer, ReasonCode::OperatorNotFound);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let asked = Ask::get("audit", "/checkpoint").method(method);
        let answer = ask(&world, address, &asked).await;
        assert_refused(&answer, ReasonCode::RequestMethod);
        assert_eq!(answer.header("allow"), Some("GET"));
    }
}

#[tokio::test]
async fn answers_say_what_they_are_and_how_long_they_keep() {
    let world = world().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    signed(&world, 2).await;
    let address = monitor(&world).await;
    for (path, media_type, kept) in [
        ("/checkpoint", "text/plain; charset=utf-8", "no-store"),
        ("/tile/0/000.p/1", "application/octet-stream", "private, max-age=60"),
        ("/tile/entries/000.p/1", "application/octet-stream", "no-store"),
    ] {
        let answer = ask(&world, address, &Ask::get("audit", path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(media_type), "{path}");
        assert_eq!(answer.header("cache-control"), Some(kept), "{path}");
    }
    let hashes = ask(&world, address, &Ask::get("watch", "/tile/0/000.p/2")).await;
    assert_eq!(hashes.body.len(), 64);
    let narrow = ask(&world, address, &Ask::get("watch", "/tile/0/000.p/1")).await;
    assert_eq!(narrow.body, hashes.body[..32], "a narrow tile is cut from a wider one");
}

/// However much an auditor reads in a minute, two entries say so: that it began, and how much.
#[tokio::test]
async fn reading_entries_is_on_record() {
    let mut world = world().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    signed(&world, 2).await;
    let address = monitor(&world).await;
    for _ in 0..5 {
        let answer = ask(&world, address, &Ask::get("audit", "/tile/entries/000.p/2")).await;
        assert_eq!(answer.status, 200);
    }
    // What is refused, and what is not there, is no reading.
    let refused = ask(&world, address, &Ask::get("watch", "/tile/entries/000.p/2")).await;
    assert_refused(&refused, ReasonCode::OperatorRole);
    let missing = ask(&world, address, &Ask::get("audit", "/tile/entries/000")).await;
    assert_refused(&missing, ReasonCode::OperatorNotFound);
    let metrics = admin(world.directory.path(), "GET", "/metrics").await.text();
    for line in [
        "gateway_monitor_requests_total{resource=\"entries\",outcome=\"served\"} 5",
        "gateway_monitor_requests_total{resource=\"entries\",outcome=\"refused\"} 2",
    ] {
        assert!(metrics.contains(line), "`{line}` is not in\n{metrics}");
    }
    let reads = recorded(&mut world).await;
    assert!(reads.iter().all(|read| deed(read) == ("read_entries", "audit", "auditor")));
    let total: u64 = reads.iter().filter_map(|read| read["count"].as_u64()).sum();
    assert_eq!(total, 5, "{reads:?}");
    // A minute may end in between.
    assert!(reads.len() == 2 || reads.len() == 4, "{reads:?}");
    let (first, second) = (&reads[0], &reads[1]);
    assert!(first["until_ms"].is_null(), "the first is written before the first byte leaves");
    assert_eq!(first["from_ms"], second["from_ms"]);
}

/// When the log takes nothing, no entry leaves: that it was read could not be recorded.
#[tokio::test]
async fn no_entry_leaves_that_cannot_be_recorded() {
    let mut world = world().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    signed(&world, 2).await;
    world.gateway.signal("TERM");
    world.gateway.ended().await;
    world.edit(
        "gateway.yaml",
        "  node: node-1\n",
        "  node: node-1\n  red_percent: 1\n  amber_percent: 1\n",
    );
    world.restart().await;
    let address = monitor(&world).await;
    let answer = ask(&world, address, &Ask::get("audit", "/tile/entries/000.p/2")).await;
    assert_refused(&answer, ReasonCode::EvidenceUnavailable);
    let hashes = ask(&world, address, &Ask::get("watch", "/tile/0/000.p/2")).await;
    assert_eq!(hashes.status, 200, "whoever watches still sees what was signed");
}

#[tokio::test]
async fn speaks_http2_and_bounds_connections() {
    let world = World::with(Setup { operators: true, ..Setup::default() }).await;
    let address = monitor(&world).await;
    let connection = connect(address, world.pki.client("watch", HTTP2)).await.unwrap();
    assert_eq!(connection.stream.get_ref().1.alpn_protocol(), Some(HTTP2));
    // One more than may be open.
    let mut open = vec![connection];
    for _ in 0..63 {
        open.push(connect(address, world.pki.client("watch", HTTP1)).await.unwrap());
    }
    for connection in open.iter_mut().skip(1) {
        connection.send(&Ask::get("watch", "/tile/9/000").bytes()).await;
        assert_refused(&connection.answer().await, ReasonCode::OperatorNotFound);
    }
    let mut beyond = connect(address, world.pki.client("watch", HTTP1)).await.unwrap();
    beyond.closed_within(std::time::Duration::from_secs(5)).await;
}
