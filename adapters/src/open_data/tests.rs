use std::path::{Path, PathBuf};

use lienthong_model::diagnostic::Diagnostics;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;

use super::*;
use crate::testing::World;

const SET: &str = r#"
id: visits
title: {vi: Lượt khám, en: Visits}
licence: CC-BY-4.0
steward: Office of tests
period: "2026"
source: city
sql: SELECT number, ward, born, illness, note FROM visits
k: 3
l: {distinct: 2}
columns:
  - {name: number, role: identifier}
  - {name: ward, role: quasi_identifier, ladder: {wards: true}}
  - {name: born, role: quasi_identifier, ladder: {bands: [10, 20]}}
  - {name: illness, role: sensitive}
  - {name: note, role: plain}
"#;

fn read(changes: &[(&str, &str)]) -> Result<RecordSet, String> {
    let mut text = SET.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "no `{from}`");
        text = text.replace(from, to);
    }
    let mut found = Diagnostics::new();
    let set = RecordSet::parse("test.yaml", &text, &mut found);
    found.into_result(()).map_err(|found| found.to_string())?;
    Ok(set.expect("a record set"))
}

/// A configuration with this record set over these rows of ward, year of birth, illness and note.
struct City {
    world: World,
    set: RecordSet,
}

impl City {
    async fn new(set: RecordSet, rows: &[(&str, &str, &str, &str)]) -> Self {
        let world = World::new().await;
        let file = world.folder.path().join("city.db");
        let mut text = "CREATE TABLE visits (number, ward, born, illness, note);".to_owned();
        for (ward, born, illness, note) in rows {
            text.push_str(&format!(
                "INSERT INTO visits VALUES ('079099912345', '{ward}', {born}, '{illness}', '{note}');"
            ));
        }
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut link = SqliteConnection::connect_with(&options).await.unwrap();
        link.execute(AssertSqlSafe(text)).await.unwrap();
        link.close().await.unwrap();
        Self { world, set }
    }

    fn folder(&self) -> PathBuf {
        self.world.folder.path().join("published")
    }

    async fn look(&self, intent: Intent) -> RecordSetReport {
        let mut config = self.world.config();
        let kind = crate::config::ConnectionKind::Sqlite(self.world.folder.path().join("city.db"));
        let statement = std::time::Duration::from_secs(5);
        let connection = crate::config::ConnectionConfig { kind, statement, most_rows: 100 };
        config.connections.insert("city".to_owned(), connection);
        config.open_data = Some(crate::config::OpenDataConfig {
            publish_to: self.folder(),
            record_sets: vec![self.set.clone()],
        });
        open_data(&config, "visits", intent, "2026-12-05T03:00:00Z".parse().unwrap()).await.unwrap()
    }
}

/// Three of one ward and ten years, two of the years beside it.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("26740", "1981", "flu", "a"),
    ("26740", "1982", "cold", "b"),
    ("26740", "1983", "flu", "c"),
    ("26740", "1991", "flu", "d"),
    ("26740", "1992", "cold", "e"),
];

#[test]
fn refuses_an_identifier_that_is_to_be_published_and_other_mistakes() {
    for (change, told) in [
        (("role: identifier}", "role: identifier, publish: true}"), "is never published"),
        (("k: 3", "k: 1"), "`k` must be a whole number from 2"),
        (("l: {distinct: 2}\n", ""), "needs `l`"),
        (("bands: [10, 20]", "bands: [10, 25]"), "each a multiple of the one before"),
        (("bands: [10, 20]}", "bands: [10]}, level: 3"), "above what its ladder permits"),
        (("role: plain", "role: plain, level: 1"), "for quasi-identifiers only"),
        (("note, role: plain", "note, role: free"), "`role` must be"),
        (("FROM visits", "FROM visits WHERE a < :to"), "has no `:from` and `:to`"),
    ] {
        let found = read(&[change]).unwrap_err();
        assert!(found.contains(told), "{told} in {found}");
    }
    let none = [
        ("role: quasi_identifier, ladder: {wards: true}", "role: plain"),
        ("role: quasi_identifier, ladder: {bands: [10, 20]}", "role: plain"),
    ];
    assert!(read(&none).unwrap_err().contains("needs a column of role `quasi_identifier`"));
}

#[tokio::test]
async fn refuses_small_groups_with_their_sizes_and_the_levels_that_would_do() {
    let city = City::new(read(&[]).unwrap(), ROWS).await;
    let report = city.look(Intent::Publish).await;
    let small = SizeReport { size: 1, groups: 5, records: 5 };
    assert_eq!((report.passes, report.too_small.clone()), (false, vec![small]));
    assert_eq!(report.too_uniform["illness"], [small]);
    let levels = [("born".to_owned(), 2), ("ward".to_owned(), 0)];
    assert_eq!(report.suggestion, Some(levels.into()));
    assert!(!city.folder().exists(), "nothing is published");
    assert!(!format!("{report:?}").contains("flu"));
    // Only what the file permits is suggested.
    let strict = [("bands: [10, 20]}", "bands: [10, 20]}, at_most: 1")];
    let report = City::new(read(&strict).unwrap(), ROWS).await.look(Intent::Check).await;
    assert_eq!(report.suggestion, None);
}

