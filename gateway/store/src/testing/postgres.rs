//! A PostgreSQL server of the tests' own: in a temporary directory, on a socket there and nowhere else.

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

pub(crate) const PASSWORD: &str = "tests-only";
/// The user `nobody`, as whom the server runs where the tests run as root.
const NOBODY: u32 = 65534;
/// Times that a server is started before it is given up.
const ATTEMPTS: u32 = 100;

/// A server.
pub(crate) struct Server {
    process: Mutex<Child>,
    directory: TempDir,
    databases: AtomicU32,
}

/// A program of PostgreSQL: on the path, or where Debian has it.
fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.flatten().map(|version| version.path().join("bin"));
    let found = env::split_paths(&path).chain(debian).map(|folder| folder.join(name));
    found.into_iter().find(|path| path.exists()).expect("PostgreSQL: see tests/run.sh")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").expect("Linux").uid() == 0
}

fn command(name: &str, directory: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(directory).env("LC_ALL", "C").env("PGPASSWORD", PASSWORD);
    command.stdin(Stdio::null());
    if is_root() {
        // The server refuses to run as root.
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn done(mut command: Command) {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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
        let directory = TempDir::new().expect("a directory");
        let path = directory.path();
        std::fs::write(path.join("password"), PASSWORD).expect("written");
        if is_root() {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
        }
        let mut made = command("initdb", path);
        made.args(["--pgdata=data", "--username=lienthong", "--auth=scram-sha-256"]);
        made.args(["--pwfile=password", "--encoding=UTF8", "--no-sync"]);
        done(made);
        let process = Mutex::new(serve(path).expect("the server starts"));
        Self { process, directory, databases: AtomicU32::new(0) }
    }

    /// Ends it as a crash would: nothing is written down, nobody hears a goodbye.
    pub(crate) fn crash(&self) {
        let mut stop = command("pg_ctl", self.directory.path());
        stop.args(["stop", "-D", "data", "-m", "immediate"]);
        done(stop);
        self.process().wait().expect("it ends");
    }

    /// Kills its main process, as the kernel does when memory is short. The others end once they notice.
    #[allow(dead_code, reason = "few tests kill it so")]
    pub(crate) fn kill(&self) {
        let mut process = self.process();
        process.kill().expect("it is killed");
        process.wait().expect("it ends");
    }

    /// Starts it again, as soon as what is left of the last one lets it.
    pub(crate) fn restart(&self) {
        let begun = (0..ATTEMPTS).find_map(|_| serve(self.directory.path()));
        *self.process() = begun.expect("the server starts again");
    }

    /// Where its socket is.
    pub(crate) fn socket(&self) -> &Path {
        self.directory.path()
    }

    /// The address of a database, without the password.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=lienthong", self.socket().display())
    }

    /// Makes an empty database; gives its name.
    pub(crate) fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut create = command("createdb", self.directory.path());
        create.arg("-h").arg(self.socket()).args(["-U", "lienthong", &name]);
        done(create);
        name
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Child> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts it; none when processes of the last one are in its way.
fn serve(directory: &Path) -> Option<Child> {
    let mut process = command("postgres", directory)
        .args(["-D", "data", "-k"])
        .arg(directory)
        .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=100"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("postgres runs");
    let lines = BufReader::new(process.stderr.take().expect("its log")).lines();
    let ready = "database system is ready to accept connections";
    let mut lines = lines.map(|line| line.expect("text"));
    if !lines.any(|line| line.contains(ready)) {
        process.wait().expect("it ends");
        return None;
    }
    // What it says later is read, so that it never waits for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    Some(process)
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut process = self.process();
        process.kill().ok();
        process.wait().ok();
    }
}
