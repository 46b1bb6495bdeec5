//! Data packages: a whole data set in one signed and encrypted file, for when it travels on a medium.
//!
//! A package is made of a configured source ([`create`]), looked at ([`verify`]), taken in whole or
//! not at all ([`receive`]), and closed by the receipt that comes back ([`take_receipt`]). What a
//! package is, field by field, stands in `gateway/docs/packages.md`.
//!
//! Must never give out anything of a package before all of it was found to be what its signer says,
//! do anything that was not recorded as evidence before, or show a value of a record.

mod announce;
mod aside;
mod container;
mod create;
mod error;
mod id;
mod manifest;
mod open;
mod part;
mod publish;
mod receipt;
mod receive;
mod seen;
mod strict;
mod table;
mod wards;

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use lienthong_model::clock::Clock;
use lienthong_store::{
    Store,
    package::{Kept, Way},
};
use serde::Serialize;

pub use self::{
    announce::{Announced, announce},
    create::{Created, create},
    error::{PackageError, Refused},
    id::PackageId,
    open::Checked,
    receipt::{Closed, take_receipt},
    receive::{Order, Received, receive},
};
use crate::config::PackagesConfig;

/// What is about to happen to a package, for the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub kind: ActKind,
    /// The package, where it is known.
    pub package: Option<PackageId>,
    /// How many records it is about.
    pub records: Option<u64>,
    /// In words; nothing about a person.
    pub why: String,
}

/// What happens to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActKind {
    /// It is made, and leaves.
    Create,
    /// Its records are taken.
    Receive,
    /// It is refused.
    Refuse,
    /// Its receipt has come.
    Close,
}

/// How far a command is: of how many records, where that is known.
pub type Progress = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// Looks at a package without taking anything of it.
///
/// # Errors
/// Why it is refused, or could not be read.
pub fn verify(
    config: &PackagesConfig,
    file: &Path,
    clock: &Arc<dyn Clock>,
    progress: &Progress,
) -> Result<Checked, PackageError> {
    open::look(config, file, clock.now(), progress)
}

/// Records a refusal before it is told.
async fn refuse<T, R: AsyncFn(Act) -> Result<(), String>>(
    outcome: Result<T, PackageError>,
    package: Option<PackageId>,
    record: &R,
) -> Result<T, PackageError> {
    let Err(PackageError::Refused(refused)) = outcome else { return outcome };
    let why = format!("{}: {refused}", refused.code());
    match record(Act { kind: ActKind::Refuse, package, records: None, why }).await {
        Ok(()) => Err(PackageError::Refused(refused)),
        Err(why) => Err(PackageError::Unrecorded { refused, why }),
    }
}

/// A package that was made here or received, as it is listed.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub package: PackageId,
    /// `out` when it was made here, `in` when it was received.
    pub way: &'static str,
    /// The data set.
    pub dataset: String,
    /// Whom it is for, or from.
    pub participant: String,
    /// How many records are in it.
    pub records: u64,
    /// When it was made, or begun to be taken.
    pub opened: Timestamp,
    /// When its receipt came, or it was taken; nothing while it is open.
    pub closed: Option<Timestamp>,
    /// How long it has been open, in seconds.
    pub open_seconds: Option<i64>,
    /// Records that were taken.
    pub taken: Option<u64>,
    /// Records that went to a person.
    pub for_a_person: Option<u64>,
}

/// The packages that are open, or all of them; the oldest first.
///
/// # Errors
/// When the durable state cannot be read.
pub async fn list(
    config: &PackagesConfig,
    all: bool,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<Listed>, PackageError> {
    let store = Store::look_up_to_date(config.state.clone()).await?;
    let kept = store.packages().list(!all, limit).await?;
    Ok(kept.into_iter().map(|one| Listed::new(one, now)).collect())
}

impl Listed {
    fn new(kept: Kept, now: Timestamp) -> Self {
        let open = kept.closed.is_none();
        Self {
            package: PackageId::from_bytes(kept.id),
            way: if kept.way == Way::In { Way::In.as_str() } else { Way::Out.as_str() },
            dataset: kept.dataset,
            participant: kept.peer,
            records: kept.records,
            opened: kept.opened,
            closed: kept.closed,
            open_seconds: open.then(|| now.duration_since(kept.opened).as_secs()),
            taken: kept.counts.map(|counts| counts.taken),
            for_a_person: kept.counts.map(|counts| counts.aside),
        }
    }
}

#[cfg(test)]
mod tests;
