use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const MAX_HEAD: usize = 512;

/// How a stream ends: heads that were in order, and what broke it.
type Judgement = (u64, Option<Violation>);

fn verdict_of_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Judgement, usize) {
    let mut scanner = Scanner::new(MAX_HEAD);
    let mut passed = 0;
    for piece in pieces {
        match scanner.scan(piece) {
            Ok(()) => passed += piece.len(),
            Err(broken) => {
                return ((scanner.requests(), Some(broken.violation)), passed + broken.at);
            }
        }
    }
    ((scanner.requests(), None), passed)
}

fn verdict(stream: &[u8]) -> Judgement {
    verdict_of_pieces([stream]).0
}

fn violation(stream: &str) -> Option<Violation> {
    verdict(stream.as_bytes()).1
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const STREAMS: [&str; 30] = [
    GET,
    "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\ncontent-length:\t 3 \t\r\n\r\nabc",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: b\rGET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: b\0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000005\r\n",
    "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

#[test]
fn lets_requests_in_order_pass() {
    for (stream, requests) in STREAMS.iter().zip([1, 2, 2, 2, 1, 1]) {
        assert_eq!(verdict(stream.as_bytes()), (requests, None), "{stream:?}");
    }
}

#[test]
fn names_what_is_ambiguous() {
    use Violation::*;
    let expected = [
        BareLf,
        BareLf,
        BareCr,
        BareCr,
        Nul,
        LineFolding,
        FieldName,
        ContentLength,
        ContentLength,
        ContentLength,
        TwoLengths,
        TwoLengths,
        TransferEncoding,
        TransferEncoding,
        TransferEncoding,
        TransferEncoding,
        ChunkSize,
        BareLf,
        ChunkEnd,
        Trailer,
        ChunkSize,
        Target,
        Host,
        RequestLine,
    ];
    for (stream, expected) in STREAMS.iter().skip(6).zip(expected) {
        assert_eq!(violation(stream), Some(expected), "{stream:?}");
    }
}

#[test]
fn refuses_request_lines_of_other_forms() {
    for (line, expected) in [
        ("GET  / HTTP/1.1", Violation::RequestLine),
        ("GET / HTTP/1.1 ", Violation::RequestLine),
        ("GET /", Violation::RequestLine),
        ("G\u{e9}T / HTTP/1.1", Violation::RequestLine),
        ("GET /\t HTTP/1.1", Violation::Target),
        ("GET /a#b HTTP/1.1", Violation::Target),
        ("GET /\u{e9} HTTP/1.1", Violation::Target),
        ("OPTIONS * HTTP/1.1", Violation::Target),
        ("CONNECT a:443 HTTP/1.1", Violation::Target),
        ("PRI * HTTP/2.0", Violation::Target),
        ("GET / HTTP/2.0", Violation::Version),
        ("GET / HTTP/1.2", Violation::Version),
        ("GET / http/1.1", Violation::Version),
    ] {
        let stream = format!("{line}\r\nHost: a\r\n\r\n");
        assert_eq!(violation(&stream), Some(expected), "{line}");
    }
}

#[test]
fn wants_one_host_in_http_1_1() {
    assert_eq!(violation("GET / HTTP/1.1\r\n\r\n"), Some(Violation::Host));
    assert_eq!(violation("GET / HTTP/1.0\r\n\r\n"), None);
}

#[test]
fn refuses_a_head_longer_than_the_limit() {
    let fits = "a".repeat(MAX_HEAD - GET.len() - "X: \r\n".len());
    let stream = |value: &str| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {value}\r\n\r\n");
    assert_eq!(verdict(stream(&fits).as_bytes()), (1, None));
    assert_eq!(violation(&stream(&format!("{fits}a"))), Some(Violation::HeadTooLong));
    assert_eq!(violation(&"a".repeat(MAX_HEAD + 1)), Some(Violation::HeadTooLong));
}

#[test]
fn passes_nothing_after_a_break() {
    let mut scanner = Scanner::new(MAX_HEAD);
    assert!(scanner.scan(b"GET / HTTP/1.1\n").is_err());
    let broken = scanner.scan(GET.as_bytes()).unwrap_err();
    assert_eq!((broken.at, broken.violation), (0, Violation::BareLf));
    assert_eq!(scanner.requests(), 0);
}

#[test]
fn gives_the_same_verdict_at_every_cut() {
    for stream in STREAMS {
        let whole = verdict_of_pieces([stream.as_bytes()]);
        for at in 0..=stream.len() {
            let (left, right) = stream.as_bytes().split_at(at);
            assert_eq!(verdict_of_pieces([left, right]), whole, "{stream:?} cut at {at}");
        }
        let bytewise = verdict_of_pieces(stream.as_bytes().chunks(1));
        assert_eq!(bytewise, whole, "{stream:?} byte by byte");
    }
}

fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(vec![
        "GET ",
        "POST ",
        "/",
        "/a",
        " HTTP/1.1",
        " HTTP/1.0",
        "\r\n",
        "\n",
        "\r",
        "\0",
        " ",
        "\t",
        "Host: a",
        "Content-Length: ",
        "Transfer-Encoding: chunked",
        "5",
        "0",
        "3",
        ";",
        ":",
        "hello",
        "abc",
        "X: y",
        "\r\n\r\n",
        GET,
    ]);
    prop::collection::vec(fragment, 0..24).prop_map(|parts| parts.concat())
}

fn wild_stream() -> impl Strategy<Value = String> {
    prop_oneof![
        fragments(),
        (prop::sample::select(STREAMS.to_vec()), fragments())
            .prop_map(|(stream, rest)| format!("{stream}{rest}")),
    ]
}

fn cut<'a>(stream: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn gives_the_same_verdict_however_it_is_cut(
        stream in wild_stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let whole = verdict_of_pieces([stream.as_bytes()]);
        prop_assert_eq!(verdict_of_pieces(cut(stream.as_bytes(), &cuts)), whole);
    }

    #[test]
    fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let (_, passed) = verdict_of_pieces([bytes.as_slice()]);
        prop_assert!(passed <= bytes.len());
    }
}

