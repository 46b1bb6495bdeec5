use lienthong_policy::{CertificateMatcher, CertificateRule};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, KeyPair};

use super::*;

fn anchor() -> TrustAnchorId {
    "city".parse().unwrap()
}

fn certificate(name: &[(DnType, DnValue)], dns: &[&str]) -> PeerCertificate {
    let names: Vec<String> = dns.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in name {
        params.distinguished_name.push(kind.clone(), value.clone());
    }
    params.serial_number = Some(vec![0, 0x80, 1].into());
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2026, 12, 31);
    let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    PeerCertificate::parse(der.der(), &anchor(), [7; 32]).unwrap()
}

fn text(value: &str) -> DnValue {
    DnValue::Utf8String(value.to_owned())
}

fn example() -> PeerCertificate {
    let name = [
        (DnType::CountryName, text("VN")),
        (DnType::OrganizationName, text("Sở Tư pháp")),
        (DnType::CommonName, text("justice.gov.example")),
    ];
    certificate(&name, &["Justice.GOV.example", "*.gov.example"])
}

fn rule(matcher: CertificateMatcher) -> CertificateRule {
    CertificateRule { trust_anchor: anchor(), matcher }
}

#[test]
fn reads_what_the_certificate_says() {
    let certificate = example();
    assert_eq!(certificate.subject, "CN=justice.gov.example,O=Sở Tư pháp,C=VN");
    assert_eq!(certificate.issuer, certificate.subject);
    assert_eq!(certificate.dns_names, ["justice.gov.example", "*.gov.example"]);
    assert_eq!(certificate.serial_hex(), "8001");
    assert_eq!(certificate.not_before.to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(certificate.not_after.to_string(), "2026-12-31T00:00:00Z");
    assert_eq!(certificate.trust_anchor, anchor());
}

#[test]
fn matches_only_what_is_equal() {
    let certificate = example();
    let san = |name: &str| rule(CertificateMatcher::San(name.to_owned()));
    assert!(certificate.matches(&san("justice.gov.example")));
    assert!(certificate.matches(&san("JUSTICE.gov.example")));
    assert!(!certificate.matches(&san("land.gov.example")), "a wildcard matches only itself");
    assert!(!certificate.matches(&san("justice.gov.example.")));
    assert!(!certificate.matches(&san("gov.example")));

    let subject = |name: &str| rule(CertificateMatcher::Subject(name.to_owned()));
    assert!(certificate.matches(&subject("CN=justice.gov.example,O=Sở Tư pháp,C=VN")));
    assert!(!certificate.matches(&subject("CN=JUSTICE.gov.example,O=Sở Tư pháp,C=VN")));
    assert!(!certificate.matches(&subject("CN=justice.gov.example")));
    assert!(!certificate.matches(&subject("C=VN,O=Sở Tư pháp,CN=justice.gov.example")));

    let key = |hash| rule(CertificateMatcher::SpkiSha256(hash));
    assert!(certificate.matches(&key(certificate.spki_sha256)));
    assert!(!certificate.matches(&key([0; 32])));
}

#[test]
fn matches_no_rule_of_another_trust_anchor() {
    let certificate = example();
    let rule = CertificateRule {
        trust_anchor: "national".parse().unwrap(),
        matcher: CertificateMatcher::SpkiSha256(certificate.spki_sha256),
    };
    assert!(!certificate.matches(&rule));
}

#[test]
fn subjects_escape_what_would_make_two_names_one() {
    let subject = |value: &str| certificate(&[(DnType::CommonName, text(value))], &[]).subject;
    assert_eq!(subject("a,CN=b"), "CN=a\\,CN=b");
    assert_eq!(subject("#a"), "CN=\\#a");
    assert_eq!(subject(" a "), "CN=\\ a\\ ");
    assert_eq!(subject("a+b;<>\"\\"), "CN=a\\+b\\;\\<\\>\\\"\\\\");
    assert_eq!(subject("a\0\n"), "CN=a\\00\\0A");
}

#[test]
fn subjects_write_unknown_types_in_hexadecimal() {
    let kind = DnType::CustomDnType(vec![1, 2, 3, 4]);
    assert_eq!(certificate(&[(kind, text("ab"))], &[]).subject, "1.2.3.4=#0c026162");
}

#[test]
fn refuses_what_is_not_one_certificate() {
    let mut params = CertificateParams::default();
    // The key id of subject alternative names, with content that is none.
    let broken = CustomExtension::from_oid_content(&[2, 5, 29, 17], vec![0x30, 0x7f]);
    params.custom_extensions.push(broken);
    let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let parse = |der: &[u8]| PeerCertificate::parse(der, &anchor(), [0; 32]).unwrap_err();
    assert!(matches!(
        parse(&der),
        CertificateError::AlternativeNames | CertificateError::Malformed
    ));
    assert_eq!(parse(b""), CertificateError::Malformed);
    assert_eq!(parse(b"-----BEGIN CERTIFICATE-----"), CertificateError::Malformed);
    let mut twice = der.clone();
    twice.extend_from_slice(&der);
    assert_eq!(parse(&twice), CertificateError::Malformed);
}
