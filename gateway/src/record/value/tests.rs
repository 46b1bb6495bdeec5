use super::*;

#[test]
fn a_request_id_is_a_fresh_uuid_that_reads_back() {
    let (one, other) = (RequestId::new(), RequestId::new());
    assert_ne!(one, other);
    let uuid: Uuid = one.as_str().parse().unwrap();
    assert_eq!(uuid.get_version_num(), 4);
    assert_eq!(uuid.hyphenated().to_string(), one.as_str());
    let told = serde_json::to_string(&one).unwrap();
    assert_eq!(serde_json::from_str::<RequestId>(&told).unwrap(), one);
}

#[test]
fn a_short_hash_is_the_first_digits() {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&[0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
    let short = ShortHash::of(&hash);
    assert_eq!(short.as_str(), "0123456789abcdef");
    let told = serde_json::to_string(&short).unwrap();
    assert_eq!(serde_json::from_str::<ShortHash>(&told).unwrap(), short);
    for wrong in ["\"0123\"", "\"0123456789abcdeg\""] {
        assert!(serde_json::from_str::<ShortHash>(wrong).is_err());
    }
}

#[test]
fn articles_read_back() {
    let citations: Arc<[Citation]> = ["pdpl-2025#19.1.đ".parse().unwrap()].into();
    let cites = Cites::from(citations);
    let told = serde_json::to_string(&cites).unwrap();
    assert_eq!(told, "[\"pdpl-2025#19.1.đ\"]");
    assert_eq!(serde_json::from_str::<Cites>(&told).unwrap(), cites);
}
