mod canary;

use std::{convert::Infallible, io::Write as _};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, header};
use proptest::prelude::*;

use super::{Coding, CodingError, DecodeBounds, Decoder, PIECE_BYTES, PushError, UnknownCoding};

const CODED: [Coding; 3] = [Coding::Gzip, Coding::Brotli, Coding::Zstd];
const WIDE: DecodeBounds = DecodeBounds { max_bytes: 1 << 30, max_ratio: u32::MAX };

#[test]
fn a_message_has_one_coding_or_none() {
    let of = |values: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        Coding::of(&headers)
    };
    assert_eq!(of(&[]), Ok(Coding::Identity));
    assert_eq!(of(&["identity"]), Ok(Coding::Identity));
    assert_eq!(of(&["gzip"]), Ok(Coding::Gzip));
    assert_eq!(of(&["X-GZip"]), Ok(Coding::Gzip));
    assert_eq!(of(&[" br "]), Ok(Coding::Brotli));
    assert_eq!(of(&["ZSTD"]), Ok(Coding::Zstd));
    for unknown in [
        &[""][..],
        &["deflate"],
        &["compress"],
        &["dcb"],
        &["gzip, br"],
        &["gzip,"],
        &["identity, gzip"],
        &["gzip;q=1"],
        &["gzip", "gzip"],
        &["identity", "gzip"],
        &["gzip\u{0}"],
    ] {
        if unknown.iter().all(|name| HeaderValue::from_str(name).is_ok()) {
            assert_eq!(of(unknown), Err(UnknownCoding), "{unknown:?}");
        }
    }
}

#[test]
fn decodes_what_was_encoded_however_it_is_cut() {
    let body = people(40);
    for coding in CODED {
        let encoded = encode(coding, &body);
        for at in 0..=encoded.len() {
            let (first, second) = encoded.split_at(at);
            assert_eq!(decode(coding, WIDE, [first, second]).unwrap(), body, "{coding:?} {at}");
        }
        assert_eq!(decode(coding, WIDE, encoded.chunks(1)).unwrap(), body, "{coding:?}");
    }
}

#[test]
fn decodes_into_any_room() {
    let body = people(40);
    for coding in CODED {
        let encoded = encode(coding, &body);
        for room in [1, 2, 7, 64, 4096, 1 << 20] {
            assert_eq!(decode_into(coding, room, &encoded, 5).unwrap(), body, "{coding:?} {room}");
            assert_eq!(decode_into(coding, room, &encoded, 1 << 20).unwrap(), body);
        }
    }
}

#[test]
fn identity_is_passed_through_and_counted() {
    let bounds = DecodeBounds { max_bytes: 10, max_ratio: 1 };
    let mut decoder = Decoder::new(Coding::Identity, bounds);
    let mut chunk = Bytes::from_static(b"12345678");
    let address = chunk.as_ptr();
    let passed = decoder.next_piece(&mut chunk).unwrap().unwrap();
    assert_eq!(passed.as_ptr(), address);
    assert!(chunk.is_empty());
    assert_eq!(decoder.next_piece(&mut chunk), Ok(None));
    let pushed = decoder.push(b"90", |piece| {
        assert_eq!(piece, b"90");
        Ok::<_, Infallible>(())
    });
    assert_eq!(pushed, Ok(()));
    assert_eq!(decoder.finish(), Ok(()));
    assert_eq!(decoder.decoded(), 10);
    let error = decoder.push(b"x", |_| Ok::<_, Infallible>(()));
    assert_eq!(error, Err(PushError::Coding(CodingError::TooLarge)));
    assert_eq!(decoder.finish(), Err(CodingError::TooLarge));
}

#[test]
fn a_body_cut_anywhere_is_truncated() {
    let body = people(8);
    for coding in CODED {
        let encoded = encode(coding, &body);
        for length in 0..encoded.len() {
            let outcome = decode(coding, WIDE, [&encoded[..length]]);
            assert_eq!(outcome, Err(CodingError::Truncated), "{coding:?} {length}");
        }
    }
}

