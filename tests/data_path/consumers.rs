//! For whom a certificate may speak, and that nobody learns which services exist.

use lienthong_model::reason::ReasonCode;

use super::harness::{Ask, Files, Setup, World, person};

#[tokio::test]
async fn a_header_only_narrows_what_the_certificate_says() {
    let world = World::new().await;
    for client in [
        "VN/TEST/T01.21/CLINIC",
        "VN/TEST/T01.20/CLINIC",
        "VN/OTHER/T01.20/DESK",
        "XX/TEST/T01.20/DESK",
        "VN/TEST/T99.99/DESK",
        // An intermediary is only who may act for others.
        "VN/TEST/T01.50/HUB",
    ] {
        let answer = world.ask(&person().set("x-road-client", client)).await;
        world.assert_refused(&answer, ReasonCode::ConsumerMismatch).await;
    }
    for client in [
        "",
        "VN",
        "VN/TEST/T01.20",
        "VN/TEST/T01.20/DESK/more",
        "VN/TEST/T01.20/",
        "VN/TEST/T01.20/DE%2FSK",
        "VN/TEST/../T01.20/DESK",
    ] {
        let answer = world.ask(&person().set("x-road-client", client)).await;
        world.assert_refused(&answer, ReasonCode::RequestHeader).await;
    }
    let twice = person().header("X-Road-Client", "VN/TEST/T01.20/DESK");
    world.assert_refused(&world.ask(&twice).await, ReasonCode::RequestHeader).await;
    assert!(world.provider.requests().is_empty());
    // Both spellings of a code are one participant.
    let reversed = person().set("x-road-client", "VN/TEST/000.00.20.T01/DESK");
    let answer = world.ask(&reversed).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.why(&answer).await["consumer"], "T01.20");
}

#[tokio::test]
async fn an_intermediary_acts_for_whom_it_is_listed_and_no_further() {
    let world = World::new().await;
    let via = person().certificate("hub");
    let answer = world.ask(&via).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = world.why(&answer).await;
    assert_eq!((&record["consumer"], &record["via"]), (&"T01.20".into(), &"T01.50".into()));
    let rows = [
        ("VN/TEST/T01.21/CLINIC", ReasonCode::ConsumerMismatch),
        ("VN/TEST/T01.10/REGISTRY", ReasonCode::ConsumerMismatch),
        ("VN/TEST/T01.40/RETIRED", ReasonCode::ConsumerSuspended),
        ("VN/TEST/T01.50/HUB", ReasonCode::ServiceNotAvailable),
    ];
    for (client, reason) in rows {
        let answer = world.ask(&via.clone().set("x-road-client", client)).await;
        world.assert_refused(&answer, reason).await;
    }
    assert_eq!(world.provider.requests().len(), 1);
}

/// Acting for a participant is not enough: the agreement must know the way, too.
#[tokio::test]
async fn an_intermediary_uses_only_agreements_that_name_it() {
    let files =
        Files::default().replace("policies/agreements/desk-people.yaml", "via: [T01.50]\n", "");
    let world = World::with(Setup { files, ..Setup::default() }).await;
    let refused = world.ask(&person().certificate("hub")).await;
    world.assert_refused(&refused, ReasonCode::ServiceNotAvailable).await;
    assert_eq!(world.ask(&person()).await.status, 200);
}

#[tokio::test]
async fn a_suspended_intermediary_carries_nothing() {
    let files = Files::default().replace(
        "policies/participants/hub.yaml",
        "status: active",
        "status: suspended",
    );
    let world = World::with(Setup { files, ..Setup::default() }).await;
    let refused = world.ask(&person().certificate("hub")).await;
    world.assert_refused(&refused, ReasonCode::ConsumerSuspended).await;
}

