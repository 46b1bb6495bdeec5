//! Exchanges whose intent has no end yet, and the newest change of the registry of consents: followed while the log is written, closed when it is opened.
//!
//! Both stand in the file `open` beside the checkpoint, as of some size of the log. Opening
//! takes it from there and reads only the entries after it. The file is derived: where it is missing,
//! damaged or of another log, every entry is read once.

use std::{collections::HashMap, fmt, fmt::Write as _, path::Path, sync::LazyLock};

use memchr::memmem::Finder;
use uuid::Uuid;

use super::tiler::Tiler;
use crate::{
    checkpoint::{Checkpoint, decimal},
    entry::{Entry, ExchangeId, Format, Interrupted, IsInterrupted, Name, PresumedDisclosed},
    files::{self, FileError, TileError},
    hash::Hash,
    revisions::Change,
    tile::{self, Kind, Tile, WIDTH},
    tree,
};

/// The name of the file in the directory of a log.
pub(crate) const OPEN: &str = "open";
/// First line of the file.
const FORM: &str = "lienthong/open-exchanges/2";
/// Most open exchanges that are followed: many times what a gateway lets in at once. Where there are
/// more, the file is not written any more and the next opening reads every entry.
pub const MOST_OPEN: usize = 1 << 17;
/// Longest line of an open exchange.
const LINE: usize = 60;
/// Bundles between two reports of progress.
const STEP: u64 = 1024;

/// An exchange whose intent has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// Which.
    pub exchange: ExchangeId,
    /// The place of its next entry among its entries.
    pub sequence: u64,
}

/// Makes the entries that close exchanges which nobody will end any more.
pub struct Closing(Box<dyn Fn(Unfinished) -> Vec<u8> + Send + Sync>);

impl Closing {
    /// Makes entries in a form of its own.
    pub fn new(make: impl Fn(Unfinished) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self(Box::new(make))
    }

    /// Makes entries of kind `interrupted` of this node; none when it cannot be a node's name. The
    /// clock tells milliseconds since 1970 and how far it is off, where that was measured.
    #[must_use]
    pub fn of_node(
        node: &str,
        clock: impl Fn() -> (u64, Option<i64>) + Send + Sync + 'static,
    ) -> Option<Self> {
        Name::of_node(node)?;
        let node = node.to_owned();
        Some(Self::new(move |unfinished| {
            let (at_ms, clock_offset_ms) = clock();
            let Some(node) = Name::of_node(&node) else { return Vec::new() };
            let entry = Entry::Interrupted(Interrupted {
                at_ms,
                clock_offset_ms,
                exchange: unfinished.exchange,
                format: Format,
                kind: IsInterrupted,
                node,
                presumed: PresumedDisclosed,
                sequence: unfinished.sequence,
            });
            entry.encode()
        }))
    }

    pub(super) fn entry(&self, unfinished: Unfinished) -> Vec<u8> {
        (self.0)(unfinished)
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closing")
    }
}

/// What an entry does to the exchange it is of.
enum Step {
    Begins,
    GoesOn,
    Ends,
}

static EXCHANGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"exchange\":\""));
static KIND: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b",\"kind\":\""));
static SEQUENCE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b",\"sequence\":"));

/// Exchange, sequence and step of an entry, without reading the rest of it. Keys stand in order and
/// no text holds a quotation mark, so what looks like a key is the key.
fn glance(entry: &[u8]) -> Option<(ExchangeId, u64, Step)> {
    let at = KIND.find(entry)?;
    let (head, rest) = entry.split_at_checked(at)?;
    let rest = rest.get(KIND.needle().len()..)?;
    let step = match rest.split(|byte| *byte == b'"').next()? {
        b"intent" => Step::Begins,
        b"progress" => Step::GoesOn,
        b"outcome" | b"interrupted" => Step::Ends,
        _ => return None,
    };
    let id = head.get(EXCHANGE.find(head)? + EXCHANGE.needle().len()..)?.get(..36)?;
    let id = Uuid::try_parse_ascii(id).ok()?;
    let number = rest.get(SEQUENCE.find(rest)? + SEQUENCE.needle().len()..)?;
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sequence = std::str::from_utf8(number.get(..digits)?).ok()?.parse().ok()?;
    Some((id.into(), sequence, step))
}

/// The open exchanges of a log, as of the entries taken in so far.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// The next sequence of each; none once there were too many.
    open: Option<HashMap<ExchangeId, u64>>,
    /// The change with the highest revision.
    newest: Option<Change>,
}

impl Following {
    /// Of a log without entries.
    pub(super) fn new() -> Self {
        Self { open: Some(HashMap::new()), newest: None }
    }

    /// Takes in the next entry.
    pub(super) fn take_in(&mut self, entry: &[u8]) {
        self.follow(entry);
        if self.open.as_ref().is_some_and(|open| open.len() > MOST_OPEN) {
            self.open = None;
        }
    }

    fn follow(&mut self, entry: &[u8]) {
        self.newest = self.newest.max(Change::read(entry));
        let Some(open) = &mut self.open else { return };
        let Some((exchange, sequence, step)) = glance(entry) else { return };
        let next = sequence.saturating_add(1);
        match step {
            Step::Begins => {
                open.insert(exchange, next);
            }
            Step::GoesOn => {
                open.entry(exchange).and_modify(|sequence| *sequence = next);
            }
            Step::Ends => {
                open.remove(&exchange);
            }
        }
    }

