//! `lienthong store`: the built program on durable states of either engine.

#[path = "../../gateway/store/src/testing/postgres.rs"]
#[expect(dead_code, reason = "the tests of the store need more of it")]
pub(super) mod postgres;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use lienthong_store::{
    Place, ServerAddress, Store,
    ledger::{Book, Change, Expected},
};
use serde_json::Value;
use tempfile::TempDir;

use self::postgres::{PASSWORD, Server};
use super::program;

/// Exit code, standard output and standard error.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    program::run(folder, &[&["store"], arguments].concat())
}

/// A durable state, and how the program is told where it is.
struct Home {
    folder: TempDir,
    database: Option<(Arc<Server>, String)>,
}

impl Home {
    fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), database: None }
    }

    fn postgres() -> Self {
        let server = Server::shared();
        let url = server.url(&server.database());
        let home = Self { database: Some((server, url)), ..Self::sqlite() };
        home.secret("password", PASSWORD);
        home
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn secret(&self, name: &str, text: &str) {
        let file = self.path().join(name);
        fs::write(&file, text).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("private");
    }

    fn place(&self) -> Place {
        let Some((_, url)) = &self.database else {
            return Place::Directory(self.path().join("data"));
        };
        let address = url.parse::<ServerAddress>().expect("an address");
        let address = address.with_password_file(&self.path().join("password"));
        Place::Server { address: address.expect("a password"), directory: None }
    }

    /// Runs the program on it.
    fn run(&self, command: &str, arguments: &[&str]) -> (i32, String, String) {
        let place = match &self.database {
            None => vec!["--data", "data"],
            Some((_, url)) => vec!["--database", url, "--password-file", "password"],
        };
        run(self.path(), &[&[command], &place[..], arguments].concat())
    }

    fn json(&self, command: &str, arguments: &[&str]) -> (i32, Value) {
        let (code, told, error) = self.run(command, &[arguments, &["--json"]].concat());
        (code, serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}{error}")))
    }

    /// Something to lose.
    async fn fill(&self) {
        let store = Store::open(self.place()).await.expect("a store");
        for id in 1..=3 {
            let change = Change {
                book: Book::Consent,
                id: [id; 16],
                subject: [9; 16],
                party: "resident-register",
                action: "give",
                at: Timestamp::from_second(1_790_000_000).expect("an instant"),
                event: b"event",
                record: b"record",
                open: false,
                due: None,
                expected: Expected::New,
                once: None,
                idempotency: None,
            };
            store.ledger().append(&[change]).await.expect("appended");
        }
        store.close().await;
    }

    /// Changes what no program of ours changes.
    async fn spoil(&self, statement: &'static str) {
        let done = match &self.database {
            None => {
                let file = format!("sqlite:{}", self.path().join("data/lienthong.db").display());
                let pool = sqlx::SqlitePool::connect(&file).await.expect("connected");
                let done = sqlx::query(statement).execute(&pool).await.map(drop);
                pool.close().await;
                done
            }
            Some((_, url)) => {
                let options: sqlx::postgres::PgConnectOptions = url.parse().expect("an address");
                let pool = sqlx::PgPool::connect_with(options.password(PASSWORD)).await;
                let pool = pool.expect("connected");
                let done = sqlx::query(statement).execute(&pool).await.map(drop);
                pool.close().await;
                done
            }
        };
        done.expect("spoilt");
    }
}

/// Runs tests on both engines.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Home::sqlite()).await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Home::postgres()).await;
            })*
        }
    };
}

async fn migrating_tells_from_which_version_to_which(home: Home) {
    assert_eq!(home.run("check", &[]).0, 3);
    let (code, told, _) = home.run("migrate", &[]);
    assert_eq!((code, told.as_str()), (0, "brought from version 0 to version 10\n"));
    let (code, told, _) = home.run("migrate", &[]);
    assert_eq!((code, told.as_str()), (0, "is up to date: version 10\n"));
    assert_eq!(home.json("migrate", &[]), (0, serde_json::json!({"from": 10, "to": 10})));
    let (code, told, _) = home.run("check", &[]);
    assert_eq!((code, told.as_str()), (0, "the store is sound; revision 0\n"));
}

