use std::sync::Arc;

use jiff::SignedDuration;
use lienthong_statistics::audit::{AuditBounds, audit};
use tokio::sync::watch;

use super::{
    Indicators, Outcome, PeriodState,
    content::Content,
    testing::{CASES, Office, november, read, refused},
};
use crate::{
    config::ConnectionKind,
    source::testing::{mariadb, mariadb_link, postgres::Server, postgres_address, postgres_link},
};

/// What is kept of November, the last revision.
async fn kept(office: &Office, id: &str) -> Content {
    let id = id.parse().unwrap();
    let kept = office.store.indicators().of_period(&id, "2026-11", 9).await.unwrap();
    Content::read(&kept.last().expect("a release").content).unwrap()
}

fn shown<'a>(content: &'a Content, at: &[&str]) -> Option<&'a str> {
    content.cells.iter().find(|cell| cell.at == at).expect("a cell").value.as_deref()
}

/// Why this row, beside none other, is refused.
async fn only(office: &Office, row: &str) -> String {
    office.run(&format!("DELETE FROM cases; INSERT INTO cases VALUES {row};")).await;
    match office.november(&read(CASES, &[]).unwrap(), None).await {
        Outcome::Refused { reason } => reason,
        other => panic!("{row}: {other:?}"),
    }
}

#[tokio::test]
async fn refuses_bad_rows_with_their_column_and_never_a_value() {
    let office = Office::new().await;
    for (row, told) in [
        ("('a', '1', '2026-11-15', -7)", "column `value` is negative, in a row of `ward=a,sex=1`"),
        ("('a', '1', '2026-11-15', 9e999)", "column `value` is not finite"),
        ("('a', '1', '2026-11-15', 7.5)", "column `value` has more decimals than the table"),
        ("('a', '1', '2026-11-15', NULL)", "column `value` has a row without a value"),
        ("('canary', '1', '2026-11-15', 7)", "column `ward` has a code that is no category"),
        ("(NULL, '1', '2026-11-15', 7)", "column `ward` has a row without a value"),
        ("('a', '1', '2026-10-31', 7)", "the query gives no rows"),
        ("('a', '1', '2026-12-01', 7)", "the query gives no rows"),
    ] {
        let reason = only(&office, row).await;
        assert!(reason.contains(told), "{row}: {reason}");
        assert!(!reason.contains("canary") && !reason.contains("-7"), "{reason}");
    }
    assert_eq!(office.store.indicators().highest().await.unwrap(), 0);
    let refusals = office.store.indicators().refusals(&"cases".parse().unwrap()).await.unwrap();
    assert_eq!((refusals.len(), refusals[0].period.as_str()), (1, "2026-11"));
}

#[tokio::test]
async fn refuses_a_cell_that_comes_twice_and_totals_that_are_wrong() {
    let office = Office::new().await;
    let twice = read(CASES, &[(" GROUP BY ward, sex", " GROUP BY ward, sex, n % 2")]).unwrap();
    office.run("INSERT INTO cases VALUES ('a', '1', '2026-11-15', 7)").await;
    assert_eq!(refused(office.november(&twice, None).await), "`ward=a,sex=1` stands in two rows");
    let wrong = " GROUP BY ward, sex UNION ALL SELECT 'all', '1', 9999";
    let wrong = read(CASES, &[(" GROUP BY ward, sex", wrong)]).unwrap();
    let reason = refused(office.november(&wrong, None).await);
    assert!(reason.contains("is not the sum of its parts"), "{reason}");
    assert!(!reason.contains("9999"), "{reason}");
}

#[tokio::test]
async fn no_rows_are_zero_only_where_the_file_says_so() {
    let office = Office::new().await;
    office.run("DELETE FROM cases").await;
    let definition = read(CASES, &[("kind: count", "kind: count\nempty: zero")]).unwrap();
    let outcome = office.november(&definition, None).await;
    assert!(matches!(outcome, Outcome::Kept { revision: 1, withheld: 0, .. }), "{outcome:?}");
    assert_eq!(kept(&office, "cases").await.total(), Some("0"));
}

