//! A gateway that is killed under load at any instant: whatever a provider or a consumer received has a
//! durable intent, the tree verifies, and the next start closes what was under way.

use std::{collections::HashSet, fs, path::Path, sync::Arc};

use lienthong_evidence::{
    entry::{Entry, ExchangeId},
    tile::{self, Kind, Tile},
    verify::verify,
};
use rustls::ClientConfig;
use tokio::task::JoinSet;

use super::harness::{
    Ask, Evidence, Gateway, HTTP1, Recorded, Reply, World, connect, person, person_body,
};

const PERSON: &str = r#"{"number":"001122334455","name":"An","phone":"0900000000"}"#;
const ID: &str = "lienthong-request-id: ";
/// Consumers at once.
const CONSUMERS: usize = 8;

/// What one kill came to.
#[derive(Debug, Default, Clone, Copy)]
struct Kill {
    received_by_provider: usize,
    received_by_consumers: usize,
    without_intent: usize,
    interrupted: usize,
    /// Of those: exchanges whose answer a consumer had received whole or in part.
    interrupted_after_answer: usize,
}

impl Kill {
    fn add(&mut self, other: Self) {
        self.received_by_provider += other.received_by_provider;
        self.received_by_consumers += other.received_by_consumers;
        self.without_intent += other.without_intent;
        self.interrupted += other.interrupted;
        self.interrupted_after_answer += other.interrupted_after_answer;
    }
}

