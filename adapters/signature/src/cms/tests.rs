use proptest::prelude::*;
use rcgen::{CertificateParams, IsCa};

use super::*;
use crate::{
    testing::{Authority, Bench, Kind, Person, at, trust},
    trust::{Policy, Trust},
};

const CONTENT: &[u8] = b"what is signed\nin two lines";
const BOTH: &[Cipher] = &[Cipher::Aes256Gcm, Cipher::Aes256Cbc];
const LIMIT: usize = 1 << 20;

struct World {
    root: Authority,
    person: Person,
    trust: Trust,
}

impl World {
    fn new() -> Self {
        let root = Authority::root("root");
        let (person, trust) = (root.person("person"), trust(&root));
        Self { root, person, trust }
    }

    fn verifier(&self) -> Verifier<'_> {
        Verifier::new(&self.trust, at())
    }

    fn signed(&self) -> Vec<u8> {
        sign(CONTENT, &self.person.signer(), at()).unwrap()
    }

    /// With the root and `person` in it.
    fn bench(&self) -> Bench {
        let bench = Bench::new();
        bench.put("ca.pem", &self.root.pem).put_person("person", &self.person);
        bench.put("content", CONTENT);
        bench
    }

    fn error(&self, message: &[u8]) -> CmsError {
        verify(message, &self.verifier()).unwrap_err()
    }

    fn detached_error(&self, message: &[u8], content: &[u8]) -> CmsError {
        verify_detached(message, content, &self.verifier()).unwrap_err()
    }
}

/// The place of some bytes in others.
fn place(of: &[u8], within: &[u8]) -> usize {
    within.windows(of.len()).position(|part| part == of).expect("it is there")
}

#[test]
fn refuses_what_is_no_signed_message() {
    let world = World::new();
    assert_eq!(world.error(b""), CmsError::NotCms);
    assert_eq!(world.error(b"a letter"), CmsError::NotCms);
    let sealed = encrypt(CONTENT, &[world.person.recipient()], Cipher::Aes256Gcm, at()).unwrap();
    assert_eq!(world.error(&sealed), CmsError::NotCms);
}

#[test]
fn refuses_a_message_cut_off_or_with_something_behind_it() {
    let world = World::new();
    let message = world.signed();
    assert_eq!(world.error(&message[..message.len() - 1]), CmsError::Damaged);
    assert_eq!(world.error(&message[..40]), CmsError::Damaged);
    assert_eq!(world.error(&[message.as_slice(), b"x"].concat()), CmsError::Damaged);
}

#[test]
fn refuses_an_altered_content_and_a_wrong_signature() {
    let world = World::new();
    let mut message = world.signed();
    let at_content = place(CONTENT, &message);
    message[at_content] ^= 1;
    assert_eq!(world.error(&message), CmsError::Altered);

    let mut message = world.signed();
    *message.last_mut().unwrap() ^= 1;
    assert_eq!(world.error(&message), CmsError::Signature);

    let signature = sign_detached(CONTENT, &world.person.signer(), at()).unwrap();
    assert_eq!(world.detached_error(&signature, b"something else"), CmsError::Altered);
}

#[test]
fn refuses_a_signature_with_content_where_none_belongs_and_the_reverse() {
    let world = World::new();
    assert_eq!(world.detached_error(&world.signed(), CONTENT), CmsError::Attached);
    let signature = sign_detached(CONTENT, &world.person.signer(), at()).unwrap();
    assert_eq!(world.error(&signature), CmsError::Detached);
}

#[test]
fn refuses_more_than_was_permitted() {
    let world = World::new();
    let (message, verifier) = (world.signed(), world.verifier().with_limit(100));
    assert_eq!(verify(&message, &verifier), Err(CmsError::TooLarge));
    let refused = verify_detached(b"", &[0; 101], &verifier);
    assert_eq!(refused, Err(CmsError::TooLarge));
    let opened = decrypt(&message, &world.person.opener(), BOTH, 100);
    assert_eq!(opened, Err(CmsError::TooLarge));
}

#[test]
fn refuses_a_message_that_nobody_has_signed() {
    let world = World::new();
    let bench = world.bench();
    bench.run("crl2pkcs7 -nocrl -certfile person.pem -outform DER -out none.der");
    assert_eq!(world.error(&bench.take("none.der")), CmsError::NoSigner);
}