#[tokio::test]
async fn a_query_that_fails_takes_too_long_or_gives_too_many_rows_leaves_the_others_alone() {
    let office = Office::new().await;
    let many = "SELECT ward, sex, n AS value FROM cases, (WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL \
                SELECT x + 1 FROM t WHERE x < 60) SELECT x FROM t) WHERE day < :to";
    let whole = "SELECT ward, sex, sum(n) AS value FROM cases\n  \
                 WHERE day >= :from AND day < :to GROUP BY ward, sex";
    let of = |id: &str, sql: &str| {
        read(CASES, &[("id: cases", &format!("id: {id}")), (whole, sql)]).unwrap()
    };
    let indicators = office.indicators(vec![
        of("broken", "SELECT ward, sex, nothing AS value FROM cases WHERE day < :to"),
        of("many", many),
        of("good", whole),
    ]);
    let stop = watch::channel(false);
    assert_eq!(indicators.look("me", &stop.1).await.unwrap(), 3);
    let reason = |report: &super::IndicatorReport| report.periods[0].reason.clone();
    let reports = indicators.status().await.unwrap();
    assert!(reason(&reports[0]).unwrap().starts_with("database failed"), "{reports:?}");
    assert_eq!(reason(&reports[1]).unwrap(), "the query gives more than 50 rows");
    assert_eq!(reports[2].periods[0].state, PeriodState::Computed);
    // What was refused is tried again at the next look, and only that.
    assert_eq!(indicators.look("me", &stop.1).await.unwrap(), 2);
}

#[tokio::test]
async fn an_endless_query_ends_in_time() {
    let office = Office::new().await;
    let endless = "SELECT 'a' AS ward, '1' AS sex, (WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL \
                   SELECT x + 1 FROM t) SELECT count(*) FROM t) AS value WHERE '2' < :to";
    let whole = "SELECT ward, sex, sum(n) AS value FROM cases\n  \
                 WHERE day >= :from AND day < :to GROUP BY ward, sex";
    let endless = read(CASES, &[(whole, endless)]).unwrap();
    assert_eq!(refused(office.november(&endless, None).await), "the query took longer than 5 s");
}

#[tokio::test]
async fn a_small_cell_is_withheld_with_others_so_that_nobody_can_work_it_out() {
    let office = Office::new().await;
    let outcome = office.november(&read(CASES, &[]).unwrap(), None).await;
    let Outcome::Kept { revision: 1, withheld, .. } = outcome else { panic!("{outcome:?}") };
    assert!(withheld >= 4, "{withheld}");
    let content = kept(&office, "cases").await;
    assert_eq!(shown(&content, &["a", "2"]), None);
    assert_eq!((shown(&content, &["all", "all"]), content.total()), (Some("187"), Some("187")));
    // Nothing tells a cell that is a risk from one that protects it.
    let said = serde_json::to_value(&content).unwrap();
    for cell in said["cells"].as_array().unwrap() {
        let withheld = cell.get("withheld").is_some();
        assert_eq!(cell.as_object().unwrap().len(), 2, "{cell}");
        assert_eq!(withheld, cell.get("value").is_none());
    }
    let release = content.release("cases/2026-11").unwrap();
    for (cell, derived) in audit(&release, &AuditBounds::default()).unwrap() {
        let (low, high) = derived.reached.unwrap();
        assert!(high - low >= 4, "{} is between {low} and {high}", release.shape().name(cell));
    }
}

#[tokio::test]
async fn refuses_a_revision_that_would_withhold_what_was_published() {
    let office = Office::new().await;
    let definition = read(CASES, &[]).unwrap();
    office.month(&[("a", [48, 12]), ("b", [29, 31]), ("c", [37, 40])]).await;
    let first = office.november(&definition, None).await;
    assert!(matches!(first, Outcome::Kept { withheld: 0, .. }), "{first:?}");
    // The cell is small now; what was published would tell of it.
    office.month(&[("a", [48, 2]), ("b", [29, 31]), ("c", [37, 40])]).await;
    let reason = refused(office.november(&definition, None).await);
    assert!(reason.contains("`ward=a,sex=2` is a risk and known to readers already"), "{reason}");
    assert_eq!(office.store.indicators().highest().await.unwrap(), 1);
}

