//! A reader that somebody else wrote proves entries and growth from what the listener serves.

use std::{collections::BTreeMap, net::SocketAddr, process::Command};

use lienthong_evidence::note::Signer;
use lienthong_model::sensitive::Sensitive;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Hash, Tile, TileHashReader, TileReader};

use super::{ask, monitor::signed, world};
use crate::data_path::harness::{Ask, Evidence, World, lienthong, person};

/// The tiles of hashes of a tree, fetched over the network.
struct Fetched(BTreeMap<String, Vec<u8>>);

impl TileReader for Fetched {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| self.0[&path(tile)].clone();
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// A path as `tlog-tiles` has it, which does not name the height.
fn path(tile: &Tile) -> String {
    tile.path().replacen("tile/8/", "/tile/", 1)
}

async fn fetch(world: &World, address: SocketAddr, name: &str, path: &str) -> Vec<u8> {
    let answer = ask(world, address, &Ask::get(name, path)).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.body
}

/// Fetches every tile of hashes of a tree of this size, which has less than 65,536 entries.
async fn tiles(world: &World, address: SocketAddr, size: u64) -> Fetched {
    let mut fetched = BTreeMap::new();
    for level in 0..2_u8 {
        let nodes = size >> (8 * u32::from(level));
        for index in 0..nodes.div_ceil(256) {
            let width = u32::try_from((nodes - index * 256).min(256)).expect("a width");
            let path = path(&Tile::new(8, level, index, width, false));
            let bytes = fetch(world, address, "watch", &path).await;
            fetched.insert(path, bytes);
        }
    }
    Fetched(fetched)
}

/// Size and root of a checkpoint that the log's key has signed.
fn opened(world: &World, note: &[u8]) -> (u64, Hash) {
    let secret = std::fs::read_to_string(world.directory.path().join("evidence.key")).unwrap();
    let key = Signer::parse(&Sensitive::new(secret)).unwrap().verifier().to_string();
    let verifier = StandardVerifier::new(&key).expect("a key");
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let note = Note::from_bytes(note).expect("a note");
    let (signed, _) = note.verify(&known).expect("signed by the log");
    assert_eq!(signed.len(), 1);
    let text = String::from_utf8(note.text().to_vec()).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    (lines[1].parse().expect("a size"), Hash::parse_hash(lines[2]).expect("a root"))
}

#[tokio::test]
async fn an_entry_is_verified_from_checkpoint_and_tiles() {
    let world = world().await;
    let first = world.ask(&person()).await;
    signed(&world, 2).await;
    let address = super::monitor(&world).await;
    let older = opened(&world, &fetch(&world, address, "watch", "/checkpoint").await);
    for _ in 0..150 {
        assert_eq!(world.ask(&person()).await.status, 200);
    }
    signed(&world, 300).await;
    let newer = opened(&world, &fetch(&world, address, "watch", "/checkpoint").await);
    let (size, root) = newer;

    let full = ask(&world, address, &Ask::get("watch", "/tile/0/000")).await;
    assert_eq!(full.header("cache-control"), Some("private, max-age=31536000, immutable"));
    assert_eq!(full.body.len(), 8192);

    // A monitor has no entries, and sees that the log has only grown.
    let fetched = tiles(&world, address, size).await;
    let hashes = TileHashReader::new(size, root, &fetched);
    let grown = tlog_tiles::prove_tree(size, older.0, &hashes).expect("a proof");
    tlog_tiles::check_tree(&grown, size, root, older.0, older.1).expect("the log has grown");

    // An auditor reads the entries and finds each under the checkpoint that the monitor saw.
    let id = first.header("lienthong-request-id").unwrap();
    let mut of_first = 0;
    for bundle in 0..size.div_ceil(256) {
        let width = (size - bundle * 256).min(256);
        let path = match width {
            256 => format!("/tile/entries/{bundle:03}"),
            _ => format!("/tile/entries/{bundle:03}.p/{width}"),
        };
        let bytes = fetch(&world, address, "audit", &path).await;
        let entries: Vec<_> = lienthong_evidence::tile::entries(&bytes).collect();
        assert_eq!(entries.len() as u64, width);
        for (index, entry) in (bundle * 256..).zip(entries) {
            let entry = entry.expect("whole");
            let proof = tlog_tiles::prove_record(size, index, &hashes).expect("a proof");
            let leaf = tlog_tiles::record_hash(entry);
            tlog_tiles::check_record(&proof, size, root, index, leaf).expect("it is in the tree");
            let text = String::from_utf8_lossy(entry);
            assert!(!text.contains("001122334455"), "an entry names a person: {text}");
            of_first += usize::from(text.contains(id));
        }
    }
    assert_eq!(of_first, 2, "intent and outcome of the first exchange");
}

/// A log is held against the checkpoint that its monitor listener serves: the log itself agrees, an
/// older copy ends before it.
#[tokio::test]
async fn the_command_line_asks_the_listener_for_an_anchor() {
    let world = world().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    signed(&world, 2).await;
    let root = world.directory.path();
    let (log, copy) = (root.join("data/evidence"), root.join("copy"));
    let copied = Command::new("cp").arg("-r").arg(log).arg(copy).status();
    assert!(copied.unwrap().success());
    assert_eq!(world.ask(&person()).await.status, 200);
    signed(&world, 4).await;
    world.pki.write_client("watch");
    std::fs::write(root.join("log.vkey"), Evidence::key(root).to_string()).unwrap();
    let anchor = format!("https://localhost:{}/checkpoint", super::monitor(&world).await.port());
    for (log, expected) in [("data/evidence", 0), ("copy", 1)] {
        let mut command = lienthong();
        command.current_dir(root).args(["evidence", "verify", log, "--key", "log.vkey"]);
        command.args(["--against", &anchor, "--trust-anchor", "pki/city.pem"]);
        command.args(["--client-certificate", "pki/watch.pem", "--client-key", "pki/watch.key"]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(expected), "{log}: {told}");
    }
}
