mod database;

use std::path::PathBuf;

use lienthong_model::clock::ManualClock;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection, sqlite};
use tempfile::TempDir;

pub(crate) use self::database::{Base, all};
use super::*;
use crate::testing::Log;

/// A value that must not occur in any error or log line.
const CANARY: &str = "Canary Thị Bảy Ba Không";

pub(crate) fn item(key: &str, text: &str) -> Item {
    let clock = ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap());
    let at = lienthong_model::clock::Clock::now(&clock);
    Item { name: key.to_owned(), key: key.to_owned(), text: text.to_owned(), at }
}

fn json(key: &str) -> Item {
    item(key, &format!("{{\"MaHoiDap\":\"{key}\"}}"))
}

/// Why a table is refused; each is of one kind of database.
async fn refusal(base: &Base, create: &str, holds: Holds) -> String {
    let name = base.name();
    base.run(&create.replace("TABLE_NAME", &name)).await;
    let error = base.tray(&name, holds).verify().await.unwrap_err();
    assert!(!error.is_transient(), "{error}");
    error.to_string().replace(&name, "TABLE_NAME")
}

#[tokio::test]
async fn a_table_that_could_hold_a_key_twice_is_refused_and_what_to_create_is_told() {
    for base in all() {
        for create in [
            base.table("", ""),
            base.table("", ", UNIQUE (event_id, body_of)"),
            base.table("", ", UNIQUE (other)"),
        ] {
            let told = refusal(&base, &create, Holds::Json).await;
            let wanted = "column `event_id` of table `TABLE_NAME` could hold a key twice: create a \
                          primary key or a unique index on it alone, such as `CREATE UNIQUE INDEX \
                          TABLE_NAME_event_id ON TABLE_NAME (event_id)`";
            assert_eq!(told, wanted, "{create}");
        }
    }
}

#[tokio::test]
async fn an_index_that_covers_a_part_or_may_be_deferred_makes_no_key_unique() {
    for base in all() {
        let more: &[&str] = match base {
            Base::Postgres(..) => &[
                "CREATE UNIQUE INDEX ON TABLE_NAME (event_id) WHERE other IS NULL",
                "ALTER TABLE TABLE_NAME ADD UNIQUE (event_id) DEFERRABLE",
            ],
            Base::Mysql(..) => &["CREATE UNIQUE INDEX part ON TABLE_NAME (event_id(3))"],
            Base::Sqlite(..) => &[
                "CREATE UNIQUE INDEX TABLE_NAME_part ON TABLE_NAME (event_id) WHERE other IS NULL",
            ],
        };
        for more in more {
            let name = base.name();
            base.run(&base.table("", "").replace("TABLE_NAME", &name)).await;
            base.run(&more.replace("TABLE_NAME", &name)).await;
            let error = base.tray(&name, Holds::Json).verify().await.unwrap_err();
            assert!(error.to_string().contains("could hold a key twice"), "{more}: {error}");
        }
    }
}

#[tokio::test]
async fn what_is_missing_or_does_not_fit_is_named() {
    for base in all() {
        let error = base.tray("nowhere", Holds::Json).verify().await.unwrap_err();
        let wanted = "table `nowhere` does not exist, or may not be used";
        assert_eq!(error.to_string(), wanted);
        let key = base.table("PRIMARY KEY", "");
        for (from, to, told) in [
            ("event_id", "other_id", "has no column `event_id`"),
            ("body ", "other_body ", "has no column `body`"),
            ("received_at", "other_at", "has no column `received_at`"),
            ("taken_at", "other_at", "has no column `taken_at`"),
        ] {
            let create = key.replace(from, to);
            let refused = refusal(&base, &create, Holds::Json).await;
            assert!(refused.contains(told), "{refused}");
        }
        let number = "CREATE TABLE TABLE_NAME (event_id bigint PRIMARY KEY, body text, \
                      received_at text, taken_at text)";
        let refused = refusal(&base, number, Holds::Json).await;
        assert!(refused.contains("column `event_id` of table `TABLE_NAME` must be a text"));
        let create = base.table("PRIMARY KEY", "").replace("body text", "body int");
        let refused = refusal(&base, &create, Holds::Json).await;
        assert!(refused.contains("column `body` of table `TABLE_NAME` must be JSON or a text"));
        let refused = refusal(&base, &create, Holds::Text).await;
        assert!(refused.contains("column `body` of table `TABLE_NAME` must be a text"));
    }
}

#[tokio::test]
async fn a_key_column_that_takes_two_keys_for_one_is_refused() {
    let create = |collate: &str| {
        format!(
            "CREATE TABLE TABLE_NAME (event_id varchar(60) {collate} PRIMARY KEY, body text, \
             received_at text, taken_at text)"
        )
    };
    for base in all() {
        let collate = match base {
            Base::Postgres(..) => continue,
            Base::Mysql(..) => "COLLATE utf8mb4_general_ci",
            Base::Sqlite(..) => "COLLATE NOCASE",
        };
        let refused = refusal(&base, &create(collate), Holds::Json).await;
        assert!(refused.contains("takes different keys for the same"), "{refused}");
    }
}

