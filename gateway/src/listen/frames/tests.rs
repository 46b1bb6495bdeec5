use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SETTINGS: u8 = 4;
const PREFACE: &[u8; PREFACE_BYTES] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags, 0, 0, 0, 1];
    frame.extend_from_slice(payload);
    frame
}

fn stream(frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    frames.into_iter().fold(PREFACE.to_vec(), |mut all, frame| {
        all.extend(frame);
        all
    })
}

fn at(start: Instant, millis: u64) -> impl Fn() -> Instant {
    move || start + Duration::from_millis(millis)
}

#[test]
fn requests_and_their_bodies_cost_nothing() {
    let now = Instant::now();
    let request = [frame(HEADERS, 4, b"abc"), frame(DATA, 0, b"defg"), frame(DATA, 1, b"")];
    let many = stream(std::iter::repeat_n(request, 10_000).flatten());
    assert_eq!(Meter::new().pass(&many, at(now, 0)), Ok(()));
}

#[test]
fn floods_end_at_the_burst_and_refill_with_time() {
    let start = Instant::now();
    let burst = usize::try_from(BURST).unwrap();
    for kind in [SETTINGS, 2, 3, 6, 9, 200] {
        let mut meter = Meter::new();
        let flood = stream(std::iter::repeat_n(frame(kind, 0, b""), burst));
        assert_eq!(meter.pass(&flood, at(start, 0)), Ok(()));
        assert_eq!(meter.pass(&frame(kind, 0, b""), at(start, 0)), Err(Flood), "kind {kind}");
        assert_eq!(meter.pass(&frame(kind, 0, b""), at(start, 1000)), Ok(()), "kind {kind}");
    }
}

#[test]
fn empty_data_frames_that_do_not_end_a_stream_count() {
    let start = Instant::now();
    let flood = stream(std::iter::repeat_n(frame(DATA, 0, b""), 1000));
    assert_eq!(Meter::new().pass(&flood, at(start, 0)), Err(Flood));
}

proptest! {
    #[test]
    fn cuts_do_not_matter(cut in 1_usize..40, frames in 0_usize..900) {
        let now = Instant::now();
        let all = stream(std::iter::repeat_n(frame(SETTINGS, 0, b"123456"), frames));
        let mut meter = Meter::new();
        let ended = all.chunks(cut).try_for_each(|piece| meter.pass(piece, at(now, 0)));
        prop_assert_eq!(ended.is_err(), frames > usize::try_from(BURST).unwrap());
    }
}
