//! What a consumer can learn about services: only what an agreement opens to it.

use lienthong_model::reason::ReasonCode;
use serde_json::Value;

use super::harness::{Ask, Files, Setup, World, person};

const AT: &str = "/r1/VN/TEST/T01.10/REGISTRY";

fn ask(certificate: &str, client: &str, target: &str) -> Ask {
    Ask::get(certificate, target).header("x-road-client", client)
}

type Shown = Vec<(&'static str, Vec<&'static str>)>;

/// The services that listMethods shows, each with its endpoints.
fn methods(answer: &Value) -> Vec<(String, Vec<String>)> {
    let services = answer["service"].as_array().unwrap();
    services
        .iter()
        .map(|service| {
            let endpoints = service["endpoint_list"].as_array().unwrap();
            let endpoints = endpoints
                .iter()
                .map(|e| {
                    format!("{} {}", e["method"].as_str().unwrap(), e["path"].as_str().unwrap())
                })
                .collect();
            (service["service_code"].as_str().unwrap().to_owned(), endpoints)
        })
        .collect()
}

#[tokio::test]
async fn each_consumer_sees_its_own_agreements_only() {
    let world = World::new().await;
    let everything = ["GET /people", "POST /people", "GET /people/{key}"];
    let lists = vec!["GET /lines", "GET /list"];
    let rows: [(&str, &str, Shown); 5] = [
        ("desk", "VN/TEST/T01.20/DESK", vec![("people", everything.to_vec()), ("roll", lists)]),
        ("hub", "VN/TEST/T01.20/DESK", vec![("people", everything.to_vec())]),
        ("clinic", "VN/TEST/T01.21/CLINIC", vec![("people", vec!["GET /people"])]),
        ("neighbour", "VN/TEST/T01.22/NEIGHBOUR", vec![]),
        (
            "office",
            "VN/TEST/T01.30/OFFICE",
            vec![
                ("people", vec!["GET /people"]),
                ("vault", vec!["GET /look"]),
                ("void", vec!["GET /look"]),
            ],
        ),
    ];
    for (certificate, client, expected) in rows {
        for method in ["listMethods", "allowedMethods"] {
            let answer = world.ask(&ask(certificate, client, &format!("{AT}/{method}"))).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let mut found = methods(&answer.json());
            found.iter_mut().for_each(|(_, endpoints)| endpoints.sort());
            let expected: Vec<_> = expected
                .iter()
                .map(|(service, endpoints)| {
                    let mut endpoints: Vec<_> = endpoints.iter().map(|e| (*e).to_owned()).collect();
                    endpoints.sort();
                    ((*service).to_owned(), endpoints)
                })
                .collect();
            assert_eq!(found, expected, "{certificate}: {method}");
        }
        let clients = world.ask(&ask(certificate, client, "/listClients")).await;
        let members = clients.json()["member"].as_array().unwrap().len();
        assert_eq!(members, usize::from(!expected.is_empty()), "{certificate}");
        let text = clients.text();
        assert!(!text.contains("T01.30") && !text.contains("T01.20"), "{text}");
    }
    assert!(world.provider.requests().is_empty());
}

