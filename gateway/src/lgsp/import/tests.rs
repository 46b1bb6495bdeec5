use lienthong_model::{diagnostic::Diagnostics, document};
use lienthong_policy::SecretHash;
use serde_json::Value;

use super::{Existing, ImportError, into_file};
use crate::lgsp::ConnectionSheet;

const SHEET: &str = r#"{"AppName":"MỘT \"CỬA\"","AccessKey":"K3Y","SecretKey":"S3CRET","PartnerCode":"000","PartnerCodeCus":""}"#;
const FILE: &str = "# who\nid: H29.40 # its code\nsubsystems: [MOTCUA]\nstatus: active\n";

fn sheet() -> ConnectionSheet {
    ConnectionSheet::from_json(SHEET.as_bytes()).unwrap()
}

fn import(text: &str, subsystem: Option<&str>, existing: Existing) -> Result<String, ImportError> {
    into_file(("ward.yaml", text), &sheet(), subsystem, existing)
}

fn lgsp(text: &str) -> Value {
    let node = document::parse("ward.yaml", text, &mut Diagnostics::new()).unwrap();
    node.get("lgsp").unwrap().to_json()
}

#[test]
fn refuses_files_that_are_no_participant_or_cannot_be_read() {
    let rows = [
        ("name: x\n", "no participant file"),
        ("id: H29.40\nid: H29.41\n", "stands twice"),
        ("", ""),
        ("id: [", ""),
        ("{id: H29.40, subsystems: [MOTCUA]}\n", "write it by hand"),
    ];
    for (text, expected) in rows {
        let told = import(text, None, Existing::Keep).unwrap_err().to_string();
        assert!(told.contains(expected), "{text}: {told}");
    }
}

#[test]
fn refuses_to_overwrite_unless_told_to() {
    let first = import(FILE, None, Existing::Keep).unwrap();
    assert!(matches!(import(&first, None, Existing::Keep), Err(ImportError::Present)));
    let followed = format!("{}# the end\ncontact: {{unit: u}}\n", first.replace("K3Y", "OLD"));
    let second = import(&followed, None, Existing::Replace).unwrap();
    assert_eq!(second.matches("lgsp:").count(), 1);
    assert!(second.contains("# the end\ncontact: {unit: u}\n"), "{second}");
    assert!(!second.contains("OLD"), "{second}");
    assert_ne!(lgsp(&first)["secret"], lgsp(&second)["secret"], "a salt is never used twice");
}

#[test]
fn needs_to_know_the_subsystem() {
    let two = FILE.replace("[MOTCUA]", "[MOTCUA, DATDAI]");
    assert!(matches!(import(&two, None, Existing::Keep), Err(ImportError::Subsystem(2))));
    let none = FILE.replace("[MOTCUA]", "[]");
    assert!(matches!(import(&none, None, Existing::Keep), Err(ImportError::Subsystem(0))));
    let other = import(&two, Some("OTHER"), Existing::Keep);
    assert!(matches!(other, Err(ImportError::UnknownSubsystem)));
    let named = import(&two, Some("DATDAI"), Existing::Keep).unwrap();
    assert_eq!(lgsp(&named)["subsystem"], "DATDAI");
}

#[test]
fn adds_the_block_and_keeps_everything_else_but_not_the_secret() {
    for text in [FILE, FILE.trim_end()] {
        let written = import(text, None, Existing::Keep).unwrap();
        assert!(written.starts_with(FILE), "{written}");
        assert!(!written.contains("S3CRET"));
        let block = lgsp(&written);
        assert_eq!(block["app_name"], "MỘT \"CỬA\"");
        assert_eq!(
            (&block["partner_code"], &block["partner_code_customer"]),
            (&"000".into(), &"".into())
        );
        let hash: SecretHash = block["secret"].as_str().unwrap().parse().unwrap();
        assert!(hash.is_of(&sheet().secret_key));
    }
}
