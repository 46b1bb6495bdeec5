//! The same on SQLite and on a PostgreSQL server of the test's own.

use std::{
    env,
    io::{BufRead as _, BufReader},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

use super::*;

const ORIGIN: &str = "log.example/node-1";
const PASSWORD: &str = "tests-only";
/// The user `nobody`, as whom the server runs where the tests run as root.
const NOBODY: u32 = 65534;

/// A server in a temporary directory that listens on a socket there and nowhere else.
struct Server {
    process: Child,
    directory: TempDir,
}

/// A program of PostgreSQL: on the path, or where Debian has it.
fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.flatten().map(|version| version.path().join("bin"));
    let found = env::split_paths(&path).chain(debian).map(|folder| folder.join(name));
    found.into_iter().find(|path| path.exists()).expect("PostgreSQL: see tests/run.sh")
}

fn command(name: &str, directory: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(directory).env("LC_ALL", "C").stdin(Stdio::null());
    if std::fs::metadata("/proc/self").expect("Linux").uid() == 0 {
        // The server refuses to run as root.
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

impl Server {
    fn start() -> Self {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path();
        std::fs::write(path.join("password"), PASSWORD).expect("written");
        if std::fs::metadata("/proc/self").expect("Linux").uid() == 0 {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
        }
        let made = command("initdb", path)
            .args(["--pgdata=data", "--username=lienthong", "--auth=scram-sha-256"])
            .args(["--pwfile=password", "--encoding=UTF8", "--no-sync"])
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut process = command("postgres", path)
            .args(["-D", "data", "-k"])
            .arg(path)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=10"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("postgres runs");
        let lines = BufReader::new(process.stderr.take().expect("its log")).lines();
        let ready = "database system is ready to accept connections";
        let mut lines = lines.map(|line| line.expect("text"));
        assert!(lines.any(|line| line.contains(ready)), "the server did not start");
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, directory }
    }

    /// Without the password.
    fn open(&self) -> Address {
        let socket = self.directory.path().display();
        let text = format!("postgres:///postgres?host={socket}&user=lienthong");
        Address::parse(&text).expect("an address")
    }

    fn address(&self) -> Address {
        self.open().with_password(&Sensitive::new(format!("{PASSWORD}\n")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn checkpoint(size: u64, note: &str) -> Checkpoint<'_> {
    Checkpoint { origin: ORIGIN, size, note, after_loss: false }
}

/// What holds of either database.
fn holds(address: &Address) {
    let mut kept = Checkpoints::new(address.clone());
    assert_eq!(kept.newest(ORIGIN).expect("an answer"), None);
    for (size, note) in [(0, "none"), (3, "three"), (3, "three"), (9, "nine")] {
        kept.keep(checkpoint(size, note)).expect("kept");
    }
    // Neither one of less, nor another one of as many.
    for (size, note) in [(8, "eight"), (9, "other"), (3, "three"), (0, "none")] {
        let error = kept.keep(checkpoint(size, note)).expect_err("newer is there");
        assert!(matches!(error, CheckpointsError::Newer(9)), "{error:?}");
    }
    let other = Checkpoint { origin: "another", ..checkpoint(1, "one") };
    kept.keep(other).expect("kept");
    assert_eq!(kept.history(ORIGIN, 10).expect("an answer"), ["nine", "three", "none"]);
    // After a loss it goes on from less, and again never back.
    kept.keep(Checkpoint { after_loss: true, ..checkpoint(5, "five") }).expect("kept");
    kept.keep(checkpoint(6, "six")).expect("kept");
    assert!(kept.keep(checkpoint(5, "five")).is_err());
    assert_eq!(kept.newest(ORIGIN).expect("an answer").as_deref(), Some("six"));
    // Another connection sees the same.
    let expected = ["six", "five", "nine", "three", "none"];
    assert_eq!(read(address.clone(), ORIGIN).expect("an answer"), expected);
    assert_eq!(read(address.clone(), "another").expect("an answer"), ["one"]);
}

fn forgets(address: &Address) {
    let mut kept = Checkpoints::new(address.clone());
    let origin = "long.example";
    let add = |kept: &mut Checkpoints, size: u64, after_loss| {
        let note = format!("{origin} {size}");
        kept.keep(Checkpoint { origin, size, note: &note, after_loss }).expect("kept");
    };
    (0..20).for_each(|size| add(&mut kept, size, false));
    add(&mut kept, 7, true);
    (8..30).for_each(|size| add(&mut kept, size, false));
    assert_eq!(kept.history(origin, HISTORY).expect("an answer").len(), 43);
    kept.ask(async |pool| Ok(pool.forget(origin, 4).await?)).expect("forgotten");
    // The newest, and the last one before the loss.
    let left = [29, 28, 27, 26, 19].map(|size| format!("{origin} {size}"));
    assert_eq!(kept.history(origin, HISTORY).expect("an answer"), left);
}

#[test]
fn sqlite_keeps_the_newest_checkpoints() {
    let folder = TempDir::new().expect("a directory");
    let file = folder.path().join("checkpoints.db");
    let address = Address::parse(&format!("sqlite:{}", file.display())).expect("an address");
    holds(&address);
    forgets(&address);
    assert_eq!(std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn postgres_keeps_the_newest_checkpoints_and_comes_back_after_it_was_away() {
    let server = Server::start();
    holds(&server.address());
    forgets(&server.address());
    let error = Checkpoints::new(server.open()).newest(ORIGIN).expect_err("no password");
    assert!(matches!(error, CheckpointsError::Database(_)), "{error:?}");
    let wrong = server.open().with_password(&Sensitive::new("wrong".to_owned()));
    assert!(Checkpoints::new(wrong).newest(ORIGIN).is_err());

    let mut kept = Checkpoints::new(server.address());
    assert_eq!(kept.newest(ORIGIN).expect("an answer").as_deref(), Some("six"));
    let socket = server.directory.path().join(".s.PGSQL.5432");
    let away = server.directory.path().join("away");
    std::fs::rename(&socket, &away).expect("moved");
    // The server ends the connection it has, and no other is to be had.
    let ended = "SELECT pg_terminate_backend(pg_backend_pid())";
    kept.ask(async |pool| {
        let Pool::Postgres(pool) = pool else { panic!("a server") };
        sqlx::query(ended).execute(pool).await.map(drop).expect_err("ended");
        Ok(())
    })
    .expect("asked");
    assert!(kept.keep(checkpoint(10, "ten")).is_err());
    std::fs::rename(&away, &socket).expect("moved back");
    kept.keep(checkpoint(10, "ten")).expect("kept");
    assert_eq!(kept.newest(ORIGIN).expect("an answer").as_deref(), Some("ten"));
}

#[test]
fn addresses_have_no_secret_and_lead_to_other_machines_only_protected() {
    let parse = |text: &str| Address::parse(text).map(|address| address.to_string());
    for good in [
        "sqlite:/srv/b/checkpoints.db",
        "postgres://gateway@localhost/evidence",
        "postgres://gateway@127.0.0.1:5433/evidence",
        "postgres:///evidence?host=/run/postgresql",
        "postgresql://gateway@db.example/evidence?sslmode=verify-full&sslrootcert=ca.pem",
    ] {
        assert_eq!(parse(good).as_deref(), Ok(good));
        assert!(Address::is_meant(good));
    }
    for (bad, error) in [
        ("sqlite:", AddressError::Form),
        ("mysql://gateway@localhost/evidence", AddressError::Form),
        ("postgres:evidence", AddressError::Form),
        ("postgres://gateway:secret@localhost/evidence", AddressError::Password),
        ("postgres://gateway@localhost/evidence?password=secret", AddressError::Password),
        ("postgres://gateway@localhost/evidence?p%61ssword=secret", AddressError::Password),
        ("postgres://gateway@db.example/evidence", AddressError::Clear),
        ("postgres://gateway@db.example/evidence?sslmode=require", AddressError::Clear),
    ] {
        assert_eq!(parse(bad), Err(error), "{bad}");
    }
    assert!(!Address::is_meant("/srv/b/checkpoint"));
    let secret = Sensitive::new("secret".to_owned());
    let address = Address::parse("postgres://gateway@localhost/evidence").expect("an address");
    let shown = format!("{:?}", Checkpoints::new(address.with_password(&secret)));
    assert!(!shown.contains("secret"), "{shown}");
}
