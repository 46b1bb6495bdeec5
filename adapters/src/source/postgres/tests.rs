use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    config::{PostgresConfig, SourceKind},
    row::Cell,
    source::{
        Source,
        testing::{
            Interleaving, Link, Pace, at, drain, flow, keys, postgres::Server, postgres_config,
            postgres_link, table,
        },
    },
};

const WATERMARK: TableMode = TableMode::Watermark;
const TABLE: &str = "(id bigserial PRIMARY KEY, event text NOT NULL, case_code text,
                      x xid8 NOT NULL DEFAULT pg_current_xact_id(), taken_at timestamptz)";

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
        let mut link = postgres_link(&server, &database).await;
        link.run(&format!("CREATE TABLE cases {TABLE}; CREATE INDEX ON cases (x, id)")).await;
        Self { server, database, link }
    }

    fn config(&self, mode: TableMode) -> PostgresConfig {
        postgres_config(&self.server, &self.database, table("cases", mode))
    }

    async fn open(&self, mode: TableMode) -> Result<Source, SourceError> {
        Source::open(&flow(SourceKind::Postgres(self.config(mode)), None)).await
    }

    async fn refused(&self, mode: TableMode) -> String {
        self.open(mode).await.unwrap_err().to_string()
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
    city.link.run("ALTER TABLE cases ALTER case_code TYPE text[] USING NULL").await;
    assert_eq!(
        city.refused(WATERMARK).await,
        "column `case_code` of table `cases` is of type `text[]`, which is not read"
    );
    city.link.run("ALTER TABLE cases DROP case_code").await;
    assert!(city.refused(WATERMARK).await.contains("has no column `case_code`"));
    city.link.run("ALTER TABLE cases ADD case_code text").await;
    city.link.run("ALTER TABLE cases DROP CONSTRAINT cases_pkey").await;
    assert!(
        city.refused(WATERMARK).await.contains("column `id` of table `cases` must have a unique")
    );
    city.link.run("ALTER TABLE cases ALTER id DROP NOT NULL").await;
    assert!(city.refused(WATERMARK).await.contains("must be NOT NULL"));
    city.link.run("ALTER TABLE cases ALTER id TYPE text").await;
    assert!(city.refused(WATERMARK).await.contains("must be a whole number"));
    let mode = TableMode::Outbox(Taken::At("gone".to_owned()));
    assert!(city.refused(mode).await.contains("has no column `gone`"));
    city.link.run("DROP TABLE cases").await;
    assert!(city.refused(WATERMARK).await.contains("table `cases` does not exist"));
}

#[tokio::test]
async fn refuses_a_transaction_column_of_another_type() {
    let mut city = City::new().await;
    city.link.run("ALTER TABLE cases ADD told bigint").await;
    let mut config = city.config(WATERMARK);
    config.transaction_column = Some("told".to_owned());
    let refused = Source::open(&flow(SourceKind::Postgres(config), None)).await.unwrap_err();
    assert!(refused.to_string().contains("column `told` of table `cases` must be of type `xid8`"));
}

#[tokio::test]
async fn names_the_column_that_vanishes_or_changes_while_it_runs() {
    let mut city = City::new().await;
    let source = city.open(WATERMARK).await.unwrap();
    city.write(&["a"]).await;
    let read = source.next(None, 9, at(0)).await.unwrap();
    assert_eq!(keys(&read.rows), ["a"]);
    city.link.run("ALTER TABLE cases ALTER case_code TYPE integer USING 7").await;
    assert_eq!(
        source.next(read.mark.as_ref(), 9, at(1)).await.unwrap_err().to_string(),
        "column `case_code` of table `cases` was `text` and is now `integer`"
    );
    city.link.run("ALTER TABLE cases RENAME case_code TO code").await;
    let told = source.next(read.mark.as_ref(), 9, at(2)).await.unwrap_err();
    assert!(told.to_string().contains("has no column `case_code`"), "{told}");
    assert!(!told.is_transient());
}

#[tokio::test]
async fn an_account_without_rights_is_told_apart_from_a_server_that_is_away() {
    let mut city = City::new().await;
    city.link
        .run("REVOKE ALL ON cases FROM PUBLIC; CREATE ROLE reader LOGIN PASSWORD 'tests-only'")
        .await;
    let mut config = city.config(WATERMARK);
    let url = city.server.url(&city.database).replace("user=lienthong", "user=reader");
    let address: lienthong_store::ServerAddress = url.parse().unwrap();
    let password = lienthong_model::sensitive::Sensitive::new("tests-only".to_owned());
    config.address = address.clone().with_password(&password);
    let kind = SourceKind::Postgres(config.clone());
    let refused = Source::open(&flow(kind.clone(), None)).await.unwrap_err();
    assert!(matches!(refused, SourceError::NoTable(_)), "{refused}");
    // What the documentation says to grant is enough.
    city.link.run("GRANT SELECT (id, event, case_code, x) ON cases TO reader").await;
    let source = Source::open(&flow(kind, None)).await.unwrap();
    city.write(&["a"]).await;
    assert_eq!(keys(&source.next(None, 9, at(0)).await.unwrap().rows), ["a"]);
    let wrong = lienthong_model::sensitive::Sensitive::new("wrong".to_owned());
    config.address = address.with_password(&wrong);
    let refused = Source::open(&flow(SourceKind::Postgres(config), None)).await.unwrap_err();
    let told = refused.to_string();
    assert!(told.contains("refuses the user or the password") && !told.contains("wrong"), "{told}");
    city.link.run("DROP OWNED BY reader; DROP ROLE reader").await;
}

