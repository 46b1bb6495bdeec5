//! An indicator over a small database of a test's own, with a durable state and a clock.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use lienthong_model::{clock::ManualClock, diagnostic::Diagnostics};
use lienthong_store::Store;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;

use super::{
    definition::Definition,
    work::{Indicators, Outcome},
};
use crate::config::{ConnectionConfig, ConnectionKind, IndicatorsConfig, OutletConfig};

/// Cases by ward and sex. Wards A and B are in the north, C in the south.
pub(crate) const CASES: &str = r#"
id: cases
name: {vi: Hồ sơ, en: Cases}
group: test
steward: Office of tests
legal_basis: [a document]
period: month
due_days: 10
unit: {vi: hồ sơ, en: cases}
kind: count
source: city
sql: |
  SELECT ward, sex, sum(n) AS value FROM cases
  WHERE day >= :from AND day < :to GROUP BY ward, sex
columns: {value: value}
dimensions:
  - name: ward
    categories:
      - {code: north, vi: Bắc, en: North}
      - {code: a, parent: north, vi: A, en: A}
      - {code: b, parent: north, vi: B, en: B}
      - {code: c, vi: C, en: C}
  - name: sex
    categories:
      - {code: "1", vi: Nam, en: Male}
      - {code: "2", vi: Nữ, en: Female}
rules: {threshold: 5}
"#;

/// The indicator of this file, with something else in it.
pub(crate) fn read(text: &str, changes: &[(&str, &str)]) -> Result<Definition, String> {
    let mut text = text.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "no `{from}` in the file");
        text = text.replace(from, to);
    }
    let mut found = Diagnostics::new();
    let definition = Definition::parse("test.yaml", &text, &mut found);
    match found.into_result(()) {
        Ok(()) => Ok(definition.expect("an indicator")),
        Err(found) => Err(found.to_string()),
    }
}

/// A database, a durable state and a clock.
pub(crate) struct Office {
    pub(crate) folder: TempDir,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: ManualClock,
    pub(crate) most_rows: u32,
    pub(crate) outlets: Vec<OutletConfig>,
}

impl Office {
    /// On 5 December 2026, with the figures of the example in the documents of statistics in November.
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Arc::new(Store::open(folder.path().join("state").as_path()).await.unwrap());
        let clock = ManualClock::at("2026-12-05T03:00:00Z".parse::<Timestamp>().unwrap());
        let office = Self { folder, store, clock, most_rows: 50, outlets: Vec::new() };
        office.run("CREATE TABLE cases (ward TEXT, sex TEXT, day TEXT, n)").await;
        office.month(&[("a", [48, 2]), ("b", [29, 31]), ("c", [37, 40])]).await;
        office
    }

    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("city.db")
    }

    /// Carries statements out in the city's database.
    pub(crate) async fn run(&self, text: &str) {
        run(&self.database(), text).await;
    }

    /// Puts these figures of November in place of those that are there.
    pub(crate) async fn month(&self, figures: &[(&str, [i64; 2])]) {
        let mut text = "DELETE FROM cases;".to_owned();
        for (ward, [men, women]) in figures {
            for (sex, n) in [(1, men), (2, women)] {
                let row =
                    format!("INSERT INTO cases VALUES ('{ward}', '{sex}', '2026-11-15', {n});");
                text.push_str(&row);
            }
        }
        self.run(&text).await;
    }

    /// These indicators at work here, asking this database.
    pub(crate) fn asking(
        &self,
        definitions: Vec<Definition>,
        kind: ConnectionKind,
    ) -> Arc<Indicators> {
        let statement = Duration::from_secs(5);
        let connection = ConnectionConfig { kind, statement, most_rows: self.most_rows };
        let config = IndicatorsConfig {
            since: "2026-11-01".parse().unwrap(),
            look: Duration::from_secs(900),
            definitions: definitions.into_iter().map(Arc::new).collect(),
            outlets: self.outlets.clone(),
        };
        let connections = BTreeMap::from([("city".to_owned(), connection)]);
        Indicators::with(config, connections, &self.store, Arc::new(self.clock.clone()))
    }

    pub(crate) fn indicators(&self, definitions: Vec<Definition>) -> Arc<Indicators> {
        self.asking(definitions, ConnectionKind::Sqlite(self.database()))
    }

    /// What becomes of November.
    pub(crate) async fn november(&self, definition: &Definition, why: Option<&str>) -> Outcome {
        let indicators = self.indicators(vec![definition.clone()]);
        november(&indicators, definition.id.as_str(), why).await
    }
}

pub(crate) async fn november(indicators: &Arc<Indicators>, id: &str, why: Option<&str>) -> Outcome {
    indicators.compute(indicators.task(id, "2026-11", why).unwrap()).await.unwrap()
}

/// Why it was refused.
pub(crate) fn refused(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused { reason } => reason,
        other => panic!("not refused: {other:?}"),
    }
}

async fn run(file: &Path, text: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut link = SqliteConnection::connect_with(&options).await.unwrap();
    link.execute(AssertSqlSafe(text)).await.unwrap();
    link.close().await.unwrap();
}
