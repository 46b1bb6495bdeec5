//! The whole way of a present client with a program that is not ours: its sheet imported by the
//! command line, a token and a look-up by `curl`.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command as Blocking, Output},
};

use serde_json::Value;
use tokio::process::Command;

use super::{
    super::harness::{Setup, World, lienthong},
    FIND, GENEROUS, files, header_of, sheet,
};

/// Whether `curl` is on this machine. Without it the same way is still gone by the tests of
/// `exchange`, with the client of these tests.
fn curl_is_here() -> bool {
    let here = Blocking::new("curl").arg("--version").output().is_ok_and(|o| o.status.success());
    if !here {
        println!("note: no `curl` on this machine, so the test with it proves nothing");
    }
    here
}

/// A request as `desk`, with a certificate in files as a present client would have it.
async fn curl(world: &World, path: &str, arguments: &[&str]) -> (u16, Value) {
    let pki = world.directory.path().join("pki");
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}"])
        .arg("--cacert")
        .arg(pki.join("city.pem"))
        .arg("--cert")
        .arg(pki.join("desk.pem"))
        .arg("--key")
        .arg(pki.join("desk.key"))
        .args(arguments)
        .arg(format!("https://localhost:{}{path}", world.gateway.address.port()))
        .output()
        .await
        .expect("curl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

fn import(world: &World, more: &[&str]) -> Output {
    let folder = world.directory.path();
    let mut command = lienthong();
    command.args(["participant", "import"]).arg(folder.join("sheet.json")).arg("--into");
    command.arg(folder.join("policies/participants/desk.yaml")).args(more).output().unwrap()
}

#[tokio::test]
async fn a_present_client_comes_over_with_curl() {
    if !curl_is_here() {
        return;
    }
    let setup = Setup { files: files(), lgsp: Some(GENEROUS), ..Setup::default() };
    let world = World::with(setup).await;
    world.pki.write_client("desk");
    let sheet = sheet("desk");
    let path = world.directory.path().join("sheet.json");
    std::fs::write(&path, sheet.to_string()).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let imported = import(&world, &[]);
    assert!(imported.status.success(), "{imported:?}");
    world.reloaded().await;

    let header = format!("lgspaccesstoken: {}", header_of(&sheet));
    let arguments = ["--header", &header, "--data", "grant_type=client_credentials"];
    let (status, wrong) =
        curl(&world, "/token", &["--data", "grant_type=client_credentials"]).await;
    assert_eq!((status, &wrong["error"]), (401, &"invalid_client".into()));
    let (status, given) = curl(&world, "/token", &arguments).await;
    assert_eq!(status, 200, "{given}");
    let bearer = format!("Authorization: Bearer {}", given["access_token"].as_str().unwrap());
    let (status, person) = curl(&world, FIND, &["--header", &bearer]).await;
    assert_eq!((status, &person["name"]), (200, &"An".into()), "{person}");
    // Not more than the agreement discloses.
    assert_ne!(person["number"], "001122334455");

    // A second import needs to be meant; after it the old token is over.
    assert_eq!(import(&world, &[]).status.code(), Some(1));
    assert!(import(&world, &["--replace"]).status.success());
    world.reloaded().await;
    let (status, refused) = curl(&world, FIND, &["--header", &bearer]).await;
    assert_eq!((status, &refused["reason"]), (401, &"consumer.token_invalid".into()));
    let (status, _) = curl(&world, "/token", &arguments).await;
    assert_eq!(status, 200);
}
