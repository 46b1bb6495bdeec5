//! `lienthong participant import`: the built program on a copy of a shipped participant.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use lienthong_gateway::lgsp::ConnectionSheet;
use lienthong_model::{diagnostic::Diagnostics, document};
use lienthong_policy::SecretHash;
use serde_json::json;
use tempfile::TempDir;

const SECRET: &str = "made-up-for-this-test";
const FILE: &str = "sai-gon-ward.yaml";

fn sheet() -> String {
    json!({
        "appname": "MOTCUA",
        "AccessKey": "placeholder",
        "SECRETKEY": SECRET,
        "PartnerCode": "placeholder-1",
        "PartnerCodeCus": "",
    })
    .to_string()
}

/// A folder with a connection sheet and a participant file.
fn folder(sheet: &str, mode: u32) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sheet.json");
    fs::write(&path, sheet).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/participants").join(FILE);
    fs::copy(shipped, folder.path().join(FILE)).expect("copied");
    folder
}

/// Exit code and everything the program said.
fn import(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_lienthong"))
        .args(["--lang", "en", "participant", "import", "sheet.json"])
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (stdout, stderr) = (text(stdout), text(stderr));
    for told in [&stdout, &stderr] {
        assert!(!told.contains(SECRET), "{told}");
    }
    (status.code().expect("an exit code"), stdout, stderr)
}

#[test]
fn refuses_a_sheet_that_is_none_and_touches_nothing() {
    for (sheet, problem) in [
        (sheet().replace("appname", "AppTitle"), "unknown field `AppTitle`"),
        (sheet().replace("PartnerCodeCus", "secretkey"), "field `SecretKey` stands twice"),
        (sheet().replace("\"AccessKey\":\"placeholder\",", ""), "field `AccessKey` is missing"),
        (SECRET.to_owned(), "not one JSON object"),
    ] {
        let folder = folder(&sheet, 0o600);
        let before = fs::read(folder.path().join(FILE)).expect("read");
        let (code, told, _) = import(&folder, &["--into", FILE]);
        assert_eq!(code, 1, "{told}");
        assert!(told.contains(problem), "{told}");
        assert_eq!(fs::read(folder.path().join(FILE)).expect("read"), before);
    }
}

#[test]
fn exits_as_every_command_does() {
    let folder = folder(&sheet(), 0o600);
    assert_eq!(import(&folder, &["--into", "nobody.yaml"]).0, 3);
    assert_eq!(import(&folder, &["--replace"]).0, 2);
    assert_eq!(import(&folder, &["--into", FILE, "--subsystem", "OTHER"]).0, 1);
    fs::write(folder.path().join("other.yaml"), "a: b\n").expect("written");
    let (code, told, _) = import(&folder, &["--into", "other.yaml"]);
    assert_eq!(code, 1);
    assert!(told.contains("no participant file"), "{told}");
    assert_eq!(import(&folder, &["--into", FILE]).0, 0);
    let (code, told, _) = import(&folder, &["--into", FILE]);
    assert_eq!(code, 1);
    assert!(told.contains("--replace"), "{told}");
    assert_eq!(import(&folder, &["--into", FILE, "--replace"]).0, 0);
}

#[test]
fn warns_of_a_sheet_that_others_can_read_and_asks_to_delete_it() {
    let (code, _, told) = import(&folder(&sheet(), 0o644), &["--into", FILE]);
    assert_eq!(code, 0);
    assert!(told.contains("lets others on this machine read the secret"), "{told}");
    let (_, _, told) = import(&folder(&sheet(), 0o600), &["--into", FILE]);
    assert!(!told.contains("others"), "{told}");
    assert!(told.contains("delete sheet.json"), "{told}");
}

#[test]
fn writes_a_block_that_the_secret_fits() {
    let folder = folder(&sheet(), 0o600);
    let path = folder.path().join(FILE);
    let before = fs::read_to_string(&path).expect("read");
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(import(&folder, &["--into", FILE]).0, 0);
    let written = fs::read_to_string(&path).expect("read");
    assert!(written.starts_with(&before), "{written}");
    assert!(!written.contains(SECRET), "{written}");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode(), mode);
    // What is printed without a file is the same but for the salt.
    let (code, printed, _) = import(&folder, &[]);
    assert_eq!(code, 0);
    for text in [&written, &printed] {
        let node = document::parse(FILE, text, &mut Diagnostics::new()).expect("YAML");
        let block = node.get("lgsp").expect("the block").to_json();
        assert_eq!(
            (&block["app_name"], &block["partner_code"]),
            (&"MOTCUA".into(), &"placeholder-1".into())
        );
        let hash: SecretHash = block["secret"].as_str().expect("text").parse().expect("a hash");
        let sheet = ConnectionSheet::from_json(sheet().as_bytes()).expect("a sheet");
        assert!(hash.is_of(&sheet.secret_key));
    }
}

#[test]
fn help_has_an_example() {
    let output = Command::new(env!("CARGO_BIN_EXE_lienthong"))
        .args(["participant", "import", "--help"])
        .output()
        .expect("the program runs");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(help.contains("Example: lienthong participant import"), "{help}");
}
