use super::*;

#[test]
fn a_head_is_read_once_it_is_whole() {
    let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nx: y\r\n\r\n{";
    for cut in 0..whole.len() - 1 {
        assert_eq!(Head::parse(&whole[..cut]).expect("no error"), None);
    }
    let head = Head { status: 200, length: whole.len() - 1, body: Body::Length(12) };
    assert_eq!(Head::parse(whole).expect("no error"), Some(head));
}

#[test]
fn a_chunked_answer_is_told_from_a_counted_one() {
    let head = Head::parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    assert_eq!(head.expect("no error").map(|head| head.body), Some(Body::Chunked));
}

#[test]
fn an_answer_whose_end_is_not_told_is_an_error() {
    assert!(Head::parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n").is_err());
    assert!(Head::parse(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").is_err());
    assert!(Head::parse(&[b'a'; MAX_HEAD + 1]).is_err());
}
