use tempfile::TempDir;

use super::*;
use crate::testing::{A, B, World, sync};

async fn open(world: &World) -> Result<SqliteSource, SourceError> {
    SqliteSource::open(&world.config().flows[0]).await
}

#[tokio::test]
async fn refuses_a_source_that_is_not_as_the_flow_says() {
    let mut world = World::new().await;
    world.set("column: applicant_name}", "column: applicant}");
    let error = open(&world).await.unwrap_err().to_string();
    assert_eq!(error, "table `case_outbox` has no column `applicant`");
    world.set("table: case_outbox", "table: nothing");
    assert_eq!(open(&world).await.unwrap_err().to_string(), "table `nothing` does not exist");
    world.set("file: city.db", "file: nowhere.db");
    assert!(matches!(open(&world).await, Err(SourceError::Missing(_))));
}

#[tokio::test]
async fn refuses_a_watermark_over_positions_that_can_be_given_twice() {
    let world = World::new().await;
    world
        .execute(
            "ALTER TABLE case_outbox RENAME TO old;
             CREATE TABLE case_outbox AS SELECT * FROM old",
        )
        .await;
    assert!(matches!(open(&world).await, Err(SourceError::Reusable(_))));
}

#[tokio::test]
async fn refuses_a_row_that_nothing_names() {
    let world = World::new().await;
    world.write(&[sync(A, 1)]).await;
    world.execute("UPDATE case_outbox SET event_id = ''").await;
    let source = open(&world).await.unwrap();
    assert!(matches!(source.next(None).await, Err(SourceError::Unnamed(_))));
}

#[tokio::test]
async fn reads_on_from_the_watermark_and_only_the_columns_of_the_flow() {
    let mut world = World::new().await;
    world.set("batch: 200", "batch: 2");
    world.write(&[sync(A, 1), sync(B, 1), sync(A, 2)]).await;
    let source = open(&world).await.unwrap();
    let first = source.next(None).await.unwrap();
    assert_eq!(first.len(), 2);
    let rest = source.next(first.iter().map(|row| row.position).max()).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert!(rest[0].cells.contains_key("applicant_name"));
    assert!(!rest[0].cells.contains_key("taken_at"));
    let again = source.with_keys(&[first[1].key.clone()]).await.unwrap();
    assert_eq!(again, first[1..]);
}

#[tokio::test]
async fn a_watermark_source_cannot_write_to_the_city_database() {
    let world = World::new().await;
    let source = open(&world).await.unwrap();
    let query = sqlx::query("DELETE FROM case_outbox");
    assert!(query.execute(&source.pool).await.is_err());
}

#[tokio::test]
async fn a_file_that_is_missing_is_not_made() {
    let folder = TempDir::new().unwrap();
    let mut world = World::new().await;
    let path = folder.path().join("none.db");
    world.set("file: city.db", &format!("file: {}", path.display()));
    assert!(open(&world).await.is_err());
    assert!(!path.exists());
}
