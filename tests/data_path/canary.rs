//! Properties: a value that is not disclosed occurs nowhere, however its sender writes it.
//!
//! Every field that `desk` may not see holds a canary of its own. None of them may occur in any
//! answer, request to the provider, log line, metric or record, whatever the nesting, the escapes
//! of keys, the order, the duplicates, the chunks.

use std::fmt::Write as _;

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::harness::{
    Answer, Ask, Frames, HTTP2, Reply, Setup, World, admin, kind, person, person_body,
};

/// What every canary begins with.
const CANARY: &str = "Kn4r1e";

fn runner(cases: u32) -> TestRunner {
    // `PROPTEST_CASES` asks for more or fewer; a shrunk case is printed, not kept in a file.
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let asked = std::env::var("PROPTEST_CASES").is_ok();
    let cases = if asked { Config::default().cases } else { config.cases };
    TestRunner::new(Config { cases, ..config })
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// How a text stands in JSON.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    Plain,
    /// Every character as `\uXXXX`.
    Escaped,
    /// Every other one.
    Mixed,
}

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![Just(Spelling::Plain), Just(Spelling::Escaped), Just(Spelling::Mixed)]
}

fn write_text(text: &str, spelling: Spelling, out: &mut String) {
    out.push('"');
    for (n, unit) in text.encode_utf16().enumerate() {
        let escape = match spelling {
            Spelling::Plain => false,
            Spelling::Escaped => true,
            Spelling::Mixed => n % 2 == 0,
        };
        match char::from_u32(u32::from(unit)).filter(|c| !escape && c.is_ascii()) {
            Some(c) => out.push(c),
            None => write!(out, "\\u{unit:04X}").unwrap(),
        }
    }
    out.push('"');
}

/// JSON with a spelling of keys and texts, and blanks in between.
fn write_json(value: &Value, keys: Spelling, texts: Spelling, blank: &str, out: &mut String) {
    match value {
        Value::Object(map) => {
            out.push('{');
            for (n, (key, value)) in map.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(blank);
                write_text(key, keys, out);
                out.push_str(blank);
                out.push(':');
                out.push_str(blank);
                write_json(value, keys, texts, blank, out);
            }
            out.push_str(blank);
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(blank);
                write_json(item, keys, texts, blank, out);
            }
            out.push(']');
        }
        Value::String(text) => write_text(text, texts, out),
        other => write!(out, "{other}").unwrap(),
    }
}

/// Something undeclared, to any depth.
fn undeclared() -> impl Strategy<Value = Value> {
    let canary = any::<u32>().prop_map(|n| json!(format!("{CANARY}-{n}")));
    canary.prop_recursive(12, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::Array),
            vec((any::<u16>(), inner), 0..3).prop_map(|members| {
                let members = members.into_iter().map(|(n, value)| (format!("{CANARY}{n}"), value));
                Value::Object(members.collect())
            }),
        ]
    })
}

/// A person in which everything that `desk` may not see is a canary.
fn secret_person(more: &[Value], children: usize) -> Value {
    let mut next = 0;
    let mut canary = || {
        next += 1;
        format!("{CANARY}-{next}")
    };
    let mut person = json!({
        // Of masked fields the hidden part is the canary; digits it is in the number.
        "number": "987650004455",
        "name": "An",
        "born": "19901231",
        "phone": canary(),
        "code": canary(),
        "ward": "25747",
        "age": 37,
        "note": canary(),
        "ethnicity": canary(),
        "address": {"street": canary(), "ward": "open"},
        "deep": {"d2": {"d3": {"hidden": canary(), "open": "open"}}},
    });
    let children: Vec<Value> = (0..children)
        .map(|n| {
            json!({
                "number": canary(),
                "name": format!("child {n}"),
                "toys": [{"secret": canary(), "name": "kite"}],
            })
        })
        .collect();
    person["children"] = children.into();
    for (n, value) in more.iter().enumerate() {
        let (place, key) = match n % 3 {
            0 => (&mut person, format!("drift{n}")),
            1 => (&mut person["address"], format!("drift{n}")),
            _ => (&mut person["deep"]["d2"]["d3"], format!("drift{n}")),
        };
        place[key] = value.clone();
    }
    person
}