#[tokio::test]
async fn a_watermark_source_cannot_write() {
    let mut city = City::new().await;
    city.write(&["a"]).await;
    let Source::Postgres(source) = city.open(WATERMARK).await.unwrap() else { panic!() };
    let refused = sqlx::query("DELETE FROM cases").execute(&source.pool).await.unwrap_err();
    assert!(SourceError::from(refused).to_string().contains("open for reading only"));
}

#[tokio::test]
async fn refuses_to_go_on_in_a_database_that_is_another_than_the_mark_was_made_in() {
    let mut city = City::new().await;
    city.write(&["a"]).await;
    let source = city.open(WATERMARK).await.unwrap();
    let (_, mark) = drain(&source, None, 9, at(0)).await;
    city.link.run(&format!("DROP TABLE cases; CREATE TABLE cases {TABLE}")).await;
    city.write(&["b"]).await;
    let source = city.open(WATERMARK).await.unwrap();
    let refused = source.next(mark.as_ref(), 9, at(1)).await.unwrap_err();
    assert!(matches!(refused, SourceError::Replaced(_)), "{refused}");
    assert!(!refused.is_transient());
    // A person says from where to read in this one; nothing before that comes again.
    city.write(&["c", "d"]).await;
    let from = source.again(mark.as_ref(), Some("1")).await.unwrap();
    assert_eq!(keys(&drain(&source, Some(from), 1, at(2)).await.0), ["c", "d"]);
    let mut config = city.config(WATERMARK);
    config.transaction_column = Some("x".to_owned());
    let by = Source::open(&flow(SourceKind::Postgres(config), None)).await.unwrap();
    let from = by.again(mark.as_ref(), Some("2")).await.unwrap();
    assert_eq!(keys(&drain(&by, Some(from), 1, at(2)).await.0), ["d"]);
    let all = source.again(mark.as_ref(), None).await.unwrap();
    assert_eq!(keys(&drain(&source, Some(all), 9, at(2)).await.0), ["b", "c", "d"]);
    let foreign = Mark::new("{\"covered\":{},\"more\":1}").unwrap();
    assert!(matches!(source.next(Some(&foreign), 9, at(3)).await, Err(SourceError::Mark)));
}

#[tokio::test]
async fn marks_or_deletes_what_was_taken_and_nothing_else() {
    let mut city = City::new().await;
    city.write(&["a", "b", "c"]).await;
    for taken in [Taken::At("taken_at".to_owned()), Taken::Delete] {
        let deletes = taken == Taken::Delete;
        let source = city.open(TableMode::Outbox(taken)).await.unwrap();
        let read = source.next(None, 2, at(0)).await.unwrap();
        assert_eq!((keys(&read.rows), read.more), (vec!["a", "b"], true));
        // Nothing was taken, so the same comes again.
        let again = source.next(None, 2, at(0)).await.unwrap();
        assert_eq!(again.rows, read.rows);
        source.taken(&read.rows, at(0)).await.unwrap();
        assert_eq!(keys(&source.next(None, 9, at(0)).await.unwrap().rows), ["c"]);
        let known = source.with_keys(&["a".to_owned(), "c".to_owned()]).await.unwrap();
        assert_eq!(keys(&known), if deletes { vec!["c"] } else { vec!["a", "c"] });
        city.link.run("UPDATE cases SET taken_at = NULL").await;
    }
}

#[tokio::test]
async fn a_lock_that_a_writer_holds_does_not_stop_reading() {
    let mut city = City::new().await;
    city.write(&["a", "b"]).await;
    city.link.run("BEGIN; SELECT FROM cases WHERE event = 'a' FOR UPDATE").await;
    let source = city.open(TableMode::Outbox(Taken::At("taken_at".to_owned()))).await.unwrap();
    assert_eq!(keys(&source.next(None, 9, at(0)).await.unwrap().rows), ["a", "b"]);
    city.link.run("COMMIT").await;
}

