use tempfile::TempDir;

use super::*;
use crate::{
    config::SourceKind,
    testing::{A, B, World, sync},
};

async fn open(world: &World) -> Result<Sqlite, SourceError> {
    let flow = world.config().flows.remove(0);
    let SourceKind::Sqlite(config) = flow.source.kind.clone() else { panic!("not SQLite") };
    Sqlite::open(&flow, &config).await
}

#[tokio::test]
async fn refuses_a_source_that_is_not_as_the_flow_says() {
    let mut world = World::new().await;
    world.set("column: applicant_name}", "column: applicant}");
    let error = open(&world).await.unwrap_err().to_string();
    assert_eq!(error, "table `case_outbox` has no column `applicant`, or it may not be read");
    world.set("table: case_outbox", "table: nothing");
    assert_eq!(
        open(&world).await.unwrap_err().to_string(),
        "table `nothing` does not exist, or may not be read"
    );
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
    assert!(matches!(open(&world).await, Err(SourceError::Unfit { .. })));
}

#[tokio::test]
async fn a_row_that_nothing_names_is_unusable_alone_and_found_by_its_place() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync(B, 1)]).await;
    world.execute("UPDATE case_outbox SET event_id = '' WHERE id = 1").await;
    let source = open(&world).await.unwrap();
    let rows = source.next(None, 10).await.unwrap().rows;
    assert_eq!(rows[0].unusable, Some("row has no key"));
    assert_eq!(rows[1].unusable, None);
    world.execute("UPDATE case_outbox SET event_id = 'mended' WHERE id = 1").await;
    let mended = source.with_keys(&[rows[0].key.clone()]).await.unwrap();
    assert_eq!((mended[0].key.as_str(), mended[0].unusable), ("position:1", None));
}

#[tokio::test]
async fn reads_on_from_the_mark_and_only_the_columns_of_the_flow() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync(B, 1), sync(A, 2)]).await;
    let source = open(&world).await.unwrap();
    let first = source.next(None, 2).await.unwrap();
    assert_eq!((first.rows.len(), first.more), (2, true));
    let rest = source.next(first.mark.as_ref(), 2).await.unwrap();
    assert_eq!((rest.rows.len(), rest.more), (1, false));
    let columns = rest.rows[0].columns();
    assert!(columns.iter().any(|name| name == "applicant_name"));
    assert!(!columns.iter().any(|name| name == "taken_at"));
    let again = source.with_keys(&[first.rows[1].key.clone()]).await.unwrap();
    assert_eq!(again, first.rows[1..]);
    let nothing = source.next(rest.mark.as_ref(), 2).await.unwrap();
    assert!(nothing.rows.is_empty() && nothing.mark.is_none() && !nothing.more);
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
