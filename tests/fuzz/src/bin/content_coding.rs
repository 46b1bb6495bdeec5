//! Arbitrary bytes as a gzip, brotli or zstd body: what is decoded keeps to its bounds, and however
//! the bytes are cut and whatever room there is, it is the same.

use std::process::ExitCode;

use lienthong_fuzz::Target;
use lienthong_gateway::coding::{
    Coding, CodingError, DecodeBounds, Decoder, PIECE_BYTES, PushError,
};

const BOUNDS: DecodeBounds = DecodeBounds { max_bytes: 1 << 20, max_ratio: 200 };
/// One body in each coding, twice; before it the number of the coding and the length of a chunk.
const SEEDS: [&[u8]; 6] = [
    b"\x00\x07\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xab\x56\x2a\x49\xcd\x53\xb2\x52\x72\xcc\
      \x53\xd2\x51\x4a\x29\x56\xb2\x8a\x56\x4a\x4c\x52\xd2\xc1\x42\xc4\xea\x28\x15\xe7\x2b\x59\
      \x19\x1a\x19\xc0\x41\x2d\x00\x4e\x94\x04\xc0\x3e\x00\x00\x00",
    b"\x01\x07\x1b\x3d\x00\x00\x04\xfe\x6d\x47\xfe\x78\x32\xfd\x36\xe1\x2e\xa8\x2b\x5d\xb0\xac\
      \x0b\x1c\x72\xe0\xf4\xed\x8b\x30\xd1\x00\xa8\x0e\x16\xe8\xf3\x3d\xee\x4e\x44\x24\xc6\x2a\
      \xd4\x18\x93\xa1\x9d\xd6\x41\x7e\x1d\xc9\x07",
    b"\x02\x07\x28\xb5\x2f\xfd\x20\x3e\x5d\x01\x00\x24\x02\x7b\x22\x74\x65\x6e\x22\x3a\x22\x41\
      \x6e\x22\x2c\x22\x64\x73\x22\x3a\x5b\x22\x61\x62\x22\x2c\x5d\x2c\x22\x73\x6f\x22\x3a\x31\
      \x32\x30\x7d\x02\x00\xb8\x02\x45\x52\x9a",
    b"\x00\xff\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\x4a\
      \xeb\x9f\xce\x18\x3e\x40\x01\x00\x00\x00\x9d\x0d\x1d\x96\xee\xfa\xa0\x0f\x00\x00",
    b"\x01\x01\x1b\x9f\x0f\x00\x24\x60\xe2\xb1\x40\xb2\x0e\x00\x00",
    b"\x02\x03\x28\xb5\x2f\xfd\x60\xa0\x0e\x4d\x00\x00\x10\x30\x30\x01\x00\x9b\xf7\x01\x16",
];

fn main() -> ExitCode {
    let target = Target {
        name: "content_coding",
        seeds: SEEDS.iter().map(|seed| seed.to_vec()).collect(),
        pieces: &[
            b"\x1f\x8b\x08",
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
            b"\0\0\0\xff\xff",
            b"\x01\0\0\xff\xff",
            b"\x03\0\0\0\0\0\0\0\0\0",
            b"\x28\xb5\x2f\xfd",
            b"\x28\xb5\x2f\xfd\0\x68",
            b"\x02\0\x10\0",
            b"\x01\0\0",
            b"\x50\x2a\x4d\x18\x03\0\0\0",
            b"\x0b\x02\x80",
            b"\x03",
            b"\xff\xff\xff\xff",
            b"\0",
        ],
    };
    target.run(check)
}

fn check(input: &[u8]) -> String {
    let [coding, chunk, body @ ..] = input else { return "!short".to_owned() };
    let coding = match coding % 3 {
        0 => Coding::Gzip,
        1 => Coding::Brotli,
        _ => Coding::Zstd,
    };
    let chunk = usize::from(*chunk).max(1);
    let whole = pushed(coding, body, body.len().max(1));
    for (how, other) in
        [("chunks", pushed(coding, body, chunk)), ("room", stepped(coding, body, chunk))]
    {
        // Where a bound cuts depends on how far the decoder has read. And zstd holds a frame to the
        // length in its head in most ways of reading it, not in all.
        let one_failed = whole.is_err() || other.is_err();
        let bounded = whole == BOUNDED || other == BOUNDED;
        let may_differ = bounded || (coding == Coding::Zstd && one_failed);
        assert!(may_differ || other == whole, "{how} of {chunk} make a difference");
    }
    match whole {
        Ok(decoded) => format!("{coding:?} {}", decoded.len()),
        Err(error) => format!("!{coding:?} {error:?}"),
    }
}

type Outcome = Result<Vec<u8>, CodingError>;

const BOUNDED: Outcome = Err(CodingError::TooLarge);

fn pushed(coding: Coding, body: &[u8], chunk: usize) -> Outcome {
    let mut decoder = Decoder::new(coding, BOUNDS);
    let mut decoded = Vec::new();
    for chunk in body.chunks(chunk) {
        let outcome = decoder.push(chunk, |piece| {
            assert!(!piece.is_empty() && piece.len() <= PIECE_BYTES);
            decoded.extend_from_slice(piece);
            Ok::<_, std::convert::Infallible>(())
        });
        match outcome {
            Ok(()) => {}
            Err(PushError::Coding(error)) => return failed(&mut decoder, error, decoded.len()),
            Err(PushError::Sink(never)) => match never {},
        }
    }
    ended(&mut decoder, decoded)
}

fn stepped(coding: Coding, mut body: &[u8], room: usize) -> Outcome {
    let mut decoder = Decoder::new(coding, BOUNDS);
    let mut decoded = Vec::new();
    let mut out = vec![0; room];
    loop {
        match decoder.step(&mut body, &mut out) {
            Ok(0) => break,
            Ok(written) => decoded.extend_from_slice(&out[..written]),
            Err(error) => return failed(&mut decoder, error, decoded.len()),
        }
    }
    assert!(body.is_empty(), "stopped before the end");
    ended(&mut decoder, decoded)
}

fn ended(decoder: &mut Decoder, decoded: Vec<u8>) -> Outcome {
    assert!(decoded.len() as u64 <= BOUNDS.max_bytes);
    assert_eq!(decoder.decoded(), decoded.len() as u64);
    match decoder.finish() {
        Ok(()) => Ok(decoded),
        Err(error) => failed(decoder, error, decoded.len()),
    }
}

fn failed(decoder: &mut Decoder, error: CodingError, before: usize) -> Outcome {
    assert_eq!(decoder.finish(), Err(error), "an error does not stay");
    assert!(before as u64 <= BOUNDS.max_bytes);
    Err(match error {
        CodingError::Ratio => CodingError::TooLarge,
        error => error,
    })
}
