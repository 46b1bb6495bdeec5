use std::sync::LazyLock;

use lienthong_model::sensitive::Sensitive;

use crate::{
    SecretHash,
    fixture::{Files, PROVIDER, WARD},
};

static HASH: LazyLock<String> = LazyLock::new(|| {
    let secret = Sensitive::new("made-up".to_owned());
    SecretHash::of(&secret, &[7; 16]).unwrap().expose().to_owned()
});

fn block(key: &str, secret: &str) -> String {
    format!(
        "lgsp: {{app_name: MOTCUA, partner_code: \"000\", partner_code_customer: \"\", \
         access_key: {key}, secret: \"{secret}\"}}\nstatus: active"
    )
}

fn with(secret: &str) -> Files {
    Files::new().edit(WARD, "status: active", &block("KEY-1", secret))
}

#[test]
fn refuses_a_plain_secret_and_does_not_repeat_it() {
    let files = with("Pl4inS3cret");
    files.refused(&["ward.yaml", "never the secret itself", "lienthong participant import"]);
    assert!(!files.mistakes()[0].contains("Pl4inS3cret"));
    // A number, which a sloppy editor may write without quotes.
    let files = with("x").edit(WARD, "secret: \"x\"", "secret: 12345678");
    files.refused(&["expected a text, found"]);
    assert!(!files.mistakes()[0].contains("12345678"));
}

#[test]
fn refuses_an_access_key_of_another_participant_and_does_not_repeat_it() {
    let files = with(&HASH).edit(PROVIDER, "status: active", &block("KEY-1", &HASH));
    files.refused(&["LGSP access key `sha256:", "is used twice"]);
    assert!(!files.mistakes()[0].contains("KEY-1"));
    let files = with(&HASH).edit(PROVIDER, "status: active", &block("KEY-2", &HASH));
    assert_eq!(files.mistakes(), [""; 0]);
}

#[test]
fn refuses_missing_unknown_and_endless_fields() {
    with(&HASH).edit(WARD, "app_name: MOTCUA, ", "").refused(&["key `app_name` is missing"]);
    let files = with(&HASH).edit(WARD, "app_name:", "app_nmae: x, app_name:");
    files.refused(&["unknown key `app_nmae`", "did you mean `app_name`?"]);
    let long = format!("app_name: {}", "x".repeat(257));
    with(&HASH).edit(WARD, "app_name: MOTCUA", &long).refused(&["1 to 256 bytes"]);
    with(&HASH).edit(WARD, "app_name: MOTCUA", "app_name: \"\"").refused(&["1 to 256 bytes"]);
}

#[test]
fn acts_as_the_only_subsystem_or_the_named_one() {
    let set = with(&HASH).set();
    let ward = &set.participants["H29.40"];
    let only = ward.subsystems.first().unwrap().clone();
    assert_eq!(ward.lgsp.as_ref().unwrap().subsystem, only);
    let two = format!("subsystems: [OTHER, {only}]");
    let one = format!("subsystems: [{only}]");
    let files = with(&HASH).edit(WARD, &one, &two);
    files.refused(&["an LGSP client needs `subsystem`"]);
    let named = files.edit(WARD, "lgsp: {", "lgsp: {subsystem: OTHER, ");
    assert_eq!(named.set().participants["H29.40"].lgsp.as_ref().unwrap().subsystem, "OTHER");
    named
        .edit(WARD, "lgsp: {subsystem: OTHER", "lgsp: {subsystem: OTHRE")
        .refused(&["unknown subsystem `OTHRE`", "did you mean `OTHER`?"]);
}

#[test]
fn a_fingerprint_changes_with_every_part() {
    let files = with(&HASH);
    let print = |files: &Files| {
        let set = files.set();
        let ward = &set.participants["H29.40"];
        ward.lgsp.as_ref().unwrap().fingerprint(&ward.id)
    };
    let before = print(&files);
    assert_eq!(print(&with(&HASH)), before);
    let other = SecretHash::of(&Sensitive::new("made-up".to_owned()), &[8; 16]).unwrap();
    for changed in [
        files.clone().edit(WARD, "MOTCUA, partner", "MOTCUA2, partner"),
        files.clone().edit(WARD, "\"000\"", "\"001\""),
        files.clone().edit(WARD, "partner_code_customer: \"\"", "partner_code_customer: a"),
        files.clone().edit(WARD, "KEY-1", "KEY-2"),
        with(other.expose()),
    ] {
        assert_ne!(print(&changed), before);
    }
}

#[test]
fn shows_no_secret_and_no_access_key() {
    let set = with(&HASH).set();
    let shown = format!("{:?}", set.participants["H29.40"]);
    assert!(shown.contains("MOTCUA"), "{shown}");
    for hidden in ["KEY-1", "argon2", HASH.as_str()] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
