//! `lienthong evidence verify --against` folders, stores and addresses.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
};

use lienthong_store::{
    Address,
    checkpoints::{Checkpoint, Checkpoints},
};

use super::{log, run};

fn against(folder: &Path, place: &str) -> (i32, String) {
    run(folder, &["verify", "evidence", "--key", "key", "--against", place])
}

fn note(folder: &Path) -> String {
    fs::read_to_string(folder.join("evidence/checkpoint")).expect("a checkpoint")
}

/// Answers one request with this text.
fn serve(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).expect("a request") > 0);
        stream.write_all(answer.as_bytes()).expect("sent");
    });
    format!("http://{address}/checkpoint")
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

#[test]
fn a_folder_of_checkpoints_is_an_anchor() {
    let folder = log();
    let kept = folder.path().join("kept/4");
    fs::create_dir_all(&kept).expect("a folder");
    let (code, _) = against(folder.path(), "kept");
    assert_eq!(code, 3, "no checkpoint at all");
    fs::write(folder.path().join("kept/notes.txt"), "kept by the auditor").expect("written");
    fs::write(kept.join("checkpoint"), note(folder.path())).expect("written");
    let (code, told) = against(folder.path(), "kept");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("agrees with the anchor of 4 entries"), "{told}");
}

#[test]
fn a_store_of_checkpoints_is_an_anchor() {
    let folder = log();
    let place = format!("sqlite:{}", folder.path().join("kept.db").display());
    let note = note(folder.path());
    let checkpoint =
        Checkpoint { origin: "log.example/node-1", size: 4, note: &note, after_loss: false };
    let address = Address::parse(&place).expect("an address");
    Checkpoints::new(address).keep(checkpoint).expect("kept");
    let (code, told) = against(folder.path(), &place);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("agrees with the anchor of 4 entries"), "{told}");
}

#[test]
fn another_node_gives_an_anchor() {
    let folder = log();
    let address = serve(answer("200 OK", &note(folder.path())));
    let (code, told) = against(folder.path(), &address);
    assert_eq!(code, 0, "{told}");
    // Nothing is followed, and nothing endless is read.
    let elsewhere = "302 Found\r\nlocation: http://127.0.0.1:1/checkpoint";
    assert_eq!(against(folder.path(), &serve(answer(elsewhere, ""))).0, 3);
    assert_eq!(against(folder.path(), &serve(answer("200 OK", &"x".repeat(70_000)))).0, 3);
    assert_eq!(against(folder.path(), &serve(answer("200 OK", "not a checkpoint"))).0, 3);
}