#[tokio::test]
async fn reads_again_from_a_position_that_is_named_and_goes_on_where_it_stood() {
    let mut city = City::new().await;
    city.write(&["a", "b", "c", "d"]).await;
    let source = city.open(WATERMARK).await.unwrap();
    let (all, mark) = drain(&source, None, 3, at(0)).await;
    assert_eq!(keys(&all), ["a", "b", "c", "d"]);
    let mark = source.again(mark.as_ref(), Some("2")).await.unwrap();
    city.write(&["e"]).await;
    assert_eq!(keys(&drain(&source, Some(mark), 1, at(1)).await.0), ["c", "d", "e"]);
    let page = source.keys(Some("1"), 2).await.unwrap();
    assert_eq!(
        (page.keys, page.next.as_deref()),
        (vec!["b".to_owned(), "c".to_owned()], Some("3"))
    );
    let page = source.keys(Some("3"), 9).await.unwrap();
    assert_eq!((page.keys.len(), page.next), (2, None));
}

#[tokio::test]
async fn reads_values_of_every_type_it_knows() {
    let mut city = City::new().await;
    for (kind, value, expected) in [
        ("smallint", "7", Cell::Integer(7)),
        ("integer", "-7", Cell::Integer(-7)),
        ("bigint", "9007199254740993", Cell::Integer(9_007_199_254_740_993)),
        ("double precision", "0.5", Cell::Real(0.5)),
        ("real", "0.5", Cell::Real(0.5)),
        ("numeric(30,2)", "12345678901234567890.10", text("12345678901234567890.10")),
        ("boolean", "true", text("true")),
        ("varchar(20)", "'đ'", text("đ")),
        ("char(5)", "'ab'", text("ab")),
        ("date", "'2026-11-02'", text("2026-11-02")),
        ("timestamp", "'2026-11-02 08:00:00'", text("2026-11-02 08:00:00")),
        ("timestamptz", "'2026-11-02 08:00:00+07'", text("2026-11-02 01:00:00+00")),
        (
            "uuid",
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ),
        ("jsonb", "'{\"a\": 1}'", text("{\"a\": 1}")),
        ("bytea", "'\\x00ff'", Cell::Bytes(vec![0, 255])),
        ("text", "NULL", Cell::Null),
    ] {
        city.link.run("DROP TABLE IF EXISTS cases").await;
        city.link
            .run(&format!(
                "CREATE TABLE cases (id bigint PRIMARY KEY, event text, case_code text, v {kind})"
            ))
            .await;
        city.link.run(&format!("INSERT INTO cases VALUES (1, 'a', 'A', {value})")).await;
        let source = flow(SourceKind::Postgres(city.config(WATERMARK)), Some("v"));
        let source = Source::open(&source).await.unwrap();
        let rows = source.next(None, 9, at(0)).await.unwrap().rows;
        assert!(*rows[0].cell("v") == expected, "{kind}: {:?}", rows[0].text("v"));
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// A hundred interleavings, each with a table of its own.
async fn interleave(config: impl Fn(PostgresConfig) -> PostgresConfig, pace: Pace) {
    let mut city = City::new().await;
    let mut links = Vec::new();
    for _ in 0..5 {
        links.push(postgres_link(&city.server, &city.database).await);
    }
    let mut committed = 0;
    for seed in 0..100 {
        city.link.run(&format!("DROP TABLE cases; DROP SEQUENCE IF EXISTS given; CREATE SEQUENCE given; CREATE TABLE cases {TABLE}; CREATE INDEX ON cases (x, id); ALTER TABLE cases ALTER id SET DEFAULT nextval('given')")).await;
        let flow = flow(SourceKind::Postgres(config(city.config(WATERMARK))), None);
        let run = Interleaving::new(&flow, "cases", &mut links, pace, seed).await;
        let outcome = run.run(30).await;
        outcome.assert_complete(seed);
        committed += outcome.committed.len();
    }
    // Else there would be nothing to lose.
    assert!(committed > 1_000, "{committed}");
}

#[tokio::test]
async fn loses_nothing_in_a_hundred_interleavings_by_gaps() {
    // Transactions last far longer than the overlap.
    interleave(|config| config, Pace { seconds: 600, ahead: None }).await;
}

#[tokio::test]
async fn loses_nothing_in_a_hundred_interleavings_by_gaps_with_positions_given_ahead() {
    let within = |config| PostgresConfig { overlap: Duration::from_secs(600), ..config };
    interleave(within, Pace { seconds: 9, ahead: Some("given") }).await;
}

#[tokio::test]
async fn loses_nothing_in_a_hundred_interleavings_by_transactions() {
    let by = |config| PostgresConfig { transaction_column: Some("x".to_owned()), ..config };
    interleave(by, Pace { seconds: 600, ahead: Some("given") }).await;
}

#[tokio::test]
async fn loses_nothing_in_a_hundred_interleavings_of_an_outbox() {
    let by = |config: PostgresConfig| {
        let mode = TableMode::Outbox(Taken::At("taken_at".to_owned()));
        PostgresConfig { table: table("cases", mode), ..config }
    };
    interleave(by, Pace { seconds: 600, ahead: Some("given") }).await;
}
