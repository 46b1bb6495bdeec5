use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::testing::World;

fn mistakes(world: &World) -> String {
    Config::read(&world.path()).unwrap_err().to_string()
}

#[tokio::test]
async fn tells_every_mistake_at_once_with_its_place() {
    let mut world = World::new().await;
    world.set("batch: 200", "batch: 0");
    world.set("poll_seconds: 2", "pol_seconds: 2");
    world.set("look_up_after_seconds: 0", "look_up_after_seconds: 86401");
    world.set("ChuHoSo:", "ChuHoso:");
    world.set("SoDienThoai: phone", "SoDienThoai: telephone");
    world.set("date: moment}\n          NgayHenTra", "date: month}\n          NgayHenTra");
    world.set("repeat: safe", "repeat: always");
    world.set("look_up: TraCuuHoSo", "look_up: TraCuu");
    let told = mistakes(&world);
    for mistake in [
        "`batch` must be a whole number from 1 to 10000",
        "unknown key `pol_seconds` in `sqlite`",
        "`look_up_after_seconds` must be a whole number from 0 to 86400",
        "did you mean `poll_seconds`?",
        "the platform's schema has no field `ChuHoso`",
        "did you mean `ChuHoSo`?",
        "required field `ChuHoSo` of `DongBoHoSoMC` is not mapped",
        "`telephone` is not one of `citizen_number`",
        "`month` is not one of `moment`",
        "`repeat` must be `safe`, `never` or `{look_up: CALL}`",
        "the service has no call `TraCuu` to look up with",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[tokio::test]
async fn refuses_a_secret_that_others_may_read() {
    let world = World::new().await;
    let file = world.folder.path().join("portal-password");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let told = mistakes(&world);
    assert!(told.contains("may be read by others") && told.contains("chmod 600"), "{told}");
    assert!(!told.contains("sandbox-only"));
}

#[tokio::test]
async fn refuses_plain_http_to_another_machine_and_https_without_certificates() {
    let mut world = World::new().await;
    let url = format!("http://{}", world.portal.addr);
    world.set(&url, "http://gateway.example:80");
    assert!(mistakes(&world).contains("key `trust_anchor_file` is missing"));
    world.set("http://gateway.example:80", "https://gateway.example");
    let told = mistakes(&world);
    for key in ["trust_anchor_file", "certificate_file", "key_file"] {
        assert!(told.contains(&format!("key `{key}` is missing")), "{told}");
    }
}

#[tokio::test]
async fn refuses_calls_that_the_service_does_not_have() {
    let mut world = World::new().await;
    world.set("call: DongBoHoSoMC", "call: DongBoHoSo");
    assert!(mistakes(&world).contains("did you mean `DongBoHoSoMC`?"));
}

#[tokio::test]
async fn secrets_are_not_in_debug() {
    let world = World::new().await;
    assert!(!format!("{:?}", world.config()).contains("sandbox-only"));
}

#[tokio::test]
async fn refuses_a_database_with_a_password_in_its_address_or_in_the_clear() {
    let mut world = World::new().await;
    let mut told = |text: &str| {
        world.set("data_dir: state", &format!("data_dir: state\n{text}"));
        let told = mistakes(&world);
        world.set(&format!("{text}\n"), "\n");
        told
    };
    let secret = told("database: postgres://adapters:hush@localhost/state");
    assert!(secret.contains("`database` must not have a password in it"), "{secret}");
    assert!(!secret.contains("hush"), "{secret}");
    let clear = told("database: postgres://adapters@db.example/state");
    assert!(clear.contains("sslmode=verify-full"), "{clear}");
    let alone = told("database_password_file: portal-password");
    assert!(alone.contains("`database_password_file` needs `database`"), "{alone}");
    let file = "database: postgres://adapters@localhost/state\ndatabase_password_file: nowhere";
    assert!(told(file).contains("nowhere` cannot be read"));
}
