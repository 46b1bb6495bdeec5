//! Reading the synthetic database.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::Error;

/// Opens the database for reading.
pub(crate) async fn open(path: &Path) -> Result<SqlitePool, Error> {
    if !path.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Error::File { file: path.to_owned(), source });
    }
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    Ok(SqlitePoolOptions::new().max_connections(4).connect_with(options).await?)
}

/// Sets a member that is left out when there is no value.
pub(crate) fn put<T: Serialize>(record: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(Ok(value)) = value.map(serde_json::to_value) {
        record.insert(name.to_owned(), value);
    }
}
