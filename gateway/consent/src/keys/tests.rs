use super::*;

fn id(n: u8) -> ConsentId {
    ConsentId::from_bytes([n; 16])
}

fn seal_key(n: u8) -> SealKey {
    SealKey::new(&Sensitive::new([n; 32])).unwrap()
}

fn person() -> Identifier {
    Identifier::new("citizen_number", "079200000001", "data_subject").unwrap()
}

#[test]
fn does_not_open_what_another_key_or_record_or_place_sealed() {
    let (key, whose) = (seal_key(1), Sealing::DataSubject);
    let sealed = key.seal(id(1), whose, &person()).unwrap();
    assert_eq!(seal_key(2).open(id(1), whose, &sealed), Err(SealError::Sealed));
    assert_eq!(key.open(id(2), whose, &sealed), Err(SealError::Sealed));
    assert_eq!(key.open(id(1), Sealing::Representative, &sealed), Err(SealError::Sealed));
    for at in 0..sealed.0.len() {
        let mut changed = sealed.clone();
        changed.0[at] ^= 1;
        assert_eq!(key.open(id(1), whose, &changed), Err(SealError::Sealed));
    }
    assert_eq!(key.open(id(1), whose, &Sealed(vec![0; 5])), Err(SealError::Sealed));
}

#[test]
fn opens_what_it_sealed_and_never_seals_twice_alike() {
    let (key, whose) = (seal_key(1), Sealing::DataSubject);
    let sealed = key.seal(id(1), whose, &person()).unwrap();
    assert_eq!(key.open(id(1), whose, &sealed), Ok(person()));
    assert_ne!(key.seal(id(1), whose, &person()).unwrap(), sealed);
    let text = serde_json::to_string(&sealed).unwrap();
    assert_eq!(serde_json::from_str::<Sealed>(&text).unwrap(), sealed);
}

#[test]
fn digests_differ_by_key_kind_and_value_and_not_by_normal_form() {
    let key = SubjectKey::new(&Sensitive::new([1; 32]));
    let digest = key.digest("citizen_number", "079200000001");
    assert_ne!(digest, key.digest("citizen_number", "079200000002"));
    assert_ne!(digest, key.digest("other", "079200000001"));
    assert_ne!(key.digest("ab", "c"), key.digest("a", "bc"));
    let other = SubjectKey::new(&Sensitive::new([2; 32]));
    assert_ne!(digest, other.digest("citizen_number", "079200000001"));
    assert_ne!(key.fingerprint(), other.fingerprint());
    assert_eq!(key.digest("other", "Lê"), key.digest("other", "Le\u{302}"));
    assert_eq!(digest, key.digest_of(&person()));
}

#[test]
fn shows_no_digest_and_no_key() {
    let key = SubjectKey::new(&Sensitive::new([1; 32]));
    let digest = key.digest("citizen_number", "079200000001");
    assert_eq!(format!("{digest:?}"), "SubjectDigest([redacted])");
    assert_eq!(format!("{key:?} {:?}", seal_key(1)), "SubjectKey { .. } SealKey { .. }");
    let text = serde_json::to_string(&digest).unwrap();
    assert_eq!(serde_json::from_str::<SubjectDigest>(&text).unwrap(), digest);
    assert!(serde_json::from_str::<SubjectDigest>(&text.to_uppercase()).is_err());
}
