//! The statuses of a dossier at the portal and the moves between them.
//!
//! Numbers and names are public; no official diagram of the moves has been seen, so the table is
//! derived from what the statuses mean and can be replaced by configuration.

mod standing;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

pub(crate) use standing::Standing;

/// A status of a dossier, 1 to 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(u8);

/// Names by number, Vietnamese as the portal writes them and English.
const NAMES: [(&str, &str); 10] = [
    ("Mới đăng ký", "newly registered"),
    ("Được tiếp nhận", "received"),
    ("Không được tiếp nhận", "not received"),
    ("Đang xử lý", "in progress"),
    ("Yêu cầu bổ sung giấy tờ", "papers to be added"),
    ("Yêu cầu thực hiện nghĩa vụ tài chính", "fees to be paid"),
    ("Công dân yêu cầu rút hồ sơ", "withdrawn by the citizen"),
    ("Dừng xử lý", "stopped"),
    ("Đã xử lý xong", "finished"),
    ("Đã trả kết quả", "result handed over"),
];

/// The moves that the table allows when configuration says nothing: from, to.
const DERIVED: &[(u8, &[u8])] = &[
    (1, &[2, 3, 7]),
    (2, &[4, 5, 7, 8]),
    (4, &[5, 6, 7, 8, 9]),
    (5, &[4, 7, 8]),
    (6, &[4, 7, 8]),
    (9, &[10]),
];

/// The statuses that a dossier may begin with when configuration says nothing.
const FIRST: &[u8] = &[1, 2];

impl Status {
    /// The status of a number.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        u8::try_from(number).ok().filter(|n| (1..=10).contains(n)).map(Self)
    }

    /// Every status.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=10).map(Self)
    }

    /// Its name as the portal writes it.
    #[must_use]
    pub fn vietnamese(self) -> &'static str {
        self.names().0
    }

    /// Its name in English.
    #[must_use]
    pub fn english(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        NAMES.get(usize::from(self.0).saturating_sub(1)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Status {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().and_then(Self::new);
        number.filter(|_| !text.starts_with(['0', '+'])).ok_or("not a status from 1 to 10")
    }
}

/// What a message does to its dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The dossier as it stands: the first one opens it, an equal status changes content only.
    Sync,
    /// A step of the work on a dossier that is there already.
    Progress,
}

/// The moves that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transitions {
    first: BTreeSet<Status>,
    next: BTreeMap<Status, BTreeSet<Status>>,
}

impl Default for Transitions {
    fn default() -> Self {
        let set = |numbers: &[u8]| numbers.iter().copied().map(Status).collect();
        Self {
            first: set(FIRST),
            next: DERIVED.iter().map(|(from, to)| (Status(*from), set(to))).collect(),
        }
    }
}

impl Transitions {
    /// A table that replaces the derived one.
    #[must_use]
    pub fn new(
        first: impl IntoIterator<Item = Status>,
        next: BTreeMap<Status, BTreeSet<Status>>,
    ) -> Self {
        Self { first: first.into_iter().collect(), next }
    }

    /// Whether a dossier may begin so.
    #[must_use]
    pub fn may_begin(&self, with: Status) -> bool {
        self.first.contains(&with)
    }

    /// Whether a dossier may move so. Staying where it is always may be.
    #[must_use]
    pub fn may_move(&self, from: Status, to: Status) -> bool {
        from == to || self.next.get(&from).is_some_and(|next| next.contains(&to))
    }

    /// Whether nothing follows the status.
    #[must_use]
    pub fn is_terminal(&self, status: Status) -> bool {
        self.next.get(&status).is_none_or(BTreeSet::is_empty)
    }
}

/// A move that no dossier makes. Numbers only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IllegalTransition {
    pub(crate) from: Option<Status>,
    pub(crate) to: Status,
    pub(crate) history: String,
}

impl std::error::Error for IllegalTransition {}

impl fmt::Display for IllegalTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            None => write!(f, "dossier may not begin with status {}", self.to),
            Some(from) => {
                write!(f, "status {} may not follow {from} (history {})", self.to, self.history)
            }
        }
    }
}

#[cfg(test)]
mod tests;