#[test]
fn refuses_strangers_and_people_whose_time_is_over() {
    let world = World::new();
    let stranger = Authority::root("root").person("person");
    let message = sign(CONTENT, &stranger.signer(), at()).unwrap();
    assert_eq!(world.error(&message), CmsError::Trust(TrustError::NotTrusted));
    let later = Verifier::new(&world.trust, "2027-01-01T00:00:00Z".parse().unwrap());
    let refused = verify(&world.signed(), &later);
    assert_eq!(refused, Err(CmsError::Trust(TrustError::Expired)));
}

#[test]
fn refuses_the_revoked_and_those_nobody_has_a_list_about() {
    let world = World::new();
    let judged = |lists: &[Vec<u8>], at: &str| {
        let anchors = world.root.pem.as_bytes();
        let trust = Trust::new(anchors, b"", lists, Policy::default()).unwrap();
        let signed = verify(&world.signed(), &Verifier::new(&trust, at.parse().unwrap()));
        signed.map(|signed| signed.content).unwrap_or_else(|error| error.to_string().into_bytes())
    };
    let told = |error: TrustError| error.to_string().into_bytes();
    let now = "2026-06-15T00:00:00Z";
    let good = [world.root.list(&[1])];
    assert_eq!(judged(&[world.root.list(&[world.person.serial])], now), told(TrustError::Revoked));
    assert_eq!(judged(&[], now), told(TrustError::ListMissing));
    assert_eq!(judged(&good, "2026-08-01T00:00:00Z"), told(TrustError::ListStale));
    assert_eq!(judged(&good, now), CONTENT);
}

#[test]
fn does_not_sign_or_encrypt_outside_of_the_validity() {
    let world = World::new();
    let early = "2025-06-15T00:00:00Z".parse().unwrap();
    let late = "2027-06-15T00:00:00Z".parse().unwrap();
    let signed = |at| sign(CONTENT, &world.person.signer(), at).unwrap_err();
    assert_eq!(signed(early), CmsError::Trust(TrustError::NotYetValid));
    assert_eq!(signed(late), CmsError::Trust(TrustError::Expired));
    let recipients = [world.person.recipient()];
    let refused = encrypt(CONTENT, &recipients, Cipher::Aes256Gcm, late);
    assert_eq!(refused, Err(CmsError::Trust(TrustError::Expired)));
    assert_eq!(encrypt(CONTENT, &[], Cipher::Aes256Gcm, at()), Err(CmsError::NoRecipient));
}

#[test]
fn refuses_weak_digests_and_missing_or_wrong_attributes() {
    let world = World::new();
    let bench = world.bench();
    let command = "cms -sign -binary -nodetach -in content -signer person.pem -inkey person.key \
                   -outform DER -out message.der";
    bench.run(&format!("{command} -md sha1"));
    assert_eq!(world.error(&bench.take("message.der")), CmsError::Algorithm);
    bench.run(&format!("{command} -noattr"));
    assert_eq!(world.error(&bench.take("message.der")), CmsError::Attributes);
    bench.run(&format!("{command} -nocerts"));
    assert_eq!(world.error(&bench.take("message.der")), CmsError::CertificateMissing);
    bench.run(&format!("{command} -econtent_type 1.2.3.4"));
    assert_eq!(world.error(&bench.take("message.der")), CmsError::NotCms);
    let policy = Policy {
        digests: [crate::algorithm::Digest::Sha384].into(),
        ..crate::testing::unchecked()
    };
    let strict = Trust::new(world.root.pem.as_bytes(), b"", &[], policy).unwrap();
    let refused = verify(&world.signed(), &Verifier::new(&strict, at()));
    assert_eq!(refused, Err(CmsError::Algorithm));
}

#[test]
fn refuses_two_certificates_of_one_name_and_number() {
    let world = World::new();
    let bench = world.bench();
    let double = Person { pem: world.root.person("person").pem, ..world.person.clone() };
    bench.put("double.pem", &double.pem);
    bench.run(
        "cms -sign -binary -nodetach -in content -signer person.pem -inkey person.key -certfile \
         double.pem -outform DER -out message.der",
    );
    assert_eq!(world.error(&bench.take("message.der")), CmsError::CertificateMissing);
}

