use std::{path::Path, process::Command};

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use tempfile::TempDir;

use super::*;

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der))
}

fn private(algorithm: &'static EcdsaSigningAlgorithm) -> Sensitive<String> {
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    Sensitive::new(pem("PRIVATE KEY", der.as_ref()))
}

fn key() -> ReceiptKey {
    ReceiptKey::from_pem(&private(&ECDSA_P256_SHA256_FIXED_SIGNING)).unwrap()
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// What the key signs under a header of any kind.
fn signed(key: &ReceiptKey, header: &str) -> String {
    let text = format!("{}.{}", encode(header), encode("{}"));
    let signature = key.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

#[test]
fn refuses_keys_of_another_kind_or_curve() {
    let random = SystemRandom::new();
    let edwards = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let edwards = Sensitive::new(pem("PRIVATE KEY", edwards.as_ref()));
    let other_curve = private(&ECDSA_P384_SHA384_FIXED_SIGNING);
    let encrypted = Sensitive::new(pem("ENCRYPTED PRIVATE KEY", b"x"));
    for wrong in [edwards, other_curve, encrypted, Sensitive::new(String::new())] {
        assert_eq!(ReceiptKey::from_pem(&wrong).unwrap_err(), ReceiptError::Key);
    }
}

#[test]
fn refuses_headers_that_ask_for_anything_else() {
    let key = key();
    let spki = key.public().spki();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"ES384"}"#,
        r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","b64":false}"#,
        r#"{"alg":"ES256","jwk":{}}"#,
        r#"{"alg":"ES256","alg":"none"}"#,
        r#"{"typ":"consent-receipt+jwt"}"#,
        "[]",
    ] {
        let refused = verify_es256(&spki, &signed(&key, header));
        assert_eq!(refused, Err(ReceiptError::Header), "{header}");
    }
    let allowed = verify_es256(&spki, &signed(&key, r#"{"alg":"ES256"}"#));
    assert_eq!(allowed, Ok(b"{}".to_vec()));
}

#[test]
fn refuses_a_signature_that_does_not_hold() {
    let (key, other) = (key(), key());
    let receipt = key.sign(&json!({"state": "given"})).unwrap();
    let spki = key.public().spki();
    let parts: Vec<&str> = receipt.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { panic!("three parts") };
    let tampered = format!("{header}.{}.{signature}", encode(r#"{"state":"used"}"#));
    let short = format!("{header}.{payload}.{}", encode("short"));
    let bare = format!("{header}.{payload}.");
    for (text, wrong) in [
        (tampered, ReceiptError::Signature),
        (short, ReceiptError::Signature),
        (bare, ReceiptError::Signature),
        (format!("{receipt}="), ReceiptError::Form),
        (format!("{receipt}."), ReceiptError::Form),
        (format!("{header}.{payload}"), ReceiptError::Form),
        (String::new(), ReceiptError::Form),
        ("a".repeat(MOST_JWS_BYTES + 1), ReceiptError::Form),
    ] {
        assert_eq!(verify_es256(&spki, &text).unwrap_err(), wrong);
    }
    let by_other = verify_es256(&other.public().spki(), &receipt);
    assert_eq!(by_other, Err(ReceiptError::Signature));
    assert!(verify_es256(&spki, &receipt).is_ok());
}

#[test]
fn refuses_public_keys_that_are_none_on_p256() {
    let spki = key().public().spki();
    let mut longer = spki.clone();
    longer.push(0);
    for wrong in [&spki[1..], &spki[..90], &longer, b"", &[0; 91]] {
        assert_eq!(verify_es256(wrong, "a.b.c"), Err(ReceiptError::PublicKey));
    }
    // A point that is not on the curve is found out by the library.
    let mut off = spki.clone();
    off[90] ^= 1;
    let receipt = key().sign(&json!({})).unwrap();
    assert_eq!(verify_es256(&off, &receipt), Err(ReceiptError::Signature));
    assert_eq!(ReceiptPublicKey::from_spki(&spki).unwrap().spki(), spki);
}

#[test]
fn a_set_verifies_what_one_of_its_keys_signed() {
    let (key, previous, other) = (key(), key(), key());
    let document = jwks(&[key.public(), previous.public()]);
    let text = document.to_string();
    let keys = ReceiptKeys::read(text.as_bytes()).unwrap();
    let foreign = other.sign(&json!({"a": 1})).unwrap();
    assert_eq!(keys.verify(&foreign), Err(ReceiptError::UnknownKey));
    let untyped = signed(&key, &json!({"alg": "ES256", "kid": key.public().kid()}).to_string());
    assert_eq!(keys.verify(&untyped), Err(ReceiptError::Header));
    assert_eq!(keys.verify(&previous.sign(&json!({"a": 1})).unwrap()), Ok(json!({"a": 1})));
    let mut private = document;
    private["keys"][0]["d"] = "x".into();
    assert!(!text.contains(r#""d""#));
    assert!(ReceiptKeys::read(private.to_string().as_bytes()).is_err());
}

#[test]
fn the_thumbprint_is_over_the_required_members_alone() {
    let key = key();
    let jwk = &jwks(&[key.public()])["keys"][0];
    let text = json!({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"], "y": jwk["y"]});
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.to_string().as_bytes());
    assert_eq!(jwk["kid"], URL_SAFE_NO_PAD.encode(digest));
    assert_eq!((&jwk["use"], &jwk["alg"]), (&json!("sig"), &json!("ES256")));
}

/// A number of a signature as DER has it.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut number = bytes[zeros..].to_vec();
    if number.first().is_none_or(|byte| *byte >= 0x80) {
        number.insert(0, 0);
    }
    [vec![2, u8::try_from(number.len()).unwrap()], number].concat()
}

fn openssl_verifies(folder: &Path) -> bool {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(["dgst", "-sha256", "-verify", "key.pem"]);
    command.args(["-signature", "signature", "signed"]).output().unwrap().status.success()
}

#[test]
fn openssl_verifies_a_receipt() {
    let (key, folder) = (key(), TempDir::new().unwrap());
    let receipt = key.sign(&json!({"state": "given"})).unwrap();
    let (text, signature) = receipt.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(signature.len(), 64);
    let (r, s) = signature.split_at(32);
    let numbers = [integer(r), integer(s)].concat();
    let der = [vec![0x30, u8::try_from(numbers.len()).unwrap()], numbers].concat();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("key.pem", pem("PUBLIC KEY", &key.public().spki()).as_bytes());
    write("signature", &der);
    write("signed", format!("{text}x").as_bytes());
    assert!(!openssl_verifies(folder.path()));
    write("signed", text.as_bytes());
    assert!(openssl_verifies(folder.path()));
}

#[test]
fn a_receipt_says_what_was_agreed_and_not_by_whom() {
    let at: Timestamp = "2026-11-30T03:00:00Z".parse().unwrap();
    let subject = crate::keys::SubjectDigest::from_bytes([0xab; 16]);
    let record = ConsentRecord::new(
        (crate::record::ConsentId::from_bytes([9; 16]), subject),
        crate::testing::statement(&json!({})).scope,
        (crate::testing::statement(&json!({})).fields, None),
        crate::state::State::Given,
        at,
    );
    let key = key();
    let receipt = key.receipt(&record, 17, "https://gateway.example", at).unwrap();
    let keys = ReceiptKeys::read(jwks(&[key.public()]).to_string().as_bytes()).unwrap();
    let said = keys.verify(&receipt).unwrap();
    assert_eq!(
        (&said["consent"]["revision"], &said["consent"]["state"]),
        (&json!(17), &json!("given"))
    );
    assert_eq!(
        said["rights"],
        json!(["withdraw", "view", "correct", "delete", "restrict", "object"])
    );
    let text = said.to_string();
    assert!(!text.contains(&"ab".repeat(16)) && !text.contains(crate::testing::CITIZEN));
}
