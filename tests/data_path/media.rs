//! Forms, bodies of parts, and files that pass whole: what goes on, and what is refused.

use aws_lc_rs::digest::{SHA256, digest};
use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::harness::{Answer, Ask, Files, Reply, Setup, World};

/// Stands in what must not pass. No byte of it may come out anywhere.
const CANARY: &str = "C4n4ry";
const PDF: &[u8] = b"%PDF-1.7\n\xff\xfe\n%%EOF\n";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0...\xff\xd9";
const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=cut";
const AT: &str = "/r1/VN/TEST/T01.10/REGISTRY/vault";

/// Policies in which `vault` speaks these media.
pub(super) fn files() -> Files {
    Files::default()
        .add("schemas/services/v1/vault.yaml", include_str!("media/openapi.yaml"))
        .add("policies/services/vault.yaml", include_str!("media/service.yaml"))
        .add("policies/agreements/office-vault.yaml", include_str!("media/agreement.yaml"))
}

async fn world() -> World {
    World::with(Setup { files: files(), ..Setup::default() }).await
}

fn post(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Ask {
    Ask::office("vault", "plain_work")
        .method("POST")
        .target(&format!("{AT}/{path}"))
        .header("content-type", content_type)
        .body(body)
}

fn file(content_type: &str, body: impl AsRef<[u8]>) -> Reply {
    Reply::typed("200 OK", &format!("content-type: {content_type}\r\n"), body)
}

/// One part: its disposition's parameters, its type, its contents.
fn part(disposition: &str, content_type: &str, contents: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("--cut\r\nContent-Disposition: form-data; {disposition}\r\n");
    let kind = match content_type {
        "" => String::new(),
        kind => format!("Content-Type: {kind}\r\n"),
    };
    [head.as_bytes(), kind.as_bytes(), b"\r\n", contents.as_ref(), b"\r\n"].concat()
}

fn parts(all: &[Vec<u8>]) -> Vec<u8> {
    [&all.concat(), &b"--cut--\r\n"[..]].concat()
}

fn number() -> Vec<u8> {
    part("name=number", "", "001122334455")
}

fn scan() -> Vec<u8> {
    part("name=scan; filename=\"C4n4ry.pdf\"", "application/pdf", PDF)
}

fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks for what must be refused before the provider hears of it.
async fn refused(world: &World, name: &str, ask: Ask, reason: ReasonCode) {
    let answer = world.ask(&ask).await;
    assert_eq!(answer.json()["reason"], reason.public().as_str(), "{name}: {}", answer.text());
    let record = world.assert_refused(&answer, reason).await;
    assert!(!record.to_string().contains(CANARY) && !answer.text().contains(CANARY), "{name}");
    assert!(record["opaque"].is_null(), "{name}");
    assert!(world.provider.requests().is_empty(), "{name}");
}

/// Asks for a file with this answer of the provider, which does not pass.
async fn answer_refused(world: &World, name: &str, ask: &Ask, reply: Reply, reason: ReasonCode) {
    world.provider.replies(reply);
    let answer = world.ask(ask).await;
    let record = world.assert_refused(&answer, reason).await;
    assert_eq!(record["reason"], reason.as_str(), "{name}");
    assert!(!answer.text().contains(CANARY) && !record.to_string().contains(CANARY), "{name}");
}

/// The boundary of a body of parts.
fn boundary(content_type: &str) -> &str {
    content_type.strip_prefix("multipart/form-data; boundary=").unwrap()
}

#[tokio::test]
async fn a_form_is_encoded_anew_and_its_answer_is_a_file() {
    let world = world().await;
    world.provider.replies(file("application/pdf; charset=utf-8", PDF));
    let body = format!("%6eumber=001122334455&year=1&name={CANARY}+%26&secret={CANARY}&year=2");
    let answer =
        world.ask(&post("search", "application/x-www-form-urlencoded; charset=utf-8", body)).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/pdf")));
    assert_eq!(answer.body, PDF);
    let requests = world.provider.requests();
    assert_eq!(requests[0].request(), ("POST", "/vault/search"));
    assert_eq!(requests[0].body(), b"number=001122334455&year=1&name=***&year=2");
    assert_eq!(requests[0].header("content-type").as_deref(), Some(FORM));
    let accept = "application/pdf, image/png, application/json";
    assert_eq!(requests[0].header("accept").as_deref(), Some(accept));
    let record = world.why(&answer).await;
    let expected = json!([{"of": "answer", "part": "/", "media_type": "application/pdf",
        "sha256": hex(PDF), "bytes": PDF.len()}]);
    assert_eq!(record["opaque"], expected);
    assert_eq!(
        (&record["disclosed"], &record["masked"], &record["dropped"]),
        (&json!(4), &json!(1), &json!(1))
    );
    let told = |line: &Value| line["opaque"].as_str().map(str::to_owned);
    let line = world.gateway.logs("the file in the log", told).await;
    assert_eq!(line, format!("answer / application/pdf {} {}", hex(PDF), PDF.len()));
    world.provider.replies(Reply::json("404 Not Found", r#"{"code":"none"}"#));
    let answer = world.ask(&post("search", FORM, "number=001122334455")).await;
    assert_eq!((answer.status, answer.json()), (404, json!({"code": "none"})));
}

#[tokio::test]
async fn refuses_forms_that_are_not_what_they_must_be() {
    let world = world().await;
    let good = "number=001122334455";
    for (name, content_type, body, reason) in [
        ("no pair", FORM, CANARY.to_owned(), ReasonCode::RequestMalformed),
        ("empty pair", FORM, format!("{good}&"), ReasonCode::RequestMalformed),
        ("bad escape", FORM, format!("{good}&name=%4"), ReasonCode::RequestMalformed),
        ("bad UTF-8", FORM, format!("{good}&name=%ff"), ReasonCode::RequestMalformed),
        ("NUL", FORM, format!("{good}&name=%00"), ReasonCode::RequestMalformed),
        ("twice", FORM, format!("{good}&{good}"), ReasonCode::RequestMalformed),
        ("undeclared", FORM, format!("{good}&{CANARY}=1"), ReasonCode::RequestUndeclaredField),
        ("missing", FORM, "year=1".to_owned(), ReasonCode::RequestSchema),
        ("no number", FORM, format!("{good}&year={CANARY}"), ReasonCode::RequestSchema),
        ("too many", FORM, format!("{good}&year=1&year=2&year=3"), ReasonCode::RequestSchema),
        (
            "too large",
            FORM,
            format!("{good}&name={}", "x".repeat(5000)),
            ReasonCode::RequestTooLarge,
        ),
        ("JSON", "application/json", "{}".to_owned(), ReasonCode::RequestMediaType),
        (
            "charset",
            "application/x-www-form-urlencoded; charset=utf-16",
            good.to_owned(),
            ReasonCode::RequestMediaType,
        ),
        ("parts", PARTS, good.to_owned(), ReasonCode::RequestMediaType),
    ] {
        refused(&world, name, post("search", content_type, body), reason).await;
    }
}

#[tokio::test]
async fn parts_are_built_anew_and_files_pass_whole() {
    let world = world().await;
    let back = [
        part("name=name", "text/plain; charset=utf-8", "Bình"),
        part("name=secret", "", CANARY),
        part("name=\"extra\"; filename=C4n4ry", "text/html", CANARY),
        part("name=scan; filename=\"C4n4ry.pdf\"", "application/pdf", PDF),
    ];
    world.provider.replies(file(PARTS, parts(&back)));
    let sent = [
        scan(),
        number(),
        part("name=tag", "text/plain", "a"),
        part("name=note", "application/json", format!(r#" {{"text":"x", "secret":"{CANARY}"}}"#)),
        part("name=secret", &format!("text/plain\r\nX-Canary: {CANARY}"), CANARY),
        part("name=tag", "", "x--cut"),
    ];
    let answer = world.ask(&post("files", PARTS, parts(&sent))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let requests = world.provider.requests();
    let content_type = requests[0].header("content-type").unwrap();
    let pdf = String::from_utf8_lossy(PDF);
    let expected = format!(
        "--B\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"part.pdf\"\r\n\
         Content-Type: application/pdf\r\n\r\n{pdf}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\n001122334455\r\n\
         --B\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\na\r\n\
         --B\r\nContent-Disposition: form-data; name=\"note\"\r\n\
         Content-Type: application/json\r\n\r\n{{\"text\":\"x\"}}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\nx--cut\r\n--B--\r\n"
    );
    assert_eq!(
        String::from_utf8_lossy(requests[0].body()).replace(boundary(&content_type), "B"),
        expected
    );
    let text = answer.text().replace(boundary(answer.header("content-type").unwrap()), "B");
    let expected = format!(
        "--B\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nB***\r\n\
         --B\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"part.pdf\"\r\n\
         Content-Type: application/pdf\r\n\r\n{pdf}\r\n--B--\r\n"
    );
    assert_eq!(text, expected);
    let record = world.why(&answer).await;
    let file = |of: &str| {
        json!({"of": of, "part": "/scan", "media_type": "application/pdf",
            "sha256": hex(PDF), "bytes": PDF.len()})
    };
    assert_eq!(record["opaque"], json!([file("request"), file("answer")]));
    assert_eq!(record["drift"], json!(["/extra"]));
    assert!(!world.logged().await.contains(CANARY));
}

#[tokio::test]
async fn refuses_parts_that_are_not_what_they_say() {
    let world = world().await;
    let html = format!("<html>{CANARY}</html>");
    let zip = b"PK\x03\x04".to_vec();
    let exe = b"MZ\x90\0".to_vec();
    let media = ReasonCode::RequestMediaType;
    for (name, content_type, contents) in [
        ("HTML", "application/pdf", html.clone().into_bytes()),
        ("a program", "application/pdf", exe),
        ("an archive", "application/pdf", zip),
        ("another image", "image/jpeg", PDF.to_vec()),
        ("another type", "application/pdf", JPEG.to_vec()),
        ("HTML that says so", "text/html", html.into_bytes()),
        ("nothing said", "", PDF.to_vec()),
        ("an unknown type", "application/octet-stream", PDF.to_vec()),
        ("parts in a part", "multipart/mixed; boundary=x", PDF.to_vec()),
        ("base64", "application/pdf\r\nContent-Transfer-Encoding: base64", b"JVBERi0=".to_vec()),
        ("cut", "application/pdf", b"%PDF-1.7\n".to_vec()),
    ] {
        let body = parts(&[number(), part("name=scan", content_type, contents)]);
        refused(&world, name, post("files", PARTS, body), media).await;
    }
    for (name, content_type, contents) in
        [("another charset", "text/plain; charset=utf-16", "x"), ("a page", "text/html", "x")]
    {
        let body = parts(&[number(), scan(), part("name=tag", content_type, contents)]);
        refused(&world, name, post("files", PARTS, body), media).await;
    }
    let body = parts(&[number(), scan()]);
    for content_type in [
        "multipart/form-data",
        "multipart/mixed; boundary=cut",
        "multipart/form-data; boundary=cut; charset=utf-16",
        "application/json",
        FORM,
    ] {
        refused(&world, content_type, post("files", content_type, body.clone()), media).await;
    }
}

#[tokio::test]
async fn refuses_bodies_of_parts_that_can_be_cut_in_two_ways() {
    let world = world().await;
    let good = parts(&[number(), scan()]);
    let cut = good[..good.len() - 4].to_vec();
    let large = part("name=scan", "application/pdf", [PDF, &[b' '; 1000]].concat());
    let huge = part("name=tag", "", vec![b'x'; 9000]);
    let note = |json: &str| part("name=note", "application/json", json);
    let rows = [
        ("no end", cut, ReasonCode::RequestMalformed),
        ("a preamble", [b"x\r\n", &good[..]].concat(), ReasonCode::RequestMalformed),
        ("an epilogue", [&good[..], CANARY.as_bytes()].concat(), ReasonCode::RequestMalformed),
        ("another boundary", parts(&[]).replace_cut(), ReasonCode::RequestMalformed),
        ("a part twice", parts(&[number(), scan(), scan()]), ReasonCode::RequestMalformed),
        (
            "no name",
            parts(&[number(), scan(), part("filename=x", "", "x")]),
            ReasonCode::RequestMalformed,
        ),
        ("a part missing", parts(&[number()]), ReasonCode::RequestSchema),
        (
            "too many of a name",
            parts(&[vec![part("name=tag", "", "x"); 3], vec![number(), scan()]].concat()),
            ReasonCode::RequestSchema,
        ),
        (
            "undeclared",
            parts(&[number(), scan(), part("name=C4n4ry", "", CANARY)]),
            ReasonCode::RequestUndeclaredField,
        ),
        ("bad JSON", parts(&[number(), scan(), note("{")]), ReasonCode::RequestMalformed),
        (
            "JSON undeclared",
            parts(&[number(), scan(), note(r#"{"text":"","C4n4ry":1}"#)]),
            ReasonCode::RequestUndeclaredField,
        ),
        (
            "JSON of another schema",
            parts(&[number(), scan(), note("{}")]),
            ReasonCode::RequestSchema,
        ),
        ("a file over its limit", parts(&[number(), large]), ReasonCode::RequestTooLarge),
        ("a body over its limit", parts(&[number(), scan(), huge]), ReasonCode::RequestTooLarge),
    ];
    for (name, body, reason) in rows {
        refused(&world, name, post("files", PARTS, body), reason).await;
    }
}

/// For a body whose boundary is not the one its type names.
trait Other {
    fn replace_cut(self) -> Self;
}

impl Other for Vec<u8> {
    fn replace_cut(self) -> Self {
        String::from_utf8(self).unwrap().replace("cut", "tuc").into_bytes()
    }
}

#[tokio::test]
async fn refuses_answers_that_are_not_what_they_say() {
    let world = world().await;
    let ask = post("search", FORM, "number=001122334455");
    let html = format!("<html>{CANARY}</html>");
    let large = [PDF, CANARY.as_bytes(), &[b' '; 4000], b"%%EOF"].concat();
    let huge = [PDF, &[b' '; 9000][..]].concat();
    for (name, reply, reason) in [
        ("HTML", file("application/pdf", &html), ReasonCode::ProviderMediaType),
        ("HTML that says so", file("text/html", &html), ReasonCode::ProviderMediaType),
        ("JSON", file("application/json", "{}"), ReasonCode::ProviderMediaType),
        ("a type that is not declared", file("image/jpeg", JPEG), ReasonCode::ProviderMediaType),
        ("a declared type, another file", file("image/png", PDF), ReasonCode::ProviderMediaType),
        ("no type", Reply::typed("200 OK", "", PDF), ReasonCode::ProviderMediaType),
        ("empty", file("application/pdf", ""), ReasonCode::ProviderMediaType),
        (
            "over the agreement's limit",
            file("application/pdf", large),
            ReasonCode::ProviderTooLarge,
        ),
        ("over the service's limit", file("application/pdf", huge), ReasonCode::ProviderTooLarge),
        (
            "a file where a refusal is JSON",
            Reply::typed("404 Not Found", "content-type: application/pdf\r\n", PDF),
            ReasonCode::ProviderMediaType,
        ),
    ] {
        answer_refused(&world, name, &ask, reply, reason).await;
    }
    let ask = post("files", PARTS, parts(&[number(), scan()]));
    let good = part("name=name", "", "Binh");
    let lying = part("name=scan", "application/pdf", &html);
    for (name, reply, reason) in [
        ("no end", file(PARTS, &good), ReasonCode::ProviderMalformed),
        ("a part missing", file(PARTS, parts(&[])), ReasonCode::ProviderSchema),
        ("a lying part", file(PARTS, parts(&[good.clone(), lying])), ReasonCode::ProviderMediaType),
        ("no boundary", file("multipart/form-data", parts(&[good])), ReasonCode::ProviderMediaType),
    ] {
        answer_refused(&world, name, &ask, reply, reason).await;
    }
}

#[tokio::test]
async fn who_is_asked_about_is_counted_in_every_medium() {
    let agreement = "policies/agreements/office-vault.yaml";
    let few = files().replace(agreement, "data_subjects_per_day: 1000", "data_subjects_per_day: 2");
    let world = World::with(Setup { files: few, ..Setup::default() }).await;
    world.provider.replies(file("application/pdf", PDF));
    let form = |number: &str| post("search", FORM, format!("number={number}"));
    assert_eq!(world.ask(&form("001122334401")).await.status, 200);
    assert_eq!(world.ask(&form("001122334402")).await.status, 200);
    let refused: Answer = world.ask(&post("files", PARTS, parts(&[number(), scan()]))).await;
    world.assert_refused(&refused, ReasonCode::QuotaDataSubjects).await;
}

#[tokio::test]
async fn a_document_shows_files_and_their_terms() {
    let world = world().await;
    let target = "/r1/VN/TEST/T01.10/REGISTRY/getOpenAPI?serviceCode=vault";
    let ask = Ask::get("office", target).header("x-road-client", "VN/TEST/T01.30/OFFICE");
    let document = world.ask(&ask).await.json();
    assert!(!document.to_string().contains("secret"), "{document:#}");
    let search = &document["paths"]["/search"]["post"];
    let terms = json!({"x-lienthong-mask": "opaque: sector-law#7, at most 4000 bytes"});
    assert_eq!(
        search["responses"]["200"]["content"],
        json!({"application/pdf": terms, "image/png": terms})
    );
    let parts =
        &document["paths"]["/files"]["post"]["requestBody"]["content"]["multipart/form-data"];
    let encoding = json!({"scan": {"contentType": "application/pdf, image/jpeg"}});
    assert_eq!(parts["encoding"], encoding);
}