#[tokio::test]
async fn an_item_is_laid_once_and_is_there_for_others_when_it_is_said_to_be() {
    for base in all() {
        for json_type in base.jsons() {
            let name = base.name();
            let create = base.table("PRIMARY KEY", "").replace("body text", json_type);
            base.run(&create.replace("TABLE_NAME", &name)).await;
            let tray = base.tray(&name, Holds::Json);
            tray.verify().await.unwrap();
            assert_eq!(tray.lay(json("q1")).await.unwrap(), Laid::New);
            assert_eq!(base.keys(&name).await, ["q1"], "{json_type}");
            assert_eq!(tray.lay(json("q1")).await.unwrap(), Laid::There);
            // Another process.
            let other = base.tray(&name, Holds::Json);
            assert_eq!(other.lay(json("q1")).await.unwrap(), Laid::There);
            assert_eq!(other.lay(json("Q1")).await.unwrap(), Laid::New);
            assert_eq!(base.keys(&name).await, ["Q1", "q1"]);
            let rows = base.texts(&format!("SELECT body FROM {name} WHERE event_id = 'q1'")).await;
            assert_eq!(rows[0].replace(' ', ""), "{\"MaHoiDap\":\"q1\"}");
            let times = base.texts(&format!("SELECT received_at FROM {name}")).await;
            assert!(times.iter().all(|time| time.starts_with("2026-11-21")), "{times:?}");
        }
    }
}

#[tokio::test]
async fn what_the_city_has_taken_makes_room() {
    for base in all() {
        let name = base.name();
        base.run(&base.table("PRIMARY KEY", "").replace("TABLE_NAME", &name)).await;
        let tray = base.tray(&name, Holds::Json);
        assert_eq!(tray.room(2).await.unwrap(), 2);
        for key in ["q1", "q2", "q3"] {
            assert_eq!(tray.lay(json(key)).await.unwrap(), Laid::New);
        }
        assert_eq!(tray.room(2).await.unwrap(), 0);
        assert_eq!(tray.room(5).await.unwrap(), 2);
        base.run(&format!("UPDATE {name} SET taken_at = '2026-11-21 08:00:00'")).await;
        assert_eq!(tray.room(2).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn an_item_that_the_table_does_not_take_is_told_without_its_value_and_stops_no_other() {
    let log = Log::default();
    let _listening = log.listen();
    for base in all() {
        let name = base.name();
        let create = base.table("PRIMARY KEY", ", CHECK (length(event_id) < 20)");
        base.run(&create.replace("TABLE_NAME", &name)).await;
        let tray = base.tray(&name, Holds::Json);
        for key in [CANARY, &CANARY.repeat(40)] {
            let Laid::Not(reason) = tray.lay(item(key, CANARY)).await.unwrap() else {
                panic!("it is not taken");
            };
            assert!(!reason.contains("Canary"), "{reason}");
        }
        assert_eq!(tray.lay(json("q1")).await.unwrap(), Laid::New);
        assert_eq!(base.keys(&name).await, ["q1"]);
    }
    assert!(!log.text().contains("Canary"));
}

#[tokio::test]
async fn a_key_that_another_takes_the_place_of_is_no_item_that_is_there() {
    for base in all() {
        let Base::Sqlite(..) = base else { continue };
        let name = base.name();
        let create = base.table("PRIMARY KEY", ", UNIQUE (body)");
        base.run(&create.replace("TABLE_NAME", &name)).await;
        let tray = base.tray(&name, Holds::Text);
        assert_eq!(tray.lay(item("q1", "same")).await.unwrap(), Laid::New);
        let laid = tray.lay(item("q2", "same")).await.unwrap();
        assert_eq!(laid, Laid::Not("the table keeps no such row".to_owned()));
    }
}

#[tokio::test]
async fn a_table_that_changed_is_looked_at_again() {
    for base in all() {
        let name = base.name();
        base.run(&base.table("PRIMARY KEY", "").replace("TABLE_NAME", &name)).await;
        let tray = base.tray(&name, Holds::Json);
        assert_eq!(tray.lay(json("q1")).await.unwrap(), Laid::New);
        base.run(&format!("DROP TABLE {name}")).await;
        assert!(tray.lay(json("q2")).await.is_err());
        base.run(&base.table("", "").replace("TABLE_NAME", &name)).await;
        let error = tray.lay(json("q2")).await.unwrap_err();
        assert!(error.to_string().contains("could hold a key twice"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing.db");
    let sqlite = TrayAddress::Sqlite(missing);
    let socket = folder.path().display();
    let postgres = format!("postgres:///city?host={socket}&user=lienthong").parse().unwrap();
    let mysql = format!("mysql://root@localhost/city?socket={socket}/socket").parse().unwrap();
    for address in [sqlite, TrayAddress::Postgres(postgres), TrayAddress::Mysql(mysql)] {
        let error = database::tray(address, "items", Holds::Json).verify().await.unwrap_err();
        assert!(error.is_transient(), "{error}");
    }
}
