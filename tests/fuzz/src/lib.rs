//! The loop of every fuzz target: mutates inputs from a seed until its time is over.
//!
//! A target looks at one input, panics when a promise is broken, and otherwise gives a text that
//! says what came of it: how much passed, or `!` and the kind of refusal. An input with an outcome
//! that was not seen before is kept and mutated further. The same seed gives the same inputs.

use std::{
    collections::HashSet,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

/// Longest input.
const MAX_INPUT: usize = 64 << 10;
/// Most inputs that are kept.
const MAX_KEPT: usize = 4096;
/// An input that takes longer is a failure: everything that reads is bounded.
const TOO_SLOW: Duration = Duration::from_secs(5);

/// A fuzz target.
pub struct Target<'a> {
    /// Its name.
    pub name: &'static str,
    /// Inputs to begin with.
    pub seeds: Vec<Vec<u8>>,
    /// Pieces that mean something to the reader.
    pub pieces: &'a [&'a [u8]],
}

impl Target<'_> {
    /// Runs `check` as the command line says: `SECONDS [SEED]`, or `--replay FILE`.
    pub fn run(self, check: impl Fn(&[u8]) -> String) -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match arguments.as_slice() {
            ["--replay", file] => match fs::read(file) {
                Ok(input) => {
                    println!("{}", check(&input));
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    eprintln!("{file}: {error}");
                    ExitCode::from(3)
                }
            },
            [seconds] => self.parsed(seconds, "1", check),
            [seconds, seed] => self.parsed(seconds, seed, check),
            [] => self.usage(),
            _ => self.usage(),
        }
    }

    fn usage(&self) -> ExitCode {
        eprintln!("usage: {} SECONDS [SEED] | --replay FILE", self.name);
        ExitCode::from(2)
    }

    fn parsed(self, seconds: &str, seed: &str, check: impl Fn(&[u8]) -> String) -> ExitCode {
        match (seconds.parse(), seed.parse()) {
            (Ok(seconds), Ok(seed)) => self.fuzz(Duration::from_secs(seconds), seed, check),
            _ => self.usage(),
        }
    }

    fn fuzz(self, time: Duration, seed: u64, check: impl Fn(&[u8]) -> String) -> ExitCode {
        let mut random = Random::new(seed);
        let mut kept = Kept { accepted: self.seeds.clone(), refused: Vec::new() };
        let mut outcomes = HashSet::new();
        let mut slowest = Duration::ZERO;
        let (mut tried, mut accepted) = (0_u64, 0_u64);
        let begun = Instant::now();
        while begun.elapsed() < time {
            let planned = usize::try_from(tried).ok().and_then(|n| self.seeds.get(n).cloned());
            let input = planned.unwrap_or_else(|| mutate(&kept, self.pieces, &mut random));
            let at = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| check(&input)));
            let took = at.elapsed();
            slowest = slowest.max(took);
            tried += 1;
            let Ok(outcome) = outcome else { return self.fail(&input, "a promise is broken") };
            if took > TOO_SLOW {
                return self.fail(&input, "took too long");
            }
            let passed = !outcome.starts_with('!');
            accepted += u64::from(passed);
            if outcomes.len() < MAX_KEPT && outcomes.insert(digest(&outcome)) {
                let list = if passed { &mut kept.accepted } else { &mut kept.refused };
                list.push(input);
            }
        }
        println!(
            "{}: seed {seed}, {tried} inputs in {} s, {accepted} accepted, {} outcomes, slowest {} µs",
            self.name,
            begun.elapsed().as_secs(),
            outcomes.len(),
            slowest.as_micros()
        );
        ExitCode::SUCCESS
    }

    fn fail(&self, input: &[u8], why: &str) -> ExitCode {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("artifacts");
        let file = folder.join(format!("{}-{:016x}", self.name, digest(input)));
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input));
        match written {
            Ok(()) => eprintln!("{}: {why}; replay {}", self.name, file.display()),
            Err(error) => eprintln!("{}: {why}; input not saved: {error}", self.name),
        }
        ExitCode::FAILURE
    }
}

fn digest(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Reproducible numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    /// Numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, 0 when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() >> 16) as usize % bound }
    }
}

/// Inputs worth changing further.
struct Kept {
    accepted: Vec<Vec<u8>>,
    refused: Vec<Vec<u8>>,
}

impl Kept {
    /// One of them; mostly one that was accepted, because few changes of it are refused at once.
    fn pick(&self, random: &mut Random) -> Vec<u8> {
        let refused = random.below(4) == 0 && !self.refused.is_empty();
        let list = if refused { &self.refused } else { &self.accepted };
        list.get(random.below(list.len())).cloned().unwrap_or_default()
    }
}

/// One kept input, changed in one to eight places, mostly few.
fn mutate(kept: &Kept, pieces: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut input = kept.pick(random);
    let most = 1 << random.below(4);
    for _ in 0..=random.below(most) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(32)).min(input.len());
        match random.below(9) {
            0 => flip(&mut input, at, random),
            1 => drop(input.drain(at..end)),
            2 => insert(&mut input, at, &[random.next() as u8]),
            3 | 4 => {
                insert(&mut input, at, pieces.get(random.below(pieces.len())).unwrap_or(&&b""[..]))
            }
            5 => {
                let again = input[at..end].to_vec();
                insert(&mut input, at, &again);
            }
            6 => {
                let other = kept.pick(random);
                let from = random.below(other.len() + 1);
                let to = (from + random.below(256)).min(other.len());
                insert(&mut input, at, &other[from..to]);
            }
            7 => {
                let piece = pieces.get(random.below(pieces.len())).copied().unwrap_or_default();
                insert(&mut input, at, &piece.repeat(random.below(200)));
            }
            _ => input.truncate(at),
        }
    }
    input.truncate(MAX_INPUT);
    input
}

fn flip(input: &mut [u8], at: usize, random: &mut Random) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if input.len() + bytes.len() <= MAX_INPUT {
        let tail = input.split_off(at);
        input.extend_from_slice(bytes);
        input.extend(tail);
    }
}