    /// The change with the highest revision; none when there is none.
    pub(super) fn newest(&self) -> Option<Change> {
        self.newest
    }

    /// How many there are; none when there were too many to follow.
    pub(super) fn count(&self) -> Option<usize> {
        self.open.as_ref().map(HashMap::len)
    }

    /// All of them, in the order of their ids.
    pub(super) fn all(&self) -> Vec<Unfinished> {
        let open = self.open.iter().flatten();
        let mut all: Vec<Unfinished> =
            open.map(|(id, next)| Unfinished { exchange: *id, sequence: *next }).collect();
        all.sort_unstable_by_key(|unfinished| unfinished.exchange);
        all
    }

    /// Writes the file. Failing costs nothing but time when the log is opened: an older file stays
    /// true of its size.
    pub(super) fn write(&self, directory: &Path, at: &Checkpoint) -> Result<(), FileError> {
        if self.open.is_none() {
            return Ok(());
        }
        let mut text = format!("{FORM}\n{}\n{}\n{}\n", at.origin, at.size, at.root);
        text.push_str(&newest_line(self.newest));
        for Unfinished { exchange, sequence } in self.all() {
            // Writing to a text cannot fail.
            writeln!(text, "{exchange} {sequence}").ok();
        }
        let sum = Hash::of(text.as_bytes());
        writeln!(text, "{sum}").ok();
        files::replace(&directory.join(OPEN), text.as_bytes())
    }

    /// What the file says, and of which tree; none when it is of no use.
    fn read(directory: &Path, origin: &str) -> Option<(Self, u64, Hash)> {
        let most = (FORM.len() + origin.len() + 200 + MOST_OPEN * LINE) as u64;
        let bytes = files::read(&directory.join(OPEN), most).ok()??;
        let text = String::from_utf8(bytes).ok()?;
        let (rest, sum) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let summed = text.get(..=rest.len())?;
        if Hash::parse(sum)? != Hash::of(summed.as_bytes()) {
            return None;
        }
        let mut lines = rest.split('\n');
        if lines.next()? != FORM || lines.next()? != origin {
            return None;
        }
        let size = decimal(lines.next()?)?;
        let root = Hash::parse(lines.next()?)?;
        let exchange = |line: &str| {
            let (id, next) = line.split_once(' ')?;
            Some((ExchangeId::parse(id)?, decimal(next)?))
        };
        let newest = match lines.next()? {
            "-" => None,
            line => exchange(line).map(|(record, revision)| Some(Change { revision, record }))?,
        };
        let open = lines.map(exchange).collect::<Option<HashMap<_, _>>>()?;
        Some((Self { open: Some(open), newest }, size, root))
    }
}

/// The newest change, as a line of the file.
fn newest_line(newest: Option<Change>) -> String {
    newest.map_or_else(
        || "-\n".to_owned(),
        |newest| format!("{} {}\n", newest.record, newest.revision),
    )
}

/// How the open exchanges of a log, and its newest change, were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Search {
    /// Entries that had to be read.
    pub read: u64,
    /// Entries among them whose bundle is gone or damaged; what they hold is for verifying to say. Where
    /// there are any, one of them may be a newer change than [`Log::newest`](super::Log::newest) says.
    pub unread: u64,
}

/// Finds the open exchanges of a log whose right edge is known, and tells how far it is.
pub(super) fn find(
    directory: &Path,
    origin: &str,
    tiler: &mut Tiler,
    tell: fn(u64, u64),
) -> Result<(Following, Search), TileError> {
    let size = tiler.size();
    let mut from = 0;
    let mut following = Following::new();
    if let Some((read, at, root)) = Following::read(directory, origin)
        && at <= size
        && tree::root(at, tiler).ok() == Some(root)
    {
        (following, from) = (read, at);
    }
    let mut search = Search { read: size - from, unread: 0 };
    for index in from / WIDTH..size.div_ceil(WIDTH) {
        let first = index * WIDTH;
        if (index - from / WIDTH).is_multiple_of(STEP) && index > from / WIDTH {
            tell(first - from, size - from);
        }
        let bundle = bundle(directory, tiler, index)?;
        let entries = bundle.iter().flat_map(|bytes| tile::entries(bytes));
        let entries = entries.map_while(Result::ok);
        let mut seen = first;
        for entry in entries.take(usize::try_from(size - first).unwrap_or(usize::MAX)) {
            if seen >= from {
                following.follow(entry);
            }
            seen += 1;
        }
        let end = size.min(first + WIDTH);
        search.unread += end.saturating_sub(seen.max(from));
    }
    Ok((following, search))
}

/// The bytes of a bundle; none when it is gone.
fn bundle(directory: &Path, tiler: &Tiler, index: u64) -> Result<Option<Vec<u8>>, FileError> {
    if index == tiler.full() / WIDTH {
        return Ok(Some(tiler.bundle().to_vec()));
    }
    match files::read_tile(directory, &Tile::full(Kind::Entries, index)) {
        Ok((bytes, _)) => Ok(Some(bytes)),
        Err(TileError::File(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
