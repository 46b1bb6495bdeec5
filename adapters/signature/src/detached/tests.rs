use super::*;
use crate::testing::{Authority, at, trust};

const CONTENT: &[u8] = b"{\"a\":1}";

#[test]
fn refuses_another_content_another_signer_and_another_kind() {
    let authority = Authority::root("City");
    let (one, other) = (authority.person("one"), authority.person("other"));
    let signers = Signers::new(trust(&authority), one.pem.as_bytes()).unwrap();
    for (_, kind) in Kind::NAMES {
        let signed = sign(kind, CONTENT, &one.signer(), at()).unwrap();
        assert!(signers.verify(kind, &signed, b"{\"a\":2}", at()).is_err(), "{kind:?}");
        let foreign = sign(kind, CONTENT, &other.signer(), at()).unwrap();
        assert!(signers.verify(kind, &foreign, CONTENT, at()).is_err(), "{kind:?}");
        for (_, as_kind) in Kind::NAMES.into_iter().filter(|(_, as_kind)| *as_kind != kind) {
            assert!(signers.verify(as_kind, &signed, CONTENT, at()).is_err(), "{kind:?}");
        }
        let long = format!("{signed}{}", " ".repeat(MAX_TEXT));
        assert_eq!(signers.verify(kind, &long, CONTENT, at()), Err(DetachedError::TooLarge));
        assert_eq!(signers.verify(kind, &signed, CONTENT, at()), Ok(one.signer().identity()));
    }
}

#[test]
fn refuses_a_signer_of_another_authority_though_it_is_expected() {
    let (authority, stranger) = (Authority::root("City"), Authority::root("Stranger"));
    let one = stranger.person("one");
    let signers = Signers::new(trust(&authority), one.pem.as_bytes()).unwrap();
    for (_, kind) in Kind::NAMES {
        let signed = sign(kind, CONTENT, &one.signer(), at()).unwrap();
        assert!(signers.verify(kind, &signed, CONTENT, at()).is_err(), "{kind:?}");
    }
}