/// Every way of asking for what is not there, or not for this consumer, gives the same bytes.
#[tokio::test]
async fn an_unknown_service_looks_like_one_without_an_agreement() {
    let world = World::new().await;
    let base = "/r1/VN/TEST/T01.10/REGISTRY";
    let targets = [
        // There, and open to others only.
        format!("{base}/vault/look"),
        format!("{base}/void/look"),
        // Not there: service, subsystem, member, class, instance, version.
        format!("{base}/other/look"),
        "/r1/VN/TEST/T01.10/OTHER/vault/look".to_owned(),
        "/r1/VN/TEST/T99.99/REGISTRY/vault/look".to_owned(),
        "/r1/VN/OTHER/T01.10/REGISTRY/vault/look".to_owned(),
        "/r1/XX/TEST/T01.10/REGISTRY/vault/look".to_owned(),
        "/r2/VN/TEST/T01.10/REGISTRY/vault/look".to_owned(),
        // A service of ours, an operation that it does not have.
        format!("{base}/people/nothing/of/this/kind"),
        format!("{base}/people"),
        // A participant that provides nothing.
        "/r1/VN/TEST/T01.21/CLINIC/vault/look".to_owned(),
        "/".to_owned() + "nothing",
    ];
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let mut faces = Vec::new();
        for target in &targets {
            let answer = world.ask(&person().method(method).target(target)).await;
            world.assert_refused(&answer, ReasonCode::ServiceNotAvailable).await;
            faces.push((target, face(&answer)));
        }
        let (_, first) = &faces[0];
        for (target, face) in &faces {
            assert_eq!(face, first, "{method} {target}");
        }
    }
    assert!(world.provider.requests().is_empty());
}

/// Neither the time it takes to say no nor the purpose named gives a service away.
#[tokio::test]
async fn a_purpose_does_not_open_a_service() {
    let world = World::new().await;
    let vault = Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/vault/look")
        .header("x-road-client", "VN/TEST/T01.20/DESK");
    let named = vault.clone().header("lienthong-purpose", "plain_work");
    let other = vault.clone().target("/r1/VN/TEST/T01.10/REGISTRY/other/look");
    let named_other = named.clone().target("/r1/VN/TEST/T01.10/REGISTRY/other/look");
    let mut faces = Vec::new();
    for ask in [vault, other, named, named_other] {
        let answer = world.ask(&ask).await;
        world.assert_refused(&answer, ReasonCode::ServiceNotAvailable).await;
        faces.push(face(&answer));
    }
    assert!(faces.iter().all(|face| *face == faces[0]));
}

/// The bytes of an answer without what differs in any two answers.
fn face(answer: &super::harness::Answer) -> String {
    let id = answer.header("lienthong-request-id").unwrap();
    let text = String::from_utf8(answer.raw.clone()).unwrap().replace(id, "ID");
    text.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn an_alias_is_understood_until_its_day() {
    let aliased = |files: Files, name: &str, part: &str| {
        let aliases = format!(
            "kind: ordinary\naliases:\n  - {{code: T02.{part}, until: 2999-12-31}}\n  \
             - {{code: T03.{part}, until: 2020-12-31}}"
        );
        let file = format!("policies/participants/{name}.yaml");
        files.replace(&file, "kind: ordinary", &aliases)
    };
    let files = aliased(Files::default(), "registry", "10");
    let files = aliased(files, "desk", "20");
    let world = World::with(Setup { files, ..Setup::default() }).await;
    let at = |code: &str| format!("/r1/VN/TEST/{code}/REGISTRY/people/people?number=001122334455");
    assert_eq!(world.ask(&person().target(&at("T02.10"))).await.status, 200);
    let late = world.ask(&person().target(&at("T03.10"))).await;
    world.assert_refused(&late, ReasonCode::ServiceNotAvailable).await;
    let old = person().set("x-road-client", "VN/TEST/T02.20/DESK");
    assert_eq!(world.ask(&old).await.status, 200);
    let late = world.ask(&person().set("x-road-client", "VN/TEST/T03.20/DESK")).await;
    world.assert_refused(&late, ReasonCode::ConsumerMismatch).await;
}
