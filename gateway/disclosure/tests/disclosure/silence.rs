//! The canary in every medium: schemas, masks and bodies are generated, each field that is withheld
//! or masked holds something that must not come out, and nothing of it does, in any spelling,
//! whatever the verdict.
//!
//! A few thousand bodies by default. More by hand, with as many threads as there are processors:
//!
//! ```text
//! LIENTHONG_CANARY_CASES=10000000 \
//!     cargo test --release -p lienthong-disclosure --test disclosure silence -- --nocapture
//! ```

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

mod body;
mod dice;
mod listen;
mod world;

use body::Bodies;
use dice::Dice;
use listen::Listener;
use world::{Compiled, World};

/// Bodies by default.
const CASES: u64 = 1_280;
/// Bodies of one schema and its masks.
const OF_ONE_SCHEMA: u64 = 16;
/// Bodies between two lines of progress.
const PROGRESS: u64 = 250_000;

/// What is made of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Medium {
    JsonAnswer,
    JsonRequest,
    Lines,
    Array,
    FormAnswer,
    FormRequest,
    PartsAnswer,
    PartsRequest,
}

const MEDIA: [Medium; 8] = [
    Medium::JsonAnswer,
    Medium::JsonRequest,
    Medium::Lines,
    Medium::Array,
    Medium::FormAnswer,
    Medium::FormRequest,
    Medium::PartsAnswer,
    Medium::PartsRequest,
];

/// Bodies by medium: all, those that passed whole, and those of which something came out.
type Counts = BTreeMap<Medium, [u64; 3]>;

/// The bodies of one schema, made from `seed` alone; how many there were.
fn block(seed: u64, counts: &mut Counts) -> Result<u64, String> {
    let mut dice = Dice::new(seed);
    let medium = *dice.pick(&MEDIA);
    let world = World::new(&mut dice, medium);
    let Some(compiled) = Compiled::new(&world) else { return Ok(0) };
    for number in 0..OF_ONE_SCHEMA {
        let mut listener = Listener::default();
        let body = Bodies { dice: &mut dice, world: &world, listener: &mut listener }.body();
        let outcome = compiled.disclose(&mut dice, &body);
        let count = counts.entry(medium).or_default();
        count[0] += 1;
        count[1] += u64::from(outcome.passed);
        count[2] += u64::from(!outcome.out.is_empty());
        for text in [outcome.out.as_slice(), outcome.told.as_bytes()] {
            if let Some(heard) = listener.hears(text) {
                return Err(format!(
                    "seed {seed}, body {number} ({medium:?}): heard {heard:?} in {:?}\nof {:?}\nunder {:?}",
                    String::from_utf8_lossy(text),
                    String::from_utf8_lossy(&body.bytes),
                    world.masks,
                ));
            }
        }
    }
    Ok(OF_ONE_SCHEMA)
}

/// How many bodies are asked for.
fn asked() -> Option<u64> {
    std::env::var("LIENTHONG_CANARY_CASES").ok()?.parse().ok()
}

#[test]
fn nothing_withheld_or_masked_occurs_in_any_medium() {
    let cases = asked().unwrap_or(CASES);
    let threads = asked().map_or(1, |_| thread::available_parallelism().map_or(1, usize::from));
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let started = Instant::now();
    let work = || {
        let mut counts = Counts::new();
        while done.load(Ordering::Relaxed) < cases {
            let bodies = block(next.fetch_add(1, Ordering::Relaxed), &mut counts)?;
            let before = done.fetch_add(bodies, Ordering::Relaxed);
            if before / PROGRESS != (before + bodies) / PROGRESS {
                eprintln!("{} of {cases} bodies, {:?}", before + bodies, started.elapsed());
            }
        }
        Ok(counts)
    };
    let mut total = Counts::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let counts: Result<Counts, String> = worker.join().expect("a worker");
            for (medium, counts) in counts.unwrap_or_else(|heard| panic!("{heard}")) {
                let sum = total.entry(medium).or_default();
                sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
    });
    let mut told = String::new();
    for (medium, [all, passed, spoke]) in &total {
        writeln!(told, "{medium:?}: {all} bodies, {passed} passed, {spoke} gave something")
            .unwrap();
        assert!(*all > cases / 40, "too few bodies:\n{told}");
        assert!(*passed > all / 12 && *spoke > all / 12, "the bodies hardly ever pass:\n{told}");
    }
    assert_eq!(total.len(), MEDIA.len(), "{told}");
    if asked().is_some() {
        let all: u64 = total.values().map(|[all, ..]| all).sum();
        eprintln!("{told}{all} bodies in {:?}: silence", started.elapsed());
    }
}