#[tokio::test]
async fn another_table_of_the_same_figures_shows_nothing_that_one_withholds() {
    let office = Office::new().await;
    let by_ward = read(CASES, &[]).unwrap();
    let outcome = office.november(&by_ward, None).await;
    assert!(matches!(outcome, Outcome::Kept { .. }), "{outcome:?}");
    // The same figures, without a rule that would keep small ones back.
    let careless =
        [("id: cases", "id: careless\nstatistic: cases"), ("threshold: 5", "threshold: 2")];
    let careless = read(CASES, &careless).unwrap();
    let indicators = office.indicators(vec![by_ward.clone(), careless]);
    let outcome = november(&indicators, "careless", None).await;
    assert!(matches!(outcome, Outcome::Kept { .. }), "{outcome:?}");
    let (own, other) = (kept(&office, "cases").await, kept(&office, "careless").await);
    for (one, other) in own.cells.iter().zip(&other.cells) {
        assert_eq!((&one.at, one.withheld), (&other.at, other.withheld));
    }
    // By sex alone nothing is small there; what it shows is what is shown already.
    let dimension =
        CASES.split("  - name: sex").next().unwrap().split("dimensions:\n").nth(1).unwrap();
    let by_sex = [
        ("id: cases", "id: by-sex\nstatistic: cases"),
        (dimension, ""),
        ("SELECT ward, sex,", "SELECT sex,"),
        ("GROUP BY ward, sex", "GROUP BY sex"),
    ];
    let indicators = office.indicators(vec![by_ward, read(CASES, &by_sex).unwrap()]);
    let outcome = november(&indicators, "by-sex", None).await;
    assert!(matches!(outcome, Outcome::Kept { withheld: 0, .. }), "{outcome:?}");
}

#[tokio::test]
async fn other_figures_make_a_revision_and_the_same_ones_none() {
    let office = Office::new().await;
    let definition = read(CASES, &[]).unwrap();
    office.november(&definition, None).await;
    let again = office.november(&definition, None).await;
    assert_eq!(again, Outcome::Unchanged { revision: 1 });
    office.month(&[("a", [48, 2]), ("b", [29, 31]), ("c", [37, 45])]).await;
    let outcome = office.november(&definition, Some("late reports of ward C")).await;
    assert!(matches!(outcome, Outcome::Kept { revision: 2, .. }), "{outcome:?}");
    let content = kept(&office, "cases").await;
    assert_eq!((content.revision, content.why.as_deref()), (2, Some("late reports of ward C")));
    assert_eq!(content.total(), Some("192"));
    // The pattern is that of the first: what was withheld stays so, and nothing else is.
    let id = "cases".parse().unwrap();
    let both = office.store.indicators().of_period(&id, "2026-11", 9).await.unwrap();
    let withheld = |text: &str| -> Vec<Vec<String>> {
        let content = Content::read(text).unwrap();
        content.cells.into_iter().filter(|cell| cell.withheld).map(|cell| cell.at).collect()
    };
    let (first, second) = (withheld(&both[0].content), withheld(&both[1].content));
    assert!(second.iter().all(|cell| first.contains(cell)), "{first:?} {second:?}");
}

#[tokio::test]
async fn refuses_a_late_revision_without_a_reason() {
    let office = Office::new().await;
    let definition = read(CASES, &[("due_days: 10", "due_days: 10\nrevise_for_days: 30")]).unwrap();
    office.november(&definition, None).await;
    office.clock.advance(SignedDuration::from_hours(24 * 40));
    office.month(&[("a", [48, 2]), ("b", [29, 31]), ("c", [37, 45])]).await;
    let reason = refused(office.november(&definition, None).await);
    assert!(reason.contains("a reason is needed"), "{reason}");
    let outcome = office.november(&definition, Some("ruling of the inspectorate")).await;
    assert!(matches!(outcome, Outcome::Kept { revision: 2, .. }), "{outcome:?}");
}

