use jiff::{SignedDuration, Timestamp};
use lienthong_model::sensitive::Sensitive;
use uuid::Uuid;

use super::{Claims, TOKEN_TEXT, TokenError, TokenKeys};

const LIFETIME: SignedDuration = SignedDuration::from_secs(600);
const BOUNDS: (SignedDuration, SignedDuration) = (LIFETIME, SignedDuration::from_secs(60));

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn keys(newest: u8, previous: Option<u8>) -> TokenKeys {
    let secret = |byte: u8| Sensitive::new([byte; 32]);
    TokenKeys::new(&secret(newest), previous.map(secret).as_ref())
}

fn claims() -> Claims {
    Claims {
        id: Uuid::from_u128(7),
        issued: at(1_000),
        expires: at(1_600),
        certificate: [1; 32],
        sheet: [2; 32],
    }
}

fn judged(certificate: u8, sheet: Option<u8>, now: i64) -> Result<(), TokenError> {
    let sheet = sheet.map(|byte| [byte; 32]);
    claims().judge(&[certificate; 32], sheet.as_ref(), at(now), BOUNDS)
}

#[test]
fn refuses_every_token_with_one_character_changed() {
    let keys = keys(1, None);
    let token = keys.seal(&claims());
    assert_eq!(token.expose().len(), TOKEN_TEXT);
    for n in 0..token.expose().len() {
        for other in ["A", "B", "_", "=", "é"] {
            let mut text = token.expose().clone();
            text.replace_range(n..=n, other);
            assert!(keys.open(&text).is_err() || text == *token.expose(), "{n} {other}");
        }
    }
    let text = token.expose();
    for other in [
        "",
        "A",
        text.trim_start_matches('A'),
        &format!("{text}A"),
        &format!("{text} "),
        &text.to_lowercase(),
    ] {
        assert!(keys.open(other).is_err(), "{other}");
    }
}

#[test]
fn refuses_tokens_of_keys_that_are_not_known() {
    let token = keys(1, None).seal(&claims());
    assert_eq!(keys(2, None).open(token.expose()), Err(TokenError::UnknownKey));
    assert_eq!(keys(2, Some(3)).open(token.expose()), Err(TokenError::UnknownKey));
}

#[test]
fn opens_tokens_of_the_newest_and_the_previous_key() {
    let token = keys(1, None).seal(&claims());
    for keys in [keys(1, None), keys(1, Some(2)), keys(2, Some(1))] {
        assert_eq!(keys.open(token.expose()), Ok(claims()));
    }
}

#[test]
fn judges_certificate_time_and_sheet() {
    let id = claims().id;
    let rows = [
        (judged(9, Some(2), 1_100), Err(TokenError::AnotherCertificate(id))),
        // Another certificate learns nothing more of the token.
        (judged(9, Some(2), 9_999), Err(TokenError::AnotherCertificate(id))),
        (judged(1, Some(2), 1_600), Err(TokenError::Expired(id))),
        (judged(1, Some(2), 939), Err(TokenError::NotYet(id))),
        (judged(1, Some(9), 1_100), Err(TokenError::SheetChanged(id))),
        (judged(1, None, 1_100), Err(TokenError::SheetChanged(id))),
        (judged(1, Some(2), 940), Ok(())),
        (judged(1, Some(2), 1_100), Ok(())),
        (judged(1, Some(2), 1_599), Ok(())),
    ];
    for (n, (found, expected)) in rows.into_iter().enumerate() {
        assert_eq!(found, expected, "row {n}");
    }
}

#[test]
fn a_shorter_lifetime_counts_for_tokens_already_given() {
    let shorter = (SignedDuration::from_secs(60), BOUNDS.1);
    let judged = claims().judge(&[1; 32], Some(&[2; 32]), at(1_060), shorter);
    assert_eq!(judged, Err(TokenError::Expired(claims().id)));
}

#[test]
fn shows_no_key() {
    assert_eq!(format!("{:?}", keys(1, Some(2))), "TokenKeys");
}
