//! What a present LGSP client gets with its token: what an X-Road client of the same member gets.

use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::{
    super::harness::{Ask, Files, Reply, Setup, World, person, person_body},
    City, FIND, ask_token, files, find, keys,
};

const CLIENT: &str = "VN/TEST/T01.20/DESK";

#[tokio::test]
async fn a_path_opens_nothing() {
    let city = City::new().await;
    let clinic = city.world.pki.issue("clinic");
    let answer = city.send(&clinic, &ask_token(&city.clinic)).await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    // The clinic has an agreement on `findPerson`, none on `addPerson`; nobody has `/APIKhac`.
    let add = find(&token)
        .method("POST")
        .target("/lgsp/APIThemCongDan")
        .header("content-type", "application/json")
        .body(r#"{"number":"001122334455","name":"An"}"#);
    let unknown = find(&token).target("/APIKhac");
    let other_method = find(&token).method("DELETE");
    let longer = find(&token).target("/APITraCuuCongDan/more");
    let case = find(&token).target("/apitracuucongdan?number=001122334455");
    let mut faces = Vec::new();
    for ask in [add, unknown, other_method, longer, case] {
        let answer = city.send(&clinic, &ask).await;
        city.world.assert_refused(&answer, ReasonCode::ServiceNotAvailable).await;
        let mut face = answer.json();
        face["request_id"] = "".into();
        faces.push(face);
    }
    assert!(faces.iter().all(|face| *face == faces[0]), "{faces:?}");
    // Schema, purpose and limits stand as they are.
    let desk = city.world.pki.issue("desk");
    let token = city.token(&desk).await;
    let rows = [
        (find(&token).target("/APITraCuuCongDan?number=1"), ReasonCode::RequestSchema),
        (
            find(&token).target("/APITraCuuCongDan?number=001122334455&so=1"),
            ReasonCode::RequestUndeclaredField,
        ),
        (find(&token).header("lienthong-purpose", "care_work"), ReasonCode::PurposeNotPermitted),
        (find(&token).target("/./APITraCuuCongDan"), ReasonCode::RequestPath),
    ];
    for (ask, reason) in rows {
        let answer = city.send(&desk, &ask).await;
        city.world.assert_refused(&answer, reason).await;
    }
    assert!(city.world.provider.requests().is_empty());
}

#[tokio::test]
async fn a_token_and_a_header_name_the_same_member_or_nobody() {
    let city = City::new().await;
    let desk = city.world.pki.issue("desk");
    let token = city.token(&desk).await;
    for client in ["VN/TEST/T01.21/CLINIC", "VN/TEST/T01.10/REGISTRY", "VN/TEST/T99.99/DESK"] {
        let answer = city.send(&desk, &find(&token).header("x-road-client", client)).await;
        city.world.assert_refused(&answer, ReasonCode::ConsumerMismatch).await;
    }
    let answer = city.send(&desk, &find(&token).header("x-road-client", "VN")).await;
    city.world.assert_refused(&answer, ReasonCode::RequestHeader).await;
    // Without either nobody asks.
    let answer = city.send(&desk, &find("").without("authorization")).await;
    city.world.assert_refused(&answer, ReasonCode::RequestHeader).await;
    assert!(city.world.provider.requests().is_empty());
    let agreeing = [
        find(&token).header("x-road-client", CLIENT),
        // A token beside an address, and a path without a token: each is another name for the same.
        person().header("authorization", &format!("Bearer {token}")),
        find("").without("authorization").header("x-road-client", CLIENT),
    ];
    for ask in agreeing {
        assert_eq!(city.send(&desk, &ask).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_speaks_for_the_subsystem_that_the_file_names() {
    let city = City::new().await;
    let file = "policies/participants/desk.yaml";
    city.world.edit(file, "subsystems: [DESK]", "subsystems: [DESK, WINDOW]");
    assert_ne!(city.world.reload().await.status, 200, "which of the two is not said");
    city.world.edit(file, "lgsp:\n", "lgsp:\n  subsystem: WINDOW\n");
    city.world.reloaded().await;
    let desk = city.world.pki.issue("desk");
    let token = city.token(&desk).await;
    let answer = city.send(&desk, &find(&token).header("x-road-client", CLIENT)).await;
    city.world.assert_refused(&answer, ReasonCode::ConsumerMismatch).await;
    assert_eq!(city.send(&desk, &find(&token)).await.status, 200);
    let request = city.world.provider.only_request();
    assert_eq!(request.header("x-road-client").as_deref(), Some("VN/TEST/T01.20/WINDOW"));
}

#[tokio::test]
async fn moving_over_is_an_address_and_a_certificate() {
    let city = City::new().await;
    let desk = city.world.pki.issue("desk");
    let given = city.send(&desk, &ask_token(&city.desk)).await;
    assert_eq!(given.status, 200, "{}", given.text());
    assert_eq!(given.header("cache-control"), Some("no-store"));
    assert_eq!(given.header("pragma"), Some("no-cache"));
    assert_eq!(given.header("content-type"), Some("application/json"));
    let answer = given.json();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(1800)));
    assert_eq!(answer.as_object().unwrap().len(), 3, "{answer}");
    let token = answer["access_token"].as_str().unwrap();
    let id = json!(keys(0x7b).open(token).unwrap().id.to_string());
    let record = city.world.why(&given).await;
    assert_eq!((&record["token"], &record["consumer"]), (&id, &json!("T01.20")));
    assert_eq!(record["decision"], "allow");

    let by_token = city.send(&desk, &find(token)).await;
    let by_address = city.send(&desk, &person()).await;
    assert_eq!((by_token.status, &by_token.body), (200, &by_address.body));
    let record = city.world.why(&by_token).await;
    assert_eq!((&record["token"], &record["consumer"]), (&id, &json!("T01.20")));
    assert_eq!(
        (&record["service"], &record["operation"]),
        (&json!("people"), &json!("findPerson"))
    );
    let add = person_body(r#"{"number":"001122334455","name":"An"}"#)
        .without("x-road-client")
        .target("/lgsp/APIThemCongDan")
        .header("authorization", &format!("Bearer {token}"))
        .header("lgspaccesstoken", "left over");
    city.world.provider.replies(Reply::json("200 OK", r#"{"stored":true}"#));
    assert_eq!(city.send(&desk, &add).await.status, 200);

    let requests = city.world.provider.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request.header("x-road-client").as_deref(), Some(CLIENT));
        for name in ["authorization", "lgspaccesstoken"] {
            assert_eq!(request.header(name), None);
        }
    }
    assert!(!city.world.logged().await.contains(token));
}

#[tokio::test]
async fn where_the_dialect_is_not_spoken_it_is_not_there() {
    let world = World::with(Setup { files: files(), ..Setup::default() }).await;
    let token = "x".repeat(183);
    let rows = [
        (Ask::get("desk", "/token").method("POST"), ReasonCode::RequestHeader),
        (Ask::get("desk", FIND).header("x-road-client", CLIENT), ReasonCode::ServiceNotAvailable),
        (find(&token), ReasonCode::RequestHeader),
    ];
    for (ask, reason) in rows {
        let answer = world.ask(&ask).await;
        world.assert_refused(&answer, reason).await;
    }
    assert!(world.provider.requests().is_empty());
    let ignored = person().header("authorization", &format!("Bearer {token}"));
    assert_eq!(world.ask(&ignored).await.status, 200);
}

#[tokio::test]
async fn mistakes_of_the_dialect_stop_the_start() {
    let token_path = files().replace(
        "policies/services/people.yaml",
        "findPerson: /APITraCuuCongDan",
        "findPerson: /token",
    );
    let plain = Files::default().replace(
        "policies/participants/desk.yaml",
        "status: active",
        "lgsp: {app_name: a, partner_code: b, partner_code_customer: c, access_key: d, \
         secret: Pl4inS3cret}\nstatus: active",
    );
    let rows = [
        (token_path, "", "LGSP path of `findPerson` is `lgsp.token_path`"),
        (plain, "", "never the secret itself"),
        (Files::default(), "  previous_key_file: pki/gateway.pem\n", "lets others read a secret"),
        (Files::default(), "  previous_key_file: pki/gateway.key\n", "64 hexadecimal digits"),
        (Files::default(), "  skew_seconds: 301\n", "from 0 to 300"),
    ];
    for (files, settings, expected) in rows {
        let setup = Setup { files, lgsp: Some(settings), ..Setup::default() };
        let (code, told) = World::refused(setup).await;
        assert_ne!(code, 0);
        assert!(told.contains(expected), "{told}");
        assert!(!told.contains("Pl4inS3cret"), "{told}");
    }
}
