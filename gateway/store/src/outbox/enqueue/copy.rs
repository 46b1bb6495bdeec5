//! Messages put into PostgreSQL by `COPY`, in its binary format.
//!
//! PERF: `lienthong-bench bus`. Rows that come by `COPY` are put into pages and into the log many at a
//! time. It cannot leave out what is there already: that fails, and nothing is taken.

use sqlx::Postgres;

use super::NewMessage;

/// What a stream in the binary format begins with: the signature, no flags, no extension.
const HEAD: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
const END: i16 = -1;
/// What stands for a value that is not there.
const NULL: i32 = -1;
/// The columns, in the order of a row's values.
const STATEMENT: &str = "COPY outbox (flow, kind, idempotency_key, ordering_key, position, payload,
    replaces, state, ready_at, enqueued_at) FROM STDIN (FORMAT binary)";
const COLUMNS: i16 = 10;
/// Bytes sent at a time.
const CHUNK: usize = 1 << 16;

/// Puts all messages in, and gives their number. One that is there already makes the whole fail.
pub(super) async fn copy(
    on: &mut sqlx::Transaction<'static, Postgres>,
    flow: &str,
    messages: &[&NewMessage],
    states: &[&str],
    now: i64,
) -> Result<u64, sqlx::Error> {
    let mut copy = on.copy_in_raw(STATEMENT).await?;
    let mut bytes = Bytes(Vec::with_capacity(CHUNK * 2));
    bytes.0.extend_from_slice(HEAD);
    for (message, state) in messages.iter().zip(states) {
        bytes.row(flow, message, state, now)?;
        if bytes.0.len() >= CHUNK {
            copy.send(bytes.0.as_slice()).await?;
            bytes.0.clear();
        }
    }
    bytes.0.extend_from_slice(&END.to_be_bytes());
    copy.send(bytes.0.as_slice()).await?;
    copy.finish().await
}

/// A stream in the binary format.
struct Bytes(Vec<u8>);

impl Bytes {
    fn row(
        &mut self,
        flow: &str,
        message: &NewMessage,
        state: &str,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        self.0.extend_from_slice(&COLUMNS.to_be_bytes());
        self.value(flow.as_bytes())?;
        self.value(message.kind.as_bytes())?;
        self.value(message.idempotency_key.as_bytes())?;
        self.value(message.ordering_key.as_bytes())?;
        self.value(&message.position.to_be_bytes())?;
        self.value(message.payload.expose())?;
        match &message.replaces {
            Some(replaces) => self.value(replaces.as_bytes())?,
            None => self.0.extend_from_slice(&NULL.to_be_bytes()),
        }
        self.value(state.as_bytes())?;
        self.value(&now.to_be_bytes())?;
        self.value(&now.to_be_bytes())
    }

    fn value(&mut self, value: &[u8]) -> Result<(), sqlx::Error> {
        let length = i32::try_from(value.len());
        let length = length.map_err(|_| sqlx::Error::Encode("value is too large".into()))?;
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
        Ok(())
    }
}