#[tokio::test]
async fn publishes_what_passes_after_generalising_without_the_identifier() {
    let set = read(&[("bands: [10, 20]}", "bands: [10, 20]}, level: 2")]).unwrap();
    let city = City::new(set, ROWS).await;
    assert_eq!(city.look(Intent::Check).await.published, None);
    assert!(!city.folder().exists());
    let report = city.look(Intent::Publish).await;
    assert_eq!((report.passes, report.groups, report.smallest), (true, 1, 5), "{report:?}");
    let home = city.folder().join("visits");
    let read = |name: &str| std::fs::read_to_string(home.join("current").join(name)).unwrap();
    let text = read("visits.csv");
    assert!(text.starts_with("ward,born,illness,note\r\n26740,1980..1999,cold,b\r\n"), "{text}");
    assert_eq!(text.lines().count(), 6);
    assert!(!text.contains("079099912345"));
    let told: serde_json::Value = serde_json::from_str(&read("metadata.json")).unwrap();
    assert_eq!(told["anonymity"]["k"], 3);
    assert_eq!(told["dcat:distribution"]["dcat:byteSize"], text.len());
    let mut files: Vec<_> =
        std::fs::read_dir(&home).unwrap().map(|one| one.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["20261205T030000Z", "current"]);
}

#[tokio::test]
async fn refuses_what_a_spreadsheet_would_carry_out_and_personal_numbers() {
    let passing = ("bands: [10, 20]}", "bands: [10, 20]}, level: 2");
    for (note, told) in [
        ("=1+1", "column `note` holds what a spreadsheet would carry out"),
        (" @SUM(A1)", "column `note` holds what a spreadsheet would carry out"),
        ("079 099 912 345", "column `note` holds what looks like a personal number"),
        ("a\u{7}b", "column `note` holds a control character"),
    ] {
        let mut rows = ROWS.to_vec();
        rows[0].3 = note;
        let city = City::new(read(&[passing]).unwrap(), &rows).await;
        let report = city.look(Intent::Publish).await;
        assert_eq!(report.reason.as_deref(), Some(told), "{note}");
        assert!(!city.folder().exists());
    }
    let mark = [passing, ("k: 3", "formulas: mark\nk: 3")];
    let mut rows = ROWS.to_vec();
    (rows[0].3, rows[1].3, rows[2].3) = ("=1+1", "-5.5", "say \"no\", then go");
    let city = City::new(read(&mark).unwrap(), &rows).await;
    assert!(city.look(Intent::Publish).await.passes);
    let text = std::fs::read_to_string(city.folder().join("visits/current/visits.csv")).unwrap();
    for cell in [",'=1+1\r\n", ",-5.5\r\n", ",\"say \"\"no\"\", then go\"\r\n"] {
        assert!(text.contains(cell), "{text}");
    }
}

#[tokio::test]
async fn a_value_that_the_ladder_does_not_know_is_refused() {
    let set = read(&[("wards: true}", "wards: true}, level: 1")]).unwrap();
    let mut rows = ROWS.to_vec();
    rows[0].0 = "00001";
    let report = City::new(set, &rows).await.look(Intent::Check).await;
    let told = "column `ward`: the ladder has no level for a value";
    assert_eq!(report.reason.as_deref(), Some(told));
}

#[test]
fn what_was_left_unfinished_is_cleared_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let set = read(&[]).unwrap();
    let home: &Path = &folder.path().join("visits");
    std::fs::create_dir_all(home.join("20260101T000000Z.part")).unwrap();
    std::fs::create_dir_all(home.join("20260101T000000Z")).unwrap();
    let at = "2026-12-05T03:00:00Z".parse().unwrap();
    let report = RecordSetReport::default();
    publish::publish(&set, &Vec::new(), &report, folder.path(), at).unwrap();
    assert!(!home.join("20260101T000000Z.part").exists() && home.join("20260101T000000Z").exists());
    let again = publish::publish(&set, &Vec::new(), &report, folder.path(), at);
    assert!(again.is_err(), "a version is never written over");
}

#[tokio::test]
async fn an_outlet_for_rows_is_refused_when_the_file_is_read() {
    let mut world = World::new().await;
    let folder = world.folder.path().join("indicators");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("cases.yaml"), crate::indicator::CASES).unwrap();
    let with = |outlet: &str| {
        format!(
            "connections: {{city: {{sqlite: {{file: city.db}}}}}}\nindicators: {{folder: indicators, since: 2026-11-01, outlets: [{outlet}]}}\nflows:"
        )
    };
    let mut before = "flows:".to_owned();
    for (outlet, told) in [
        (
            "{id: ioc, folder: ioc, record_sets: [visits]}",
            "releases of indicators only, never rows",
        ),
        ("{id: ioc, folder: ioc, sql: SELECT 1}", "releases of indicators only, never rows"),
        ("{id: ioc, folder: ioc, indicators: [casse]}", "did you mean `cases`?"),
        ("{id: ioc, folder: ioc, indicators: []}", "an outlet needs `indicators`"),
    ] {
        world.set(&before, &with(outlet));
        before = with(outlet);
        let found = Config::read(&world.path()).unwrap_err().to_string();
        assert!(found.contains(told), "{told} in {found}");
    }
    world.set(&before, &with("{id: ioc, folder: ioc, indicators: [cases]}"));
    assert_eq!(world.config().indicators.unwrap().outlets.len(), 1);
}
