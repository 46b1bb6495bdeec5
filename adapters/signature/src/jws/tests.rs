use openssl::{
    bn::BigNum,
    ec::{EcGroup, EcKey},
    nid::Nid,
    pkey::PKey,
    rsa::Rsa,
};

use super::*;
use crate::testing::{Authority, Kind, Person, at, trust};

const CONTENT: &[u8] = br#"{"a":1}"#;

struct World {
    root: Authority,
    person: Person,
    all: BTreeSet<Algorithm>,
}

impl World {
    fn new(kind: Kind) -> Self {
        let root = Authority::root("root");
        let person = root.person_with("person", kind, |_| {});
        Self { root, person, all: Algorithm::ALL.into() }
    }

    fn peer(&self, kid: Option<&str>) -> Peer {
        let certificate = Certificate::all_from_pem(self.person.pem.as_bytes()).unwrap().remove(0);
        Peer { kid: kid.map(str::to_owned), certificate, chain: Vec::new() }
    }

    fn sign(&self, algorithm: Algorithm) -> Result<String, JwsError> {
        let name = KeyName::Kid("agency-1");
        sign_detached(CONTENT, &self.person.signer(), algorithm, name, at())
    }

    fn judge(&self, text: &str, content: &[u8]) -> Result<Verified, JwsError> {
        let (trust, peers) = (trust(&self.root), [self.peer(Some("agency-1"))]);
        verify_detached(text, content, &peers, &self.all, &Verifier::new(&trust, at()))
    }

