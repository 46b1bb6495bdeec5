use tempfile::TempDir;

use super::*;

#[tokio::test]
async fn refuses_a_second_process_on_one_directory() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    assert!(matches!(Store::open(folder.path()).await, Err(StoreError::InUse(_))));
    store.close().await;
    Store::open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn looking_needs_a_database_and_cannot_write() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(Store::look(folder.path()).await, Err(StoreError::Missing(_))));
    let store = Store::open(folder.path()).await.unwrap();
    let looker = Store::look(folder.path()).await.unwrap();
    assert!(looker.outbox().recover().await.is_err());
    store.outbox().recover().await.unwrap();
}

#[tokio::test]
async fn keeps_what_it_accepted_on_disk() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let mut connection = store.writer.acquire().await.unwrap();
    let mut pragma = async |query: &'static str| {
        sqlx::query_scalar::<_, i64>(query).fetch_one(&mut *connection).await.unwrap()
    };
    assert_eq!(pragma("PRAGMA synchronous").await, 2);
    assert_eq!(pragma("PRAGMA foreign_keys").await, 1);
    drop(connection);
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.readers).await.unwrap();
    assert_eq!(mode, "wal");
}
