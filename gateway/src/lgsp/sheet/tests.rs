use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{ConnectionSheet, MAX_HEADER, SheetError};

const GOOD: &str = r#"{"AppName":"MOTCUA","AccessKey":"K3Y","SecretKey":"S3CRET","PartnerCode":"000","PartnerCodeCus":""}"#;

fn read(json: &str) -> Result<ConnectionSheet, SheetError> {
    ConnectionSheet::from_json(json.as_bytes())
}

fn problem(json: &str) -> String {
    read(json).unwrap_err().to_string()
}

#[test]
fn refuses_what_is_no_sheet_and_shows_no_value() {
    let rows = [
        ("", "not one JSON object"),
        ("[]", "not one JSON object"),
        ("\"S3CRET\"", "not one JSON object"),
        (&GOOD.replace("\"S3CRET\"", "123456"), "not one JSON object"),
        (&GOOD.replace("\"S3CRET\"", "null"), "not one JSON object"),
        (&GOOD.replace("\"S3CRET\"", "[\"S3CRET\"]"), "not one JSON object"),
        (&format!("{GOOD}{GOOD}"), "not one JSON object"),
        (&GOOD.replace("AppName", "AppNam"), "unknown field `AppNam`"),
        (&GOOD.replace("AppName", "S3CRET / ???"), "unknown field `…`"),
        (&GOOD.replace("PartnerCode\"", "accesskey\""), "field `AccessKey` stands twice"),
        (&GOOD.replace(r#","PartnerCodeCus":"""#, ""), "field `PartnerCodeCus` is missing"),
        (&GOOD.replace("S3CRET", ""), "field `SecretKey` must have"),
        (&GOOD.replace("K3Y", "K\\u0000Y"), "field `AccessKey` must have"),
        (&GOOD.replace("S3CRET", &"x".repeat(257)), "field `SecretKey` must have"),
    ];
    for (json, expected) in rows {
        let told = problem(json);
        assert!(told.starts_with(expected), "{json}: {told}");
        for value in ["S3CRET", "K3Y", "123456", "xxx"] {
            assert!(!told.contains(value), "{told}");
        }
    }
}

#[test]
fn refuses_headers_that_are_too_long_or_no_base64() {
    let long = "A".repeat(MAX_HEADER + 1);
    let header = |text: &str| ConnectionSheet::from_header(text.as_bytes()).unwrap_err();
    assert_eq!(header(&long), SheetError::TooLong);
    for text in ["%%%", "e30 ", "e30=e30=", "{}"] {
        assert_eq!(header(text), SheetError::Base64, "{text}");
    }
    assert_eq!(header("e30=").to_string(), "field `AppName` is missing");
}

#[test]
fn reads_names_in_any_case_and_base64_with_or_without_padding() {
    let lower = GOOD.replace("AppName", "appName").replace("SecretKey", "SECRETKEY");
    for json in [GOOD, &lower] {
        let sheet = read(json).unwrap();
        assert_eq!((sheet.app_name.as_str(), sheet.partner_code.as_str()), ("MOTCUA", "000"));
        assert_eq!(sheet.secret_key.expose(), "S3CRET");
    }
    let padded = STANDARD.encode(format!("{GOOD} "));
    assert!(padded.ends_with('='));
    for text in [padded.as_str(), padded.trim_end_matches('=')] {
        assert!(ConnectionSheet::from_header(text.as_bytes()).is_ok());
    }
}

#[test]
fn shows_nothing_of_itself() {
    assert_eq!(format!("{:?}", read(GOOD).unwrap()), "ConnectionSheet");
}