#[test]
fn refuses_all_of_a_message_if_one_signer_is_not_trusted() {
    let world = World::new();
    let bench = world.bench();
    bench.put_person("other", &world.root.person("other"));
    bench.put_person("stranger", &Authority::root("else").person("stranger"));
    let command = "cms -sign -binary -nodetach -in content -signer person.pem -inkey person.key \
                   -outform DER -out message.der";
    bench.run(&format!("{command} -signer stranger.pem -inkey stranger.key"));
    assert_eq!(world.error(&bench.take("message.der")), CmsError::Trust(TrustError::NotTrusted));
    bench.run(&format!("{command} -signer other.pem -inkey other.key"));
    let signed = verify(&bench.take("message.der"), &world.verifier()).unwrap();
    let mut names: Vec<_> = signed.signers.into_iter().map(|one| one.signer.subject).collect();
    names.sort();
    assert_eq!(names, ["CN=other,C=VN", "CN=person,C=VN"]);
}

#[test]
fn openssl_accepts_what_we_sign() {
    for kind in [Kind::Rsa, Kind::P256, Kind::P384] {
        let mut world = World::new();
        let issuing = world.root.below("issuing");
        world.person = issuing.person_with("person", kind, |_| {});
        world.person.pem.push_str(&issuing.pem);
        let bench = world.bench();
        let signer = world.person.signer();
        bench.put("whole.der", sign(CONTENT, &signer, at()).unwrap());
        bench.put("part.der", sign_detached(CONTENT, &signer, at()).unwrap());
        let command = format!(
            "cms -verify -binary -cades -inform DER -CAfile ca.pem -purpose any -attime {}",
            at().as_second()
        );
        bench.run(&format!("{command} -in whole.der -out opened"));
        assert_eq!(bench.take("opened"), CONTENT);
        bench.run(&format!("{command} -in part.der -content content -out opened"));
        bench.put("content", "something else");
        let judged = bench.try_run(&format!("{command} -in part.der -content content"));
        assert!(judged.is_err());

        let ours = verify(&bench.take("whole.der"), &world.verifier()).unwrap();
        assert_eq!(ours.content, CONTENT);
        assert_eq!(ours.signers[0].signed_at, Some(at()));
        assert_eq!(ours.signers[0].signer, signer.identity());
    }
}

#[test]
fn accepts_what_openssl_signs() {
    for kind in [Kind::Rsa, Kind::P384] {
        let mut world = World::new();
        // With an identifier of its key.
        let explicit = |params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa;
        world.person = world.root.person_with("person", kind, explicit);
        let bench = world.bench();
        let command = "cms -sign -binary -in content -signer person.pem -inkey person.key \
                       -outform DER -out message.der";
        let pss = "-keyopt rsa_padding_mode:pss -md sha256";
        let mut options = vec!["", "-cades", "-md sha512", "-keyid", "-nosmimecap"];
        options.extend((kind == Kind::Rsa).then_some(pss));
        for option in options {
            bench.run(&format!("{command} -nodetach {option}"));
            let signed = verify(&bench.take("message.der"), &world.verifier());
            let signed = signed.unwrap_or_else(|error| panic!("{option}: {error}"));
            assert_eq!(signed.content, CONTENT, "{option}");
            assert!(signed.signers[0].signed_at.is_some());
            // In BER, with lengths that show at the end; the program cannot write PSS so.
            if option != pss {
                bench.run(&format!("{command} {option} -stream -nodetach"));
                assert!(verify(&bench.take("message.der"), &world.verifier()).is_ok(), "{option}");
            }
            bench.run(&format!("{command} {option}"));
            let signers =
                verify_detached(&bench.take("message.der"), CONTENT, &world.verifier()).unwrap();
            assert_eq!(signers[0].signer.subject, "CN=person,C=VN");
        }
    }
}

#[test]
fn signs_after_2049_as_well() {
    let root = Authority::root("root");
    let person = root.person_with("person", Kind::P256, |params| {
        params.not_after = rcgen::date_time_ymd(2059, 1, 1);
    });
    let late: Timestamp = "2055-06-15T01:02:03Z".parse().unwrap();
    let message = sign(CONTENT, &person.signer(), late).unwrap();
    let signed = verify(&message, &Verifier::new(&trust(&root), late)).unwrap();
    assert_eq!(signed.signers[0].signed_at, Some(late));
}

