//! What a gateway has recorded, as an auditor reads it.

use std::path::Path;

use lienthong_evidence::{
    note::Verifier,
    proof::Prover,
    verify::{Report, verify},
};
use lienthong_gateway::evidence::signer;
use serde_json::Value;

use super::World;

/// The log of a gateway that has ended, which has been found good.
pub(crate) struct Evidence {
    pub(crate) report: Report,
    /// Every entry, in order.
    pub(crate) entries: Vec<Value>,
}

impl Evidence {
    /// Reads the log below the directory of a world.
    pub(crate) fn read(directory: &Path) -> Self {
        let key = Self::key(directory);
        let log = directory.join("data/evidence");
        let report = verify(&log, &key, &[]).unwrap();
        assert!(report.is_good(), "{:?}", report.findings);
        let prover = Prover::open(&log, &key).unwrap();
        let entry = |index| {
            let (entry, proof) = prover.prove(index).unwrap();
            proof.check(&entry, &key).unwrap();
            serde_json::from_slice(&entry).unwrap()
        };
        Self { report, entries: (0..prover.size()).map(entry).collect() }
    }

    /// The public key of the log.
    pub(crate) fn key(directory: &Path) -> Verifier {
        signer(&directory.join("evidence.key")).unwrap().verifier().clone()
    }

    /// The entries of this kind.
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.entries.iter().filter(|entry| entry["kind"] == kind).collect()
    }

    /// The only entry of this kind.
    pub(crate) fn only(&self, kind: &str) -> &Value {
        let of = self.of(kind);
        assert_eq!(of.len(), 1, "{:#?}", self.entries);
        of[0]
    }
}

impl World {
    /// Ends the gateway and reads what it has recorded.
    pub(crate) async fn evidence(&mut self) -> Evidence {
        self.gateway.signal("TERM");
        self.gateway.ended().await;
        Evidence::read(self.directory.path())
    }
}