#[test]
fn an_empty_body_is_not_encoded_but_an_encoded_one_may_be_empty() {
    for coding in CODED {
        assert_eq!(decode(coding, WIDE, [&b""[..]]), Err(CodingError::Truncated));
        assert_eq!(decode(coding, WIDE, [encode(coding, b"").as_slice()]).unwrap(), b"");
    }
    assert_eq!(decode(Coding::Identity, WIDE, [&b""[..]]).unwrap(), b"");
}

#[test]
fn refuses_bytes_after_the_end() {
    let body = people(3);
    for coding in CODED {
        let encoded = encode(coding, &body);
        for garbage in [&b"\0"[..], b"x", b"{}", b"\0\0\0\0\0\0\0\0\0\0\0\0", b"\xff\xff\xff\xff"] {
            let whole = [&encoded, garbage].concat();
            let after = Err(CodingError::AfterTheEnd);
            assert_eq!(decode(coding, WIDE, [&whole[..]]), after, "{coding:?} {garbage:?}");
            assert_eq!(decode(coding, WIDE, whole.chunks(1)), after, "{coding:?} {garbage:?}");
            assert_eq!(decode(coding, WIDE, [&encoded[..], garbage]), after);
        }
    }
}

#[test]
fn what_only_begins_like_another_member_is_refused() {
    let body = people(3);
    let gzip = encode(Coding::Gzip, &body);
    let zstd = encode(Coding::Zstd, &body);
    let after = |coding, encoded: &[u8], garbage: &[u8]| {
        decode(coding, WIDE, [encoded, garbage]).unwrap_err()
    };
    assert_eq!(after(Coding::Gzip, &gzip, b"\x1f"), CodingError::Truncated);
    assert_eq!(after(Coding::Gzip, &gzip, b"\x1fxyz"), CodingError::AfterTheEnd);
    assert_eq!(after(Coding::Gzip, &gzip, b"\x1f\x8b\x07\0"), CodingError::AfterTheEnd);
    assert_eq!(after(Coding::Zstd, &zstd, b"\x28"), CodingError::Truncated);
    assert_eq!(after(Coding::Zstd, &zstd, b"(xyz("), CodingError::AfterTheEnd);
    assert_eq!(after(Coding::Zstd, &zstd, b"\x50xyz("), CodingError::AfterTheEnd);
    let brotli = encode(Coding::Brotli, &body);
    assert_eq!(after(Coding::Brotli, &brotli, &brotli), CodingError::AfterTheEnd);
}

#[test]
fn joins_members_of_gzip_and_frames_of_zstd() {
    let body = people(5);
    for coding in [Coding::Gzip, Coding::Zstd] {
        let parts: Vec<Vec<u8>> = body.chunks(90).map(|part| encode(coding, part)).collect();
        let whole = parts.concat();
        assert_eq!(decode(coding, WIDE, [&whole[..]]).unwrap(), body);
        assert_eq!(decode(coding, WIDE, whole.chunks(1)).unwrap(), body);
        let cut = &whole[..whole.len() - 1];
        assert_eq!(decode(coding, WIDE, [cut]), Err(CodingError::Truncated));
    }
    let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &encode(Coding::Zstd, &body)].concat();
    assert_eq!(decode(Coding::Zstd, WIDE, skipped.chunks(1)).unwrap(), body);
}

#[test]
fn refuses_members_without_end_that_hold_nothing() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let empty = encode(coding, b"");
        let few: Vec<&[u8]> = vec![&empty; 50];
        assert_eq!(decode(coding, WIDE, few).unwrap(), b"");
        let many: Vec<&[u8]> = vec![&empty; 1000];
        assert_eq!(decode(coding, WIDE, many), Err(CodingError::Malformed));
        let full = encode(coding, &people(8));
        let many: Vec<&[u8]> = vec![&full; 1000];
        assert!(decode(coding, WIDE, many).is_ok());
    }
}

