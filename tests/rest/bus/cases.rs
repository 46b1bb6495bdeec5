//! Cases made by chance, and the city's system that writes their events into its outbox table while
//! everything runs.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{RngExt as _, rngs::StdRng};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::{STALL, portal::Seen, world::World};

/// Cases that the city works on at a time.
const OPEN: usize = 60;
/// Most rows of one transaction.
const ROWS: usize = 25;

/// What happens in one case: kind and status, in order.
type Events = Vec<(&'static str, u8)>;

/// All cases.
#[derive(Debug)]
pub(super) struct Plan {
    cases: Vec<Events>,
    by_code: BTreeMap<String, usize>,
}

fn code(index: usize) -> String {
    format!("H29.40-261102-{:07}", index + 1)
}

impl Plan {
    /// So many cases: registered, received, worked on, perhaps waiting for papers in between,
    /// finished, handed over.
    pub(super) fn new(count: usize, rng: &mut StdRng) -> Self {
        let case = |_| {
            let mut events = vec![("sync", 1), ("sync", 2)];
            let steps = rng.random_range(1..=4);
            events.extend((0..steps).map(|_| ("progress", 4)));
            if rng.random_range(0..3) == 0 {
                events.extend([("progress", 5), ("progress", 4)]);
            }
            events.extend([("sync", 9), ("sync", 10)]);
            events
        };
        let cases: Vec<Events> = (0..count).map(case).collect();
        Self { by_code: (0..count).map(|index| (code(index), index)).collect(), cases }
    }

    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    /// Rows of all cases.
    pub(super) fn rows(&self) -> u64 {
        self.cases.iter().map(|events| events.len() as u64).sum()
    }

    /// Steps of the work on all cases.
    pub(super) fn progress(&self) -> u64 {
        let steps = |events: &Events| events.iter().filter(|(kind, _)| *kind == "progress").count();
        self.cases.iter().map(|events| steps(events) as u64).sum()
    }

    /// Rows of a case.
    pub(super) fn events(&self, code: &str) -> u64 {
        self.cases[self.by_code[code]].len() as u64
    }

    /// The statuses of a case in order, as the portal tells them.
    pub(super) fn history(&self, code: &str) -> String {
        let index = self.by_code.get(code).unwrap_or_else(|| panic!("`{code}` was never opened"));
        let statuses: Vec<String> =
            self.cases[*index].iter().map(|(_, status)| status.to_string()).collect();
        statuses.join(",")
    }
}

/// Writes the rows of all cases, mixed, each case in order.
pub(super) struct Writer {
    plan: Arc<Plan>,
    database: PgConnectOptions,
    seen: Seen,
    rng: StdRng,
    /// Cases under way, and how far each is.
    open: Vec<(usize, usize)>,
    next: usize,
    /// Steps written so far.
    progress: u64,
    /// Steps that may be written and not be at the portal yet.
    ahead: u64,
}

/// Rows of one transaction, by column.
#[derive(Default)]
struct Rows {
    events: Vec<String>,
    kinds: Vec<&'static str>,
    codes: Vec<String>,
    moments: Vec<String>,
    statuses: Vec<i32>,
}

impl Writer {
    pub(super) fn new(plan: &Arc<Plan>, world: &World, seen: Seen, rng: StdRng) -> Self {
        let ahead = (plan.progress() / 4).clamp(50, 20_000);
        let (plan, database) = (Arc::clone(plan), world.city.clone());
        Self { plan, database, seen, rng, open: Vec::new(), next: 0, progress: 0, ahead }
    }

    /// Writes everything, and goes on when the database goes away.
    pub(super) async fn write_all(mut self) {
        let mut connection = None;
        loop {
            let rows = self.rows();
            if rows.events.is_empty() {
                return;
            }
            let begun = Instant::now();
            while let Err(error) = insert(&mut connection, &self.database, &rows).await {
                assert!(begun.elapsed() < STALL, "the city's database stays away: {error}");
                connection = None;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.seen.reach(self.progress.saturating_sub(self.ahead)).await;
        }
    }

    fn rows(&mut self) -> Rows {
        let mut rows = Rows::default();
        let count = self.rng.random_range(1..=ROWS);
        for _ in 0..count {
            while self.open.len() < OPEN && self.next < self.plan.len() {
                self.open.push((self.next, 0));
                self.next += 1;
            }
            if self.open.is_empty() {
                break;
            }
            let place = self.rng.random_range(0..self.open.len());
            let (case, at) = self.open[place];
            let events = &self.plan.cases[case];
            rows.add(case, at, events[at]);
            self.progress += u64::from(events[at].0 == "progress");
            if at + 1 == events.len() {
                self.open.swap_remove(place);
            } else {
                self.open[place].1 += 1;
            }
        }
        rows
    }
}

impl Rows {
    fn add(&mut self, case: usize, at: usize, (kind, status): (&'static str, u8)) {
        let code = code(case);
        self.events.push(format!("{code}/{at}"));
        self.kinds.push(kind);
        self.codes.push(code);
        self.moments.push(format!("2026-11-02 08:{at:02}:00"));
        self.statuses.push(i32::from(status));
    }
}

/// Writes rows in one transaction. Nobody may know whether it was committed, so a row that is there
/// stays.
async fn insert(
    connection: &mut Option<PgConnection>,
    database: &PgConnectOptions,
    rows: &Rows,
) -> Result<(), sqlx::Error> {
    let connected = match connection {
        Some(connected) => connected,
        None => connection.insert(PgConnection::connect_with(database).await?),
    };
    sqlx::query(
        "INSERT INTO case_outbox (event_id, kind, case_code, officer, happened_at, status,
             procedure_code, applicant_name, phone, received_at, other_info, officer_name)
         SELECT event, kind, code, 'cb.01', moment, status,
             CASE kind WHEN 'sync' THEN '1.000894' END,
             CASE kind WHEN 'sync' THEN 'Canary Thị Bảy Ba Không' END,
             CASE kind WHEN 'sync' THEN '0599000001' END,
             CASE kind WHEN 'sync' THEN '2026-11-02 08:00:00' END,
             CASE kind WHEN 'sync' THEN 'Canary Thị Bảy Ba Không' END,
             CASE kind WHEN 'progress' THEN 'Cán bộ mẫu' END
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[])
             WITH ORDINALITY AS r(event, kind, code, moment, status, place)
         ORDER BY place
         ON CONFLICT (event_id) DO NOTHING",
    )
    .bind(&rows.events)
    .bind(&rows.kinds)
    .bind(&rows.codes)
    .bind(&rows.moments)
    .bind(&rows.statuses)
    .execute(connected)
    .await
    .map(drop)
}