#[tokio::test]
async fn tells_what_is_missing_and_what_is_late() {
    let office = Office::new().await;
    let indicators = office.indicators(vec![read(CASES, &[]).unwrap()]);
    let state = async |indicators: &Arc<Indicators>| {
        let report = indicators.status().await.unwrap().remove(0);
        report
            .periods
            .iter()
            .map(|one| (one.period.clone(), one.state, one.late))
            .collect::<Vec<_>>()
    };
    let november = |state, late| ("2026-11".to_owned(), state, late);
    assert_eq!(state(&indicators).await, [november(PeriodState::Missing, false)]);
    // Due on 11 December: the day after it is late.
    office.clock.advance(SignedDuration::from_hours(24 * 6));
    assert_eq!(state(&indicators).await, [november(PeriodState::Missing, false)]);
    office.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(state(&indicators).await, [november(PeriodState::Missing, true)]);
    let stop = watch::channel(false);
    indicators.look("me", &stop.1).await.unwrap();
    assert_eq!(state(&indicators).await, [november(PeriodState::Computed, false)]);
    office
        .store
        .indicators()
        .published(&[1], "2026-12-12T00:00:00Z".parse().unwrap())
        .await
        .unwrap();
    office.clock.advance(SignedDuration::from_hours(24 * 25));
    let december = ("2026-12".to_owned(), PeriodState::Missing, false);
    assert_eq!(state(&indicators).await, [november(PeriodState::Published, false), december]);
    assert!(indicators.task("cases", "2027-01", None).is_err(), "not over");
    assert!(indicators.task("cases", "2026-10", None).is_err(), "before the first");
    assert!(indicators.task("cases", "2026-q4", None).is_err());
    assert!(indicators.task("other", "2026-11", None).is_err());
}

#[tokio::test]
async fn computes_only_while_no_other_process_does() {
    let office = Office::new().await;
    let indicators = office.indicators(vec![read(CASES, &[]).unwrap()]);
    let now = "2026-12-05T03:00:00Z".parse().unwrap();
    let (leader, length) = ("indicators".parse().unwrap(), SignedDuration::from_secs(60));
    assert!(office.store.outbox().lead(&leader, "other", now, length).await.unwrap());
    let stop = watch::channel(false);
    assert_eq!(indicators.look("me", &stop.1).await.unwrap(), 0);
    office.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(indicators.look("me", &stop.1).await.unwrap(), 1);
}

/// A month begins and ends at midnight of the city, seven hours before that of UTC.
#[tokio::test]
async fn asks_a_postgresql_server_for_a_month_of_the_city() {
    let office = Office::new().await;
    let server = Server::shared();
    let database = server.database();
    let mut link = postgres_link(&server, &database).await;
    link.run("CREATE TABLE cases (ward text, sex text, day timestamptz, n bigint)").await;
    for (day, n) in [
        ("2026-10-31 16:59:59+00", 1000),
        ("2026-10-31 17:00:00+00", 48),
        ("2026-11-30 16:59:59+00", 52),
        ("2026-11-30 17:00:00+00", 5000),
    ] {
        link.run(&format!("INSERT INTO cases VALUES ('a', '1', '{day}', {n})")).await;
    }
    let kind = ConnectionKind::Postgres(postgres_address(&server, &database));
    let whole = read(CASES, &[]).unwrap();
    let broken = [("id: cases", "id: broken"), ("sum(n)", "sum(no_such_column)")];
    let writing = [("id: cases", "id: writing"), ("sum(n)", "nextval('s')")];
    let slow = [("id: cases", "id: slow"), ("sum(n)", "count(pg_sleep(60))")];
    link.run("CREATE SEQUENCE s").await;
    let others = [read(CASES, &broken), read(CASES, &writing), read(CASES, &slow)];
    let mut all: Vec<_> = others.into_iter().map(Result::unwrap).collect();
    all.push(whole);
    let indicators = office.asking(all, kind);
    let outcome = november(&indicators, "cases", None).await;
    assert!(matches!(outcome, Outcome::Kept { .. }), "{outcome:?}");
    assert_eq!(kept(&office, "cases").await.total(), Some("100"));
    let reason = refused(november(&indicators, "broken", None).await);
    assert_eq!(reason, "database failed (code `42703`)");
    let reason = refused(november(&indicators, "writing", None).await);
    assert_eq!(reason, "database is open for reading only (code `25006`)");
    let reason = refused(november(&indicators, "slow", None).await);
    assert_eq!(reason, "database took too long over a statement (code `57014`)");
}

