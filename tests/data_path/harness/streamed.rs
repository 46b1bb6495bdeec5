//! An HTTP/1.1 answer that streams, read chunk by chunk.

use super::{Connection, within};

/// An answer that is still coming.
pub(crate) struct Streamed {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// What came so far.
    pub(crate) body: Vec<u8>,
    /// Whether the last chunk has come.
    pub(crate) complete: bool,
    connection: Connection,
}

impl Streamed {
    /// Sends a request and reads the head of its answer, which must be in chunks.
    pub(crate) async fn ask(mut connection: Connection, request: &[u8]) -> Self {
        connection.send(request).await;
        let end = within("the head of a stream", async {
            loop {
                if let Some(end) = connection.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                    return end + 4;
                }
                assert!(connection.read().await.unwrap() > 0, "the end before the head");
            }
        })
        .await;
        let head: Vec<u8> = connection.buffer.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let chunked = ("transfer-encoding".to_owned(), "chunked".to_owned());
        assert!(headers.contains(&chunked), "{head}");
        Self { status, headers, body: Vec::new(), complete: false, connection }
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Reads one more chunk; `false` at the end, orderly or not.
    pub(crate) async fn more(&mut self) -> bool {
        loop {
            if let Some((size, from)) = self.size()
                && self.connection.buffer.len() >= from + size + 2
            {
                let chunk: Vec<u8> = self.connection.buffer.drain(..from + size + 2).collect();
                self.body.extend_from_slice(&chunk[from..from + size]);
                self.complete = size == 0;
                return size > 0;
            }
            let read = within("more of a stream", self.connection.read()).await.unwrap();
            if read == 0 {
                return false;
            }
        }
    }

    /// Reads until `text` has come.
    pub(crate) async fn until(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.body).contains(text) {
            assert!(self.more().await, "the end before `{text}`: {}", self.text());
        }
    }

    /// Reads to the end, orderly or not.
    pub(crate) async fn rest(&mut self) {
        while self.more().await {}
    }

    /// What came so far, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Size of the next chunk and where it begins.
    fn size(&self) -> Option<(usize, usize)> {
        let end = self.connection.buffer.windows(2).position(|w| w == b"\r\n")?;
        let size = std::str::from_utf8(&self.connection.buffer[..end]).unwrap();
        Some((usize::from_str_radix(size, 16).unwrap(), end + 2))
    }
}
