//! One event loop on its own thread.
//!
//! Takes sockets and orders; serves each socket as a task of its own runtime, looks at all of them
//! ten times a second, and ends when it is drained or its listener is dropped.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior},
};

use super::{
    Serve, Shared, connection,
    counts::{Counters, count},
    table::{Evicted, Table},
    vitals::{CoarseClock, Vitals},
};
use crate::{evidence::turn, log};

/// How often connections are looked at.
const SWEEP: Duration = Duration::from_millis(100);

/// Every how many looks the standing of all peers is judged too: time alone can end it.
const SWEEPS_PER_RECHECK: u32 = 100;

/// What an event loop is told.
#[derive(Debug)]
pub(super) enum Command {
    /// Serve this socket.
    Serve(TcpStream, SocketAddr),
    /// Look at the standing of every peer.
    Recheck,
    /// Finish within the given time, then end.
    Drain(Duration),
}

/// The handle of an event loop.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    commands: mpsc::UnboundedSender<Command>,
    load: Arc<AtomicUsize>,
    ended: watch::Receiver<()>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start<S: Serve>(index: usize, shared: Arc<Shared<S>>) -> io::Result<Self> {
        // Unbounded, yet the acceptor sends no socket beyond the limits.
        let (commands, inbox) = mpsc::unbounded_channel();
        let (alive, ended) = watch::channel(());
        let load = Arc::new(AtomicUsize::new(0));
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = turn::hear(runtime.enable_all()).build()?;
        let loop_load = load.clone();
        thread::Builder::new().name(format!("listen-{index}")).spawn(move || {
            runtime.block_on(Loop::new(shared, loop_load).run(inbox));
            drop(runtime);
            log::hand_on();
            drop(alive);
        })?;
        Ok(Self { commands, load, ended })
    }

    /// Sends a command; a loop that has ended does not need it.
    pub(super) fn send(&self, command: Command) {
        if matches!(command, Command::Serve(..)) {
            self.load.fetch_add(1, Ordering::AcqRel);
        }
        self.commands.send(command).unwrap_or_default();
    }

    /// Sockets it has.
    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Acquire)
    }

    /// Waits until the thread has nothing left to do.
    pub(super) async fn ended(mut self) {
        // The sender sends nothing: it is only ever dropped.
        while self.ended.changed().await.is_ok() {}
    }
}

struct Loop<S> {
    shared: Arc<Shared<S>>,
    load: Arc<AtomicUsize>,
    table: Arc<Table>,
    clock: Arc<CoarseClock>,
    handshakes: usize,
}

impl<S: Serve> Loop<S> {
    fn new(shared: Arc<Shared<S>>, load: Arc<AtomicUsize>) -> Self {
        let handshakes = shared.settings.max_handshakes.div_ceil(shared.settings.loops().max(1));
        let clock = Arc::new(CoarseClock::start());
        Self { shared, load, table: Arc::default(), clock, handshakes }
    }

    async fn run(self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let mut tick = tokio::time::interval(SWEEP);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut deadline: Option<Instant> = None;
        let mut sweeps = 0_u32;
        loop {
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Serve(socket, address)) => {
                        let place = Place::take(&self.load, &self.shared.counters);
                        if deadline.is_none() {
                            self.serve(socket, address, place);
                        }
                    }
                    Some(Command::Recheck) => self.table.recheck(&self.shared),
                    Some(Command::Drain(grace)) => {
                        deadline = Some(Instant::now() + grace);
                        self.table.finish(grace);
                    }
                    None => return,
                },
                _ = tick.tick() => {
                    let now = self.clock.tick();
                    self.table.sweep(now, &self.shared);
                    log::hand_on();
                    sweeps = (sweeps + 1) % SWEEPS_PER_RECHECK;
                    if sweeps == 0 {
                        self.table.recheck(&self.shared);
                    }
                }
                () = self.table.emptied.notified(), if deadline.is_some() => {}
            }
            if deadline.is_some_and(|at| self.table.is_empty() || Instant::now() >= at) {
                return;
            }
        }
    }

    fn serve(&self, socket: TcpStream, address: SocketAddr, place: Place) {
        let vitals = Arc::new(Vitals::new(self.clock.clone()));
        let (id, evicted) = self.table.add(vitals.clone(), self.handshakes);
        if evicted == Evicted::Oldest {
            count(&self.shared.counters.refused);
        }
        let entry = Entry { table: self.table.clone(), id, place };
        tokio::spawn(connection::serve(self.shared.clone(), entry, vitals, socket, address));
    }
}

/// A connection's entry in its loop's table, for as long as the connection lives.
#[derive(Debug)]
pub(super) struct Entry {
    table: Arc<Table>,
    id: u64,
    place: Place,
}

impl Entry {
    /// The handshake is over; `false` when every place for connections is taken.
    pub(super) fn open(&mut self, vitals: Arc<Vitals>, max: usize) -> bool {
        let opened = self.place.open(max);
        if opened {
            self.table.open(self.id, vitals);
        }
        opened
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.remove(self.id);
    }
}

/// A socket's place in the counts.
#[derive(Debug)]
struct Place {
    load: Arc<AtomicUsize>,
    counters: Arc<Counters>,
    open: bool,
}

impl Place {
    /// Takes the place that the acceptor has counted.
    fn take(load: &Arc<AtomicUsize>, counters: &Arc<Counters>) -> Self {
        Self { load: load.clone(), counters: counters.clone(), open: false }
    }

    fn open(&mut self, max: usize) -> bool {
        self.open = self
            .counters
            .open
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < max).then_some(n + 1))
            .is_ok();
        self.open
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.fetch_sub(1, Ordering::AcqRel);
        self.counters.sockets.fetch_sub(1, Ordering::AcqRel);
        if self.open {
            self.counters.open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
