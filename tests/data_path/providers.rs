//! Providers that break their word: nothing of what they send passes, and nothing partial looks
//! complete.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::harness::{Answer, Gate, ProviderLink, Reply, Setup, World, admin, person, within};

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
    let log = world.logged().await;
    assert!(!log.contains(CANARY), "{log}");
}

type Row = (&'static str, Reply, ReasonCode);

/// A person whose name is the canary.
fn canary() -> String {
    format!(r#"{{"number":"001122334455","name":"{CANARY}"}}"#)
}

fn html() -> String {
    format!("<html><body>{CANARY}</body></html>")
}

/// An answer with another status than the service declares.
fn undeclared_statuses() -> Vec<Row> {
    let trace = format!("java.lang.{CANARY}: at db.query(SELECT '{CANARY}')");
    let plain = "content-type: text/plain\r\n";
    let range = format!("{JSON}content-range: bytes 0-1/{}\r\n", canary().len());
    let named = |name: &str| format!("{name}: /{CANARY}\r\n");
    let rows = [
        ("a stack trace", Reply::typed("500 Internal Server Error", plain, &trace)),
        ("500 with JSON", Reply::json(&format!("500 {CANARY}"), canary())),
        ("a date to come back", Reply::typed("503 Later", "retry-after: 7\r\n", html())),
        ("a redirect", Reply::typed("302 Found", &named("location"), html())),
        ("a redirect that keeps the method", Reply::typed("307 Go", &named("location"), "")),
        ("not modified", Reply::typed("304 Not Modified", &named("etag"), "")),
        ("partial content", Reply::typed("206 Partial Content", &range, canary())),
        ("created", Reply::typed("201 Created", &format!("{JSON}{}", named("location")), canary())),
        ("a password is asked for", Reply::typed("401 Who", &named("www-authenticate"), html())),
        ("reset content", Reply::json("205 Reset Content", canary())),
        (
            "another protocol",
            Reply::raw(format!(
                "HTTP/1.1 101 Go\r\nupgrade: {CANARY}\r\nconnection: upgrade\r\n\r\n{CANARY}"
            ))
            .then_silence(),
        ),
    ];
    rows.into_iter().map(|(name, reply)| (name, reply, ReasonCode::ProviderRefused)).collect()
}

/// An answer that is no JSON, by what it says of itself.
fn other_media() -> Vec<Row> {
    let typed = |kind: &str| Reply::typed("200 OK", &format!("content-type: {kind}\r\n"), canary());
    let rows = [
        ("HTML with 200", Reply::typed("200 OK", "content-type: text/html\r\n", html())),
        ("JSON that says it is text", typed("text/plain")),
        ("no media type", Reply::typed("200 OK", "", canary())),
        ("another charset", typed("application/json; charset=utf-16")),
        ("a media type of the canary", typed(&format!("text/{CANARY}"))),
        ("a coding that is not known", typed("application/json\r\ncontent-encoding: compress")),
        ("two codings", typed("application/json\r\ncontent-encoding: gzip, br")),
        ("an error page", Reply::typed("404 None", "content-type: text/html\r\n", html())),
    ];
    rows.into_iter().map(|(name, reply)| (name, reply, ReasonCode::ProviderMediaType)).collect()
}

/// An answer that ends too early, or whose length lies.
fn broken_off() -> Vec<Row> {
    let (canary, length) = (canary(), canary().len());
    let ok = |rest: String| format!("HTTP/1.1 200 OK\r\n{JSON}{rest}");
    let sized = |length: usize, body: &str| ok(format!("content-length: {length}\r\n\r\n{body}"));
    let chunked = |chunks: String| ok(format!("transfer-encoding: chunked\r\n\r\n{chunks}"));
    let half: String = canary.chars().take(length - 5).collect();
    let closed = |text: String| Reply::raw(text).then_close();
    let rows = [
        ("shorter than its length", closed(sized(length + 1, &canary))),
        ("half, then a reset", Reply::raw(sized(length, &half)).then_reset()),
        ("half a head", closed(ok(format!("x-a: {CANARY}")))),
        ("nothing, then the end", closed(String::new())),
        ("nothing, then a reset", Reply::raw("").then_reset()),
        ("chunks without an end", closed(chunked(format!("{length:x}\r\n{canary}\r\n")))),
        ("a chunk that breaks off", closed(chunked(format!("{:x}\r\n{canary}", length + 9)))),
        ("a chunk size of nonsense", closed(chunked(format!("{CANARY}\r\n{canary}")))),
        ("garbage", closed(format!("{CANARY} {canary}\r\n\r\n"))),
        ("HTTP/0.9", closed(canary.clone())),
        ("two lengths", closed(ok(format!("content-length: 5\r\n{}", sized(length, &canary))))),
        ("a length of nonsense", closed(ok(format!("content-length: {CANARY}\r\n\r\n{canary}")))),
        ("a huge head", closed(ok(format!("x-a: {}\r\n\r\n{canary}", CANARY.repeat(400_000))))),
        (
            "many headers",
            closed(ok(format!("{}\r\n{canary}", format!("x-a: {CANARY}\r\n").repeat(200)))),
        ),
    ];
    rows.into_iter().map(|(name, reply)| (name, reply, ReasonCode::ProviderInterrupted)).collect()
}

/// An answer that is larger than the operation allows, though most of it would not pass.
fn too_large() -> Vec<Row> {
    let large = CANARY.repeat(100_000);
    let body = format!(r#"{{"number":"001122334455","name":"An","ethnicity":"{large}"}}"#);
    let endless = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 99999999999\r\n\r\n{CANARY}");
    let rows = [
        ("larger than declared", Reply::json("200 OK", &body)),
        ("larger, in chunks", Reply::chunked(body.as_bytes(), &[100, 1000, 300_000])),
        ("a length beyond belief", Reply::raw(endless).then_silence()),
    ];
    rows.into_iter().map(|(name, reply)| (name, reply, ReasonCode::ProviderTooLarge)).collect()
}

/// A body that is no JSON, or not what its schema says.
fn wrong_bodies() -> Vec<Row> {
    let canary = canary();
    let ok = |body: String| Reply::json("200 OK", body);
    let person = |rest: &str| ok(format!(r#"{{"number":"001122334455","name":"An",{rest}}}"#));
    let cut: String = canary.chars().take(canary.len() - 1).collect();
    let latin = [cut.trim_end_matches('"').as_bytes(), b"\xff\"}"].concat();
    let deep = format!("{}\"{CANARY}\"{}", r#"{"drift":"#.repeat(60), "}".repeat(60));
    let no_json = [
        ("HTML that says it is JSON", ok(html())),
        ("cut", ok(cut)),
        ("two values", ok(format!("{canary}{canary}"))),
        ("duplicate key", person(&format!(r#""name":"{CANARY}""#))),
        ("bad UTF-8", Reply::json("200 OK", latin)),
        ("too deep", ok(deep)),
    ];
    let no_person = [
        ("wrong type", ok(format!(r#"{{"number":"001122334455","name":["{CANARY}"]}}"#))),
        ("wrong pattern", ok(format!(r#"{{"number":"{CANARY}","name":"An"}}"#))),
        ("required field missing", ok(format!(r#"{{"name":"{CANARY}"}}"#))),
        ("a list instead of a person", ok(format!("[{canary}]"))),
        ("null", ok("null".to_owned())),
        ("a ward of no province", person(r#""ward":"00001""#)),
        ("another type of ward", person(&format!(r#""ward":"{CANARY}""#))),
        ("unknown code", Reply::json("404 None", format!(r#"{{"code":"{CANARY}"}}"#))),
    ];
    let malformed = no_json.into_iter().map(|(n, r)| (n, r, ReasonCode::ProviderMalformed));
    malformed
        .chain(no_person.into_iter().map(|(n, r)| (n, r, ReasonCode::ProviderSchema)))
        .collect()
}

/// Answers each way and checks that nothing of it is seen anywhere.
async fn nothing_passes(rows: Vec<Row>) {
    let world = World::new().await;
    for (name, reply, reason) in rows {
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
async fn nothing_of_an_answer_with_an_undeclared_status_passes() {
    nothing_passes(undeclared_statuses()).await;
}

#[tokio::test]
async fn nothing_of_an_answer_of_other_media_passes() {
    nothing_passes(other_media()).await;
}

#[tokio::test]
async fn nothing_of_an_answer_that_breaks_off_passes() {
    nothing_passes(broken_off()).await;
}

#[tokio::test]
async fn nothing_of_an_answer_that_is_too_large_passes() {
    nothing_passes(too_large()).await;
}

#[tokio::test]
async fn nothing_of_an_answer_that_is_not_as_declared_passes() {
    nothing_passes(wrong_bodies()).await;
}

#[tokio::test]
async fn what_surrounds_a_good_answer_does_not_pass() {
    let world = World::new().await;
    let noise = format!(
        "set-cookie: a={CANARY}; secure\r\nserver: {CANARY}\r\netag: \"{CANARY}\"\r\n\
         location: /{CANARY}\r\nlink: <{CANARY}>; rel=next\r\n\
         content-disposition: attachment; filename={CANARY}\r\n\
         x-powered-by: {CANARY}\r\ntrace-id: {CANARY}\r\ncache-control: public, max-age=86400\r\n\
         strict-transport-security: max-age=1\r\naccess-control-allow-origin: *\r\n\
         vary: {CANARY}\r\nx-road-client: VN/TEST/{CANARY}/X\r\n\
         x-road-id: {CANARY}\r\nlienthong-cites: {CANARY}\r\n\
         lienthong-request-id: {CANARY}\r\nretry-after: 100\r\nwarning: 199 {CANARY}\r\n\
         content-language: {CANARY}\r\nage: 7\r\nvia: 1.1 {CANARY}\r\nalt-svc: h3=\":1\"\r\n"
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\n{JSON}{noise}trailer: x-late\r\ntransfer-encoding: chunked\r\n\r\n\
         {:x}\r\n{GOOD}\r\n0\r\nx-late: {CANARY}\r\nset-cookie: {CANARY}\r\n\r\n",
        GOOD.len()
    );
    let informed = format!(
        "HTTP/1.1 103 Early Hints\r\nlink: <{CANARY}>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
         HTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{GOOD}",
        GOOD.len()
    );
    let with = |members: &str| {
        let body = format!(r#"{{"number":"001122334455","name":"An",{members}}}"#);
        Reply::json("200 OK", body)
    };
    for reply in [
        Reply::typed(&format!("200 {CANARY}"), &format!("{JSON}{noise}"), GOOD),
        Reply::raw(chunked),
        Reply::raw(informed),
        // Undeclared fields are drift: dropped, counted, and never told by value.
        with(&format!(r#""more":{{"deep":["{CANARY}"]}},"other":"{CANARY}""#)),
        with(&format!(r#""ethnicity":"{CANARY}","note":"{CANARY}","phone":"{CANARY}""#)),
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
    let whole = |body: &str| {
        format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {}\r\n\r\n{body}", body.len())
    };
    world.provider.replies(Reply::raw(whole(GOOD) + &whole(forged)));
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
    for reply in [Reply::never(), Reply::raw(head).then_silence(), Reply::raw(drip).then_silence()]
    {
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
        let number = request.request().1.split("number=").nth(1).unwrap().to_owned();
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

/// The provider proves itself to the gateway, and the gateway to the provider.
#[tokio::test]
async fn a_provider_over_tls_must_be_the_right_one() {
    let setup = |provider| Setup { provider, ..Setup::default() };
    let world = World::with(setup(ProviderLink::Tls)).await;
    let answer = world.ask(&person()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for wrong in [
        ProviderLink::TlsOfAnother,
        ProviderLink::TlsOfAnotherName,
        ProviderLink::TlsWithoutIdentity,
    ] {
        let world = World::with(setup(wrong)).await;
        let answer = world.ask(&person()).await;
        // With TLS 1.3 a client learns only at its first read that its certificate was missed.
        let reason = match answer.json()["reason"].as_str() {
            Some("provider.interrupted") if wrong == ProviderLink::TlsWithoutIdentity => {
                ReasonCode::ProviderInterrupted
            }
            _ => ReasonCode::ProviderUnreachable,
        };
        world.assert_refused(&answer, reason).await;
        assert!(world.provider.requests().is_empty(), "{wrong:?}");
    }
}
