use super::*;
use crate::{
    testing::{Authority, Kind, Person, at, trust, unchecked},
    trust::Trust,
};

const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<a:record xmlns:a=\"urn:example:a\" xmlns:b=\"urn:b\" \
                        Id=\"r\"><!-- a note --><a:name z=\"1\" b:y='2'>A &amp; B</a:name>\
                        <empty/></a:record>";
const CANONICAL: &str = "<a:record xmlns:a=\"urn:example:a\" Id=\"r\"><a:name xmlns:b=\"urn:b\" z=\"1\" \
                         b:y=\"2\">A &amp; B</a:name><empty></empty></a:record>";

struct World {
    root: Authority,
    person: Person,
}

impl World {
    fn new() -> Self {
        let root = Authority::root("root");
        let person = root.person("person");
        Self { root, person }
    }

    fn signed(&self) -> String {
        let signed = sign(DOCUMENT.as_bytes(), &self.person.signer(), at()).unwrap();
        String::from_utf8(signed).unwrap()
    }

    fn judge(&self, document: &str) -> Result<SignedXml, XmlError> {
        let trust = trust(&self.root);
        verify(document.as_bytes(), &Verifier::new(&trust, at()))
    }

    fn error(&self, document: &str) -> XmlError {
        self.judge(document).unwrap_err()
    }

    /// Replaces a text that has to be there in a signed document.
    fn changed(&self, from: &str, to: &str) -> XmlError {
        let signed = self.signed();
        assert!(signed.contains(from), "{from}");
        self.error(&signed.replacen(from, to, 1))
    }
}

/// From a text to the end of another.
fn part<'a>(document: &'a str, from: &str, to: &str) -> &'a str {
    let start = document.find(from).expect("it begins");
    let end = document.find(to).expect("it ends") + to.len();
    document.get(start..end).expect("on whole characters")
}

fn signature(signed: &str) -> &str {
    part(signed, "<ds:Signature ", "</ds:Signature>")
}

#[test]
fn refuses_what_is_no_xml_or_not_signed() {
    let world = World::new();
    assert_eq!(world.error(""), XmlError::NotXml);
    assert_eq!(world.error("<a>"), XmlError::NotXml);
    assert_eq!(world.error(&"<a>".repeat(10_000)), XmlError::NotXml);
    assert_eq!(world.error(DOCUMENT), XmlError::NoSignature);
    let trust = trust(&world.root);
    let verifier = Verifier::new(&trust, at());
    assert_eq!(verify(b"<a>\xff</a>", &verifier), Err(XmlError::NotXml));
    assert_eq!(verify(b"<a></a>", &verifier.with_limit(3)), Err(XmlError::TooLarge));
}

#[test]
fn refuses_a_document_type() {
    let world = World::new();
    let entity = "<!DOCTYPE a [<!ENTITY e \"x\">]>";
    assert_eq!(world.error(&format!("{entity}{}", world.signed())), XmlError::Doctype);
    let signed = sign(format!("{entity}<a/>").as_bytes(), &world.person.signer(), at());
    assert_eq!(signed, Err(XmlError::Doctype));
}

#[test]
fn refuses_a_changed_document_and_a_changed_signature() {
    let world = World::new();
    assert_eq!(world.changed("A &amp; B", "A &amp; C"), XmlError::Altered);
    assert_eq!(world.changed("z=\"1\"", "z=\"2\""), XmlError::Altered);
    assert_eq!(world.changed("<empty>", "<empty xmlns=\"urn:x\">"), XmlError::Altered);
    assert_eq!(world.changed("<empty></empty>", "<empty></empty> "), XmlError::Altered);
    let signed = world.signed();
    let other = sign(b"<b/>", &world.person.signer(), at()).unwrap();
    let other = String::from_utf8(other).unwrap();
    let value = |text| part(text, "<ds:SignatureValue>", "</ds:SignatureValue>");
    let forged = signed.replace(value(&signed), value(&other));
    assert_eq!(world.error(&forged), XmlError::Signature);
    // A digest of another document, put in without the key.
    let digest = |text| part(text, "<ds:DigestValue>", "</ds:DigestValue>");
    let forged = other.replace(digest(&other), digest(&signed));
    let moved = signed.replace(signature(&signed), signature(&forged));
    assert_eq!(world.error(&moved), XmlError::Signature);
}

