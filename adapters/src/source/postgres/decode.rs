//! From a row of PostgreSQL to cells, by the place of a column and not by its name.

use sqlx::{Row as _, ValueRef as _, postgres::PgRow};

use super::{super::SourceError, catalog::Kind};
use crate::row::Cell;

/// The first cells of a row.
pub(super) fn cells(row: &PgRow, kinds: &[Kind]) -> Result<Vec<Cell>, SourceError> {
    let mut cells = Vec::with_capacity(kinds.len());
    for (place, kind) in kinds.iter().enumerate() {
        let raw = row.try_get_raw(place)?;
        if raw.is_null() {
            cells.push(Cell::Null);
            continue;
        }
        let bytes = raw.as_bytes().map_err(sqlx::Error::Decode)?;
        cells.push(cell(*kind, bytes).ok_or_else(|| sqlx::Error::Decode("another type".into()))?);
    }
    Ok(cells)
}

fn cell(kind: Kind, bytes: &[u8]) -> Option<Cell> {
    Some(match kind {
        Kind::Integer => Cell::Integer(integer(bytes)?),
        Kind::Real => Cell::Real(match bytes.len() {
            4 => f64::from(f32::from_be_bytes(bytes.try_into().ok()?)),
            _ => f64::from_be_bytes(bytes.try_into().ok()?),
        }),
        Kind::Boolean => {
            let text = if bytes.first().is_some_and(|byte| *byte != 0) { "true" } else { "false" };
            Cell::Text(text.to_owned())
        }
        Kind::Bytes => Cell::Bytes(bytes.to_vec()),
        // A database whose encoding is SQL_ASCII gives bytes as they are.
        Kind::Text | Kind::Written => match std::str::from_utf8(bytes) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Bytes(bytes.to_vec()),
        },
    })
}

/// A whole number of two, four or eight bytes.
pub(super) fn integer(bytes: &[u8]) -> Option<i64> {
    Some(match bytes.len() {
        2 => i64::from(i16::from_be_bytes(bytes.try_into().ok()?)),
        4 => i64::from(i32::from_be_bytes(bytes.try_into().ok()?)),
        _ => i64::from_be_bytes(bytes.try_into().ok()?),
    })
}
