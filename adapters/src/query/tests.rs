use std::time::Duration;

use jiff::civil::date;

use super::*;

fn question(template: &Template) -> Question<'_> {
    let span = Span { from: date(2026, 11, 1), to: date(2026, 12, 1) };
    Question { template, columns: &["a"], span }
}

fn connection(file: &str) -> ConnectionConfig {
    let kind = ConnectionKind::Sqlite(file.into());
    ConnectionConfig { kind, statement: Duration::from_secs(5), most_rows: 2 }
}

#[tokio::test]
async fn refuses_a_file_that_is_not_there_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("city.db");
    let template = Template::parse("SELECT 1 AS a").unwrap();
    let asked = question(&template).ask(&connection(&file.display().to_string())).await;
    assert!(matches!(asked, Err(QueryError::Missing(_))), "{asked:?}");
    assert!(!file.exists());
}

#[test]
fn a_comment_at_the_end_does_not_swallow_the_limit() {
    let template = Template::parse("SELECT 1 AS a -- the end").unwrap();
    let (text, bound) = question(&template).statement(Engine::Sqlite, 2);
    assert!(text.ends_with("-- the end\n) AS q LIMIT 3"), "{text}");
    assert!(bound.is_empty());
}