#[test]
fn refuses_a_document_wrapped_into_another() {
    let world = World::new();
    let signed = world.signed();
    let wrapped = format!("<evil>{signed}</evil>");
    let place = XmlError::Shape("the signature does not stand in the root element");
    assert_eq!(world.error(&wrapped), place);
    // The signature in the root of another document, the signed one beside it.
    let body = signed.replace(signature(&signed), "");
    let beside = format!("<evil>{}{body}</evil>", signature(&signed));
    assert_eq!(world.error(&beside), XmlError::Altered);
    let named = signed.replace("URI=\"\"", "URI=\"#r\"");
    let body = named.replace(signature(&named), "");
    let beside = format!("<evil>{}{body}</evil>", signature(&named));
    let whole = XmlError::Shape("the reference is not to the whole document");
    assert_eq!(world.error(&beside), whole);
    let twice = named.replace("<empty>", "<empty ID=\"r\">");
    assert_eq!(world.error(&twice), whole);
}

#[test]
fn refuses_more_than_one_signature_or_reference() {
    let world = World::new();
    let signed = world.signed();
    let twice = signed.replace(signature(&signed), &signature(&signed).repeat(2));
    assert_eq!(world.error(&twice), XmlError::TooMany);
    let reference = part(&signed, "<ds:Reference", "</ds:Reference>");
    let number = XmlError::Shape("there are too many or too few elements");
    assert_eq!(world.changed(reference, &reference.repeat(2)), number);
    assert_eq!(world.changed(reference, ""), number);
    assert_eq!(world.changed("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>"), number);
    let again = sign(signed.as_bytes(), &world.person.signer(), at());
    assert_eq!(again, Err(XmlError::TooMany));
}

#[test]
fn refuses_other_transforms_and_algorithms() {
    let world = World::new();
    let exclusive = shape::EXCLUSIVE;
    let inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    let (first, second) = (
        format!("Transform Algorithm=\"{}\"", shape::ENVELOPED),
        format!("Transform Algorithm=\"{exclusive}\""),
    );
    let transform = XmlError::Algorithm("transform");
    assert_eq!(world.changed(&first, &second), transform);
    assert_eq!(world.changed(&second, &second.replace(exclusive, inclusive)), transform);
    let method = format!("CanonicalizationMethod Algorithm=\"{exclusive}\"");
    let comments = format!("CanonicalizationMethod Algorithm=\"{exclusive}WithComments\"");
    assert_eq!(world.changed(&method, &comments), XmlError::Algorithm("canonicalisation"));
    let number = XmlError::Shape("there are too many or too few elements");
    let extra = format!("<ds:{second}/>");
    assert_eq!(world.changed("</ds:Transforms>", &format!("{extra}</ds:Transforms>")), number);
    let prefixes = format!(
        "<ds:{second}><e:InclusiveNamespaces xmlns:e=\"{exclusive}\" PrefixList=\"b\"/></ds:Transform>"
    );
    assert_eq!(world.changed(&extra, &prefixes), number);
    let sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    let digest = XmlError::Algorithm("digest");
    assert_eq!(world.changed("http://www.w3.org/2001/04/xmlenc#sha256", sha1), digest);
    let signature = XmlError::Algorithm("signature");
    assert_eq!(world.changed("#ecdsa-sha256", "#ecdsa-sha1"), signature);
    assert_eq!(world.changed("#ecdsa-sha256", "#hmac-sha256"), signature);
    // Known, and not the one that was signed with.
    assert_eq!(world.changed("#ecdsa-sha256", "#rsa-sha256"), XmlError::Signature);
}

