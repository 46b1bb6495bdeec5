use super::*;

const TEXT: &[u8] = b"4;a=b\r\nWiki\r\nA\r\n0123456789\r\n0\r\nDigest: x\r\n\r\n";

#[test]
fn a_body_is_the_same_in_pieces_of_any_size() {
    for size in 1..=TEXT.len() {
        let (mut chunks, mut body) = (Chunks::default(), Vec::new());
        for piece in TEXT.chunks(size) {
            assert!(!chunks.is_over());
            chunks.feed(piece, Some(&mut body)).expect("chunks");
        }
        assert!(chunks.is_over(), "in pieces of {size}");
        assert_eq!(body, b"Wiki0123456789");
        assert_eq!(chunks.received(), 14);
    }
}

#[test]
fn refuses_what_is_no_chunk() {
    for text in ["\r\n", "x\r\n", "123456789\r\n", "1\r\nab", "0\r\n\r\nmore"] {
        assert!(Chunks::default().feed(text.as_bytes(), None).is_err(), "{text:?}");
    }
}

#[test]
fn a_body_that_is_cut_is_not_over() {
    for end in 0..TEXT.len() {
        let mut chunks = Chunks::default();
        chunks.feed(TEXT.get(..end).expect("a part"), None).expect("chunks");
        assert!(!chunks.is_over());
    }
}
