//! Where a running process listens for its operator and its monitoring.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::{
    net::{TcpListener, UnixListener},
    sync::watch,
};

use super::Desk;
use crate::Error;

/// What is listened on.
#[derive(Debug)]
pub(crate) struct Listening {
    socket: UnixListener,
    path: PathBuf,
    metrics: Option<TcpListener>,
}

impl Listening {
    /// Binds the socket, for the account of this process alone, and the address of the metrics.
    pub(crate) async fn bind(path: &Path, metrics: Option<SocketAddr>) -> Result<Self, Error> {
        let socket = bind(path).map_err(|error| fail(&path.display().to_string(), &error))?;
        let metrics = match metrics {
            None => None,
            Some(address) => {
                let bound = TcpListener::bind(address).await;
                Some(bound.map_err(|error| fail(&address.to_string(), &error))?)
            }
        };
        Ok(Self { socket, path: path.to_owned(), metrics })
    }

    /// Answers until `stop`.
    pub(crate) async fn serve(self, desk: Desk, stop: watch::Receiver<bool>) -> io::Result<()> {
        let ended = |mut stop: watch::Receiver<bool>| async move {
            // The one who could stop us being gone is an end as well.
            stop.wait_for(|stop| *stop).await.ok();
        };
        let operator = axum::serve(self.socket, desk.router());
        let operator = operator.with_graceful_shutdown(ended(stop.clone()));
        if let Some(listener) = self.metrics {
            let metrics = axum::serve(listener, desk.public());
            let metrics = metrics.with_graceful_shutdown(ended(stop));
            tokio::try_join!(operator, metrics)?;
        } else {
            operator.await?;
        }
        fs::remove_file(self.path)
    }
}

/// Whoever has the directory has no other process beside it: a socket that lies there was left.
fn bind(path: &Path) -> io::Result<UnixListener> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn fail(what: &str, error: &io::Error) -> Error {
    Error::Listen { what: what.to_owned(), problem: error.to_string() }
}