#[test]
fn refuses_comments_and_instructions_in_the_signature() {
    let world = World::new();
    let elements = XmlError::Shape("there is something else than elements");
    assert_eq!(world.changed("<ds:SignedInfo>", "<ds:SignedInfo><!-- -->"), elements);
    let text = XmlError::Shape("there is something else than text");
    assert_eq!(world.changed("<ds:DigestValue>", "<ds:DigestValue><!-- -->"), text);
}

#[test]
fn refuses_without_a_certificate_or_with_one_that_nobody_trusts() {
    let world = World::new();
    let signed = world.signed();
    let data = part(&signed, "<ds:X509Data>", "</ds:X509Data>");
    assert_eq!(world.error(&signed.replace(data, "")), XmlError::CertificateMissing);
    let stranger = World::new();
    let refused = world.error(&stranger.signed());
    assert_eq!(refused, XmlError::Trust(TrustError::NotTrusted));
}

#[test]
fn accepts_what_it_signs_and_hands_out_what_was_signed() {
    for kind in [Kind::Rsa, Kind::P256, Kind::P384] {
        let mut world = World::new();
        world.person = world.root.person_with("person", kind, |_| {});
        let signed = world.judge(&world.signed()).unwrap();
        assert_eq!(String::from_utf8(signed.document).unwrap(), CANONICAL);
        assert_eq!(signed.signer.signer, world.person.signer().identity());
    }
}

#[test]
fn what_does_not_count_may_change_and_is_not_handed_out() {
    let world = World::new();
    let changed = world.signed().replace("<empty></empty>", "<empty/><!-- a note -->");
    let signed = world.judge(&changed).unwrap();
    assert_eq!(String::from_utf8(signed.document).unwrap(), CANONICAL);
}

#[test]
fn does_not_sign_what_stands_behind_the_root() {
    let world = World::new();
    let refused = sign(b"<a/><?b c?>", &world.person.signer(), at());
    assert_eq!(refused, Err(XmlError::Shape("something stands behind the root element")));
}

#[test]
fn no_change_of_a_byte_makes_another_document() {
    use proptest::prelude::*;
    let world = World::new();
    let (signed, trust) = (world.signed(), trust(&world.root));
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() };
    proptest!(config, |(at in 0..signed.len(), change in 1_u8..128)| {
        let mut document = signed.clone().into_bytes();
        document[at] ^= change;
        if let Ok(judged) = verify(&document, &Verifier::new(&trust, crate::testing::at())) {
            prop_assert_eq!(judged.document, CANONICAL.as_bytes());
            prop_assert_eq!(judged.signer.signer, world.person.signer().identity());
        }
    });
}

/// Documents signed by signxml 5.2 over libxml2, with keys that were thrown away; and what libxml2
/// makes of them in canonical form without the signature.
#[test]
fn accepts_what_another_implementation_signs() {
    let anchor = include_bytes!("tests/anchor.txt");
    let trust = Trust::new(anchor, b"", &[], unchecked()).unwrap();
    let documents = [
        ("CN=rsa,C=VN", include_bytes!("tests/rsa.xml").as_slice()),
        ("CN=ecdsa,C=VN", include_bytes!("tests/ecdsa.xml")),
    ];
    for (name, document) in documents {
        let signed = verify(document, &Verifier::new(&trust, at())).unwrap();
        assert_eq!(signed.signer.signer.subject, name);
        let canonical = include_str!("tests/canonical.txt");
        assert_eq!(String::from_utf8(signed.document).unwrap(), canonical);
    }
}

#[test]
fn a_document_may_have_an_element_that_is_called_as_ours() {
    let world = World::new();
    let document = format!("<a><i:SignedInfo xmlns:i=\"{DSIG}\">mine</i:SignedInfo></a>");
    let signed = sign(document.as_bytes(), &world.person.signer(), at()).unwrap();
    let judged = world.judge(&String::from_utf8(signed).unwrap()).unwrap();
    assert_eq!(judged.document, document.as_bytes());
}