#[test]
fn a_bomb_is_cut_by_its_ratio() {
    for coding in CODED {
        let (head, more) = bomb(coding);
        let mut given = 0;
        let mut decoder = Decoder::new(coding, DecodeBounds::new(1 << 40));
        // Ten GiB, were they decoded.
        let chunks = std::iter::once(&head).chain(std::iter::repeat_n(&more, 10 << 10));
        let error = push_counting(&mut decoder, chunks, &mut given);
        assert_eq!(error, Some(CodingError::Ratio), "{coding:?}");
        assert!(given <= 200 * decoder.encoded() + (64 << 10), "{coding:?}: {given}");
        assert!(given < 8 << 20, "{coding:?}: {given}");
    }
}

#[test]
fn a_bomb_is_cut_by_its_size() {
    for coding in CODED {
        let (head, more) = bomb(coding);
        let bounds = DecodeBounds { max_bytes: 3_000_000, max_ratio: u32::MAX };
        let mut decoder = Decoder::new(coding, bounds);
        let mut given = 0;
        let chunks = std::iter::once(&head).chain(std::iter::repeat_n(&more, 10 << 10));
        let error = push_counting(&mut decoder, chunks, &mut given);
        assert_eq!(error, Some(CodingError::TooLarge), "{coding:?}");
        assert!(given <= 3_000_000, "{coding:?}: {given}");
    }
}

#[test]
fn a_limit_is_exact() {
    let body = people(100);
    let length = u64::try_from(body.len()).unwrap();
    for coding in CODED {
        let encoded = encode(coding, &body);
        assert!(decode(coding, DecodeBounds::new(length), [&encoded[..]]).is_ok());
        let outcome = decode(coding, DecodeBounds::new(length - 1), [&encoded[..]]);
        assert_eq!(outcome, Err(CodingError::TooLarge));
    }
}

#[test]
fn encoded_bytes_that_become_nothing_are_bounded() {
    // Stored blocks of no length, one after the other.
    let (head, blocks) = (gzip_head(), b"\0\0\0\xff\xff".repeat(4096));
    let mut decoder = Decoder::new(Coding::Gzip, DecodeBounds::new(1 << 20));
    let mut given = 0;
    let chunks = std::iter::once(&head).chain(std::iter::repeat_n(&blocks, 1000));
    let error = push_counting(&mut decoder, chunks, &mut given);
    assert_eq!((error, given), (Some(CodingError::TooLarge), 0));
    assert!(decoder.encoded() < 2 << 20);
}

#[test]
fn one_piece_at_a_time_is_decoded() {
    let body = vec![b'0'; 8 << 20];
    let mut chunk = Bytes::from(encode(Coding::Gzip, &body));
    let mut decoder = Decoder::new(Coding::Gzip, WIDE);
    let (mut decoded, mut pieces) = (0, 0);
    let whole = chunk.len();
    while let Some(piece) = decoder.next_piece(&mut chunk).unwrap() {
        assert!(piece.len() <= PIECE_BYTES);
        assert!(pieces > 0 || chunk.len() > whole / 2, "most of it is still encoded");
        decoded += piece.len();
        pieces += 1;
    }
    assert_eq!(decoded, body.len());
    assert!(chunk.is_empty());
    assert_eq!(decoder.next_piece(&mut chunk), Ok(None));
    assert_eq!(decoder.finish(), Ok(()));
}

#[test]
fn the_sink_may_stop_it() {
    let encoded = encode(Coding::Zstd, &people(2000));
    let mut pieces = 0;
    let outcome = Decoder::new(Coding::Zstd, WIDE).push(&encoded, |_| {
        pieces += 1;
        if pieces < 3 { Ok(()) } else { Err("full") }
    });
    assert_eq!((outcome, pieces), (Err(PushError::Sink("full")), 3));
}