#[test]
fn opens_for_each_recipient_and_for_nobody_else() {
    let world = World::new();
    let rsa = world.root.person_with("rsa", Kind::Rsa, |_| {});
    let stranger = world.root.person("stranger");
    for cipher in BOTH {
        let recipients = [world.person.recipient(), rsa.recipient()];
        let message = encrypt(CONTENT, &recipients, *cipher, at()).unwrap();
        let open = |person: &Person| decrypt(&message, &person.opener(), &[*cipher], LIMIT);
        assert_eq!(open(&stranger), Err(CmsError::NotForUs));
        assert_eq!(open(&world.person).unwrap(), CONTENT);
        assert_eq!(open(&rsa).unwrap(), CONTENT);
        let accepted: Vec<_> = BOTH.iter().copied().filter(|other| other != cipher).collect();
        let refused = decrypt(&message, &rsa.opener(), &accepted, LIMIT);
        assert_eq!(refused, Err(CmsError::Algorithm));
    }
}

#[test]
fn refuses_to_open_what_is_no_package_or_uses_another_cipher() {
    let world = World::new();
    let (bench, opener) = (world.bench(), world.person.opener());
    let open = |message: &[u8]| decrypt(message, &opener, BOTH, LIMIT).unwrap_err();
    assert_eq!(open(b"a letter"), CmsError::NotCms);
    assert_eq!(open(&world.signed()), CmsError::NotCms);
    for (cipher, error) in [("aes128", CmsError::Algorithm), ("des3", CmsError::Algorithm)] {
        bench.run(&format!(
            "cms -encrypt -binary -{cipher} -in content -outform DER -out package.der person.pem"
        ));
        assert_eq!(open(&bench.take("package.der")), error, "{cipher}");
    }
}

#[test]
fn openssl_opens_what_we_encrypt_and_the_reverse() {
    for kind in [Kind::Rsa, Kind::P256] {
        let mut world = World::new();
        world.person = world.root.person_with("person", kind, |_| {});
        let bench = world.bench();
        let names = [("aes-256-gcm", Cipher::Aes256Gcm), ("aes-256-cbc", Cipher::Aes256Cbc)];
        for (name, cipher) in names {
            let ours = encrypt(CONTENT, &[world.person.recipient()], cipher, at()).unwrap();
            bench.put("ours.der", ours);
            bench.run(
                "cms -decrypt -binary -inform DER -in ours.der -recip person.pem -inkey \
                 person.key -out opened",
            );
            assert_eq!(bench.take("opened"), CONTENT, "{name}");
            bench.run(&format!(
                "cms -encrypt -binary -{name} -in content -outform DER -out theirs.der person.pem"
            ));
            let theirs = bench.take("theirs.der");
            let opened = decrypt(&theirs, &world.person.opener(), &[cipher], LIMIT);
            assert_eq!(opened.unwrap(), CONTENT, "{name}");
        }
    }
}

#[test]
fn debug_shows_no_content() {
    let world = World::new();
    let signed = verify(&world.signed(), &world.verifier()).unwrap();
    let told = format!("{signed:?}");
    assert!(!told.contains("person") && !told.contains("119, 104"), "{told}");
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() }
}

#[test]
fn no_change_of_a_byte_makes_another_content_or_signer() {
    let world = World::new();
    let message = world.signed();
    let good = verify(&message, &world.verifier()).unwrap();
    proptest!(config(), |(at in 0..message.len(), change in 1_u8..)| {
        let mut message = message.clone();
        message[at] ^= change;
        if let Ok(signed) = verify(&message, &world.verifier()) {
            prop_assert_eq!(&signed.content, &good.content);
            prop_assert_eq!(&signed.signers, &good.signers);
        }
    });
}

#[test]
fn no_change_of_a_byte_of_the_content_passes_a_detached_signature() {
    let world = World::new();
    let signature = sign_detached(CONTENT, &world.person.signer(), at()).unwrap();
    proptest!(config(), |(at in 0..CONTENT.len(), change in 1_u8..)| {
        let mut content = CONTENT.to_vec();
        content[at] ^= change;
        let judged = verify_detached(&signature, &content, &world.verifier());
        prop_assert_eq!(judged, Err(CmsError::Altered));
    });
}

#[test]
fn no_change_of_a_byte_of_a_package_opens_as_something_else() {
    let world = World::new();
    let recipients = [world.person.recipient()];
    let message = encrypt(CONTENT, &recipients, Cipher::Aes256Gcm, at()).unwrap();
    let opener = world.person.opener();
    proptest!(config(), |(at in 0..message.len(), change in 1_u8..)| {
        let mut message = message.clone();
        message[at] ^= change;
        if let Ok(content) = decrypt(&message, &opener, &[Cipher::Aes256Gcm], LIMIT) {
            prop_assert_eq!(content, CONTENT);
        }
    });
}
