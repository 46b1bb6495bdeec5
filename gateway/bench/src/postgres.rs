//! A PostgreSQL server of the benchmark's own: durable, thrown away at the end, on a socket in its
//! directory and nowhere else.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use tempfile::TempDir;

use crate::process::{Cpu, children};

/// What differs from PostgreSQL's defaults. `fsync`, `full_page_writes` and `synchronous_commit`
/// are on, as they are by default.
pub(crate) const SETTINGS: [(&str, &str); 4] = [
    ("listen_addresses", ""),
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "15min"),
];
/// The user `nobody`, as whom the server runs where the benchmark runs as root.
const NOBODY: u32 = 65534;
/// Whom the server knows.
const USER: &str = "lienthong";

/// A server; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    directory: TempDir,
}

/// CPU time of a server since it began, microseconds, by what it was for.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct ServerCpu {
    /// Backends of the databases whose names begin with `city`.
    pub(crate) city: u64,
    /// Backends of the others.
    pub(crate) other: u64,
    /// What writes the log and the files, what cleans up, backends that have ended.
    pub(crate) rest: u64,
}

impl Server {
    /// Makes and starts a server.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("lienthong-bench-pg-").tempdir()?;
        let path = directory.path();
        if is_root()? {
            chown(path, Some(NOBODY), Some(NOBODY))?;
        }
        let mut made = command("initdb", path)?;
        // Only its owner may enter the directory with the socket.
        made.args(["--pgdata=data", "--auth=trust", "--encoding=UTF8", "--no-sync"]);
        made.arg(format!("--username={USER}"));
        done(made)?;
        let mut serve = command("postgres", path)?;
        serve.args(["-D", "data", "-k"]).arg(path);
        for (name, value) in SETTINGS {
            serve.arg("-c").arg(format!("{name}={value}"));
        }
        let mut process = serve.stderr(Stdio::piped()).spawn().context("starting postgres")?;
        let log = BufReader::new(process.stderr.take().context("its log")?);
        let mut lines = log.lines().map_while(Result::ok);
        let ready = "database system is ready to accept connections";
        let started = lines.any(|line| line.contains(ready));
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { process, directory };
        ensure!(started, "PostgreSQL did not start");
        Ok(server)
    }

    /// Where it is: version and settings.
    pub(crate) fn told(&self) -> anyhow::Result<String> {
        let version = self.ask("postgres", "SHOW server_version")?;
        let settings = SETTINGS.map(|(name, value)| format!("{name}={value}")).join(", ");
        let durable = self.ask(
            "postgres",
            "SELECT string_agg(name || '=' || setting, ', ' ORDER BY name) FROM pg_settings
             WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')",
        )?;
        Ok(format!("PostgreSQL {version}, {durable}, {settings}"))
    }

    /// The address of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user={USER}", self.directory.path().display())
    }

    /// Carries out statements; gives what the last of them says, without head.
    pub(crate) fn ask(&self, database: &str, statements: &str) -> anyhow::Result<String> {
        let mut psql = command("psql", self.directory.path())?;
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", database]);
        psql.arg("-h").arg(self.directory.path());
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = psql.spawn().context("starting psql")?;
        process.stdin.take().context("its input")?.write_all(statements.as_bytes())?;
        let (mut said, mut wrong) = (String::new(), String::new());
        process.stdout.take().context("its output")?.read_to_string(&mut said)?;
        process.stderr.take().context("its output")?.read_to_string(&mut wrong)?;
        ensure!(process.wait()?.success(), "psql: {wrong}");
        Ok(said.trim().to_owned())
    }

    /// Makes a database, empty or as another one is.
    pub(crate) fn create(&self, name: &str, template: Option<&str>) -> anyhow::Result<()> {
        let like = template.map(|name| format!(" TEMPLATE {name} STRATEGY file_copy"));
        self.ask("postgres", &format!("CREATE DATABASE {name}{}", like.unwrap_or_default()))?;
        Ok(())
    }

    /// Removes a database, whoever is still connected, and lets what was written settle.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<()> {
        self.ask("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"))?;
        self.ask("postgres", "CHECKPOINT")?;
        Ok(())
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<ServerCpu> {
        let own = Cpu::with_ended(self.process.id())?;
        let mut cpu = ServerCpu { rest: own.total(), ..ServerCpu::default() };
        for (pid, title) in children(self.process.id())? {
            // One that has ended in between is counted by its parent at the next look.
            let used = Cpu::of(pid).map(Cpu::total).unwrap_or_default();
            match title.strip_prefix(&format!("postgres: {USER} ")) {
                Some(database) if database.starts_with("city") => cpu.city += used,
                Some(_) => cpu.other += used,
                None => cpu.rest += used,
            }
        }
        Ok(cpu)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `immediate`: nothing of it is needed any more.
        if let Ok(mut stop) = command("pg_ctl", self.directory.path()) {
            stop.args(["stop", "-D", "data", "-m", "immediate"])
                .stdout(Stdio::null())
                .status()
                .ok();
        }
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A program of PostgreSQL: on the path, or where Debian has it.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.flatten().map(|version| version.path().join("bin"));
    let mut found = debian.chain(std::env::split_paths(&path)).map(|folder| folder.join(name));
    found.find(|path| path.is_file()).with_context(|| {
        format!("`{name}` is not here; Debian packages `postgresql` and `postgresql-client`")
    })
}

fn is_root() -> anyhow::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

fn command(name: &str, directory: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(program(name)?);
    command.current_dir(directory).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    if is_root()? {
        // The server refuses to run as root.
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

fn done(mut command: Command) -> anyhow::Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