fn script(request: &Recorded) -> Reply {
    match request.request() {
        (_, target) if target.starts_with("/roll") => {
            let lines = "{\"number\":\"001122334455\",\"name\":\"An\"}\n".repeat(3000);
            Reply::chunks("application/x-ndjson", &[lines.as_bytes()]).then_last_chunk()
        }
        ("POST", _) => Reply::json("200 OK", r#"{"stored":true}"#),
        _ => Reply::json("200 OK", PERSON),
    }
}

fn ask(consumer: usize) -> Ask {
    match consumer % 4 {
        0 => Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/roll/lines")
            .header("x-road-client", "VN/TEST/T01.20/DESK"),
        1 => person_body(r#"{"number":"001122334455","name":"An"}"#),
        _ => person(),
    }
}

/// Whether this is an answer to its end, of a length or in chunks.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.split_once("content-length: ").map(|(_, rest)| rest);
    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
    match length {
        Some(length) => bytes.len() >= end + 4 + length,
        None => bytes.ends_with(b"\r\n0\r\n\r\n"),
    }
}

/// Asks one question after the other until the gateway is gone. The ids of all answers of which
/// anything came.
async fn consume(
    address: std::net::SocketAddr,
    identity: Arc<ClientConfig>,
    ask: Ask,
) -> Vec<String> {
    let mut ids = Vec::new();
    while let Ok(mut connection) = connect(address, Arc::clone(&identity)).await {
        for _ in 0..20 {
            if connection.try_send(&ask.bytes()).await.is_err() {
                break;
            }
            while !is_whole(&connection.buffer)
                && connection.read().await.is_ok_and(|read| read > 0)
            {}
            let whole = is_whole(&connection.buffer);
            let came = std::mem::take(&mut connection.buffer);
            let came = String::from_utf8_lossy(&came);
            let begins = came.starts_with("HTTP/1.1 200 ");
            let id = came.split_once(ID).and_then(|(_, rest)| rest.get(..36));
            ids.extend(id.filter(|_| begins).map(str::to_owned));
            if !whole {
                break;
            }
        }
    }
    ids
}

/// Every entry under the newest checkpoint of a good log.
fn entries(directory: &Path) -> Vec<Vec<u8>> {
    let log = directory.join("data/evidence");
    let report = verify(&log, &Evidence::key(directory), &[]).unwrap();
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!((report.open_count, report.unsigned), (0, 0));
    let bundles = (0..).map_while(|index| Tile::of_tree(Kind::Entries, index, report.size));
    let mut all = Vec::new();
    for bundle in bundles {
        let bytes = fs::read(log.join(bundle.path())).unwrap();
        all.extend(tile::entries(&bytes).map(|entry| entry.unwrap().to_vec()));
    }
    all
}

/// Kills a gateway under load once the provider has received this many requests, starts it anew, ends
/// it in order and looks at what it has recorded. `seen` entries are of earlier kills.
async fn kill(world: &mut World, requests: usize, seen: usize) -> (Kill, usize) {
    world.provider.forget();
    let mut consumers = JoinSet::new();
    for consumer in 0..CONSUMERS {
        let identity = world.pki.client("desk", HTTP1);
        consumers.spawn(consume(world.gateway.address, identity, ask(consumer)));
    }
    world.provider.received(requests).await;
    world.gateway.signal("KILL");
    world.gateway.ended().await;
    let consumed: HashSet<String> = consumers.join_all().await.into_iter().flatten().collect();
    let provided: HashSet<String> = world
        .provider
        .requests()
        .iter()
        .filter_map(|request| request.header("lienthong-request-id"))
        .collect();

    world.gateway = Gateway::start(world.directory.path(), None).await;
    world.gateway.signal("TERM");
    world.gateway.ended().await;
    let all = entries(world.directory.path());
    let (mut intents, mut interrupted) = (HashSet::new(), HashSet::new());
    for entry in &all[seen..] {
        match Entry::decode(entry).unwrap() {
            Entry::Intent(intent) => intents.insert(intent.exchange),
            Entry::Interrupted(closed) => interrupted.insert(closed.exchange),
            _ => false,
        };
    }
    let id = |text: &String| ExchangeId::parse(text).unwrap();
    let received: HashSet<ExchangeId> = consumed.union(&provided).map(id).collect();
    let answered: HashSet<ExchangeId> = consumed.iter().map(id).collect();
    let kill = Kill {
        received_by_provider: provided.len(),
        received_by_consumers: consumed.len(),
        without_intent: received.difference(&intents).count(),
        interrupted: interrupted.len(),
        interrupted_after_answer: interrupted.intersection(&answered).count(),
    };
    world.gateway = Gateway::start(world.directory.path(), None).await;
    (kill, all.len())
}

/// Kills at instants that are told by a sequence without pattern; the table of what came of it.
async fn kills(count: usize) -> Vec<Kill> {
    let mut world = World::new().await;
    world.provider.answers(script);
    let mut seen = 0;
    let mut all = Vec::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..count {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let requests = 1 + usize::try_from(state >> 33).unwrap() % 150;
        let (kill, size) = kill(&mut world, requests, seen).await;
        assert!(kill.received_by_provider >= requests, "{kill:?}");
        assert_eq!(kill.without_intent, 0, "{kill:?}");
        seen = size;
        all.push(kill);
    }
    all
}

#[tokio::test]
async fn what_anybody_received_has_a_durable_intent_although_the_gateway_was_killed() {
    let count = std::env::var("LIENTHONG_KILLS").ok().and_then(|count| count.parse().ok());
    let all = kills(count.unwrap_or(4)).await;
    tell(&all);
    assert!(all.iter().any(|kill| kill.interrupted > 0), "{all:?}");
}

/// Prints the table of `gateway/docs/evidence-log.md`.
fn tell(all: &[Kill]) {
    println!(
        "| kills | requests providers received | answers consumers received | of both without a \
         durable intent | closed as interrupted | of these with an answer begun |\n\
         |---|---|---|---|---|---|"
    );
    let row = |name: &str, kill: &Kill| {
        println!(
            "| {name} | {} | {} | {} | {} | {} |",
            kill.received_by_provider,
            kill.received_by_consumers,
            kill.without_intent,
            kill.interrupted,
            kill.interrupted_after_answer
        );
    };
    let mut total = Kill::default();
    for (part, ten) in all.chunks(10).enumerate() {
        let mut sum = Kill::default();
        ten.iter().for_each(|kill| sum.add(*kill));
        row(&format!("{} to {}", part * 10 + 1, part * 10 + ten.len()), &sum);
        total.add(sum);
    }
    row("all", &total);
}