#[tokio::test]
async fn asks_a_mariadb_server_for_a_month_of_the_city() {
    let office = Office::new().await;
    let server = mariadb::Server::shared();
    let database = server.database();
    mariadb_link(&server, "mysql").await.run(&format!("CREATE DATABASE {database}")).await;
    let mut link = mariadb_link(&server, &database).await;
    link.run("CREATE TABLE cases (ward text, sex text, day datetime, n bigint)").await;
    for (day, n) in [("2026-10-31 23:59:59", 9), ("2026-11-01", 48), ("2026-12-01", 5000)] {
        link.run(&format!("INSERT INTO cases VALUES ('a', '1', '{day}', {n})")).await;
    }
    let kind = ConnectionKind::Mysql(server.url(&database).parse().unwrap());
    let slow = [("id: cases", "id: slow"), ("sum(n)", "sum(sleep(60))")];
    let broken = [("id: cases", "id: broken"), ("sum(n)", "sum(no_such_column)")];
    let all = [read(CASES, &[]), read(CASES, &slow), read(CASES, &broken)];
    let indicators = office.asking(all.into_iter().map(Result::unwrap).collect(), kind);
    let outcome = november(&indicators, "cases", None).await;
    assert!(matches!(outcome, Outcome::Kept { .. }), "{outcome:?}");
    assert_eq!(kept(&office, "cases").await.total(), Some("48"));
    let reason = refused(november(&indicators, "slow", None).await);
    assert!(reason.contains("took too long") || reason.contains("longer"), "{reason}");
    let reason = refused(november(&indicators, "broken", None).await);
    assert!(reason.starts_with("database failed"), "{reason}");
}

/// Every shipped file asks what the synthetic city can answer. Small cities have small figures, which
/// are refused where nothing could be published, and for no other reason.
#[tokio::test]
async fn the_shipped_placeholders_run_over_the_synthetic_city() {
    let mut office = Office::new().await;
    office.most_rows = 10_000;
    let city = office.folder.path().join("synthetic.db");
    let size = lienthong_sandbox::synthetic::Size { citizens: 20_000, cases: 300 };
    lienthong_sandbox::synthetic::generate_size(&city, 7, size).await.unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/indicators");
    let mut found = lienthong_model::diagnostic::Diagnostics::new();
    let mut definitions = Vec::new();
    for number in 1..=20 {
        let path = folder.join(format!("group-a-{number:02}.yaml"));
        definitions.extend(super::Definition::read(&path, &mut found));
    }
    assert!(found.is_empty(), "{found}");
    let indicators = office.asking(definitions, ConnectionKind::Sqlite(city));
    let (mut kept, mut refused) = (0, Vec::new());
    for definition in indicators.definitions() {
        for period in definition
            .over("2026-11-01".parse().unwrap(), indicators.clock.now())
            .into_iter()
            .take(1)
        {
            let task = indicators.task(definition.id.as_str(), &period.to_string(), None).unwrap();
            match indicators.compute(task).await.unwrap() {
                Outcome::Refused { reason } => refused.push(format!("{}: {reason}", definition.id)),
                _ => kept += 1,
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(kept >= 15, "{kept}");
}

#[tokio::test]
async fn an_outlet_gets_each_release_once_as_it_is_published() {
    let mut office = Office::new().await;
    let folder = office.folder.path().join("centre");
    office.outlets = vec![crate::config::OutletConfig {
        id: "centre".parse().unwrap(),
        folder: folder.clone(),
        indicators: vec!["cases".parse().unwrap()],
    }];
    let other = read(CASES, &[("id: cases", "id: other")]).unwrap();
    let indicators = office.indicators(vec![read(CASES, &[]).unwrap(), other]);
    let stop = watch::channel(false);
    indicators.look("me", &stop.1).await.unwrap();
    indicators.look("me", &stop.1).await.unwrap();
    let files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(files, ["cases.2026-11.r1.json"]);
    let text = std::fs::read_to_string(folder.join("cases.2026-11.r1.json")).unwrap();
    assert_eq!(Content::read(&text), Some(kept(&office, "cases").await));
}
