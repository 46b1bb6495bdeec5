//! The same on SQLite and on a PostgreSQL server of the test's own.

use std::os::unix::fs::PermissionsExt as _;

use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

use super::*;
use crate::{
    AddressError, ServerAddress,
    engine::Either,
    testing::{self, postgres::Server},
};

const ORIGIN: &str = "log.example/node-1";

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
    let open = Address::parse(&server.url("postgres")).expect("an address");
    let address = Address::Postgres(testing::address(&server.url("postgres")));
    holds(&address);
    forgets(&address);
    let error = Checkpoints::new(open.clone()).newest(ORIGIN).expect_err("no password");
    assert!(matches!(error, CheckpointsError::Database(_)), "{error:?}");
    let wrong = open.with_password(&Sensitive::new("wrong".to_owned()));
    assert!(Checkpoints::new(wrong).newest(ORIGIN).is_err());

    let mut kept = Checkpoints::new(address);
    assert_eq!(kept.newest(ORIGIN).expect("an answer").as_deref(), Some("six"));
    let socket = server.socket().join(".s.PGSQL.5432");
    let away = server.socket().join("away");
    std::fs::rename(&socket, &away).expect("moved");
    // The server ends the connection it has, and no other is to be had.
    let ended = "SELECT pg_terminate_backend(pg_backend_pid())";
    kept.ask(async |pool| {
        let Either::Postgres(pool) = &pool.0 else { panic!("a server") };
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
    let server = "sqlite:/srv/b/checkpoints.db".parse::<ServerAddress>();
    assert_eq!(server.expect_err("no server"), AddressError::Server);
    let secret = Sensitive::new("secret".to_owned());
    let address = Address::parse("postgres://gateway@localhost/evidence").expect("an address");
    let shown = format!("{:?}", Checkpoints::new(address.with_password(&secret)));
    assert!(!shown.contains("secret"), "{shown}");
}
