//! The thread that accepts sockets and hands each to the least loaded event loop.
//!
//! It must never wait for a peer: it only accepts, or closes when every place is taken.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{
    Serve, Shared,
    counts::{Counters, count},
    worker::{Command, Worker},
};

/// Length of the queue of connections that the system has completed.
const BACKLOG: i32 = 1024;
/// Wait after the system cannot give another descriptor.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Binds a listening socket.
pub(super) fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Starts the accepting thread; it ends with `stop`.
pub(super) fn start<S: Serve>(
    listener: std::net::TcpListener,
    shared: &Arc<Shared<S>>,
    workers: Vec<Worker>,
    stop: CancellationToken,
) -> io::Result<()> {
    let limit = shared.settings.max_connections.saturating_add(shared.settings.max_handshakes);
    let counters = shared.counters.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("listen-accept".to_owned()).spawn(move || {
        runtime.block_on(async {
            let accepting = accept(listener, &workers, &counters, limit);
            if let Some(Err(error)) = stop.run_until_cancelled(accepting).await {
                tracing::error!(%error, "listener stopped accepting");
            }
        });
    })?;
    Ok(())
}

async fn accept(
    listener: std::net::TcpListener,
    workers: &[Worker],
    counters: &Counters,
    limit: usize,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (socket, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_socket(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
                continue;
            }
        };
        count(&counters.accepted);
        if counters.sockets.load(Ordering::Acquire) >= limit {
            count(&counters.refused);
            continue;
        }
        let Some(worker) = workers.iter().min_by_key(|worker| worker.load()) else {
            return Ok(());
        };
        if let Ok(socket) = prepare(socket) {
            counters.sockets.fetch_add(1, Ordering::AcqRel);
            worker.send(Command::Serve(socket, address));
        }
    }
}

/// Errors that concern only the socket that was about to be accepted.
fn is_of_one_socket(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn prepare(socket: TcpStream) -> io::Result<std::net::TcpStream> {
    socket.set_nodelay(true)?;
    // Another runtime will register it, so this one lets it go.
    socket.into_std()
}
