use std::{fs, os::unix::fs::PermissionsExt as _};

use tempfile::TempDir;

use super::*;

fn mistakes(text: &str, change: impl FnOnce(&TempDir)) -> String {
    let folder = TempDir::new().unwrap();
    let schema = r#"{"type": "object", "additionalProperties": false, "required": ["code"],
        "properties": {"code": {"type": "string"}, "ward": {"type": "string"}}}"#;
    fs::write(folder.path().join("schema.json"), schema).unwrap();
    fs::write(folder.path().join("x.pem"), "no certificate").unwrap();
    change(&folder);
    let path = folder.path().join("packages.yaml");
    fs::write(&path, text).unwrap();
    PackagesConfig::read(&path).map_or_else(|told| told.to_string(), |_| String::new())
}

const SOUND: &str = r"
data_dir: state
own: H29.20
signing: {certificate_file: x.pem, key_file: x.pem}
trust: {trust_anchor_file: x.pem, revocation: unchecked}
participants:
  H09.12: {certificate_file: x.pem}
limits: {parts: 5}
datasets:
  - id: cases
    title: Cases
    agreement: a
    legal_basis: Article 17
    purpose: reorganisation
    classes: [basic]
    schema: schema.json
    key: code
    wards: old
    receive: {from: [H09.12], wards: [{field: ward, as_of: '2025-06-30'}]}
";

#[test]
fn refuses_certificates_and_keys_that_are_none_and_tells_all_of_them() {
    let told = mistakes(SOUND, |_| ());
    for mistake in ["`signing`: the file of the certificate", "`trust`: the file of anchors"] {
        assert!(told.contains(mistake), "{mistake}: {told}");
    }
    assert!(told.contains("a participant: the file of the certificate"), "{told}");
}

#[test]
fn refuses_a_key_that_others_may_read() {
    let told = mistakes(SOUND, |folder| {
        let open = fs::Permissions::from_mode(0o644);
        fs::set_permissions(folder.path().join("x.pem"), open).unwrap();
    });
    assert!(told.contains("may be read by others than its owner"), "{told}");
}

#[test]
fn refuses_settings_that_are_missing_unknown_or_do_not_fit() {
    for (from, to, mistake) in [
        ("own: H29.20", "own: nobody", "an agency code"),
        ("own: H29.20", "owm: H29.20", "did you mean `own`?"),
        ("revocation: unchecked", "revocation: none", "not one of `required`"),
        (", revocation: unchecked", "", "needs `revocation_lists`"),
        ("H09.12: {certificate_file: x.pem}", "H09.12: {signers: [ab]}", "SHA-256"),
        ("parts: 5", "parts: 0", "`parts` must be a whole number from 1"),
        ("classes: [basic]", "classes: [secret]", "not one of `none`"),
        ("classes: [basic]", "classes: []", "names none of"),
        ("schema: schema.json", "schema: x.pem", "is not JSON"),
        ("schema: schema.json", "schema: y.json", "cannot be read"),
        ("key: code", "key: ward", "does not require the key `ward`"),
        ("wards: old", "wards: none", "if and only if"),
        ("field: ward", "field: wart", "no field `wart`"),
        ("as_of: '2025-06-30'", "as_of: day", "no field `day`"),
        ("as_of: '2025-06-30'", "as_of: '2025-06-30', keep: code", "a field `code` of its own"),
        (
            "    receive: {from: [H09.12], wards: [{field: ward, as_of: '2025-06-30'}]}\n",
            "",
            "needs `send` or",
        ),
        ("title: Cases", "title: \"a\\nb\"", "not one line"),
    ] {
        let told = mistakes(&SOUND.replace(from, to), |_| ());
        assert!(SOUND.contains(from) && told.contains(mistake), "{mistake}: {told}");
    }
}
