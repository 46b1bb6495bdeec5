//! Rows on their way from one database to another, and their digest.

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row, Type};

use super::{
    BackupError,
    tables::{Kind, TABLES, Table},
};
use crate::{
    StoreError,
    engine::{Transaction, ask, either, tell},
};

/// Rows that are written at once.
const BATCH: usize = 200;

/// A value of either engine.
enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Flag(bool),
    Bytes(Option<Vec<u8>>),
}

/// What hears of the rows: the digest, and where they go.
pub(super) struct Copying<'a> {
    digest: Context,
    target: Option<&'a mut Transaction>,
    rows: u64,
    heard: &'a mut dyn FnMut(u64),
}

impl<'a> Copying<'a> {
    /// Writes the rows to `target`, or only reads them; `heard` is told how many there were so far.
    pub(super) fn new(target: Option<&'a mut Transaction>, heard: &'a mut dyn FnMut(u64)) -> Self {
        Self { digest: Context::new(&SHA256), target, rows: 0, heard }
    }

    /// Copies every row of every table; gives how many there were, and their digest.
    pub(super) async fn run(
        mut self,
        source: &mut Transaction,
    ) -> Result<(u64, String), BackupError> {
        for table in TABLES {
            self.digest.update(&[0xff]);
            self.put(Some(table.name.as_bytes()), b't');
            either!(&mut *source, |inner| {
                let query = sqlx::query(AssertSqlSafe(table.select()));
                let mut rows = query.fetch(&mut **inner);
                let mut batch = Vec::new();
                while let Some(row) = rows.try_next().await? {
                    batch.push(read(&row, table)?);
                    if batch.len() == BATCH {
                        self.take(table, std::mem::take(&mut batch)).await?;
                    }
                }
                self.take(table, batch).await?;
            });
        }
        let digest = self.digest.finish();
        let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((self.rows, hex))
    }

    async fn take(&mut self, table: &Table, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        for value in rows.iter().flatten() {
            match value {
                Value::Text(text) => self.put(text.as_ref().map(String::as_bytes), b't'),
                Value::Integer(n) => {
                    self.put(n.map(i64::to_be_bytes).as_ref().map(|n| &n[..]), b'i');
                }
                Value::Flag(is_set) => self.put(Some(&[u8::from(*is_set)]), b'f'),
                Value::Bytes(bytes) => self.put(bytes.as_deref(), b'b'),
            }
        }
        self.rows = self.rows.saturating_add(rows.len() as u64);
        if let Some(target) = self.target.as_deref_mut().filter(|_| !rows.is_empty()) {
            insert(target, table, &rows).await?;
        }
        (self.heard)(self.rows);
        Ok(())
    }

    /// The kind, the length and the bytes, so that no two lists of values look alike; nothing is a
    /// kind of its own.
    fn put(&mut self, bytes: Option<&[u8]>, kind: u8) {
        let Some(bytes) = bytes else { return self.digest.update(b"n") };
        self.digest.update(&[kind]);
        self.digest.update(&(bytes.len() as u64).to_be_bytes());
        self.digest.update(bytes);
    }
}

/// How many rows there are in all tables.
pub(super) async fn count(source: &mut Transaction) -> Result<u64, StoreError> {
    let mut all = 0_u64;
    for table in TABLES {
        let text = format!("SELECT count(*) FROM {}", table.name);
        let rows: i64 = ask!(&mut *source, |c| {
            sqlx::query_scalar(AssertSqlSafe(text.as_str())).fetch_one(c)
        })?;
        all = all.saturating_add(rows.unsigned_abs());
    }
    Ok(all)
}

fn read<'r, R: Row>(row: &'r R, table: &Table) -> Result<Vec<Value>, sqlx::Error>
where
    usize: ColumnIndex<R>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<Vec<u8>>: Decode<'r, R::Database> + Type<R::Database>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
{
    let value = |(index, (_, kind)): (usize, &(&str, Kind))| {
        Ok(match kind {
            Kind::Text => Value::Text(row.try_get(index)?),
            Kind::Integer => Value::Integer(row.try_get(index)?),
            Kind::Flag => Value::Flag(row.try_get(index)?),
            Kind::Bytes => Value::Bytes(row.try_get(index)?),
        })
    };
    table.columns.iter().enumerate().map(value).collect()
}

async fn insert(
    target: &mut Transaction,
    table: &Table,
    rows: &[Vec<Value>],
) -> Result<(), StoreError> {
    let text = table.insert(rows.len());
    tell!(target, {
        let query = sqlx::query(AssertSqlSafe(text.as_str()));
        rows.iter().flatten().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text.as_deref()),
            Value::Integer(n) => query.bind(*n),
            Value::Flag(is_set) => query.bind(*is_set),
            Value::Bytes(bytes) => query.bind(bytes.as_deref()),
        })
    })?;
    Ok(())
}