/// What of the masked values must not be seen.
const HIDDEN: [&str; 4] = [CANARY, "9876500", "1231", "25747"];

fn assert_nowhere(what: &str, text: &str) -> Result<(), TestCaseError> {
    for hidden in HIDDEN {
        if text.contains(hidden) {
            let told = text.lines().find(|line| line.contains(hidden)).unwrap_or_default();
            return Err(TestCaseError::fail(format!("`{hidden}` in {what}: {told}")));
        }
    }
    Ok(())
}

/// Looks wherever something of an exchange can be seen.
async fn assert_unseen(world: &World, answer: &Answer) -> Result<(), TestCaseError> {
    let mut raw = String::from_utf8_lossy(&answer.raw).into_owned();
    // Ids and hashes may hold any digits.
    for name in ["lienthong-request-id", "lienthong-agreement", "date"] {
        raw = raw.replace(answer.header(name).unwrap_or("\0"), "");
    }
    assert_nowhere("the answer", &raw)?;
    let mut record = world.why(answer).await;
    for member in ["request_id", "agreement_version", "snapshot", "at", "micros"] {
        record[member] = Value::Null;
    }
    assert_nowhere("the record", &record.to_string())
}

async fn assert_unlogged(world: &World) {
    let log = world.logged().await;
    assert!(!log.contains(CANARY), "{:?}", log.lines().find(|line| line.contains(CANARY)));
    let metrics = admin(world.directory.path(), "GET", "/metrics").await.text();
    assert!(!metrics.contains(CANARY), "{metrics}");
}

fn cuts(length: usize) -> impl Strategy<Value = Vec<usize>> {
    vec(0..length.max(1), 0..12).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    })
}

