//! A MariaDB server of the tests' own: in a temporary directory, on a socket there and nowhere else.
//! Needs nothing of its crate, so that others may include it by `#[path]`.

use std::{
    env,
    io::{BufRead as _, BufReader},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

/// The user `nobody`, as whom the server runs where the tests run as root.
const NOBODY: u32 = 65534;

/// A server.
pub(crate) struct Server {
    process: Child,
    directory: TempDir,
    databases: AtomicU32,
}

/// A program of MariaDB: on the path, or where Debian has it.
fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.expect("MariaDB: see tests/run.sh")
}

fn command(name: &str, directory: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(directory).env("LC_ALL", "C").env("TMPDIR", directory);
    command.stdin(Stdio::null());
    command.arg("--no-defaults").arg(format!("--datadir={}/data", directory.display()));
    if std::fs::metadata("/proc/self").expect("Linux").uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

impl Server {
    /// The one that tests running now share.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start());
        *shared = Arc::downgrade(&server);
        server
    }

    /// One of its own.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// One of its own, with more arguments.
    pub(crate) fn start_with(more: &[String]) -> Self {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path();
        if std::fs::metadata("/proc/self").expect("Linux").uid() == 0 {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
        }
        let mut made = command("mariadb-install-db", path);
        made.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        let made = made.output().expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let process = serve(path, more);
        Self { process, directory, databases: AtomicU32::new(0) }
    }

    /// The address of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        let socket = self.directory.path().join("socket");
        format!("mysql://root@localhost/{database}?socket={}", socket.display())
    }

    /// The name of a database that nobody has; it is not made yet. Database `mysql` is there.
    pub(crate) fn database(&self) -> String {
        format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed))
    }
}

fn serve(directory: &Path, more: &[String]) -> Child {
    let mut process = command("mariadbd", directory)
        .arg(format!("--socket={}/socket", directory.display()))
        .args(["--skip-networking", "--innodb-flush-log-at-trx-commit=0"])
        .args(["--innodb-buffer-pool-size=64M", "--character-set-server=utf8mb4"])
        .args(more)
        .stderr(Stdio::piped())
        .spawn()
        .expect("mariadbd runs");
    let lines = BufReader::new(process.stderr.take().expect("its log")).lines();
    let mut lines = lines.map(|line| line.expect("text"));
    assert!(lines.any(|line| line.contains("ready for connections")), "the server did not start");
    // What it says later is read, so that it never waits for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    process
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
