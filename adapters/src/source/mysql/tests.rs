use std::sync::Arc;

use super::*;
use crate::{
    config::{MysqlConfig, SourceKind},
    source::{
        Source,
        testing::{
            Interleaving, Link, Pace, at, drain, flow, keys, mariadb::Server, mariadb_link,
            mysql_config, table,
        },
    },
};

const WATERMARK: TableMode = TableMode::Watermark;
const TABLE: &str = "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, event VARCHAR(60) NOT NULL,
                      case_code VARCHAR(60), taken_at DATETIME(6), KEY (event)) ENGINE = InnoDB";

struct City {
    server: Arc<Server>,
    database: String,
    link: Link,
}

impl City {
    /// A database with table `cases`.
    async fn new() -> Self {
        let server = Server::shared();
        let database = server.database();
        let mut link = mariadb_link(&server, "mysql").await;
        link.run(&format!("CREATE DATABASE {database}")).await;
        let mut link = mariadb_link(&server, &database).await;
        link.run(&format!("CREATE TABLE cases {TABLE}")).await;
        Self { server, database, link }
    }

    fn config(&self, mode: TableMode) -> MysqlConfig {
        mysql_config(&self.server, &self.database, table("cases", mode))
    }

    async fn open(&self, mode: TableMode) -> Result<Source, SourceError> {
        Source::open(&flow(SourceKind::Mysql(self.config(mode)), None)).await
    }

    async fn write(&mut self, keys: &[&str]) {
        for key in keys {
            let text = format!("INSERT INTO cases (event, case_code) VALUES ('{key}', 'A')");
            self.link.run(&text).await;
        }
    }
}

#[tokio::test]
async fn refuses_a_table_that_is_not_as_the_flow_says_and_names_the_column() {
    let mut city = City::new().await;
    let mut refused = async |change: &str| {
        city.link.run(change).await;
        city.open(WATERMARK).await.unwrap_err().to_string()
    };
    let told = refused("ALTER TABLE cases MODIFY case_code BIT(3)").await;
    assert_eq!(told, "column `case_code` of table `cases` is of type `bit(3)`, which is not read");
    let told = refused("ALTER TABLE cases DROP case_code").await;
    assert!(told.contains("has no column `case_code`"), "{told}");
    let told = refused(
        "ALTER TABLE cases ADD case_code TEXT, MODIFY id BIGINT NOT NULL, DROP PRIMARY KEY, ADD UNIQUE (id, event)",
    )
    .await;
    assert!(told.contains("column `id` of table `cases` must have a unique index"), "{told}");
    let told = refused("ALTER TABLE cases MODIFY id BIGINT NULL").await;
    assert!(told.contains("must be NOT NULL"), "{told}");
    assert!(refused("DROP TABLE cases").await.contains("table `cases` does not exist"));
}

#[tokio::test]
async fn names_the_column_that_changes_while_it_runs() {
    let mut city = City::new().await;
    let source = city.open(WATERMARK).await.unwrap();
    city.write(&["a"]).await;
    assert_eq!(keys(&source.next(None, 9, at(0)).await.unwrap().rows), ["a"]);
    city.link.run("ALTER TABLE cases MODIFY case_code VARCHAR(10)").await;
    assert_eq!(
        source.next(None, 9, at(1)).await.unwrap_err().to_string(),
        "column `case_code` of table `cases` was `varchar(60)` and is now `varchar(10)`"
    );
}

#[tokio::test]
async fn a_watermark_source_cannot_write() {
    let mut city = City::new().await;
    city.write(&["a"]).await;
    let Source::Mysql(source) = city.open(WATERMARK).await.unwrap() else { panic!() };
    assert!(sqlx::query("DELETE FROM cases").execute(&source.pool).await.is_err());
}

#[tokio::test]
async fn marks_or_deletes_what_was_taken_and_nothing_else() {
    let mut city = City::new().await;
    city.write(&["a", "b", "c"]).await;
    for taken in [Taken::At("taken_at".to_owned()), Taken::Delete] {
        let source = city.open(TableMode::Outbox(taken)).await.unwrap();
        let read = source.next(None, 2, at(0)).await.unwrap();
        assert_eq!((keys(&read.rows), read.more), (vec!["a", "b"], true));
        source.taken(&read.rows, at(0)).await.unwrap();
        assert_eq!(keys(&source.next(None, 9, at(0)).await.unwrap().rows), ["c"]);
        city.link.run("UPDATE cases SET taken_at = NULL").await;
    }
}

