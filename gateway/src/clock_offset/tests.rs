use lienthong_model::clock::ManualClock;

use super::*;

/// 2026-01-01, the instant our clock shows.
const NOW: i64 = 1_767_225_600;
/// Seconds from 1900 to 1970.
const ERA: u64 = 2_208_988_800;

/// Asks a server that answers with these bytes, made of the question.
async fn turn(meter: &mut Meter, answer: impl Fn([u8; 48]) -> Vec<u8>) -> Duration {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    meter.source = server.local_addr().unwrap().to_string();
    let serve = async {
        let mut question = [0; 48];
        let (length, from) = server.recv_from(&mut question).await.unwrap();
        assert_eq!((length, question[0] & 7), (48, 3), "client mode");
        server.send_to(&answer(question), from).await.unwrap();
    };
    tokio::join!(meter.turn(), serve).0
}

fn meter() -> (Meter, ManualClock) {
    let clock = ManualClock::at(Timestamp::from_second(NOW).unwrap());
    let shared = Shared { clock: Arc::new(clock.clone()), newest: ArcSwapOption::empty() };
    let (source, metrics) = (String::new(), ClockMetrics::default());
    (Meter { source, shared: Arc::new(shared), metrics, failing: false }, clock)
}

/// A good answer of a server whose clock is this far ahead of ours.
fn answer(question: [u8; 48], ahead_ms: i64) -> Vec<u8> {
    let ms = NOW * 1000 + ahead_ms;
    let seconds = (u64::try_from(ms / 1000).unwrap() + ERA) << 32;
    let time = seconds | ((u64::try_from(ms % 1000).unwrap() << 32) / 1000);
    let mut answer = vec![0x24, 2, 6, 0xe9];
    answer.extend([0; 12]);
    answer.extend(time.to_be_bytes());
    answer.extend(&question[40..]);
    answer.extend(time.to_be_bytes());
    answer.extend(time.to_be_bytes());
    answer
}

#[tokio::test]
async fn the_offset_is_told_for_ten_minutes_and_a_large_one_by_readiness() {
    let (mut meter, clock) = meter();
    assert_eq!(meter.shared.offset(), None);
    assert!(meter.shared.trouble().unwrap().contains("not compared"));
    for offset in [0, 250, -250, 1000] {
        assert_eq!(turn(&mut meter, |question| answer(question, offset)).await, ASK_EVERY);
        // The library counts in fractions of a second, rounded towards zero.
        assert!(meter.shared.offset().unwrap().abs_diff(offset) <= 1, "{offset}");
        assert_eq!(meter.shared.trouble(), None);
    }
    turn(&mut meter, |question| answer(question, -1500)).await;
    assert!(meter.shared.trouble().unwrap().contains("ms away"));
    turn(&mut meter, |question| answer(question, 0)).await;
    clock.advance(SignedDuration::from_mins(10));
    assert_eq!(meter.shared.offset(), Some(0));
    clock.advance(SignedDuration::from_millis(1));
    assert_eq!(meter.shared.offset(), None);
}

#[tokio::test]
async fn an_answer_that_fails_a_check_counts_as_none() {
    let (mut meter, _) = meter();
    let faults: [(&str, usize, u8); 6] = [
        ("mode", 0, 0x23),
        ("not synchronised", 0, 0xe4),
        ("stratum", 1, 16),
        ("question of another", 24, 0xff),
        ("time of sending", 40, 0),
        ("distance", 4, 0xff),
    ];
    for (fault, at, byte) in faults {
        turn(&mut meter, |question| {
            let mut answer = answer(question, 0);
            answer[at] = byte;
            if at == 40 {
                answer[at..].fill(0);
            }
            answer
        })
        .await;
        assert_eq!(meter.shared.offset(), None, "{fault}");
    }
    turn(&mut meter, |question| answer(question, 0)[..47].to_vec()).await;
    assert_eq!(meter.shared.offset(), None, "too short");
    let unwelcome = turn(&mut meter, |question| {
        let mut answer = answer(question, 0);
        answer[1] = 0;
        answer[12..16].copy_from_slice(b"RATE");
        answer
    });
    assert_eq!(unwelcome.await, LEAVE_ALONE);
    assert_eq!(meter.shared.offset(), None);
}

#[tokio::test]
async fn a_source_that_is_silent_or_away_costs_a_second_and_no_more() {
    let (mut meter, _) = meter();
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    meter.source = silent.local_addr().unwrap().to_string();
    assert_eq!(meter.turn().await, ASK_EVERY);
    meter.source = "no such name:123".to_owned();
    assert_eq!(meter.turn().await, ASK_EVERY);
    assert_eq!(meter.shared.offset(), None);
}

#[tokio::test]
async fn the_thread_asks_at_once_and_ends_when_told() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let source = server.local_addr().unwrap().to_string();
    let (meter, clock) = meter();
    let offset = ClockOffset::start(&source, Arc::new(clock), meter.metrics).unwrap();
    server.recv_from(&mut [0; 48]).await.unwrap();
    assert_eq!(offset.offset(), None);
}
