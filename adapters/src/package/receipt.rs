//! The receipt of a package: what its receiver says became of the records, signed.

use std::{fs::File, io::Read as _, path::Path, sync::Arc};

use jiff::Timestamp;
use lienthong_model::{
    clock::Clock,
    id::{FlowId, ParticipantId},
};
use lienthong_signature::{canonical, cms, trust::Verifier};
use lienthong_store::{
    Store,
    package::{Closing, Counts, Package},
};
use serde::{Deserialize, Serialize};

use super::{
    Act, ActKind, PackageError, PackageId, Refused, error, manifest::FORMAT, open::Opened,
    part::sha256, refuse,
};
use crate::config::PackagesConfig;

/// The name that a receipt has beside the records.
pub(super) const RECEIPT: &str = "receipt.p7m";
/// Largest receipt.
const MAX_RECEIPT: u64 = 1 << 20;

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receipt {
    pub(super) format: u32,
    pub(super) package: PackageId,
    /// SHA-256 of the manifest of the package that was received.
    pub(super) manifest_sha256: String,
    pub(super) dataset: FlowId,
    pub(super) sender: ParticipantId,
    pub(super) receiver: ParticipantId,
    pub(super) records: u64,
    pub(super) taken: u64,
    pub(super) for_a_person: u64,
    pub(super) received_at: Timestamp,
}

/// A package that its receipt has closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Closed {
    /// The package.
    pub package: PackageId,
    /// The data set.
    pub dataset: String,
    /// Who received it.
    pub receiver: String,
    /// How many records were in it.
    pub records: u64,
    /// Those that were taken.
    pub taken: u64,
    /// Those that a person there decides about.
    pub for_a_person: u64,
    /// When it was received.
    pub received_at: Timestamp,
}

/// The signed receipt of a package: one CMS message with the receipt in it.
pub(super) fn make(
    config: &PackagesConfig,
    opened: &Opened,
    counts: Counts,
    now: Timestamp,
) -> Result<Vec<u8>, PackageError> {
    let signer = config.signer.as_ref();
    let signer = signer.ok_or(PackageError::Internal("`signing` is not configured"))?;
    let manifest = &opened.manifest;
    let receipt = Receipt {
        format: FORMAT,
        package: manifest.package,
        manifest_sha256: sha256(&opened.bytes),
        dataset: manifest.dataset.clone(),
        sender: manifest.sender.clone(),
        receiver: config.own.clone(),
        records: manifest.records,
        taken: counts.taken,
        for_a_person: counts.aside,
        received_at: now,
    };
    Ok(cms::sign(&written(&receipt)?, signer, now)?)
}

/// A value in the one form that is signed.
pub(super) fn written(value: &impl Serialize) -> Result<Vec<u8>, PackageError> {
    let value = serde_json::to_value(value).ok().and_then(|value| canonical::json(&value).ok());
    value.ok_or(PackageError::Internal("a manifest or receipt cannot be written"))
}

/// Takes the receipt of a package that was made here, and closes it.
///
/// # Errors
/// Why the receipt is refused, or nothing could be done.
pub async fn take_receipt<R: AsyncFn(Act) -> Result<(), String>>(
    config: &Arc<PackagesConfig>,
    path: &Path,
    clock: &Arc<dyn Clock>,
    record: R,
) -> Result<Closed, PackageError> {
    let closed = close(config, path, clock, &record).await;
    refuse(closed, None, &record).await
}

async fn close<R: AsyncFn(Act) -> Result<(), String>>(
    config: &PackagesConfig,
    path: &Path,
    clock: &Arc<dyn Clock>,
    record: &R,
) -> Result<Closed, PackageError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(error::file(path.display()))?;
    let read = file.take(MAX_RECEIPT.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(error::file(path.display()))?;
    let now = clock.now();
    let receipt = believed(config, &bytes, now)?;
    let store = Store::open(config.state.clone()).await?;
    let package = Package {
        id: *receipt.package.as_bytes(),
        peer: receipt.receiver.as_str(),
        dataset: receipt.dataset.as_str(),
        manifest: digest(&receipt.manifest_sha256).ok_or(Refused::Receipt("is damaged"))?,
        records: receipt.records,
    };
    let closing = match store.packages().closing(&package).await? {
        Closing::Closed => {
            let why = format!("receipt of {} for data set {}", receipt.receiver, receipt.dataset);
            let (kind, id) = (ActKind::Close, Some(receipt.package));
            let act = Act { kind, package: id, records: Some(receipt.records), why };
            record(act).await.map_err(PackageError::Evidence)?;
            let counts = Counts { taken: receipt.taken, aside: receipt.for_a_person };
            store.packages().close(&package, counts, now).await?
        }
        other => other,
    };
    store.close().await;
    match closing {
        Closing::Closed => Ok(Closed::from(receipt)),
        Closing::Repeated { .. } => Err(Refused::Receipt("has been taken before").into()),
        Closing::Unknown => {
            let what = "is of no package that was made here for that participant";
            Err(Refused::Receipt(what).into())
        }
        Closing::Other => {
            Err(Refused::Receipt("is of another package than the one that was made here").into())
        }
    }
}

/// A receipt that its receiver has signed, and that agrees with itself.
fn believed(config: &PackagesConfig, bytes: &[u8], now: Timestamp) -> Result<Receipt, Refused> {
    let limit = usize::try_from(MAX_RECEIPT).unwrap_or(usize::MAX);
    let verifier = Verifier::new(&config.trust, now).with_limit(limit);
    let signed = cms::verify(bytes, &verifier).map_err(Refused::Signature)?;
    let [signer] = &signed.signers[..] else {
        return Err(Refused::Receipt("is not signed by exactly one"));
    };
    let receipt = serde_json::from_slice::<Receipt>(&signed.content);
    let receipt = receipt.ok().filter(|receipt| receipt.format == FORMAT);
    let receipt = receipt.ok_or(Refused::Receipt("is not one of this format"))?;
    let peer = config.peers.get(&receipt.receiver);
    if peer.is_none_or(|peer| !signer.signer.is_among(&peer.signers)) {
        return Err(Refused::Receipt("is signed with a certificate that is not its receiver's"));
    }
    if receipt.sender != config.own {
        return Err(Refused::Receipt("is for another sender"));
    }
    match receipt.taken.checked_add(receipt.for_a_person) {
        Some(all) if all == receipt.records => Ok(receipt),
        _ => Err(Refused::Receipt("does not account for every record")),
    }
}

/// The bytes of a SHA-256 in hexadecimal.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    lienthong_model::secret_file::hexadecimal(text)
}

impl From<Receipt> for Closed {
    fn from(receipt: Receipt) -> Self {
        Self {
            package: receipt.package,
            dataset: receipt.dataset.to_string(),
            receiver: receipt.receiver.to_string(),
            records: receipt.records,
            taken: receipt.taken,
            for_a_person: receipt.for_a_person,
            received_at: receipt.received_at,
        }
    }
}
