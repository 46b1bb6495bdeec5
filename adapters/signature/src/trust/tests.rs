use super::*;
use crate::{
    certificate::{Fingerprint, Pin},
    testing::{Authority, Bench, Kind, Person, at, trust, unchecked},
};

fn certificate(person: &Person) -> Certificate {
    Certificate::all_from_pem(person.pem.as_bytes()).unwrap().remove(0)
}

fn of(authority: &Authority) -> Certificate {
    Certificate::all_from_pem(authority.pem.as_bytes()).unwrap().remove(0)
}

/// A root, an authority below it, a person below that, and lists of both.
struct World {
    root: Authority,
    issuing: Authority,
    person: Person,
}

impl World {
    fn new() -> Self {
        let root = Authority::root("root");
        let issuing = root.below("issuing");
        let person = issuing.person("person");
        Self { root, issuing, person }
    }

    fn check(&self, lists: &[Vec<u8>], at: &str) -> Result<(), TrustError> {
        let (anchor, between) = (self.root.pem.as_bytes(), self.issuing.pem.as_bytes());
        let trust = Trust::new(anchor, between, lists, Policy::default()).unwrap();
        trust.check(&certificate(&self.person), &[], at.parse().unwrap())
    }
}

const NOW: &str = "2026-06-15T00:00:00Z";

#[test]
fn refuses_who_does_not_lead_to_an_anchor() {
    let (root, other) = (Authority::root("root"), Authority::root("root"));
    let person = other.person("person");
    let refused = trust(&root).check(&certificate(&person), &[of(&other)], at());
    assert_eq!(refused, Err(TrustError::NotTrusted));
}

#[test]
fn refuses_what_a_person_has_issued() {
    let root = Authority::root("root");
    let person = root.person("person");
    let key = rcgen::KeyPair::from_pem(&person.key).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&person.pem, key).unwrap();
    let (key, params) = (crate::testing::key(Kind::P256), rcgen::CertificateParams::default());
    let pem = params.signed_by(&key, &issuer).unwrap().pem();
    let forged = Person { pem, key: key.serialize_pem(), serial: 0 };
    let refused = trust(&root).check(&certificate(&forged), &[certificate(&person)], at());
    assert_eq!(refused, Err(TrustError::NotTrusted));
}

#[test]
fn refuses_before_and_after_the_validity() {
    let world = World::new();
    let lists = [world.root.list(&[]), world.issuing.list(&[])];
    assert_eq!(world.check(&lists, "2025-12-31T23:59:59Z"), Err(TrustError::NotYetValid));
    assert_eq!(world.check(&lists, "2026-12-31T00:00:01Z"), Err(TrustError::Expired));
}

#[test]
fn refuses_without_a_list_of_every_issuer() {
    let world = World::new();
    let (root, issuing) = (world.root.list(&[]), world.issuing.list(&[]));
    assert_eq!(world.check(&[], NOW), Err(TrustError::ListMissing));
    assert_eq!(world.check(std::slice::from_ref(&root), NOW), Err(TrustError::ListMissing));
    assert_eq!(world.check(std::slice::from_ref(&issuing), NOW), Err(TrustError::ListMissing));
    assert_eq!(world.check(&[root, issuing], NOW), Ok(()));
}

#[test]
fn refuses_a_list_that_does_not_hold_yet_or_any_more() {
    let world = World::new();
    let lists = [world.root.list(&[]), world.issuing.list(&[])];
    assert_eq!(world.check(&lists, "2026-05-31T23:59:59Z"), Err(TrustError::ListStale));
    assert_eq!(world.check(&lists, "2026-07-01T00:00:01Z"), Err(TrustError::ListStale));
}

#[test]
fn refuses_a_list_that_another_has_signed_in_the_name_of_the_issuer() {
    let world = World::new();
    let forged = world.root.below("issuing").list(&[]);
    let lists = [world.root.list(&[]), forged];
    assert_eq!(world.check(&lists, NOW), Err(TrustError::ListMissing));
}

#[test]
fn refuses_who_was_revoked_and_whose_issuer_was() {
    let world = World::new();
    let person = [world.root.list(&[]), world.issuing.list(&[5, world.person.serial])];
    assert_eq!(world.check(&person, NOW), Err(TrustError::Revoked));
    let issuer = [world.root.list(&[7]), world.issuing.list(&[])];
    assert_eq!(world.check(&issuer, NOW), Err(TrustError::Revoked));
    // One of two lists that hold is enough.
    let both = [person.concat(), world.issuing.list(&[])];
    assert_eq!(world.check(&both, NOW), Err(TrustError::Revoked));
}

#[test]
fn believes_a_chain_with_lists_in_any_order_and_form() {
    let world = World::new();
    let der = openssl::x509::X509Crl::from_pem(&world.issuing.list(&[5])).unwrap();
    let lists = [der.to_der().unwrap(), world.root.list(&[6])];
    assert_eq!(world.check(&lists, NOW), Ok(()));
    assert_eq!(world.check(&[lists.concat()], NOW), Err(TrustError::ListMissing));
}

#[test]
fn believes_a_chain_whose_middle_came_with_the_message() {
    let world = World::new();
    let trust = trust(&world.root);
    let person = certificate(&world.person);
    assert_eq!(trust.check(&person, &[], at()), Err(TrustError::NotTrusted));
    assert_eq!(trust.check(&person, &[of(&world.issuing)], at()), Ok(()));
}

#[test]
fn an_authority_below_a_root_may_be_the_anchor() {
    let world = World::new();
    let trust = trust(&world.issuing);
    assert_eq!(trust.check(&certificate(&world.person), &[], at()), Ok(()));
}

