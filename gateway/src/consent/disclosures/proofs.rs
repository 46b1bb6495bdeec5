//! The entries of an exchange as they stand in the log, each with its proof.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lienthong_evidence::{
    entry::{Entry, KeyedDigest, Outcome},
    proof::Prover,
    search::Unit,
    sidecar::{self, Sidecar},
};
use lienthong_model::quarter::Quarter;
use serde_json::{Value, json};

use super::unreadable;
use crate::{consent::page::put, refusal::Refusal};

/// Most entries of one exchange that are proven: an answer that streams for long has many that only say
/// how far it was.
const MOST: usize = 100;

/// What proofs are made from.
pub(super) struct Proofs<'a> {
    pub(super) prover: &'a Prover<'a>,
    pub(super) directory: &'a Path,
    pub(super) digests: &'a [(Quarter, KeyedDigest)],
}

impl Proofs<'_> {
    /// The entries of an exchange with their proofs; without one where an entry is not under the newest
    /// checkpoint.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(super) fn of(&self, unit: &Unit) -> Result<Vec<Value>, Refusal> {
        let telling = unit
            .entries()
            .iter()
            .filter(|(_, bytes)| !matches!(Entry::decode(bytes), Ok(Entry::Progress(_))));
        telling.take(MOST).map(|(index, bytes)| self.entry(*index, bytes)).collect()
    }

    fn entry(&self, index: u64, bytes: &[u8]) -> Result<Value, Refusal> {
        let mut told = json!({ "index": index, "entry": STANDARD.encode(bytes) });
        if index < self.prover.size() {
            let (entry, proof) = self.prover.prove(index).map_err(unreadable)?;
            put(&mut told, "entry", STANDARD.encode(entry));
            put(&mut told, "proof", STANDARD.encode(proof.to_string()));
        }
        if let Ok(Entry::Outcome(outcome)) = Entry::decode(bytes) {
            self.sidecar(&outcome, &mut told)?;
        }
        Ok(told)
    }

    /// That the person is in the sidecar of an outcome.
    fn sidecar(&self, outcome: &Outcome<'_>, told: &mut Value) -> Result<(), Refusal> {
        if outcome.sidecar.is_none() {
            return Ok(());
        }
        let sidecar = Sidecar::open(&sidecar::path(self.directory, outcome.exchange));
        // One that is gone is told by its absence; the rest of the view stands.
        let Ok(sidecar) = sidecar else { return Ok(()) };
        for (_, digest) in self.digests {
            let Some(proof) = sidecar.prove(*digest).map_err(unreadable)? else { continue };
            put(told, "sidecar_proof", STANDARD.encode(proof.to_string()));
            put(told, "digest", digest.to_string());
        }
        Ok(())
    }
}