#[test]
fn a_zstd_window_is_at_most_eight_mebibytes() {
    let frame = |window_log: u8| {
        let mut frame = b"\x28\xb5\x2f\xfd\0".to_vec();
        frame.push((window_log - 10) << 3);
        frame.extend_from_slice(b"\x09\0\0x");
        frame
    };
    assert_eq!(decode(Coding::Zstd, WIDE, [&frame(23)[..]]).unwrap(), b"x");
    for window_log in [24, 27, 41] {
        let outcome = decode(Coding::Zstd, WIDE, [&frame(window_log)[..]]);
        assert_eq!(outcome, Err(CodingError::Malformed), "{window_log}");
    }
    // A single segment of 16 MiB needs a window as large.
    let single = b"\x28\xb5\x2f\xfd\xa0\0\0\0\x01\x09\0\0x";
    assert_eq!(decode(Coding::Zstd, WIDE, [&single[..]]), Err(CodingError::Malformed));
}

#[test]
fn a_zstd_dictionary_is_not_known() {
    let frame = b"\x28\xb5\x2f\xfd\x01\x58\x07\x09\0\0x";
    assert_eq!(decode(Coding::Zstd, WIDE, [&frame[..]]), Err(CodingError::Malformed));
}

#[test]
fn a_large_brotli_window_is_refused() {
    let params = brotli::enc::BrotliEncoderParams {
        large_window: true,
        lgwin: 26,
        quality: 1,
        ..Default::default()
    };
    let mut encoded = Vec::new();
    brotli::BrotliCompress(&mut &people(3)[..], &mut encoded, &params).unwrap();
    assert_eq!(decode(Coding::Brotli, WIDE, [&encoded[..]]), Err(CodingError::Malformed));
}

#[test]
fn a_changed_byte_never_becomes_another_body() {
    let body = people(4);
    let encoded = encode(Coding::Gzip, &body);
    for at in 0..encoded.len() {
        for bit in 0..8 {
            let mut changed = encoded.clone();
            changed[at] ^= 1 << bit;
            if let Ok(decoded) = decode(Coding::Gzip, WIDE, [&changed[..]]) {
                assert_eq!(decoded, body, "{at} {bit}");
            }
        }
    }
}

#[test]
fn an_error_stays() {
    for coding in CODED {
        let mut decoder = Decoder::new(coding, WIDE);
        let mut garbage: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
        let error = decoder.step(&mut garbage, &mut [0; 64]).unwrap_err();
        assert_eq!(error, CodingError::Malformed);
        let encoded = encode(coding, b"{}");
        assert_eq!(decoder.step(&mut &encoded[..], &mut [0; 64]), Err(error));
        assert_eq!(decoder.finish(), Err(error));
    }
}

#[test]
fn nothing_of_a_body_shows() {
    for coding in CODED {
        let mut decoder = Decoder::new(coding, WIDE);
        let mut encoded = Bytes::from(encode(coding, b"\"079185001234\""));
        decoder.next_piece(&mut encoded).unwrap();
        let shown = format!("{decoder:?}");
        assert!(!shown.contains("0791") && !shown.contains("48, 55"), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_body_survives(
        body in proptest::collection::vec(any::<u8>(), 0..3000),
        chunk in 1..700usize,
        room in 1..5000usize,
    ) {
        for coding in CODED {
            let encoded = encode(coding, &body);
            prop_assert_eq!(&decode_into(coding, room, &encoded, chunk).unwrap(), &body);
        }
    }

    #[test]
    fn arbitrary_bytes_end_in_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for coding in CODED {
            let bounds = DecodeBounds { max_bytes: 1000, max_ratio: 200 };
            if let Ok(decoded) = decode(coding, bounds, bytes.chunks(7)) {
                prop_assert!(decoded.len() <= 1000);
            }
        }
    }
}

/// The records of people who do not exist, alike but not the same.
fn people(count: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|n| {
            format!("{{\"so\":\"{:012}\",\"ten\":\"Người {n}\"}}\n", n * 7919).into_bytes()
        })
        .collect()
}

