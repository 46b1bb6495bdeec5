use super::*;

fn key(byte: u8) -> Sensitive<[u8; 32]> {
    Sensitive::new([byte; 32])
}

fn sealer(bytes: &[u8]) -> Sealer {
    Sealer::new(&bytes.iter().map(|byte| key(*byte)).collect::<Vec<_>>()).unwrap()
}

fn flow() -> FlowId {
    "ward-cases".parse().unwrap()
}

fn binding<'a>(flow: &'a FlowId, key: &'a str) -> Binding<'a> {
    Binding { flow, kind: "sync", key }
}

#[test]
fn what_is_not_sealed_is_refused() {
    let flow = flow();
    let open = |bytes: &[u8]| sealer(&[1]).open(binding(&flow, "a"), bytes).unwrap_err();
    assert_eq!(open(b""), OpenError::Erased);
    assert_eq!(open(b"{\"record\":{}}"), OpenError::NotSealed);
    assert_eq!(open(&[b'{'; 200]), OpenError::NotSealed);
}

#[test]
fn a_payload_under_another_message_does_not_open() {
    let (flow, other): (_, FlowId) = (flow(), "other".parse().unwrap());
    let sealer = sealer(&[1]);
    let sealed = sealer.seal(binding(&flow, "a"), b"secret".to_vec()).unwrap();
    let damaged = |b: Binding<'_>| sealer.open(b, &sealed).unwrap_err() == OpenError::Damaged;
    assert!(damaged(binding(&flow, "b")));
    assert!(damaged(binding(&other, "a")));
    assert!(damaged(Binding { kind: "progress", ..binding(&flow, "a") }));
    assert_eq!(sealer.open(binding(&flow, "a"), &sealed).unwrap().expose(), b"secret");
}

#[test]
fn every_changed_byte_is_noticed() {
    let flow = flow();
    let sealer = sealer(&[1]);
    let sealed = sealer.seal(binding(&flow, "a"), b"secret".to_vec()).unwrap();
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert!(sealer.open(binding(&flow, "a"), &changed).is_err(), "byte {place}");
    }
    for length in 0..sealed.len() {
        assert!(sealer.open(binding(&flow, "a"), &sealed[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn keys_change_while_messages_wait() {
    let flow = flow();
    let old = sealer(&[1]).seal(binding(&flow, "a"), b"old".to_vec()).unwrap();
    let both = sealer(&[2, 1]);
    assert_eq!(both.open(binding(&flow, "a"), &old).unwrap().expose(), b"old");
    let new = both.seal(binding(&flow, "a"), b"new".to_vec()).unwrap();
    let only = |byte: u8, bytes: &[u8]| sealer(&[byte]).open(binding(&flow, "a"), bytes).is_ok();
    assert!(only(2, &new) && !only(1, &new) && !only(2, &old));
    assert!(Sealer::new(&[]).is_none());
}

#[test]
fn the_same_payload_is_never_sealed_alike_and_debug_shows_no_key() {
    let flow = flow();
    let sealer = sealer(&[7]);
    let seal = || sealer.seal(binding(&flow, "a"), b"secret".to_vec()).unwrap();
    assert_ne!(seal(), seal());
    assert_eq!(format!("{sealer:?}"), "Sealer { keys: 1 }");
}
