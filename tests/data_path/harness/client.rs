//! A mutual-TLS connection that carries any bytes.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::{AlertDescription, ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Answer, within, within_time};

/// Opens a connection; an error is that nobody listens, or the handshake's.
pub(crate) async fn connect(
    address: SocketAddr,
    identity: Arc<ClientConfig>,
) -> io::Result<Connection> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connecting = TlsConnector::from(identity).connect(name, socket);
    let stream = within("the handshake", connecting).await?;
    Ok(Connection { stream, buffer: Vec::new() })
}

/// The TLS alert behind an error.
pub(crate) fn alert(error: &io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// A connection and what was read from it and not yet used.
pub(crate) struct Connection {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) buffer: Vec<u8>,
}

impl Connection {
    /// Sends bytes. Whether the peer still takes them shows in its answer.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.ok();
    }

    /// Sends bytes, unless the connection is closed.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        within("sending", async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await
    }

    /// The next answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer before the end").expect("an answer, not the end")
    }

    /// The next answer; none when the connection ends first.
    pub(crate) async fn try_answer(&mut self) -> io::Result<Option<Answer>> {
        within("an answer", async {
            loop {
                if let Some(answer) = Answer::take(&mut self.buffer) {
                    return Ok(Some(answer));
                }
                if self.read().await? == 0 {
                    assert!(
                        self.buffer.is_empty(),
                        "an answer broke off: {}",
                        String::from_utf8_lossy(&self.buffer)
                    );
                    return Ok(None);
                }
            }
        })
        .await
    }

    /// Reads more; 0 at the end.
    pub(crate) async fn read(&mut self) -> io::Result<usize> {
        match self.stream.read_buf(&mut self.buffer).await {
            // The gateway ends abandoned connections without TLS ceremony.
            Err(error) if is_end(&error) => Ok(0),
            other => other,
        }
    }

    /// Waits until the gateway has closed the connection; gives every answer before that.
    pub(crate) async fn answers_until_closed(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(answer) = self.try_answer().await.expect("no TLS failure") {
            answers.push(answer);
        }
        answers
    }

    /// Waits until the gateway has closed the connection, at most for `time`.
    pub(crate) async fn closed_within(&mut self, time: Duration) {
        within_time(time, "the end of the connection", async {
            while self.read().await.expect("no TLS failure") > 0 {}
        })
        .await;
    }
}

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}