fn encode(coding: Coding, body: &[u8]) -> Vec<u8> {
    match coding {
        Coding::Identity => body.to_vec(),
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        Coding::Brotli => {
            let mut encoded = Vec::new();
            let params = brotli::enc::BrotliEncoderParams { quality: 4, ..Default::default() };
            brotli::BrotliCompress(&mut &body[..], &mut encoded, &params).unwrap();
            encoded
        }
        Coding::Zstd => {
            let mut encoded = Vec::with_capacity(zstd_safe::compress_bound(body.len()));
            zstd_safe::compress(&mut encoded, body, 3).unwrap();
            encoded
        }
    }
}

fn decode<'a>(
    coding: Coding,
    bounds: DecodeBounds,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, CodingError> {
    let mut decoder = Decoder::new(coding, bounds);
    let mut decoded = Vec::new();
    for chunk in chunks {
        let pushed = decoder.push(chunk, |piece| {
            assert!(!piece.is_empty() && piece.len() <= PIECE_BYTES || coding == Coding::Identity);
            decoded.extend_from_slice(piece);
            Ok::<_, Infallible>(())
        });
        match pushed {
            Ok(()) => {}
            Err(PushError::Coding(error)) => {
                assert_eq!(decoder.finish(), Err(error));
                return Err(error);
            }
            Err(PushError::Sink(never)) => match never {},
        }
    }
    decoder.finish()?;
    Ok(decoded)
}

fn decode_into(
    coding: Coding,
    room: usize,
    encoded: &[u8],
    chunk: usize,
) -> Result<Vec<u8>, CodingError> {
    let mut decoder = Decoder::new(coding, WIDE);
    let mut decoded = Vec::new();
    let mut out = vec![0; room];
    for mut chunk in encoded.chunks(chunk) {
        loop {
            let written = decoder.step(&mut chunk, &mut out)?;
            if written == 0 {
                assert!(chunk.is_empty());
                break;
            }
            decoded.extend_from_slice(&out[..written]);
        }
    }
    decoder.finish()?;
    Ok(decoded)
}

fn push_counting<'a>(
    decoder: &mut Decoder,
    chunks: impl Iterator<Item = &'a Vec<u8>>,
    given: &mut u64,
) -> Option<CodingError> {
    for chunk in chunks {
        let pushed = decoder.push(chunk, |piece| {
            *given += u64::try_from(piece.len()).unwrap();
            Ok::<_, Infallible>(())
        });
        match pushed {
            Ok(()) => {}
            Err(PushError::Coding(error)) => return Some(error),
            Err(PushError::Sink(never)) => match never {},
        }
    }
    None
}

fn gzip_head() -> Vec<u8> {
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec()
}

/// The beginning of a body of zeros, and what goes on with it as often as one likes.
fn bomb(coding: Coding) -> (Vec<u8>, Vec<u8>) {
    match coding {
        Coding::Identity => (Vec::new(), vec![0; 1 << 20]),
        Coding::Gzip => {
            let mut deflate = flate2::Compress::new(Compression::default(), false);
            let mut block = Vec::with_capacity(4096);
            let zeros = vec![0; 1 << 20];
            let flush = flate2::FlushCompress::Full;
            deflate.compress_vec(&zeros, &mut block, flush).unwrap();
            assert_eq!(deflate.total_in(), 1 << 20);
            (gzip_head(), block)
        }
        // A window of 8 MiB, and blocks of 128 KiB of one byte.
        Coding::Zstd => (b"\x28\xb5\x2f\xfd\0\x68".to_vec(), b"\x02\0\x10\0".repeat(8)),
        Coding::Brotli => {
            let whole = encode(Coding::Brotli, &vec![0; 8 << 20]);
            (whole, Vec::new())
        }
    }
}
