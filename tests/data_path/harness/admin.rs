//! The administration socket of the gateway under test.

use std::path::Path;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use super::{Answer, within};

/// One request to the socket below `directory`.
pub(crate) async fn admin(directory: &Path, method: &str, path: &str) -> Answer {
    let mut stream = UnixStream::connect(directory.join("admin.sock")).await.expect("admin socket");
    let request = format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    within("the administration's answer", stream.read_to_end(&mut bytes)).await.unwrap();
    Answer::take(&mut bytes).expect("a whole answer")
}

/// What the gateway remembers of an exchange.
pub(crate) async fn why(directory: &Path, request_id: &str) -> Value {
    let answer = admin(directory, "GET", &format!("/why/{request_id}")).await;
    assert_eq!(answer.status, 200, "the gateway does not remember {request_id}");
    answer.json()
}