#[derive(Debug, Clone, Default)]
struct Seen(Arc<Mutex<Vec<Violation>>>);

impl Watch for Seen {
    fn head_arriving(&self, _: bool) {}

    fn violated(&self, violation: Violation) {
        self.0.lock().unwrap().push(violation);
    }
}

/// Reads what the guard hands on until it ends or would wait for ever.
async fn guarded(stream: &str) -> (Vec<u8>, Vec<Violation>) {
    let seen = Seen::default();
    let mut guard = Guard::new(stream.as_bytes(), MAX_HEAD, seen.clone());
    let mut passed = Vec::new();
    let mut buffer = [0; 7];
    loop {
        let read = tokio::select! {
            biased;
            read = guard.read(&mut buffer) => read.unwrap(),
            () = std::future::ready(()) => 0,
        };
        match read {
            0 => break,
            read => passed.extend_from_slice(&buffer[..read]),
        }
    }
    let violations = seen.0.lock().unwrap().clone();
    (passed, violations)
}

#[tokio::test]
async fn guard_poisons_a_bad_head_and_hands_nothing_on() {
    let (passed, violations) =
        guarded("GET / HTTP/1.1\r\nHost: a\r\nX: y\nGET /smuggled HTTP/1.1\r\n\r\n").await;
    assert_eq!(passed, b"GET / HTTP/1.1\r\nHost: a\r\nX: y\0\r\n\r\n");
    assert_eq!(violations, [Violation::BareLf]);
}

#[tokio::test]
async fn guard_ends_a_bad_body() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (passed, violations) = guarded(&format!("{head}5;ext\r\nhello\r\n0\r\n\r\n{GET}")).await;
    assert_eq!(passed, format!("{head}5").as_bytes());
    assert_eq!(violations, [Violation::ChunkSize]);
}

#[tokio::test]
async fn guard_passes_good_requests_unchanged() {
    for stream in &STREAMS[..6] {
        assert_eq!(guarded(stream).await, (stream.as_bytes().to_vec(), vec![]));
    }
}

/// Requests that hyper, behind the guard, hands to a service.
fn requests_through_hyper(stream: &str) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        let guard = Guard::new(server, MAX_HEAD, Seen::default());
        let calls = Arc::new(Mutex::new(0));
        let counted = calls.clone();
        let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
            *counted.lock().unwrap() += 1;
            async {
                // A body left unread would end the connection before its next request.
                let mut body = request.into_body();
                while let Some(Ok(_)) = body.frame().await {}
                Ok::<_, Infallible>(http::Response::new(Empty::<bytes::Bytes>::new()))
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .header_read_timeout(None)
            .serve_connection(hyper_util::rt::TokioIo::new(guard), service);
        client.write_all(stream.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        // Whether the connection ended well does not matter here.
        connection.await.unwrap_or_default();
        drop(client);
        *calls.lock().unwrap()
    })
}

/// What hyper answers, behind the guard, to a stream that comes in two pieces.
async fn answer_to_pieces(first: &str, second: &str) -> String {
    let (mut client, server) = tokio::io::duplex(64 * 1024);
    let service = hyper::service::service_fn(|_| {
        std::future::ready(Ok::<_, Infallible>(http::Response::new(Empty::<bytes::Bytes>::new())))
    });
    let connection =
        hyper::server::conn::http1::Builder::new().header_read_timeout(None).serve_connection(
            hyper_util::rt::TokioIo::new(Guard::new(server, MAX_HEAD, Seen::default())),
            service,
        );
    let talk = async {
        for piece in [first, second] {
            client.write_all(piece.as_bytes()).await.unwrap_or_default();
            // Lets the connection read this piece alone.
            tokio::task::yield_now().await;
        }
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (ended, answer) = tokio::join!(biased; connection, talk);
    ended.unwrap_or_default();
    answer
}

#[tokio::test]
async fn a_head_that_breaks_in_its_second_piece_is_answered_400() {
    for stream in &STREAMS[6..] {
        let (_, passed) = verdict_of_pieces([stream.as_bytes()]);
        if verdict(stream.as_bytes()).0 > 0 {
            continue;
        }
        for at in 1..=passed {
            let (first, second) = stream.split_at(at);
            let answer = answer_to_pieces(first, &format!("{second}{GET}")).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{stream:?} cut at {at}: {answer:?}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1);
        }
    }
}

#[test]
fn parser_sees_as_many_requests_as_the_guard() {
    for stream in STREAMS {
        let requests = usize::try_from(verdict(stream.as_bytes()).0).unwrap();
        assert_eq!(requests_through_hyper(stream), requests, "{stream:?}");
    }
}

proptest! {
    #[test]
    fn parser_never_sees_more_requests_than_the_guard(stream in wild_stream()) {
        let requests = usize::try_from(verdict(stream.as_bytes()).0).unwrap();
        prop_assert!(requests_through_hyper(&stream) <= requests);
    }
}
