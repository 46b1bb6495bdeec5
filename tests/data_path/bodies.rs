//! What a request may say: parameters and JSON bodies, strictly.

use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::harness::{Ask, Files, Reply, Setup, World, person, person_body};

const GOOD: &str = r#"{"number":"001122334455","name":"An"}"#;

async fn world() -> World {
    let world = World::new().await;
    world.provider.answers(|request| match request.request().0 {
        "POST" => Reply::json("200 OK", r#"{"stored":true,"receipt":7}"#),
        _ => Reply::json("200 OK", r#"{"number":"001122334455","name":"An"}"#),
    });
    world
}

#[tokio::test]
async fn refuses_a_body_that_is_not_strict_json() {
    let world = world().await;
    let deep = |levels: usize| {
        let value = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"number":"001122334455","name":"An","remark":{value}}}"#)
    };
    let deep_objects = format!("{}1{}", r#"{"address":"#.repeat(40), "}".repeat(40));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", b"".to_vec()),
        ("blank", b"  ".to_vec()),
        ("cut off", GOOD.as_bytes()[..GOOD.len() - 1].to_vec()),
        ("cut in a string", br#"{"number":"0011"#.to_vec()),
        ("more after the end", format!("{GOOD}{{}}").into_bytes()),
        ("two values", format!("{GOOD} {GOOD}").into_bytes()),
        ("trailing comma", br#"{"number":"001122334455","name":"An",}"#.to_vec()),
        ("comment", br#"{"number":"001122334455","name":"An"/**/}"#.to_vec()),
        ("single quotes", br"{'number':'001122334455','name':'An'}".to_vec()),
        ("bare key", br#"{number:"001122334455","name":"An"}"#.to_vec()),
        ("byte order mark", [b"\xef\xbb\xbf", GOOD.as_bytes()].concat()),
        ("control character", b"{\"number\":\"001122334455\",\"name\":\"A\nn\"}".to_vec()),
        ("bad escape", br#"{"number":"001122334455","name":"A\x6e"}"#.to_vec()),
        ("lone surrogate", br#"{"number":"001122334455","name":"\ud800"}"#.to_vec()),
        ("overlong UTF-8", b"{\"number\":\"001122334455\",\"name\":\"\xc0\xaf\"}".to_vec()),
        ("surrogate in UTF-8", b"{\"number\":\"001122334455\",\"name\":\"\xed\xa0\x80\"}".to_vec()),
        ("cut UTF-8", b"{\"number\":\"001122334455\",\"name\":\"\xe1\xba\"}".to_vec()),
        ("Latin-1", b"{\"number\":\"001122334455\",\"name\":\"\xe9\"}".to_vec()),
        ("UTF-16", GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("NUL", b"{\"number\":\"001122334455\",\"name\":\"An\"}\0".to_vec()),
        (
            "duplicate key",
            br#"{"number":"001122334455","name":"An","number":"001122334455"}"#.to_vec(),
        ),
        (
            "duplicate key, escaped",
            br#"{"number":"001122334455","name":"An","n\u0061me":"Binh"}"#.to_vec(),
        ),
        (
            "duplicate key, nested",
            br#"{"number":"001122334455","name":"An","address":{"ward":"a","ward":"b"}}"#.to_vec(),
        ),
        ("too deep", deep_objects.into_bytes()),
    ];
    for (name, body) in bodies {
        let answer = world.ask(&person_body(body)).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
        let reason = answer.json()["reason"].as_str().unwrap().to_owned();
        // Where several things are wrong, the first in the order of reading is told.
        let told = ["request.malformed", "request.schema", "request.undeclared_field"];
        assert!(told.contains(&reason.as_str()), "{name}: {reason}");
        if !name.contains("deep") {
            assert_eq!(reason, "request.malformed", "{name}: {}", answer.text());
        }
    }
    for levels in [33, 1000, 3000] {
        let answer = world.ask(&person_body(deep(levels))).await;
        assert_eq!(answer.status, if levels > 1900 { 413 } else { 400 }, "{}", answer.text());
    }
    assert!(world.provider.requests().is_empty());
}

#[tokio::test]
async fn refuses_a_body_that_does_not_match_its_schema() {
    let world = world().await;
    let rows = [
        (r#"{"name":"An"}"#, ReasonCode::RequestSchema, "`required` fails at `/number`"),
        (
            r#"{"number":"1","name":"An"}"#,
            ReasonCode::RequestSchema,
            "`pattern` fails at `/number`",
        ),
        (r#"{"number":1,"name":"An"}"#, ReasonCode::RequestSchema, "`type` fails at `/number`"),
        (r#"{"number":null,"name":"An"}"#, ReasonCode::RequestSchema, "`type` fails at `/number`"),
        (
            r#"{"number":"001122334455","name":""}"#,
            ReasonCode::RequestSchema,
            "`minLength` fails at `/name`",
        ),
        (
            r#"{"number":"001122334455","name":["An"]}"#,
            ReasonCode::RequestSchema,
            "`type` fails at `/name`",
        ),
        (
            r#"{"number":"001122334455","name":"An","address":[]}"#,
            ReasonCode::RequestSchema,
            "`type` fails at `/address`",
        ),
        (r"[]", ReasonCode::RequestSchema, "`type` fails at `/`"),
        (r#""text""#, ReasonCode::RequestSchema, "`type` fails at `/`"),
        ("null", ReasonCode::RequestSchema, "`type` fails at `/`"),
        (
            r#"{"number":"001122334455","name":"An","other":1}"#,
            ReasonCode::RequestUndeclaredField,
            "`undeclared` fails at `/`",
        ),
        (
            r#"{"number":"001122334455","name":"An","Name":"An"}"#,
            ReasonCode::RequestUndeclaredField,
            "`undeclared` fails at `/`",
        ),
        (
            r#"{"number":"001122334455","name":"An","__proto__":{}}"#,
            ReasonCode::RequestUndeclaredField,
            "`undeclared` fails at `/`",
        ),
        (
            r#"{"number":"001122334455","name":"An","address":{"w\u0061rd2":1}}"#,
            ReasonCode::RequestUndeclaredField,
            "`undeclared` fails at `/address`",
        ),
    ];
    for (body, reason, detail) in rows {
        let ask = person_body(body).header("accept-language", "en");
        let answer = world.ask(&ask).await;
        world.assert_refused(&answer, reason).await;
        assert_eq!(answer.json()["detail"], detail, "{body}");
    }
    assert!(world.provider.requests().is_empty());
}

/// What is wrong with a withheld field is the consumer's mistake too, and is told as such.
#[tokio::test]
async fn a_field_that_does_not_pass_is_still_checked_and_then_left_out() {
    let world = world().await;
    let body = r#"{"number":"001122334455","name":"An","remark":5}"#;
    let answer = world.ask(&person_body(body)).await;
    world.assert_refused(&answer, ReasonCode::RequestSchema).await;
    let body = r#"{ "remark" : "private", "name":"\u0041n",
        "address": {"street":"private","ward":"\u1ea4"}, "number":"001122334455" }"#;
    let answer = world.ask(&person_body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), json!({"stored": true}));
    let sent: serde_json::Value =
        serde_json::from_slice(world.provider.only_request().body()).unwrap();
    let expected = json!({"name": "An", "number": "001122334455", "address": {"ward": "Ấ"}});
    assert_eq!(sent, expected);
    let bytes = world.provider.only_request().bytes;
    assert!(!String::from_utf8_lossy(&bytes).contains("private"));
}

/// A provider that checks the consumer's signature gets all that was signed, or nothing.
#[tokio::test]
async fn of_a_signed_body_nothing_is_left_out_it_passes_whole_or_not_at_all() {
    let service = "policies/services/people.yaml";
    let signed = "addPerson:\n    request: signed\n";
    let agreement = "policies/agreements/desk-people.yaml";
    let files = Files::default().replace(service, "addPerson:\n", signed).replace(
        agreement,
        ", /address/ward: pass}",
        "}",
    );
    let world = World::with(Setup { files, ..Setup::default() }).await;
    world.provider.replies(Reply::json("200 OK", r#"{"stored":true,"receipt":7}"#));
    // An object that holds nothing was signed too.
    for more in [r#""remark":"private""#, r#""address":{"ward":"private"}"#, r#""address":{}"#] {
        let body = format!(r#"{{"number":"001122334455","name":"An",{more}}}"#);
        let answer = world.ask(&person_body(body).header("accept-language", "en")).await;
        world.assert_refused(&answer, ReasonCode::DisclosureUnfulfillable).await;
        let told = answer.text();
        assert!(told.contains("`signed` fails at `/address/street`"), "{more}: {told}");
        assert!(!told.contains("private"), "{more}: {told}");
    }
    assert!(world.provider.requests().is_empty());
    let answer = world.ask(&person_body(GOOD)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(world.provider.requests()[0].bytes.ends_with(GOOD.as_bytes()));
}

#[tokio::test]
async fn refuses_bodies_of_another_kind() {
    let world = world().await;
    let rows = [
        person_body(GOOD).without("content-type"),
        person_body(GOOD).set("content-type", "text/json"),
        person_body(GOOD).set("content-type", "application/json; charset=iso-8859-1"),
        person_body(GOOD).set("content-type", "application/json, text/plain"),
        person_body(GOOD).set("content-type", "application/problem+json"),
        person_body(GOOD).set("content-type", "multipart/form-data; boundary=a"),
        person_body(GOOD).header("content-encoding", "compress"),
        person_body(GOOD).header("content-encoding", "identity, gzip"),
        // A look-up has no body.
        person().body("{}"),
        person().header("content-type", "application/json").body(GOOD),
    ];
    for ask in rows {
        let answer = world.ask(&ask).await;
        world.assert_refused(&answer, ReasonCode::RequestMediaType).await;
    }
    assert!(world.provider.requests().is_empty());
    let good = person_body(GOOD).set("content-type", "Application/JSON;charset=UTF-8");
    assert_eq!(world.ask(&good).await.status, 200);
    assert_eq!(
        world.ask(&person_body(GOOD).header("content-encoding", "identity")).await.status,
        200
    );
}

#[tokio::test]
async fn refuses_parameters_that_are_not_declared_or_do_not_fit() {
    let world = world().await;
    let base = "/r1/VN/TEST/T01.10/REGISTRY/people/people";
    let rows = [
        ("", ReasonCode::RequestSchema),
        ("?number=", ReasonCode::RequestSchema),
        ("?number=00112233445", ReasonCode::RequestSchema),
        ("?number=00112233445x", ReasonCode::RequestSchema),
        ("?number=001122334455%0a", ReasonCode::RequestPath),
        ("?number=001122334455&number=001122334455", ReasonCode::RequestMalformed),
        ("?number=001122334455&Number=001122334455", ReasonCode::RequestUndeclaredField),
        ("?number=001122334455&other", ReasonCode::RequestUndeclaredField),
        ("?number[]=001122334455", ReasonCode::RequestUndeclaredField),
        ("?number=001122334455&tag=a&tag=b&tag=c&tag=d&tag=e", ReasonCode::RequestSchema),
        ("?number=001122334455;tag=a", ReasonCode::RequestSchema),
        ("?number=%2500112233445", ReasonCode::RequestPath),
        ("?number=001122334455&tag=%c0%af", ReasonCode::RequestPath),
        ("?number=001122334455&tag=%zz", ReasonCode::RequestPath),
    ];
    for (query, reason) in rows {
        let answer = world.ask(&person().target(&format!("{base}{query}"))).await;
        world.assert_refused(&answer, reason).await;
    }
    let twice = person().header("dstcode", "a").header("dstcode", "b");
    world.assert_refused(&world.ask(&twice).await, ReasonCode::RequestMalformed).await;
    let long = person().header("dstcode", &"d".repeat(41));
    world.assert_refused(&world.ask(&long).await, ReasonCode::RequestSchema).await;
    let with_query = Ask { target: format!("{base}?a=1"), ..person_body(GOOD) };
    let answer = world.ask(&with_query).await;
    world.assert_refused(&answer, ReasonCode::RequestUndeclaredField).await;
    assert!(world.provider.requests().is_empty());
}

/// The provider's address is built anew from what passes.
#[tokio::test]
async fn parameters_reach_the_provider_in_one_spelling() {
    let world = world().await;
    let target = "/r1/VN/TEST/T01.10/REGISTRY/people/people?tag=a%20b&&internal=private\
                  &number=%3001122334455&tag=%26x%3d1+%e1%ba%a4";
    let answer = world.ask(&person().target(target).header("DstCode", "H.1")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = world.provider.only_request();
    let expected = "/registry/people?tag=a%20b&number=001122334455&tag=%26x%3D1%20%E1%BA%A4";
    assert_eq!(request.request(), ("GET", expected));
    assert_eq!(request.header("dstcode").as_deref(), Some("H.1"));
}

/// A length that is too large is refused before a byte of it is read; one that is not announced,
/// when it has become too large.
#[tokio::test]
async fn a_large_body_costs_no_memory() {
    let world = world().await;
    assert_eq!(world.ask(&person_body(GOOD)).await.status, 200);
    world.provider.forget();
    let before = world.gateway.memory("VmRSS");
    let announced = format!("{}content-length: 1000000000000\r\n\r\n", person_body("").head());
    let mut connection = world.connection("desk").await;
    connection.send(announced.as_bytes()).await;
    let answer = connection.answer().await;
    world.assert_refused(&answer, ReasonCode::RequestTooLarge).await;
    let chunk = [format!("{:x}\r\n", 1 << 20).into_bytes(), vec![b' '; 1 << 20], b"\r\n".to_vec()];
    let chunk = chunk.concat();
    for _ in 0..4 {
        let mut connection = world.connection("desk").await;
        let head = format!("{}transfer-encoding: chunked\r\n\r\n", person_body("").head());
        connection.send(head.as_bytes()).await;
        for _ in 0..32 {
            if connection.try_send(&chunk).await.is_err() {
                break;
            }
        }
        // The answer may be lost behind what was still being sent; never may it be a good one.
        let answers = connection.answers_until_closed().await;
        assert!(answers.iter().all(|answer| answer.status == 413));
    }
    let grown = world.gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB");
    assert!(world.provider.requests().is_empty());
    assert_eq!(world.ask(&person_body(GOOD)).await.status, 200);
}