#[test]
fn no_undisclosed_value_of_an_answer_is_ever_seen() {
    let runtime = runtime();
    let world = runtime.block_on(World::with(Setup { log: Some("debug"), ..Setup::default() }));
    let blanks = prop_oneof![Just(""), Just(" "), Just("\n\t")];
    let case = (vec(undeclared(), 0..4), 0..3_usize, spelling(), spelling(), blanks, cuts(900));
    let outcome = runner(48).run(&case, |(more, children, keys, texts, blank, cuts)| {
        let mut body = String::new();
        write_json(&secret_person(&more, children), keys, texts, blank, &mut body);
        world.provider.replies(Reply::chunked(body.as_bytes(), &cuts));
        runtime.block_on(async {
            let answer = world.ask(&person()).await;
            if answer.status != 200 {
                return Err(TestCaseError::fail(answer.text()));
            }
            let seen = answer.json();
            if seen["name"] != "An" || seen["deep"]["d2"]["d3"]["open"] != "open" {
                return Err(TestCaseError::fail(answer.text()));
            }
            assert_unseen(&world, &answer).await
        })
    });
    runtime.block_on(assert_unlogged(&world));
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

/// Every boundary there is, one after the other.
#[test]
fn a_chunk_may_end_anywhere() {
    let runtime = runtime();
    let world = runtime.block_on(World::new());
    let mut body = String::new();
    write_json(&secret_person(&[], 1), Spelling::Mixed, Spelling::Plain, "", &mut body);
    runtime.block_on(async {
        world.provider.replies(Reply::json("200 OK", &body));
        let whole = world.ask(&person()).await;
        assert_eq!(whole.status, 200, "{}", whole.text());
        let mut connection = world.connection("desk").await;
        for cut in 1..body.len() {
            world.provider.replies(Reply::chunked(body.as_bytes(), &[cut]));
            connection.send(&person().bytes()).await;
            let answer = connection.answer().await;
            assert_eq!((answer.status, &answer.body), (200, &whole.body), "cut at {cut}");
        }
        let every: Vec<usize> = (1..body.len()).collect();
        world.provider.replies(Reply::chunked(body.as_bytes(), &every));
        connection.send(&person().bytes()).await;
        assert_eq!(connection.answer().await.body, whole.body);
        assert_unseen(&world, &whole).await.unwrap();
        assert_unlogged(&world).await;
    });
}

/// A key that stands twice, in whatever spelling and depth: the answer is refused, and says nothing.
#[test]
fn duplicate_keys_disclose_nothing() {
    let runtime = runtime();
    let world = runtime.block_on(World::new());
    let keys = ["name", "ethnicity", "address", "phone", "undeclared"];
    let case = (0..keys.len(), spelling(), spelling(), any::<bool>());
    let outcome = runner(24).run(&case, |(key, first, second, nested)| {
        let mut member = String::new();
        for (n, spelling) in [first, second].into_iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            member.push_str(comma);
            write_text(keys[key], spelling, &mut member);
            write!(member, ":\"{CANARY}-{n}\"").unwrap();
        }
        let body = if nested {
            format!(r#"{{"number":"001122334455","name":"An","address":{{{member}}}}}"#)
        } else {
            format!(r#"{{"number":"001122334455",{member},"born":"19900101"}}"#)
        };
        world.provider.replies(Reply::json("200 OK", &body));
        runtime.block_on(async {
            let answer = world.ask(&person()).await;
            if answer.status != 502 {
                return Err(TestCaseError::fail(format!("{body} gave {}", answer.text())));
            }
            assert_unseen(&world, &answer).await
        })
    });
    runtime.block_on(assert_unlogged(&world));
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

/// Any mutilation of an answer: whatever comes of it, no canary does.
#[test]
fn a_mutilated_answer_discloses_nothing_hidden() {
    let runtime = runtime();
    let world = runtime.block_on(World::new());
    let mutilation = vec((any::<u16>(), any::<u8>()), 1..4);
    let case = (undeclared(), spelling(), mutilation, cuts(700), any::<bool>());
    let outcome = runner(48).run(&case, |(more, keys, changes, cuts, cut_off)| {
        let mut body = String::new();
        write_json(&secret_person(&[more], 1), keys, Spelling::Plain, "", &mut body);
        let mut body = body.into_bytes();
        for (at, byte) in &changes {
            let at = usize::from(*at) % body.len();
            body[at] = *byte;
        }
        if cut_off {
            let at = usize::from(changes[0].0) % body.len();
            body.truncate(at);
        }
        world.provider.replies(Reply::chunked(&body, &cuts));
        runtime.block_on(async {
            let answer = world.ask(&person()).await;
            let text = String::from_utf8_lossy(&answer.raw).into_owned();
            // A mutilated key may turn a hidden field into no field, but never into an open one;
            // a mutilated value of an open field may be anything but a canary of another.
            if text.contains(CANARY) || ![200, 502].contains(&answer.status) {
                return Err(TestCaseError::fail(text));
            }
            let record = world.why(&answer).await.to_string();
            if record.contains(CANARY) { Err(TestCaseError::fail(record)) } else { Ok(()) }
        })
    });
    runtime.block_on(assert_unlogged(&world));
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

/// A request that is refused, for whatever reason, says nothing of what it held; one that passes
/// takes nothing to the provider that the agreement does not name.
#[test]
fn no_undisclosed_value_of_a_request_is_ever_seen() {
    let runtime = runtime();
    let world = runtime.block_on(World::with(Setup { log: Some("debug"), ..Setup::default() }));
    world.provider.replies(Reply::json("200 OK", r#"{"stored":true}"#));
    let case = (vec(undeclared(), 0..2), spelling(), spelling(), any::<u8>());
    let outcome = runner(48).run(&case, |(more, keys, texts, wrong)| {
        let mut value = json!({
            "number": "001122334455",
            "name": "An",
            "remark": format!("{CANARY}-1"),
            "address": {"street": format!("{CANARY}-2"), "ward": "open"},
        });
        for (n, more) in more.iter().enumerate() {
            value[format!("{CANARY}{n}")] = more.clone();
        }
        match wrong % 4 {
            0 => value["number"] = json!(format!("{CANARY}-3")),
            1 => value["name"] = json!([format!("{CANARY}-4")]),
            _ => {}
        }
        let mut body = String::new();
        write_json(&value, keys, texts, "", &mut body);
        let expected = if more.is_empty() && wrong % 4 > 1 { 200 } else { 400 };
        world.provider.forget();
        runtime.block_on(async {
            let answer = world.ask(&person_body(body)).await;
            let text = String::from_utf8_lossy(&answer.raw).into_owned();
            let record = world.why(&answer).await.to_string();
            let sent = format!(
                "{:?}",
                world
                    .provider
                    .requests()
                    .iter()
                    .map(|r| { String::from_utf8_lossy(&r.bytes).into_owned() })
                    .collect::<Vec<_>>()
            );
            for seen in [&text, &record, &sent] {
                if seen.contains(CANARY) {
                    return Err(TestCaseError::fail(seen.clone()));
                }
            }
            let arrived = world.provider.requests().len();
            if (answer.status, arrived) != (expected, usize::from(expected == 200)) {
                return Err(TestCaseError::fail(text));
            }
            Ok(())
        })
    });
    runtime.block_on(assert_unlogged(&world));
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

/// Values in paths, queries and headers are as private as those in bodies.
#[test]
fn nothing_of_a_request_line_or_header_is_logged() {
    let runtime = runtime();
    let world = runtime.block_on(World::with(Setup { log: Some("debug"), ..Setup::default() }));
    let base = "/r1/VN/TEST/T01.10/REGISTRY/people/people";
    runtime.block_on(async {
        let asks: Vec<Ask> = vec![
            person().target(&format!("{base}?number=001122334455&internal={CANARY}")),
            person().target(&format!("{base}?number={CANARY}")),
            person().target(&format!("{base}?number=001122334455&{CANARY}={CANARY}")),
            person().target(&format!("{base}/{CANARY}")),
            person().target(&format!("{base}/{CANARY}/..")),
            person().target(&format!("/r1/VN/TEST/T01.10/{CANARY}/people")),
            person().target(&format!("/{CANARY}")),
            person().set("x-road-client", &format!("VN/TEST/{CANARY}/DESK")),
            person().header("x-road-id", &format!("{CANARY} {CANARY}")),
            person().header("lienthong-purpose", CANARY),
            person().header("dstcode", &CANARY.repeat(20)),
            person().header("cookie", CANARY),
            person().header("accept-language", CANARY),
            person().header("content-type", CANARY).body(CANARY),
            person().method(CANARY),
            person_body(CANARY),
            person_body("{}").set("content-type", CANARY),
        ];
        for ask in asks {
            let answer = world.ask(&ask).await;
            let record = world.why(&answer).await.to_string();
            assert!(!record.contains(CANARY), "{ask:?}: {record}");
            let text = String::from_utf8_lossy(&answer.raw).into_owned();
            assert!(!text.contains(CANARY), "{ask:?}: {text}");
        }
        let mut broken = world.connection("desk").await;
        let bytes = format!("GET /{CANARY} HTTP/1.1\r\n{CANARY}\r\n{CANARY}: {CANARY}\n\r\n");
        broken.send(bytes.as_bytes()).await;
        for answer in broken.answers_until_closed().await {
            assert!(!String::from_utf8_lossy(&answer.raw).contains(CANARY));
        }
        let connection = world.connection_as(world.pki.client("desk", HTTP2)).await;
        let mut frames = Frames::open(connection, &[]).await;
        frames.request(1, &person().header(CANARY, CANARY)).await;
        let wanted = [kind::RST_STREAM, kind::GOAWAY];
        frames.wait(|frame| wanted.contains(&frame.kind)).await;
        assert_unlogged(&world).await;
    });
}
