//! The administration: an operator's socket, and an address that tells nothing of an exchange.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt as _};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::harness::{Answer, World, admin, person, within};

/// One request to the loopback address.
async fn at_address(world: &World, request: &str) -> Answer {
    let serving = |line: &Value| {
        (line["message"] == "serving health and metrics")
            .then(|| line["address"].as_str()?.parse::<SocketAddr>().ok())
            .flatten()
    };
    let address = world.gateway.logs("the address of the administration", serving).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    within("an answer", stream.read_to_end(&mut bytes)).await.unwrap();
    Answer::take(&mut bytes).unwrap()
}

#[tokio::test]
async fn the_address_serves_health_and_figures_only() {
    let world = World::new().await;
    let answer = world.ask(&person()).await;
    let id = answer.header("lienthong-request-id").unwrap();
    for path in ["/health", "/ready", "/metrics"] {
        assert_eq!(at_address(&world, &format!("GET {path}")).await.status, 200, "{path}");
    }
    for request in [&format!("GET /why/{id}"), "POST /reload", "POST /drain", "GET /"] {
        assert_eq!(at_address(&world, request).await.status, 404, "{request}");
    }
    assert_eq!(world.ask(&person()).await.status, 200);
}

#[tokio::test]
async fn the_socket_is_its_owners() {
    let world = World::new().await;
    let socket = world.directory.path().join("admin.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (method, path) in [("GET", "/reload"), ("GET", "/drain"), ("POST", "/why/1")] {
        let answer = admin(world.directory.path(), method, path).await;
        assert_eq!(answer.status, 405, "{method} {path}");
    }
    let unknown = admin(world.directory.path(), "GET", "/why/..%2f..%2fgateway.yaml").await;
    assert_eq!(unknown.status, 404);
}

/// Labels are of closed sets: services, operations, reasons.
#[tokio::test]
async fn figures_name_nobody() {
    let world = World::new().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    let target = "/r1/VN/TEST/T01.10/REGISTRY/people/people/someone";
    assert_eq!(world.ask(&person().target(target)).await.status, 200);
    assert_eq!(world.ask(&person().target("/someone")).await.status, 404);
    let text = admin(world.directory.path(), "GET", "/metrics").await.text();
    let allowed = "decision=\"allow\",reason=\"\"} 1";
    for expected in [
        format!("gateway_exchanges_total{{service=\"people\",operation=\"findPerson\",{allowed}"),
        format!("gateway_exchanges_total{{service=\"people\",operation=\"readPerson\",{allowed}"),
        "decision=\"deny\",reason=\"service.not_available\"} 1".to_owned(),
    ] {
        assert!(text.contains(&expected), "`{expected}` is not in\n{text}");
    }
    for hidden in ["someone", "T01.20", "001122334455", "desk-people"] {
        assert!(!text.contains(hidden), "`{hidden}` stands in\n{text}");
    }
}