async fn a_durable_state_of_a_newer_program_is_left_alone(home: Home) {
    home.fill().await;
    home.spoil("UPDATE _sqlx_migrations SET version = 99 WHERE version = 10").await;
    let (code, told, _) = home.run("migrate", &[]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("migration 99"), "{told}");
    let (code, told) = home.json("check", &[]);
    assert_eq!((code, &told["sound"]), (1, &Value::Bool(false)));
    assert_eq!(told["problems"][0], "version 99 is newer than this program's, 10");
    let (code, told, _) = home.run("backup", &["--out", "copy"]);
    assert_eq!(
        (code, told.as_str()),
        (1, "refused: version 99 of the tables; this program has version 10\n")
    );
    assert!(!home.path().join("copy").exists());
}

async fn checking_tells_what_is_wrong(home: Home) {
    home.fill().await;
    let (code, told) = home.json("check", &[]);
    assert_eq!((code, told), (0, serde_json::json!({"sound": true, "head": 3, "problems": []})));
    home.spoil(
        "UPDATE ledger_record SET record = party_of.record FROM (SELECT event AS record
        FROM ledger_event WHERE revision = 2) AS party_of WHERE revision = 2",
    )
    .await;
    home.spoil("UPDATE ledger_head SET revision = 4").await;
    let (code, told, _) = home.run("check", &[]);
    assert_eq!(code, 1);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines,
        [
            "the head is revision 4, the newest event revision 3",
            "revisions are missing from 1 to 4",
            "1 records of revisions 1 to 4 are not what their events left",
            "THE STORE IS NOT SOUND",
        ]
    );
}

async fn a_durable_state_in_use_is_copied_and_not_written_to(home: Home) {
    home.fill().await;
    let owner = Store::open(home.place()).await.expect("a store");
    assert_eq!(home.run("check", &[]).0, 0);
    assert_eq!(home.run("backup", &["--out", "copy"]).0, 0);
    for (command, arguments) in [("migrate", &[][..]), ("restore", &["--from", "copy"])] {
        let (code, told, _) = home.run(command, arguments);
        assert_eq!(code, 1, "{told}");
        assert!(told.contains("is in use by another process"), "{told}");
        assert!(!told.contains(PASSWORD), "{told}");
    }
    owner.close().await;
}

/// Every copy goes into either engine and is the same there.
async fn a_copy_comes_back_on_either_engine(home: Home) {
    home.fill().await;
    let (code, made) = home.json("backup", &["--out", "copy"]);
    assert_eq!((code, &made["head"], &made["rows"]), (0, &3.into(), &7.into()));
    let copy = home.path().join("copy");
    assert_eq!(fs::metadata(&copy).expect("the copy").permissions().mode() & 0o777, 0o600);
    for other in [Home::sqlite(), Home::postgres()] {
        let from = copy.to_str().expect("UTF-8");
        let (code, told, note) = other.run("restore", &["--from", from]);
        assert_eq!(code, 0, "{told}{note}");
        assert!(told.starts_with("put back: 7 rows, revision 3, of "), "{told}");
        assert!(note.contains("lienthong store reconcile"), "{note}");
        let (code, again) = other.json("backup", &["--out", "again"]);
        assert_eq!((code, &again["sha256"]), (0, &made["sha256"]));
        // Never over what is there.
        let (code, told, _) = other.run("restore", &["--from", from]);
        assert_eq!((code, told.as_str()), (1, "refused: durable state is not empty\n"));
        let (code, told, _) = other.run("backup", &["--out", "again"]);
        assert_eq!((code, told.as_str()), (1, "refused: `again` is there already\n"));
        assert_eq!(other.run("check", &[]).0, 0);
    }
}

