//! The programs that people really use: curl, and Python with `requests`.
//!
//! A machine without one of them passes its tests over, and says so.

use std::{path::Path, process::Stdio};

use lienthong_model::reason::ReasonCode;
use serde_json::Value;
use tokio::process::Command;

use super::harness::{Ask, Gate, Reply, Setup, World, within};

const NDJSON: &str = "application/x-ndjson";
const LINE: &[u8] = b"{\"number\":\"001122334455\",\"name\":\"An\"}\n";
/// What curl says of a body that ends before its end (its exit code).
const CURL_PARTIAL: i32 = 18;
/// What curl says of a stream that was reset.
const CURL_HTTP2_RESET: i32 = 92;

/// How a program ended and what it wrote.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

async fn run(program: &str, arguments: &[String], directory: &Path) -> Ended {
    let mut command = Command::new(program);
    // Whatever this machine says of proxies or authorities is not for loopback.
    command.args(arguments).current_dir(directory).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).kill_on_drop(true);
    if let Some(home) = std::env::var_os("HOME") {
        command.env("HOME", home);
    }
    let ended = within(program, command.output()).await.unwrap();
    Ended {
        code: ended.status.code().unwrap_or(-1),
        out: String::from_utf8(ended.stdout).unwrap(),
        err: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

/// Whether a program is here; a test that needs it says when it is not.
async fn is_here(program: &str, arguments: &[&str]) -> bool {
    let found = Command::new(program).args(arguments).output().await;
    let here = found.is_ok_and(|ended| ended.status.success());
    if !here {
        eprintln!("passed over: `{program} {}` does not work here", arguments.join(" "));
    }
    here
}

fn curl(world: &World, ask: &Ask, more: &[&str]) -> Vec<String> {
    let mut arguments: Vec<String> = ["--silent", "--show-error", "--max-time", "15"]
        .into_iter()
        .chain(["--cacert", "pki/city.pem", "--cert", "pki/desk.pem", "--key", "pki/desk.key"])
        .chain(more.iter().copied())
        .map(str::to_owned)
        .collect();
    for (name, value) in ask.headers.iter().filter(|(name, _)| name != "host") {
        arguments.extend(["--header".to_owned(), format!("{name}: {value}")]);
    }
    arguments.push(format!("https://localhost:{}{}", world.gateway.address.port(), ask.target));
    arguments
}

fn lines() -> Ask {
    Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/roll/lines")
        .header("x-road-client", "VN/TEST/T01.20/DESK")
}

fn person() -> Ask {
    super::harness::person()
}

async fn world() -> World {
    let world = World::with(Setup::default()).await;
    world.pki.write_client("desk");
    world
}

#[tokio::test]
async fn curl_sees_what_is_refused_what_passes_and_what_is_cut() {
    if !is_here("curl", &["--version"]).await {
        return;
    }
    let world = world().await;
    let directory = world.directory.path();
    // Refused: the same purpose twice.
    let twice = person().header("lienthong-purpose", "a").header("lienthong-purpose", "b");
    let refused = run("curl", &curl(&world, &twice, &[]), directory).await;
    let problem: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!(problem["reason"], ReasonCode::RequestHeader.as_str(), "{}", refused.err);
    let compressed = ["--compressed"];
    for http in ["--http1.1", "--http2"] {
        let passed = run("curl", &curl(&world, &person(), &[http, compressed[0]]), directory).await;
        assert_eq!((passed.code, passed.err.as_str()), (0, ""));
        assert_eq!(serde_json::from_str::<Value>(&passed.out).unwrap()["name"], "An");
        // A whole stream.
        world.provider.replies(Reply::chunks(NDJSON, &[LINE, LINE]).then_last_chunk());
        let stream = run("curl", &curl(&world, &lines(), &[http, "--no-buffer"]), directory).await;
        assert_eq!(stream.code, 0, "{}", stream.err);
        assert!(stream.out.ends_with("\"elements\":2,\"withheld\":0}}\n"), "{}", stream.out);
        // One that is cut.
        world.provider.replies(Reply::chunks(NDJSON, &[LINE, b"oops\n"]).then_last_chunk());
        let cut = run("curl", &curl(&world, &lines(), &[http, "--no-buffer"]), directory).await;
        let expected = if http == "--http2" { CURL_HTTP2_RESET } else { CURL_PARTIAL };
        assert_eq!(cut.code, expected, "{http}: {}", cut.err);
        assert!(!cut.out.contains("complete"), "{}", cut.out);
        world.provider.replies(Reply::json("200 OK", super::harness::PERSON));
    }
}

const PYTHON: &str = r#"
import json, sys, requests
port, target = sys.argv[1], sys.argv[2]
session = requests.Session()
session.trust_env = False
session.verify, session.cert = "pki/city.pem", ("pki/desk.pem", "pki/desk.key")
headers = dict(pair.split(": ", 1) for pair in sys.argv[3:])
elements, complete, cut = 0, False, None
try:
    with session.get(f"https://localhost:{port}{target}", headers=headers, stream=True, timeout=15) as answer:
        status = answer.status_code
        for line in answer.iter_lines():
            value = json.loads(line)
            if "lienthong" in value:
                complete = value["lienthong"]["complete"]
            else:
                elements += 1
except requests.exceptions.ChunkedEncodingError:
    cut = "ChunkedEncodingError"
print(json.dumps({"status": status, "elements": elements, "complete": complete, "cut": cut}))
"#;

async fn python(world: &World, ask: &Ask) -> Value {
    let headers = ask.headers.iter().filter(|(name, _)| name != "host");
    let headers = headers.map(|(name, value)| format!("{name}: {value}"));
    let port = world.gateway.address.port().to_string();
    let arguments: Vec<String> = ["-c".to_owned(), PYTHON.to_owned(), port, ask.target.clone()]
        .into_iter()
        .chain(headers)
        .collect();
    let ended = run("python3", &arguments, world.directory.path()).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    serde_json::from_str(&ended.out).unwrap()
}

#[tokio::test]
async fn python_sees_what_is_refused_what_passes_and_what_is_cut() {
    if !is_here("python3", &["-c", "import requests"]).await {
        return;
    }
    let world = world().await;
    let refused = python(&world, &lines().target("/r1/VN/TEST/T01.10/REGISTRY/roll/none")).await;
    assert_eq!(refused["status"], 404);
    world.provider.replies(Reply::chunks(NDJSON, &[LINE, LINE, LINE]).then_last_chunk());
    let whole = python(&world, &lines()).await;
    assert_eq!((&whole["status"], &whole["elements"]), (&200.into(), &3.into()));
    assert_eq!((&whole["complete"], &whole["cut"]), (&true.into(), &Value::Null));
    let gate = Gate::shut();
    gate.open();
    let reply = Reply::chunks(NDJSON, &[LINE]).then_wait(&gate).then_chunk(b"7\n");
    world.provider.replies(reply.then_last_chunk());
    let cut = python(&world, &lines()).await;
    assert_eq!((&cut["elements"], &cut["complete"]), (&1.into(), &false.into()));
    assert_eq!(cut["cut"], "ChunkedEncodingError");
}

/// The agreement of the media tests, given to `desk`.
async fn media_world() -> World {
    let agreement = "policies/agreements/office-vault.yaml";
    let files = super::media::files().replace(agreement, "consumer: T01.30", "consumer: T01.20");
    let world = World::with(Setup { files, ..Setup::default() }).await;
    world.pki.write_client("desk");
    std::fs::write(world.directory.path().join("Nguyễn An.pdf"), "%PDF-1.7\n%%EOF\n").unwrap();
    world.provider.replies(Reply::json("404 Not Found", r#"{"code":"none"}"#));
    world
}

fn vault(path: &str) -> Ask {
    let target = format!("/r1/VN/TEST/T01.10/REGISTRY/vault/{path}");
    person().target(&target).header("lienthong-purpose", "plain_work")
}

/// What the provider got of a form and of a body of parts.
fn assert_sent(world: &World) {
    let requests = world.provider.requests();
    assert_eq!(requests[0].body(), "number=001122334455&name=***".as_bytes());
    let parts = String::from_utf8_lossy(requests[1].body());
    assert!(
        parts.contains("filename=\"part.pdf\"") && parts.contains("{\"text\":\"x\"}"),
        "{parts}"
    );
    assert!(!parts.contains("An.pdf"), "{parts}");
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn curl_sends_forms_and_parts() {
    if !is_here("curl", &["--version"]).await {
        return;
    }
    let world = media_world().await;
    let directory = world.directory.path();
    let form = ["--data-urlencode", "number=001122334455", "--data-urlencode", "name=Nguyễn & An"];
    let sent = run("curl", &curl(&world, &vault("search"), &form), directory).await;
    assert_eq!((sent.out.as_str(), sent.code), (r#"{"code":"none"}"#, 0), "{}", sent.err);
    let file = "scan=@Nguyễn An.pdf;type=application/pdf";
    let note = "note={\"text\":\"x\"};type=application/json";
    let parts = ["--form", file, "--form", "number=001122334455", "--form", note];
    let sent = run("curl", &curl(&world, &vault("files"), &parts), directory).await;
    assert_eq!((sent.out.as_str(), sent.code), (r#"{"code":"none"}"#, 0), "{}", sent.err);
    assert_sent(&world);
}

const PYTHON_SENDS: &str = r#"
import sys, requests
at, headers = sys.argv[1], dict(pair.split(": ", 1) for pair in sys.argv[2:])
session = requests.Session()
session.trust_env = False
session.verify, session.cert = "pki/city.pem", ("pki/desk.pem", "pki/desk.key")
form = {"number": "001122334455", "name": "Nguyễn & An"}
print(session.post(at + "search", headers=headers, data=form, timeout=15).text)
with open("Nguyễn An.pdf", "rb") as scan:
    parts = {
        "scan": ("Nguyễn An.pdf", scan, "application/pdf"),
        "note": (None, '{"text":"x"}', "application/json"),
    }
    form = {"number": "001122334455"}
    print(session.post(at + "files", headers=headers, data=form, files=parts, timeout=15).text)
"#;

#[tokio::test]
async fn python_sends_forms_and_parts() {
    if !is_here("python3", &["-c", "import requests"]).await {
        return;
    }
    let world = media_world().await;
    let ask = vault("");
    let headers = ask.headers.iter().filter(|(name, _)| name != "host");
    let headers = headers.map(|(name, value)| format!("{name}: {value}"));
    let at = format!("https://localhost:{}{}", world.gateway.address.port(), ask.target);
    let arguments: Vec<String> =
        ["-c".to_owned(), PYTHON_SENDS.to_owned(), at].into_iter().chain(headers).collect();
    let sent = run("python3", &arguments, world.directory.path()).await;
    assert_eq!(sent.out, "{\"code\":\"none\"}\n{\"code\":\"none\"}\n", "{}", sent.err);
    assert_sent(&world);
}
