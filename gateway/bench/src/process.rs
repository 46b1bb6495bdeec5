//! Child processes, each on its core, and what the kernel says of them.
//!
//! Takes a command and a port; gives a process that accepts connections and ends with the value.
//! CPU time and memory are those of `/proc`: every thread, user and system.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    process::{Child, Command},
    time::timeout,
};

/// How long a process may take until it accepts connections.
const START: Duration = Duration::from_secs(180);
/// How long a process may take until it has ended.
const END: Duration = Duration::from_secs(60);
/// Pause between two looks at a process that starts.
const LOOK: Duration = Duration::from_millis(20);
/// Microseconds of one tick of `/proc/PID/stat`: Linux counts in hundredths of a second there.
const TICK_MICROS: u64 = 10_000;

/// A process that listens on loopback; killed when dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    child: Child,
    pub(crate) pid: u32,
    pub(crate) port: u16,
}

impl Listening {
    /// Starts a command and waits until its port accepts. Its output goes to `log`.
    pub(crate) async fn start(command: Run, port: u16, log: &Path) -> anyhow::Result<Self> {
        let name = command.name.clone();
        let (out, err) = (File::create(log)?, File::create(log.with_extension("err"))?);
        let mut command = command.build();
        command.stdin(Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        let pid = child.id().context("a process without an id")?;
        let mut started = Self { child, pid, port };
        let deadline = Instant::now() + START;
        while TcpStream::connect(started.address()).await.is_err() {
            if let Some(status) = started.child.try_wait()? {
                let said = fs::read_to_string(log.with_extension("err")).unwrap_or_default();
                let also = fs::read_to_string(log).unwrap_or_default();
                bail!("{name} ended with {status}\n{said}\n{also}");
            }
            if Instant::now() > deadline {
                bail!("{name} does not accept connections after {} s", START.as_secs());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(started)
    }

    /// Tells it to end, and waits until it has ended.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        let tell = format!("kill -TERM {}", self.pid);
        let told = Command::new("sh").arg("-c").arg(tell).status().await?;
        anyhow::ensure!(told.success(), "a process cannot be told to end");
        let ended = timeout(END, self.child.wait()).await.context("a process does not end")??;
        anyhow::ensure!(ended.success(), "a process ended with {ended}");
        Ok(())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }
}

/// A command and the core it runs on.
#[derive(Debug)]
pub(crate) struct Run {
    name: String,
    core: Option<usize>,
    program: String,
    arguments: Vec<String>,
}

impl Run {
    /// A command.
    pub(crate) fn new(name: &str, program: impl AsRef<Path>, core: Option<usize>) -> Self {
        let program = program.as_ref().display().to_string();
        Self { name: name.to_owned(), core, program, arguments: Vec::new() }
    }

    /// This program with other arguments.
    pub(crate) fn again(name: &str, core: Option<usize>) -> anyhow::Result<Self> {
        let me = std::env::current_exe().context("finding this program")?;
        Ok(Self::new(name, me, core))
    }

    /// Adds an argument.
    pub(crate) fn with(mut self, argument: impl ToString) -> Self {
        self.arguments.push(argument.to_string());
        self
    }

    /// The command; `taskset` keeps it on its core.
    pub(crate) fn build(self) -> Command {
        let mut command = match self.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string(), &self.program]);
                command
            }
            None => Command::new(self.program),
        };
        command.args(self.arguments);
        command
    }
}

/// Whether a program of this name can be started.
pub(crate) fn is_there(program: &str) -> bool {
    let found = |folder: std::path::PathBuf| folder.join(program).is_file();
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(found)
}

/// A port that nobody has at this moment.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// CPU time of a process since it began, microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cpu {
    pub(crate) user: u64,
    pub(crate) system: u64,
}

impl Cpu {
    /// CPU time of a process now.
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let file = format!("/proc/{pid}/stat");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
        Self::parse(&text).with_context(|| format!("{file} has an unknown form"))
    }

    fn parse(stat: &str) -> Option<Self> {
        Self::parse_from(stat, 11)
    }

    /// The two counters that stand so many fields behind the name.
    fn parse_from(stat: &str, place: usize) -> Option<Self> {
        // The second field is the program's name in brackets and may hold anything.
        let (_, rest) = stat.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(place);
        let mut micros = || Some(fields.next()?.parse::<u64>().ok()? * TICK_MICROS);
        Some(Self { user: micros()?, system: micros()? })
    }

    /// CPU time of a process and of its children that have ended.
    pub(crate) fn with_ended(pid: u32) -> anyhow::Result<Self> {
        let file = format!("/proc/{pid}/stat");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
        let (own, ended) = (Self::parse(&text), Self::parse_from(&text, 13));
        let (own, ended) = own.zip(ended).with_context(|| format!("{file} has an unknown form"))?;
        Ok(Self { user: own.user + ended.user, system: own.system + ended.system })
    }

    /// What was used since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
        }
    }

    /// User and system together.
    pub(crate) fn total(self) -> u64 {
        self.user + self.system
    }
}

/// Resident memory of a process, KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

impl Memory {
    /// Memory of a process now.
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let file = format!("/proc/{pid}/status");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
        Self::parse(&text).with_context(|| format!("{file} has an unknown form"))
    }

    fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        Some(Self { now: field("VmRSS:")?, peak: field("VmHWM:")? })
    }
}

/// Lets the peak of a process's memory begin anew (`proc_pid_clear_refs(5)`).
pub(crate) fn forget_peak(pid: u32) -> anyhow::Result<()> {
    let file = format!("/proc/{pid}/clear_refs");
    fs::write(&file, "5").with_context(|| format!("writing {file}"))
}

/// What the administration of a gateway says at a path, head and body.
pub(crate) async fn administration(socket: &Path, path: &str) -> anyhow::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    let ask = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// What a port of this machine says at a path, without its head.
pub(crate) async fn fetch(port: u16, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let ask = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
    Ok(body.to_owned())
}

/// The processes that a process has started and what they call themselves.
pub(crate) fn children(pid: u32) -> anyhow::Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end while it is looked at.
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let stat = read("stat");
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| {
            rest.split_ascii_whitespace().nth(1).and_then(|parent| parent.parse().ok())
        });
        if parent == Some(pid) {
            let title = read("cmdline");
            found.push((child, title.trim_end_matches(['\0', ' ']).to_owned()));
        }
    }
    Ok(found)
}

/// Most open files that this process may have.
pub(crate) fn open_files() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
