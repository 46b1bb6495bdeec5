//! Processes that are started again whenever they end, as a service manager does it.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// How long one that ended by itself is left alone.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest that an ordered end may take.
const END: Duration = Duration::from_secs(40);
/// Times that a process may end by itself for each time that something was killed, at most.
pub(in crate::rest) const EXITS: u32 = 300;

/// A program under supervision.
#[derive(Debug)]
pub(in crate::rest) struct Program {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Ended>,
}

#[derive(Debug)]
enum Order {
    Kill(oneshot::Sender<()>),
    End,
}

/// How a program's life went.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::rest) struct Ended {
    /// Times that it was killed.
    pub(in crate::rest) kills: u32,
    /// Times that it ended by itself.
    pub(in crate::rest) exits: u32,
    /// The exit code of the ordered end.
    pub(in crate::rest) code: Option<i32>,
}

impl Program {
    /// Starts it; what it says goes into `NAME.log`.
    pub(in crate::rest) fn start(folder: &Path, name: &'static str, most_exits: u32) -> Self {
        let (orders, ordered) = mpsc::channel(1);
        let folder = folder.to_owned();
        let task = tokio::spawn(supervise(folder, name, most_exits, ordered));
        Self { orders, task }
    }

    /// Kills it with SIGKILL and returns when it is dead; it is started again at once.
    pub(in crate::rest) async fn kill(&self) {
        let (dead, hear) = oneshot::channel();
        self.orders.send(Order::Kill(dead)).await.expect("it is supervised");
        hear.await.expect("it dies");
    }

    /// Lets go of it; it is killed.
    pub(in crate::rest) fn abandon(self) {
        self.task.abort();
    }

    /// Ends it in order.
    pub(in crate::rest) async fn end(self) -> Ended {
        self.orders.send(Order::End).await.expect("it is supervised");
        self.task.await.expect("it ends")
    }
}

async fn supervise(
    folder: PathBuf,
    name: &'static str,
    most_exits: u32,
    mut orders: mpsc::Receiver<Order>,
) -> Ended {
    let mut ended = Ended::default();
    loop {
        let mut child = spawn(&folder, name);
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Kill(dead)) => {
                    child.kill().await.expect("it is killed");
                    ended.kills += 1;
                    dead.send(()).expect("the killer waits");
                }
                Some(Order::End) => {
                    signal(&child, "TERM");
                    let status = timeout(END, child.wait()).await.expect("it ends when asked to");
                    ended.code = status.expect("a status").code();
                    return ended;
                }
                // The test is over; the process goes with its handle.
                None => return ended,
            },
            status = child.wait() => {
                status.expect("a status");
                ended.exits += 1;
                assert!(ended.exits <= most_exits, "`{name}` ends again and again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn spawn(folder: &Path, name: &str) -> Child {
    let log = log(folder, name);
    Command::new(env!("CARGO_BIN_EXE_lienthong"))
        .args(["--lang", "en", name, "run", "--config", &format!("{name}.yaml")])
        .current_dir(folder)
        .env_remove("LIENTHONG_LOG")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .expect("the program runs")
}

fn log(folder: &Path, name: &str) -> File {
    let file = folder.join(format!("{name}.log"));
    OpenOptions::new().create(true).append(true).open(file).expect("a log")
}

fn signal(child: &Child, name: &str) {
    let Some(id) = child.id() else { return };
    let kill = format!("kill -{name} {id}");
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().expect("sh").success());
}