/// The document holds what the agreement discloses, and no name of anything else.
#[tokio::test]
async fn a_document_is_reduced_to_what_is_disclosed() {
    let world = World::new().await;
    let target = format!("{AT}/getOpenAPI?serviceCode=people");
    let desk = world.ask(&ask("desk", "VN/TEST/T01.20/DESK", &target)).await;
    assert_eq!(desk.status, 200, "{}", desk.text());
    let text = desk.text();
    for shown in ["findPerson", "readPerson", "addPerson", "number", "children", "open"] {
        assert!(text.contains(&format!("\"{shown}\"")), "`{shown}` is missing in {text}");
    }
    for hidden in ["ethnicity", "street", "secret", "hidden", "internal", "remark", "receipt"] {
        assert!(!text.contains(hidden), "`{hidden}` stands in {text}");
    }
    assert_eq!(desk.header("content-type"), Some("application/json"));
    let clinic = world.ask(&ask("clinic", "VN/TEST/T01.21/CLINIC", &target)).await.text();
    for hidden in ["readPerson", "addPerson", "children", "born", "phone", "dstcode", "ethnicity"] {
        assert!(!clinic.contains(hidden), "`{hidden}` stands in {clinic}");
    }
    // A service of others looks like none.
    let mut faces = Vec::new();
    for service in ["vault", "other"] {
        let target = format!("{AT}/getOpenAPI?serviceCode={service}");
        let answer = world.ask(&ask("desk", "VN/TEST/T01.20/DESK", &target)).await;
        world.assert_refused(&answer, ReasonCode::ServiceNotAvailable).await;
        let mut problem = answer.json();
        problem["request_id"] = Value::Null;
        faces.push(problem);
    }
    assert_eq!(faces[0], faces[1]);
}

#[tokio::test]
async fn metaservices_are_as_strict_as_services() {
    let world = World::new().await;
    let desk = |target: String| ask("desk", "VN/TEST/T01.20/DESK", &target);
    let rows = [
        (desk(format!("{AT}/listMethods?a=b")), ReasonCode::RequestUndeclaredField),
        (desk("/listClients?a=b".to_owned()), ReasonCode::RequestUndeclaredField),
        (desk(format!("{AT}/getOpenAPI?a=people")), ReasonCode::RequestUndeclaredField),
        (desk(format!("{AT}/getOpenAPI")), ReasonCode::RequestSchema),
        (
            desk(format!("{AT}/getOpenAPI?serviceCode=people&serviceCode=people")),
            ReasonCode::RequestSchema,
        ),
        (desk(format!("{AT}/listMethods")).method("POST"), ReasonCode::ServiceNotAvailable),
        (
            desk(format!("{AT}/listMethods")).set("x-road-client", "VN/TEST/T01.21/CLINIC"),
            ReasonCode::ConsumerMismatch,
        ),
        (desk(format!("{AT}/listMethods")).without("x-road-client"), ReasonCode::RequestHeader),
        (desk("/listMethods".to_owned()), ReasonCode::ServiceNotAvailable),
    ];
    for (ask, reason) in rows {
        world.assert_refused(&world.ask(&ask).await, reason).await;
    }
    let elsewhere = desk("/r1/VN/TEST/T99.99/REGISTRY/listMethods".to_owned());
    assert_eq!(methods(&world.ask(&elsewhere).await.json()), []);
}

/// They cost something, so they have a limit of their own.
#[tokio::test]
async fn metaservices_are_limited() {
    let world = World::new().await;
    let list = ask("neighbour", "VN/TEST/T01.22/NEIGHBOUR", "/listClients");
    let mut connection = world.connection("neighbour").await;
    connection.send(&list.bytes().repeat(60)).await;
    let mut refused = 0;
    for _ in 0..60 {
        let answer = connection.answer().await;
        if answer.status == 429 {
            world.assert_refused(&answer, ReasonCode::ConsumerRateLimited).await;
            refused += 1;
        }
    }
    assert!(refused > 0);
    // Nobody else is held up.
    assert_eq!(world.ask(&person()).await.status, 200);
}

#[tokio::test]
async fn an_agreement_out_of_its_term_is_not_shown() {
    let files = Files::default().replace(
        "policies/agreements/clinic-people.yaml",
        "until: 2999-12-31",
        "until: 2020-12-31",
    );
    let world = World::with(Setup { files, ..Setup::default() }).await;
    let list = ask("clinic", "VN/TEST/T01.21/CLINIC", &format!("{AT}/listMethods"));
    assert_eq!(methods(&world.ask(&list).await.json()), []);
    let clients = ask("clinic", "VN/TEST/T01.21/CLINIC", "/listClients");
    assert_eq!(world.ask(&clients).await.json()["member"].as_array().unwrap().len(), 0);
}