    /// Signed as asked, under a header of any kind.
    fn forge(&self, header: &str) -> JwsError {
        let header = BASE64_URL_SAFE_NO_PAD.encode(header);
        let form = Form::EcdsaPair(Curve::P256);
        let signer = self.person.signer();
        let signature = signer.sign(form, Digest::Sha256, &input(&header, CONTENT)).unwrap();
        let text = format!("{header}..{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        self.judge(&text, CONTENT).map(drop).unwrap_err()
    }
}

#[test]
fn refuses_none_shared_secrets_and_what_does_not_fit_the_key() {
    let world = World::new(Kind::P256);
    for name in ["none", "HS256", "HS512", "RS256", "ES384", "ES512", "es256", ""] {
        let header = format!(r#"{{"alg":"{name}","kid":"agency-1"}}"#);
        assert_eq!(world.forge(&header), JwsError::Algorithm, "{name}");
    }
    assert_eq!(world.forge(r#"{"kid":"agency-1"}"#), JwsError::Algorithm);
    assert_eq!(world.sign(Algorithm::Rs256), Err(JwsError::Algorithm));
    assert_eq!(world.sign(Algorithm::Es384), Err(JwsError::Algorithm));
}

#[test]
fn refuses_an_algorithm_that_is_not_permitted() {
    let mut world = World::new(Kind::P256);
    let text = world.sign(Algorithm::Es256).unwrap();
    world.all.remove(&Algorithm::Es256);
    assert_eq!(world.judge(&text, CONTENT).map(drop), Err(JwsError::Algorithm));
}

#[test]
fn refuses_what_is_critical_and_not_understood() {
    let world = World::new(Kind::P256);
    for more in [r#""crit":["exp"],"exp":1"#, r#""crit":[]"#, r#""b64":false,"crit":["b64"]"#] {
        let header = format!(r#"{{"alg":"ES256","kid":"agency-1",{more}}}"#);
        assert_eq!(world.forge(&header), JwsError::Critical, "{more}");
    }
    let unsigned = r#"{"alg":"ES256","kid":"agency-1","b64":false}"#;
    assert_eq!(world.forge(unsigned), JwsError::Critical);
}

#[test]
fn refuses_a_key_that_is_not_known() {
    let world = World::new(Kind::P256);
    let thumb = thumbprint(&world.peer(None).certificate);
    assert_eq!(world.forge(r#"{"alg":"ES256"}"#), JwsError::Key);
    assert_eq!(world.forge(r#"{"alg":"ES256","kid":"agency-2"}"#), JwsError::Key);
    assert_eq!(world.forge(r#"{"alg":"ES256","kid":null}"#), JwsError::Key);
    let both = format!(r#"{{"alg":"ES256","kid":"agency-2","x5t#S256":"{thumb}"}}"#);
    assert_eq!(world.forge(&both), JwsError::Key);
    assert_eq!(world.forge(r#"{"alg":"ES256","kid":"agency-1","x5t#S256":"AA"}"#), JwsError::Key);
}

#[test]
fn refuses_what_is_no_detached_signature() {
    let world = World::new(Kind::P256);
    let text = world.sign(Algorithm::Es256).unwrap();
    let judge = |text: &str| world.judge(text, CONTENT).map(drop).unwrap_err();
    assert_eq!(judge(""), JwsError::NotJws);
    assert_eq!(judge("a.b"), JwsError::NotJws);
    assert_eq!(judge(&format!("{text}.")), JwsError::NotJws);
    assert_eq!(judge(&format!("{text}=")), JwsError::NotJws);
    assert_eq!(judge(&text.replace("..", ".e30.")), JwsError::Attached);
    assert_eq!(judge(&"a".repeat(MAX_TEXT + 1)), JwsError::TooLarge);
    assert_eq!(world.forge("[]"), JwsError::NotJws);
    let twice = r#"{"alg":"none","alg":"ES256","kid":"agency-1"}"#;
    assert_eq!(world.forge(twice), JwsError::NotJws);
}

#[test]
fn refuses_another_content_and_another_signature() {
    let world = World::new(Kind::P256);
    let text = world.sign(Algorithm::Es256).unwrap();
    let other = world.judge(&text, br#"{"a":2}"#).map(drop);
    assert_eq!(other, Err(JwsError::Signature));
    let second = World { person: world.root.person("second"), ..World::new(Kind::P256) };
    let stolen = world.judge(&second.sign(Algorithm::Es256).unwrap(), CONTENT).map(drop);
    assert_eq!(stolen, Err(JwsError::Signature));
    let (head, _) = text.split_once("..").unwrap();
    for signature in ["", "AA", &"A".repeat(86)] {
        let judged = world.judge(&format!("{head}..{signature}"), CONTENT).map(drop);
        assert_eq!(judged, Err(JwsError::Signature));
    }
}

#[test]
fn refuses_a_signer_who_is_known_and_not_trusted() {
    let mut world = World::new(Kind::P256);
    let text = world.sign(Algorithm::Es256).unwrap();
    world.root = Authority::root("root");
    let refused = world.judge(&text, CONTENT).map(drop);
    assert_eq!(refused, Err(JwsError::Trust(TrustError::NotTrusted)));
}

#[test]
fn accepts_every_algorithm_with_its_key() {
    let all = [
        (Kind::Rsa, Algorithm::Rs256),
        (Kind::Rsa, Algorithm::Ps256),
        (Kind::P256, Algorithm::Es256),
        (Kind::P384, Algorithm::Es384),
    ];
    for (kind, algorithm) in all {
        let world = World::new(kind);
        let text = world.sign(algorithm).unwrap();
        let signer = world.judge(&text, CONTENT).unwrap().signer;
        assert_eq!(signer, world.person.signer().identity());

        let (signer, trust) = (world.person.signer(), trust(&world.root));
        let text = sign_detached(CONTENT, &signer, algorithm, KeyName::Thumbprint, at()).unwrap();
        let verifier = Verifier::new(&trust, at());
        let peers = [world.peer(None)];
        assert!(verify_detached(&text, CONTENT, &peers, &world.all, &verifier).is_ok());
    }
}

#[test]
fn a_document_may_be_written_anew_between_signing_and_judging() {
    let world = World::new(Kind::P256);
    let text = world.sign(Algorithm::Es256).unwrap();
    let anew = canonical::json_text(b"{ \"a\" : 1.0 }", 100).unwrap();
    assert!(world.judge(&text, &anew).is_ok());
}

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                       cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn number(text: &str) -> BigNum {
    BigNum::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn vector(header: &str, signature: &str) -> (Vec<u8>, Vec<u8>) {
    let content = BASE64_URL_SAFE_NO_PAD.decode(PAYLOAD).unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.encode(header);
    (input(&header, &content), BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
}

#[test]
fn rfc_7515_appendix_a_2() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPME\
             zP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf\
             63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5Z\
             wKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FR\
             WyuXpoQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0\
                     Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyT\
                     yWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDw\
                     usC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5\
                     AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let (mut bytes, signature) = vector(r#"{"alg":"RS256"}"#, signature);
    let key = Rsa::from_public_components(number(n), number("AQAB")).unwrap();
    let key = PKey::from_rsa(key).unwrap();
    assert!(raw::verify(&key, Form::Rsa, Digest::Sha256, (&bytes, &signature)));
    bytes[40] ^= 1;
    assert!(!raw::verify(&key, Form::Rsa, Digest::Sha256, (&bytes, &signature)));
}

#[test]
fn rfc_7515_appendix_a_3() {
    let x = number("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = number("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3\
                     -Kg6NU1Q";
    let (mut bytes, signature) = vector(r#"{"alg":"ES256"}"#, signature);
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = EcKey::from_public_key_affine_coordinates(&group, &x, &y).unwrap();
    let key = PKey::from_ec_key(key).unwrap();
    let form = Form::EcdsaPair(Curve::P256);
    assert!(raw::verify(&key, form, Digest::Sha256, (&bytes, &signature)));
    bytes[40] ^= 1;
    assert!(!raw::verify(&key, form, Digest::Sha256, (&bytes, &signature)));
}
