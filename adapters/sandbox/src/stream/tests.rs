use super::*;

/// So many elements.
fn make(count: u32) -> Make {
    let mut next = 0;
    Box::new(move |out| {
        let more = next < count;
        if more {
            out.push_str(&format!("{{\"n\":{next},\"ten\":\"đặng\"}}"));
        }
        next += 1;
        more
    })
}

/// Everything that is sent, and how it ends.
fn sent(mut elements: Elements) -> (String, Piece) {
    let mut text = Vec::new();
    loop {
        match elements.next() {
            Piece::Bytes(bytes) => text.extend_from_slice(&bytes),
            end => return (String::from_utf8(text).unwrap(), end),
        }
    }
}

fn spoiled(mut elements: Elements, fault: Fault) -> (String, Piece) {
    elements.spoil(fault);
    sent(elements)
}

#[test]
fn lines_and_arrays_are_whole_and_come_in_pieces() {
    let (text, end) = sent(Elements::lines(make(5_000)));
    assert_eq!((text.lines().count(), end), (5_000, Piece::End));
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let array = Elements::array("{\"a\":[".to_owned(), make(3), "]}".to_owned());
    let (text, _) = sent(array);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["a"].as_array().unwrap().len(), 3);
    let (text, _) = sent(Elements::array("[".to_owned(), make(0), "]".to_owned()));
    assert_eq!(text, "[]");
    let Piece::Bytes(first) = Elements::lines(make(u32::MAX)).next() else { panic!() };
    assert!((PIECE..2 * PIECE).contains(&first.len()));
}

#[test]
fn drift_begins_where_it_is_told_to() {
    let (text, end) = spoiled(Elements::lines(make(10)), Fault::DriftAfter(7));
    let drifted: Vec<bool> = text.lines().map(|l| l.contains(fault::DRIFT_FIELD)).collect();
    assert_eq!(drifted, [[false; 7].as_slice(), &[true; 3]].concat());
    assert_eq!(end, Piece::End);
}

#[test]
fn a_broken_stream_ends_in_the_midst_of_an_element() {
    for fault in [Fault::BreakAfter(7), Fault::BreakAfter(0), Fault::ResetMidBody] {
        let (text, end) = spoiled(Elements::lines(make(1_000)), fault);
        assert_eq!(end, Piece::Broken, "{fault:?}");
        assert!(!text.ends_with('\n') && text.lines().last().unwrap().len() > 3, "{fault:?}");
    }
    let (text, _) = spoiled(Elements::lines(make(1_000)), Fault::BreakAfter(7));
    assert_eq!(text.matches('\n').count(), 7);
}
