use rcgen::KeyUsagePurpose;

use super::*;
use crate::testing::{Authority, Bench, Kind};

#[test]
fn refuses_a_key_of_another_certificate() {
    let root = Authority::root("root");
    let (one, other) = (root.person("one"), root.person("other"));
    let refused = Signer::from_pem(one.pem.as_bytes(), other.key.as_bytes());
    assert_eq!(refused.map(drop), Err(SignerError::Mismatch));
}

#[test]
fn refuses_what_is_no_certificate_or_no_key() {
    let person = Authority::root("root").person("person");
    let (pem, key) = (person.pem.as_bytes(), person.key.as_bytes());
    let made = |pem: &[u8], key: &[u8]| Signer::from_pem(pem, key).map(drop);
    let missing = SignerError::Certificate(CertificateError::Missing);
    assert_eq!(made(b"", key), Err(missing));
    assert_eq!(made(pem, b""), Err(SignerError::Key));
    assert_eq!(made(pem, pem), Err(SignerError::Key));
    let long = vec![b'\n'; MAX_PEM + 1];
    assert_eq!(made(&long, key), Err(SignerError::Certificate(CertificateError::TooLong)));
    assert_eq!(made(pem, &long), Err(SignerError::Key));
    assert_eq!(made(pem, key), Ok(()));
}

#[test]
fn refuses_a_key_with_a_password_and_asks_nobody_for_it() {
    let person = Authority::root("root").person("person");
    let bench = Bench::new();
    bench.put("plain.key", &person.key);
    bench.run("pkcs8 -topk8 -in plain.key -out locked.key -passout pass:secret");
    let refused = Signer::from_pem(person.pem.as_bytes(), &bench.take("locked.key"));
    assert_eq!(refused.map(drop), Err(SignerError::Key));
}

#[test]
fn refuses_weak_keys() {
    let root = Authority::root("root");
    let bench = Bench::new();
    bench.put("ca.pem", &root.pem).put("ca.key", &root.key);
    let weak = ["-newkey rsa:1024", "-newkey ec -pkeyopt ec_paramgen_curve:secp256k1"];
    for options in weak.into_iter().chain(["-newkey ed25519"]) {
        let person = bench.odd_person(options);
        let refused = Signer::from_pem(person.pem.as_bytes(), person.key.as_bytes());
        assert_eq!(refused.map(drop), Err(SignerError::Weak), "{options}");
    }
}

#[test]
fn refuses_a_certificate_for_another_use() {
    let root = Authority::root("root");
    let only =
        |name, usage| root.person_with(name, Kind::P256, |params| params.key_usages = vec![usage]);
    let signs = only("signs", KeyUsagePurpose::DigitalSignature);
    let opens = only("opens", KeyUsagePurpose::KeyAgreement);
    let signer = Signer::from_pem(opens.pem.as_bytes(), opens.key.as_bytes());
    assert_eq!(signer.map(drop), Err(SignerError::WrongUse));
    let opener = Opener::from_pem(signs.pem.as_bytes(), signs.key.as_bytes());
    assert_eq!(opener.map(drop), Err(SignerError::WrongUse));
    let recipient = Recipient::from_pem(signs.pem.as_bytes());
    assert_eq!(recipient.map(drop), Err(SignerError::WrongUse));
    assert_eq!(opens.recipient().identity().subject, "CN=opens,C=VN");
}

#[test]
fn debug_shows_nothing_of_a_key() {
    let person = Authority::root("root").person_with("person", Kind::Rsa, |_| {});
    let print = person.signer().identity().fingerprint;
    assert_eq!(format!("{:?}", person.signer()), format!("Signer({print})"));
    assert_eq!(format!("{:?}", person.opener()), format!("Opener({print})"));
}