async fn a_copy_that_is_not_sound_is_put_nowhere(home: Home) {
    let source = Home::sqlite();
    source.fill().await;
    assert_eq!(source.run("backup", &["--out", "copy"]).0, 0);
    let whole = fs::read(source.path().join("copy")).expect("the copy");
    let marker = b"resident-register";
    let at = whole.windows(marker.len()).position(|part| part == marker).expect("in the clear");
    let mut changed = whole.clone();
    changed[at] = b'R';
    let damaged = "refused: backup is damaged, or was changed after it was made\n";
    let none = "refused: no backup, or one that was cut short\n";
    let short = &whole[..whole.len() / 2];
    for bytes in [&changed[..], short, &whole[..100], b"no database", b""] {
        fs::write(home.path().join("other"), bytes).expect("written");
        let (code, told, _) = home.run("restore", &["--from", "other"]);
        assert!(code == 1 && [damaged, none].contains(&told.as_str()), "{code} {told}");
    }
    let (code, _, error) = home.run("restore", &["--from", "nowhere"]);
    assert_eq!(code, 3, "{error}");
    // Nothing of it is there.
    fs::write(home.path().join("other"), &whole).expect("written");
    assert_eq!(home.run("restore", &["--from", "other"]).0, 0);
}

on_both! {
    migrating_tells_from_which_version_to_which,
    a_durable_state_of_a_newer_program_is_left_alone,
    checking_tells_what_is_wrong,
    a_durable_state_in_use_is_copied_and_not_written_to,
    a_copy_comes_back_on_either_engine,
    a_copy_that_is_not_sound_is_put_nowhere,
}

#[tokio::test]
async fn a_damaged_file_is_found() {
    let home = Home::sqlite();
    home.fill().await;
    let file = home.path().join("data/lienthong.db");
    let mut bytes = fs::read(&file).expect("the file");
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 4096].fill(0xaa);
    fs::write(&file, &bytes).expect("written");
    let (code, told, error) = home.run("check", &[]);
    assert_eq!(code, 1, "{told}{error}");
    assert!(told.contains("the database is damaged"), "{told}");
    fs::write(&file, b"this is no database, whatever its name says").expect("written");
    assert_eq!(home.json("check", &[]).0, 1);
}

#[test]
fn wrong_use_is_told_without_a_secret() {
    let home = Home::sqlite();
    let in_url = "postgres://gateway:hush@localhost/state";
    for arguments in [
        &["check"][..],
        &["check", "--config", "gateway.yaml", "--data", "data"],
        &["check", "--data", "data", "--password-file", "password"],
        &["backup", "--data", "data"],
        &["restore", "--data", "data"],
        &["check", "--database", in_url],
        &["check", "--database", "sqlite:data/lienthong.db"],
    ] {
        let (code, told, error) = run(home.path(), arguments);
        assert_eq!(code, 2, "{arguments:?} {told}{error}");
        assert!(!error.contains("hush"), "{error}");
    }
    home.secret("password", "hush");
    let file = home.path().join("password");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("open");
    let url = "postgres:///state?host=/nowhere&user=gateway";
    let arguments = ["check", "--database", url, "--password-file", "password"];
    let (code, _, error) = run(home.path(), &arguments);
    assert_eq!(code, 3);
    assert!(error.contains("chmod 600") && !error.contains("hush"), "{error}");
}

#[test]
fn the_configurations_of_gateway_and_adapters_name_the_place() {
    let home = Home::postgres();
    let (_, url) = home.database.as_ref().expect("a server");
    let data =
        format!("data: {{directory: data, database: '{url}', database_password_file: password}}");
    let text = super::keys::CONFIG.replace("data: {directory: data}", &data);
    fs::write(home.path().join("gateway.yaml"), text).expect("written");
    let (code, told, error) = run(home.path(), &["migrate", "--config", "gateway.yaml"]);
    assert_eq!((code, told.as_str()), (0, "brought from version 0 to version 10\n"), "{error}");
    assert!(home.path().join("data/lock").exists());
    // A mistake in a configuration is told as everywhere.
    fs::write(home.path().join("adapters.yaml"), "data_dir: data\n").expect("written");
    let (code, told, _) = run(home.path(), &["check", "--config", "adapters.yaml"]);
    assert_eq!(code, 1);
    assert!(told.contains("adapters.yaml"), "{told}");
}

#[test]
fn every_command_has_an_example() {
    for command in ["migrate", "check", "backup", "restore"] {
        let (code, told, _) = run(&PathBuf::from("/"), &[command, "--help"]);
        assert_eq!(code, 0);
        assert!(told.contains(&format!("Example: lienthong store {command} ")), "{told}");
        assert!(told.contains("Exit code:"), "{told}");
    }
}
