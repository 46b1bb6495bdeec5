use std::fs;

use tempfile::TempDir;

use super::*;
use crate::{
    config::{CsvConfig, Encoding, SourceKind, TableMode, Taken},
    source::testing::{
        Link, at, flow, mariadb, mariadb_link, mysql_config, postgres, postgres_config,
        postgres_link, table,
    },
};

async fn keys_of(source: &Source, limit: u32) -> Vec<String> {
    let mut whole = Whole::new(source).await.unwrap();
    let mut keys = Vec::new();
    while let Some(rows) = whole.next(limit, at(0)).await.unwrap() {
        keys.extend(rows.into_iter().map(|row| row.key));
    }
    keys
}

/// Five rows, of which the second was taken.
async fn fill(link: &mut Link, id: &str, time: &str) {
    let columns = format!("id {id}, event VARCHAR(60), case_code VARCHAR(60), taken_at {time}");
    link.run(&format!("CREATE TABLE cases ({columns})")).await;
    for n in 1..=5 {
        link.run(&format!("INSERT INTO cases (event, case_code) VALUES ('e{n}', 'A')")).await;
    }
    link.run("UPDATE cases SET taken_at = '2026-01-01' WHERE event = 'e2'").await;
}

const ALL: [&str; 5] = ["e1", "e2", "e3", "e4", "e5"];

/// Every row once, whether it was taken or not, and again as often as one likes.
async fn reads_all(kinds: impl IntoIterator<Item = SourceKind>) {
    for kind in kinds {
        let source = Source::open(&flow(kind, None)).await.unwrap();
        for limit in [1, 2, 5, 100] {
            assert_eq!(keys_of(&source, limit).await, ALL, "{limit}");
        }
    }
}

fn modes() -> [TableMode; 2] {
    [TableMode::Watermark, TableMode::Outbox(Taken::At("taken_at".to_owned()))]
}

#[tokio::test]
async fn every_row_of_a_table_of_postgresql_is_read_once() {
    let server = postgres::Server::shared();
    let database = server.database();
    let mut link = postgres_link(&server, &database).await;
    fill(&mut link, "bigserial PRIMARY KEY", "timestamptz").await;
    let config = |mode| postgres_config(&server, &database, table("cases", mode));
    reads_all(modes().map(|mode| SourceKind::Postgres(config(mode)))).await;
    link.run("DELETE FROM cases").await;
    let kind = SourceKind::Postgres(config(TableMode::Watermark));
    assert_eq!(keys_of(&Source::open(&flow(kind, None)).await.unwrap(), 10).await, [""; 0]);
}

#[tokio::test]
async fn every_row_of_a_table_of_mariadb_is_read_once() {
    let server = mariadb::Server::shared();
    let database = server.database();
    let mut link = mariadb_link(&server, "mysql").await;
    link.run(&format!("CREATE DATABASE {database}")).await;
    let mut link = mariadb_link(&server, &database).await;
    fill(&mut link, "BIGINT AUTO_INCREMENT PRIMARY KEY", "DATETIME(6)").await;
    let config = |mode| mysql_config(&server, &database, table("cases", mode));
    reads_all([SourceKind::Mysql(config(TableMode::Watermark))]).await;
}

#[tokio::test]
async fn the_files_that_wait_in_a_folder_are_read_and_stay_there() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("done")).unwrap();
    fs::write(folder.path().join("done/0.csv"), "event,case_code\ne0,A\n").unwrap();
    fs::write(folder.path().join("a.csv"), "event,case_code\ne1,A\ne2,A\ne3,A\n").unwrap();
    fs::write(folder.path().join("b.csv"), "event,case_code\ne4,A\ne5,A\n").unwrap();
    let config = CsvConfig {
        folder: folder.path().to_owned(),
        key: "event".to_owned(),
        delimiter: b',',
        encoding: Encoding::Utf8,
        line_bytes: 300,
        file_bytes: 10_000,
    };
    reads_all([SourceKind::Csv(config.clone())]).await;
    assert!(folder.path().join("a.csv").exists() && folder.path().join("b.csv").exists());
    for name in ["a.csv", "b.csv"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let source = Source::open(&flow(SourceKind::Csv(config), None)).await.unwrap();
    assert_eq!(keys_of(&source, 10).await, [""; 0]);
}
