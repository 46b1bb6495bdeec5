use lienthong_model::sensitive::Sensitive;

use super::{SecretHash, SecretHashError};

fn secret(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

#[test]
fn refuses_what_is_no_hash_or_costs_too_little_or_too_much() {
    let rows = [
        ("a-plain-secret", SecretHashError::NotAHash),
        ("", SecretHashError::NotAHash),
        ("$argon2id$v=19$m=19456,t=2,p=1", SecretHashError::NotAHash),
        ("$argon2id$v=19$m=19456,t=2,p=1$MTIzNDU2Nzg5MDEyMzQ1Ng", SecretHashError::NotAHash),
    ];
    for (text, expected) in rows {
        assert_eq!(text.parse::<SecretHash>(), Err(expected), "{text}");
    }
    let good = SecretHash::of(&secret("s3cret"), &[7; 16]).unwrap().expose().to_owned();
    let rows = [
        ("argon2id", "argon2i", SecretHashError::Algorithm),
        ("argon2id", "argon2d", SecretHashError::Algorithm),
        ("argon2id", "scrypt", SecretHashError::Algorithm),
        ("v=19", "v=16", SecretHashError::Algorithm),
        ("m=19456", "m=7000", SecretHashError::Costs),
        ("m=19456", "m=65537", SecretHashError::Costs),
        ("m=19456", "m=4294967295", SecretHashError::Costs),
        ("t=2", "t=1", SecretHashError::Costs),
        ("t=2", "t=11", SecretHashError::Costs),
        ("p=1", "p=5", SecretHashError::Costs),
        ("p=1", "p=1,keyid=AAAA", SecretHashError::Costs),
    ];
    for (from, to, expected) in rows {
        assert!(good.contains(from), "{good}");
        assert_eq!(good.replace(from, to).parse::<SecretHash>(), Err(expected), "{to}");
    }
}

#[test]
fn is_of_the_secret_it_was_made_of_and_of_no_other() {
    let hash = SecretHash::of(&secret("s3cret"), &[7; 16]).unwrap();
    assert!(hash.is_of(&secret("s3cret")));
    for other in ["", "s3cre", "s3cret ", "S3cret"] {
        assert!(!hash.is_of(&secret(other)), "{other}");
    }
    let read: SecretHash = hash.expose().parse().unwrap();
    assert_eq!(read, hash);
    // Another salt, another hash.
    assert_ne!(SecretHash::of(&secret("s3cret"), &[8; 16]).unwrap(), hash);
}

#[test]
fn shows_neither_secret_nor_hash_nor_salt() {
    let hash = SecretHash::of(&secret("s3cret"), &[7; 16]).unwrap();
    assert_eq!(format!("{hash:?}"), "SecretHash");
    let error = "s3cret".parse::<SecretHash>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}