#[tokio::test]
async fn finds_rows_by_keys_byte_by_byte_and_reads_again_from_a_position() {
    let mut city = City::new().await;
    city.write(&["Á", "a", "A", "d"]).await;
    let source = city.open(WATERMARK).await.unwrap();
    assert_eq!(keys(&source.with_keys(&["a".to_owned()]).await.unwrap()), ["a"]);
    let (all, mark) = drain(&source, None, 3, at(0)).await;
    assert_eq!(keys(&all), ["Á", "a", "A", "d"]);
    let mark = source.again(mark.as_ref(), Some("2")).await.unwrap();
    assert_eq!(keys(&drain(&source, Some(mark), 1, at(1)).await.0), ["A", "d"]);
    let page = source.keys(Some("1"), 2).await.unwrap();
    assert_eq!((page.keys.len(), page.next.as_deref()), (2, Some("3")));
}

#[tokio::test]
async fn reads_values_of_every_type_it_knows() {
    let mut city = City::new().await;
    let text = |text: &str| Cell::Text(text.to_owned());
    for (kind, value, expected) in [
        ("TINYINT", "-7", Cell::Integer(-7)),
        ("INT UNSIGNED", "4000000000", Cell::Integer(4_000_000_000)),
        ("BIGINT UNSIGNED", "18446744073709551615", text("18446744073709551615")),
        ("DOUBLE", "0.5", Cell::Real(0.5)),
        ("FLOAT", "0.5", Cell::Real(0.5)),
        ("DECIMAL(30,2)", "12345678901234567890.10", text("12345678901234567890.10")),
        ("VARCHAR(20)", "'đ'", text("đ")),
        ("VARCHAR(20) CHARACTER SET latin1", "'é'", text("é")),
        ("ENUM('a','b')", "'b'", text("b")),
        ("DATE", "'2026-11-02'", text("2026-11-02")),
        ("DATETIME", "'2026-11-02 08:00:00'", text("2026-11-02 08:00:00")),
        ("TIMESTAMP NULL", "FROM_UNIXTIME(1795503600)", text("2026-11-24 07:00:00Z")),
        ("JSON", "'{\"a\":1}'", text("{\"a\":1}")),
        ("BLOB", "x'00ff'", Cell::Bytes(vec![0, 255])),
        ("TEXT", "NULL", Cell::Null),
    ] {
        city.link.run("DROP TABLE IF EXISTS cases").await;
        city.link
            .run(&format!(
                "CREATE TABLE cases (id INT PRIMARY KEY, event TEXT, case_code TEXT, v {kind})"
            ))
            .await;
        city.link.run(&format!("INSERT INTO cases VALUES (1, 'a', 'A', {value})")).await;
        let read = flow(SourceKind::Mysql(city.config(WATERMARK)), Some("v"));
        let rows = Source::open(&read).await.unwrap().next(None, 9, at(0)).await.unwrap().rows;
        assert!(*rows[0].cell("v") == expected, "{kind}: {:?}", rows[0].text("v"));
    }
}

/// Interleavings, each with a table of its own.
async fn interleave(mode: TableMode) {
    let mut city = City::new().await;
    let mut links = Vec::new();
    for _ in 0..5 {
        links.push(mariadb_link(&city.server, &city.database).await);
    }
    let mut committed = 0;
    for seed in 0..100 {
        city.link.run("DROP TABLE cases").await;
        city.link.run(&format!("CREATE TABLE cases {TABLE}")).await;
        let flow = flow(SourceKind::Mysql(city.config(mode.clone())), None);
        // All of it takes less than the overlap of half an hour.
        let pace = Pace { seconds: 25, ahead: None };
        let outcome = Interleaving::new(&flow, "cases", &mut links, pace, seed).await.run(30).await;
        outcome.assert_complete(seed);
        committed += outcome.committed.len();
    }
    assert!(committed > 1_000, "{committed}");
}

#[tokio::test]
async fn loses_nothing_in_a_hundred_interleavings_within_the_overlap() {
    interleave(WATERMARK).await;
}

#[tokio::test]
async fn loses_nothing_in_a_hundred_interleavings_of_an_outbox() {
    interleave(TableMode::Outbox(Taken::At("taken_at".to_owned()))).await;
}