#[test]
fn refuses_certificates_that_are_for_something_else() {
    use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};
    let root = Authority::root("root");
    let trust = trust(&root);
    let check = |person: &Person| trust.check(&certificate(person), &[], at());
    let server = root.person_with("server", Kind::P256, |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    });
    let silent = root.person_with("silent", Kind::P256, |params| params.key_usages.clear());
    let keeper = root.person_with("keeper", Kind::P256, |params| {
        params.key_usages = vec![KeyUsagePurpose::ContentCommitment];
    });
    assert_eq!(check(&server), Err(TrustError::WrongUse));
    assert_eq!(check(&silent), Err(TrustError::WrongUse));
    assert_eq!(check(&keeper), Ok(()));
    assert_eq!(trust.check(&of(&root.below("issuing")), &[], at()), Err(TrustError::WrongUse));

    let extended_key_usages = ["1.3.6.1.5.5.7.3.4".to_owned()].into();
    let policy = Policy { extended_key_usages, ..unchecked() };
    let mail = Trust::new(root.pem.as_bytes(), b"", &[], policy).unwrap();
    let writer = root.person_with("writer", Kind::P256, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    });
    assert_eq!(mail.check(&certificate(&keeper), &[], at()), Err(TrustError::WrongUse));
    assert_eq!(mail.check(&certificate(&writer), &[], at()), Ok(()));
}

#[test]
fn refuses_weak_keys_and_digests() {
    let root = Authority::root("root");
    let bench = Bench::new();
    bench.put("ca.pem", &root.pem).put("ca.key", &root.key);
    let trust = trust(&root);
    let later = "2050-01-01T00:00:00Z".parse().unwrap();
    let check = |options: &str| trust.check(&certificate(&bench.odd_person(options)), &[], later);
    assert_eq!(check("-newkey rsa:1024"), Err(TrustError::Weak));
    let curve = "-newkey ec -pkeyopt ec_paramgen_curve";
    assert_eq!(check(&format!("{curve}:secp256k1")), Err(TrustError::Weak));
    assert_eq!(check(&format!("{curve}:secp224r1")), Err(TrustError::Weak));
    assert_eq!(check(&format!("{curve}:P-256 -sha1")), Err(TrustError::Weak));
    assert_eq!(check(&format!("{curve}:P-256")), Ok(()));
    assert_eq!(check("-newkey rsa:2048"), Ok(()));
    let long = Policy { min_rsa_bits: 3072, ..unchecked() };
    let long = Trust::new(root.pem.as_bytes(), b"", &[], long).unwrap();
    let short = certificate(&bench.odd_person("-newkey rsa:2048"));
    assert_eq!(long.check(&short, &[], later), Err(TrustError::Weak));
}

#[test]
fn refuses_digests_that_the_policy_does_not_name() {
    let root = Authority::root("root");
    let policy = Policy { digests: [Digest::Sha512].into(), ..unchecked() };
    let strict = Trust::new(root.pem.as_bytes(), b"", &[], policy).unwrap();
    let refused = strict.check(&certificate(&root.person("person")), &[], at());
    assert_eq!(refused, Err(TrustError::Weak));
}

#[test]
fn refuses_material_that_makes_no_trust() {
    let root = Authority::root("root");
    let made = |anchors: &str, lists: &[Vec<u8>], policy| {
        Trust::new(anchors.as_bytes(), b"", lists, policy).map(drop).unwrap_err()
    };
    let list = |number, error| MaterialError::List(number, error);
    let missing = MaterialError::Anchors(CertificateError::Missing);
    assert_eq!(made("", &[], Policy::default()), missing);
    let person = root.person("person").pem;
    assert_eq!(made(&person, &[], Policy::default()), MaterialError::AnchorIsNoAuthority);
    let lists = [root.list(&[]), root.partial_list()];
    assert_eq!(made(&root.pem, &lists, Policy::default()), list(2, ListError::Partial));
    let garbage = [b"no list".to_vec()];
    assert_eq!(made(&root.pem, &garbage, Policy::default()), list(1, ListError::Unreadable));
    let short = Policy { min_rsa_bits: 1024, ..Policy::default() };
    assert_eq!(made(&root.pem, &[], short), MaterialError::ShortKeys);
    let nothing = Policy { key_usages: BTreeSet::new(), ..Policy::default() };
    assert_eq!(made(&root.pem, &[], nothing), MaterialError::Nothing("key usage"));
    let usage = Policy { extended_key_usages: ["mail".to_owned()].into(), ..Policy::default() };
    assert_eq!(made(&root.pem, &[], usage), MaterialError::KeyUsage("mail".to_owned()));
}

#[test]
fn a_pin_is_of_one_certificate() {
    let root = Authority::root("root");
    let (one, other) = (certificate(&root.person("one")), certificate(&root.person("other")));
    let identity = one.identity();
    assert_eq!(identity.subject, "CN=one,C=VN");
    assert_eq!(identity.issuer, "CN=root,C=VN");
    let text = identity.fingerprint.to_string();
    let prints = [Pin::Fingerprint(Fingerprint::parse(&text.to_uppercase()).unwrap())];
    let (subject, serial) = (identity.subject.clone(), identity.serial.clone());
    let names = [Pin::Named { subject, serial }];
    for pins in [prints.as_slice(), &names] {
        assert!(!other.identity().is_among(pins));
        assert!(identity.is_among(pins));
    }
    assert!(!identity.is_among(&[]));
    assert_eq!(Fingerprint::parse("00"), None);
    assert_eq!(Fingerprint::parse(&"g".repeat(64)), None);
}

#[test]
fn debug_names_nobody() {
    let root = Authority::root("root");
    let person = certificate(&root.person("person"));
    let told = format!("{:?} {:?} {:?}", person, person.identity(), trust(&root));
    assert!(!told.contains("person") && !told.contains("root"), "{told}");
}
