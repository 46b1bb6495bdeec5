//! Whether a table can take items: its columns are there, of fitting types, and no key can stand in
//! it twice.

use super::{Holds, TrayError};
use crate::config::TrayTable;

/// A column as the database describes it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its type, in lower case and without a length.
    pub(super) kind: String,
    /// Whether a unique index is on it alone.
    pub(super) is_unique: bool,
    /// Whether a comparison tells every two texts apart.
    pub(super) is_exact: bool,
    pub(super) may_read: bool,
    pub(super) may_write: bool,
}

/// The types of the columns that are written.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) item: String,
    pub(super) received_at: Option<String>,
}

/// Types of a database.
pub(super) struct Types {
    pub(super) texts: &'static [&'static str],
    pub(super) jsons: &'static [&'static str],
    pub(super) times: &'static [&'static str],
}

impl Types {
    /// Makes sure that the table is as it must be; names what is not and what to create.
    pub(super) fn verify(
        &self,
        table: &TrayTable,
        holds: Holds,
        columns: &[Column],
    ) -> Result<Fields, TrayError> {
        let name = &table.table;
        if columns.is_empty() {
            return unfit(format!("table `{name}` does not exist, or may not be used"));
        }
        let seen = Seen { name, columns };
        for column in [Some(&table.key), Some(&table.item), table.received_at.as_ref()] {
            let Some(column) = column else { continue };
            if !seen.find(column)?.may_write {
                return unfit(format!("column `{column}` of table `{name}` may not be written"));
            }
        }
        for column in [Some(&table.key), table.taken_at.as_ref()].into_iter().flatten() {
            if !seen.find(column)?.may_read {
                return unfit(format!("column `{column}` of table `{name}` may not be read"));
            }
        }
        self.verify_key(name, seen.find(&table.key)?)?;
        let item = seen.find(&table.item)?;
        let is_json = holds == Holds::Json && is(item, self.jsons);
        if !is_json && !is(item, self.texts) {
            let wanted = if holds == Holds::Json { "JSON or a text" } else { "a text" };
            return unfit(format!("column `{}` of table `{name}` must be {wanted}", item.name));
        }
        let received_at = match table.received_at.as_deref() {
            None => None,
            Some(column) => {
                let found = seen.find(column)?;
                if !is(found, self.times) && !is(found, self.texts) {
                    return unfit(format!("column `{column}` of table `{name}` must hold a time"));
                }
                Some(found.kind.clone())
            }
        };
        Ok(Fields { item: item.kind.clone(), received_at })
    }

    fn verify_key(&self, table: &str, key: &Column) -> Result<(), TrayError> {
        let column = &key.name;
        if !is(key, self.texts) {
            return unfit(format!("column `{column}` of table `{table}` must be a text"));
        }
        if !key.is_unique {
            let bare = table.rsplit('.').next().unwrap_or(table);
            return unfit(format!(
                "column `{column}` of table `{table}` could hold a key twice: create a primary key \
                 or a unique index on it alone, such as `CREATE UNIQUE INDEX {bare}_{column} ON \
                 {table} ({column})`"
            ));
        }
        if !key.is_exact {
            return unfit(format!(
                "column `{column}` of table `{table}` takes different keys for the same: give it a \
                 collation that compares byte by byte, such as `utf8mb4_bin` of MySQL"
            ));
        }
        Ok(())
    }
}

/// The columns of a table.
struct Seen<'a> {
    name: &'a str,
    columns: &'a [Column],
}

impl<'a> Seen<'a> {
    fn find(&self, column: &str) -> Result<&'a Column, TrayError> {
        let name = self.name;
        self.columns.iter().find(|found| found.name == column).ok_or_else(|| {
            TrayError::Unfit(format!(
                "table `{name}` has no column `{column}`, or it may not be used"
            ))
        })
    }
}

fn is(column: &Column, kinds: &[&str]) -> bool {
    kinds.contains(&column.kind.as_str())
}

fn unfit<T>(words: String) -> Result<T, TrayError> {
    Err(TrayError::Unfit(words))
}
