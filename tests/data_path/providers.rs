//! Providers that break their word: nothing of what they send passes, and nothing partial looks
//! complete.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::harness::{Answer, Gate, Reply, Setup, World, admin, person, within};

/// Stands in everything a broken provider says. No byte of it may come out anywhere.
const CANARY: &str = "C4n4ry";
const JSON: &str = "content-type: application/json\r\n";
const GOOD: &str = r#"{"number":"001122334455","name":"An"}"#;

/// Looks for the canary wherever something of an exchange can be seen.
async fn assert_silent(world: &World, answer: &Answer) {
    let raw = String::from_utf8_lossy(&answer.raw).into_owned();
    assert!(!raw.contains(CANARY), "{raw}");
    let record = world.why(answer).await.to_string();
    assert!(!record.contains(CANARY), "{record}");
    let metrics = admin(world.directory.path(), "GET", "/metrics").await.text();
    assert!(!metrics.contains(CANARY), "{metrics}");
    let log = world.gateway.logged();
    assert!(!log.contains(CANARY), "{log}");
}

fn rows() -> Vec<(&'static str, Reply, ReasonCode)> {
    use ReasonCode as R;
    let canary = format!(r#"{{"number":"001122334455","name":"{CANARY}"}}"#);
    let trace = format!("java.lang.{CANARY}: at db.query(SELECT '{CANARY}')");
    let html = format!("<html><body>{CANARY}</body></html>");
    let length = canary.len();
    let raw = |text: String| Reply::raw(text).then_close();
    vec![
        ("500 with a stack trace", Reply::typed("500 Internal Server Error", "content-type: text/plain\r\n", &trace), R::ProviderRefused),
        ("500 with JSON", Reply::json(&format!("500 {CANARY}"), &canary), R::ProviderRefused),
        ("503 with a date to come back", Reply::typed("503 Later", &format!("retry-after: 7\r\nx-{CANARY}: a\r\n"), &html), R::ProviderRefused),
        ("HTML with 200", Reply::typed("200 OK", "content-type: text/html\r\n", &html), R::ProviderMediaType),
        ("HTML that says it is JSON", Reply::json("200 OK", &html), R::ProviderMalformed),
        ("JSON that says it is text", Reply::typed("200 OK", "content-type: text/plain\r\n", &canary), R::ProviderMediaType),
        ("no media type", Reply::typed("200 OK", "", &canary), R::ProviderMediaType),
        ("another charset", Reply::typed("200 OK", "content-type: application/json; charset=utf-16\r\n", &canary), R::ProviderMediaType),
        ("a media type of the canary", Reply::typed("200 OK", &format!("content-type: text/{CANARY}\r\n"), &canary), R::ProviderMediaType),
        ("compressed", Reply::typed("200 OK", &format!("{JSON}content-encoding: gzip\r\n"), &canary), R::ProviderMediaType),
        ("redirect", Reply::typed("302 Found", &format!("location: http://127.0.0.1/{CANARY}\r\n"), &html), R::ProviderRefused),
        ("redirect that keeps the method", Reply::typed("307 Temporary", &format!("location: /{CANARY}\r\n"), ""), R::ProviderRefused),
        ("not modified", Reply::typed("304 Not Modified", &format!("etag: \"{CANARY}\"\r\n"), ""), R::ProviderRefused),
        ("partial content", Reply::typed("206 Partial Content", &format!("{JSON}content-range: bytes 0-1/{length}\r\n"), &canary), R::ProviderRefused),
        ("created", Reply::typed("201 Created", &format!("{JSON}location: /{CANARY}\r\n"), &canary), R::ProviderRefused),
        ("asks for a password", Reply::typed("401 Unauthorized", &format!("www-authenticate: Basic realm={CANARY}\r\n"), &html), R::ProviderRefused),
        ("another protocol", Reply::raw(format!("HTTP/1.1 101 Switching\r\nupgrade: {CANARY}\r\nconnection: upgrade\r\n\r\n{canary}")).then_silence(), R::ProviderRefused),
        ("shorter than its length", raw(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{canary}", length + 1)), R::ProviderInterrupted),
        ("half, then a reset", Reply::raw(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {length}\r\n\r\n{}", &canary[..length - 5])).then_reset(), R::ProviderInterrupted),
        ("half a head", raw(format!("HTTP/1.1 200 OK\r\n{JSON}x-a: {CANARY}")), R::ProviderInterrupted),
        ("nothing, then the end", raw(String::new()), R::ProviderInterrupted),
        ("nothing, then a reset", Reply::raw("").then_reset(), R::ProviderInterrupted),
        ("chunks without an end", raw(format!("HTTP/1.1 200 OK\r\n{JSON}transfer-encoding: chunked\r\n\r\n{length:x}\r\n{canary}\r\n")), R::ProviderInterrupted),
        ("a chunk that breaks off", raw(format!("HTTP/1.1 200 OK\r\n{JSON}transfer-encoding: chunked\r\n\r\n{:x}\r\n{canary}", length + 9)), R::ProviderInterrupted),
        ("a chunk size of nonsense", raw(format!("HTTP/1.1 200 OK\r\n{JSON}transfer-encoding: chunked\r\n\r\n{CANARY}\r\n{canary}")), R::ProviderInterrupted),
        ("garbage", raw(format!("{CANARY} {canary}\r\n\r\n")), R::ProviderInterrupted),
        ("HTTP/0.9", raw(canary.clone()), R::ProviderInterrupted),
        ("two lengths", raw(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 5\r\ncontent-length: {length}\r\n\r\n{canary}")), R::ProviderInterrupted),
        ("a length of nonsense", raw(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {CANARY}\r\n\r\n{canary}")), R::ProviderInterrupted),
        ("a huge head", raw(format!("HTTP/1.1 200 OK\r\n{JSON}x-a: {}\r\n\r\n{canary}", CANARY.repeat(400_000))), R::ProviderInterrupted),
        ("many headers", raw(format!("HTTP/1.1 200 OK\r\n{JSON}{}\r\n{canary}", format!("x-a: {CANARY}\r\n").repeat(200))), R::ProviderInterrupted),
        ("larger than declared", Reply::json("200 OK", format!(r#"{{"number":"001122334455","name":"An","ethnicity":"{}"}}"#, CANARY.repeat(100_000))), R::ProviderTooLarge),
        ("larger, in chunks", Reply::chunked(format!(r#"{{"ethnicity":"{}"}}"#, CANARY.repeat(100_000)).as_bytes(), &[100, 1000, 300_000]), R::ProviderTooLarge),
        ("a length beyond belief", Reply::raw(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 99999999999\r\n\r\n{canary}")).then_silence(), R::ProviderTooLarge),
        ("cut JSON", Reply::json("200 OK", &canary[..length - 1]), R::ProviderMalformed),
        ("two values", Reply::json("200 OK", format!("{canary}{canary}")), R::ProviderMalformed),
        ("duplicate key", Reply::json("200 OK", format!(r#"{{"number":"001122334455","name":"An","name":"{CANARY}"}}"#)), R::ProviderMalformed),
        ("bad UTF-8", Reply::json("200 OK", [format!(r#"{{"number":"001122334455","name":"{CANARY}"#).as_bytes(), b"\xff\"}"].concat()), R::ProviderMalformed),
        ("too deep", Reply::json("200 OK", format!("{}\"{CANARY}\"{}", r#"{"undeclared":"#.repeat(60), "}".repeat(60))), R::ProviderMalformed),
        ("wrong type", Reply::json("200 OK", format!(r#"{{"number":"001122334455","name":["{CANARY}"]}}"#)), R::ProviderSchema),
        ("wrong pattern", Reply::json("200 OK", format!(r#"{{"number":"{CANARY}","name":"An"}}"#)), R::ProviderSchema),
        ("required field missing", Reply::json("200 OK", format!(r#"{{"name":"{CANARY}"}}"#)), R::ProviderSchema),
        ("a list instead of a person", Reply::json("200 OK", format!("[{canary}]")), R::ProviderSchema),
        ("null", Reply::json("200 OK", "null"), R::ProviderSchema),
        ("unmaskable ward", Reply::json("200 OK", format!(r#"{{"number":"001122334455","name":"An","ward":"{CANARY}"}}"#)), R::ProviderSchema),
        ("undeclared code of an error", Reply::json("404 Not Found", format!(r#"{{"code":"{CANARY}"}}"#)), R::ProviderSchema),
        ("error without its media type", Reply::typed("404 Not Found", "content-type: text/html\r\n", &html), R::ProviderMediaType),
        ("a body where none is declared", Reply::raw(format!("HTTP/1.1 205 Reset Content\r\n{JSON}content-length: {length}\r\n\r\n{canary}")), R::ProviderRefused),
    ]
}

#[tokio::test]
async fn nothing_of_a_broken_answer_passes() {
    let setup = Setup { people: vec![("answer_seconds", 10)], ..Setup::default() };
    let world = World::with(setup).await;
    for (name, reply, reason) in rows() {
        world.provider.forget();
        world.provider.replies(reply);
        let answer = world.ask(&person()).await;
        let record = world.why(&answer).await;
        assert_eq!(record["reason"], reason.as_str(), "{name}: {record}");
        world.assert_refused(&answer, reason).await;
        assert_silent(&world, &answer).await;
        // Asked once: no retry, no redirect followed.
        assert_eq!(world.provider.requests().len(), 1, "{name}");
        // And the next good answer is served as ever.
        world.provider.replies(Reply::json("200 OK", GOOD));
        assert_eq!(world.ask(&person()).await.status, 200, "after {name}");
    }
}

#[tokio::test]
async fn what_surrounds_a_good_answer_does_not_pass() {
    let world = World::new().await;
    let noise = format!(
        "set-cookie: a={CANARY}; secure\r\nserver: {CANARY}\r\netag: \"{CANARY}\"\r\nlocation: /{CANARY}\r\n\
         link: <{CANARY}>; rel=next\r\ncontent-disposition: attachment; filename={CANARY}\r\n\
         x-powered-by: {CANARY}\r\ntrace-id: {CANARY}\r\ncache-control: public, max-age=86400\r\n\
         strict-transport-security: max-age=1\r\naccess-control-allow-origin: *\r\nvary: {CANARY}\r\n\
         x-road-client: VN/TEST/{CANARY}/X\r\nx-road-id: {CANARY}\r\nlienthong-cites: {CANARY}\r\n\
         lienthong-request-id: {CANARY}\r\nretry-after: 100\r\nwarning: 199 {CANARY}\r\n\
         content-language: {CANARY}\r\nage: 7\r\nvia: 1.1 {CANARY}\r\nalt-svc: h3=\":1\"\r\n"
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\n{JSON}{noise}trailer: x-late\r\ntransfer-encoding: chunked\r\n\r\n\
         {:x}\r\n{GOOD}\r\n0\r\nx-late: {CANARY}\r\nset-cookie: {CANARY}\r\n\r\n",
        GOOD.len()
    );
    let informed = format!(
        "HTTP/1.1 103 Early Hints\r\nlink: <{CANARY}>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{GOOD}",
        GOOD.len()
    );
    for reply in [
        Reply::typed(&format!("200 {CANARY}"), &format!("{JSON}{noise}"), GOOD),
        Reply::raw(chunked),
        Reply::raw(informed),
        // Undeclared fields are drift: dropped, counted, and never told by value.
        Reply::json("200 OK", format!(r#"{{"number":"001122334455","name":"An","more":{{"deep":["{CANARY}"]}},"other":"{CANARY}"}}"#)),
        Reply::json("200 OK", format!(r#"{{"number":"001122334455","name":"An","ethnicity":"{CANARY}","note":"{CANARY}","phone":"{CANARY}"}}"#)),
    ] {
        world.provider.replies(reply);
        let answer = world.ask(&person()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["name"], "An");
        assert_eq!(answer.json()["number"], "***4455");
        let mut names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let expected = [
            "cache-control",
            "content-length",
            "content-type",
            "date",
            "lienthong-agreement",
            "lienthong-cites",
            "lienthong-request-id",
            "ratelimit",
            "ratelimit-policy",
            "x-road-client",
            "x-road-service",
        ];
        assert_eq!(names, expected);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_silent(&world, &answer).await;
    }
}

/// More bytes than the length says are not a part of this answer, nor of the next one.
#[tokio::test]
async fn bytes_after_an_answer_are_not_the_next_answer() {
    let world = World::new().await;
    let forged = r#"{"number":"009988776655","name":"C4n4ry"}"#;
    let reply = format!(
        "HTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{GOOD}HTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{forged}",
        GOOD.len(),
        forged.len()
    );
    world.provider.replies(Reply::raw(reply));
    for _ in 0..20 {
        let answer = world.ask(&person()).await;
        assert_silent(&world, &answer).await;
        assert!(answer.status == 200 && answer.json()["name"] == "An" || answer.status == 502);
    }
}

/// A declared error passes as far as the agreement says.
#[tokio::test]
async fn declared_answers_without_a_person_pass_as_agreed() {
    let world = World::new().await;
    let body = format!(r#"{{"code":"none","text":"{CANARY}"}}"#);
    world.provider.replies(Reply::json("404 Not Found", body));
    let answer = world.ask(&person()).await;
    assert_eq!((answer.status, answer.json()), (404, json!({"code": "none"})));
    assert_eq!(answer.header("x-road-error"), None);
    assert_silent(&world, &answer).await;
    world.provider.replies(Reply::raw("HTTP/1.1 204 No Content\r\nset-cookie: C4n4ry\r\n\r\n"));
    let answer = world.ask(&person()).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("content-type"), None);
    assert_silent(&world, &answer).await;
}

#[tokio::test]
async fn a_slow_provider_costs_its_own_consumers_only() {
    let setup = Setup { people: vec![("answer_seconds", 1)], ..Setup::default() };
    let world = World::with(setup).await;
    let drip = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{{\"name\"", GOOD.len());
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}");
    for reply in [Reply::never(), Reply::raw(head).then_silence(), Reply::raw(drip).then_silence()] {
        world.provider.forget();
        world.provider.replies(reply);
        let mut slow = world.connection("desk").await;
        slow.send(&person().bytes()).await;
        world.provider.received(1).await;
        // Meanwhile the others are served.
        world.provider.replies(Reply::json("200 OK", GOOD));
        for _ in 0..3 {
            assert_eq!(world.ask(&person()).await.status, 200);
        }
        let answer = slow.answer().await;
        world.assert_refused(&answer, ReasonCode::ProviderTimeout).await;
    }
}

/// Whatever a write has done at the provider, the gateway does not do it again.
#[tokio::test]
async fn a_write_is_never_repeated() {
    let world = World::new().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    world.provider.answers(move |request| {
        if request.request().0 == "POST" {
            counted.fetch_add(1, Ordering::SeqCst);
            return Reply::raw("").then_reset();
        }
        Reply::json("200 OK", GOOD)
    });
    let body = r#"{"number":"001122334455","name":"An"}"#;
    for n in 1..=10 {
        // A connection is pooled, and breaks at the write.
        assert_eq!(world.ask(&person()).await.status, 200);
        let answer = world.ask(&super::harness::person_body(body)).await;
        world.assert_refused(&answer, ReasonCode::ProviderInterrupted).await;
        assert_eq!(count.load(Ordering::SeqCst), n);
    }
}

/// The answer of one consumer never goes to another, in whatever order the provider answers.
#[tokio::test]
async fn answers_find_their_own_consumer() {
    let world = World::new().await;
    let gate = Gate::shut();
    let behind = gate.clone();
    world.provider.answers(move |request| {
        let number = request.request().1.split("number=").nth(1).unwrap()[..12].to_owned();
        let body = format!(r#"{{"number":"{number}","name":"person {number}"}}"#);
        Reply::json("200 OK", body).behind(&behind)
    });
    let mut asked = Vec::new();
    for n in 0..20 {
        let number = format!("{n:012}");
        let target = person().target.replace("001122334455", &number);
        let mut connection = world.connection("desk").await;
        connection.send(&person().target(&target).bytes()).await;
        asked.push((number, connection));
    }
    world.provider.received(20).await;
    gate.open();
    for (number, mut connection) in asked {
        let answer = within("an answer", connection.answer()).await;
        assert_eq!(answer.json()["name"], format!("person {number}"));
    }
}
