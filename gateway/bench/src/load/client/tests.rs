use super::*;

#[test]
fn a_head_is_read_once_it_is_whole() {
    let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nx: y\r\n\r\n{";
    for cut in 0..whole.len() - 1 {
        assert_eq!(Head::parse(&whole[..cut]).expect("no error"), None);
    }
    let head = Head { status: 200, length: whole.len() - 1, body: 12 };
    assert_eq!(Head::parse(whole).expect("no error"), Some(head));
}

#[test]
fn an_answer_of_unknown_length_is_an_error() {
    assert!(Head::parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    assert!(Head::parse(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").is_err());
    assert!(Head::parse(&[b'a'; MAX_HEAD + 1]).is_err());
}
