//! What entries are found by.

use crate::entry::{Entry, ExchangeId, KeyedDigest};

/// What an entry is found by: an id, a keyed digest, or what kind of entry it is.
///
/// Sixteen bytes come in and eight are kept, spread evenly whatever they were. So two things may have one key:
/// whoever finds an entry reads it to see whether it is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub(super) u64);

impl Key {
    /// Exchanges that were closed without an outcome.
    pub const INTERRUPTED: Self = Self(1);
    /// Outcomes whose sidecar cannot be read.
    pub const NO_SIDECAR: Self = Self(2);
    /// What operators did.
    pub const ADMINISTRATION: Self = Self(3);
    /// Accepted losses.
    pub const LOSS: Self = Self(4);
    /// Changes of the registry of consents: of records of consent, and of requests.
    pub const CHANGE: Self = Self(5);

    /// All entries of an exchange, and what operators did about it; or of a record of consent, and
    /// what rests on it; or of a data subject's request.
    #[must_use]
    pub fn id(id: ExchangeId) -> Self {
        Self::of(id.as_bytes())
    }

    /// All entries with this digest of a person, a case or a message.
    #[must_use]
    pub fn digest(digest: KeyedDigest) -> Self {
        Self::of(digest.as_bytes())
    }

    fn of(bytes: &[u8; 16]) -> Self {
        let whole = u128::from_be_bytes(*bytes);
        // The two halves, folded and mixed as MurmurHash3 ends: ids that count up are spread too.
        let mut key = (whole >> 64) as u64 ^ whole as u64;
        for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
            key ^= key >> 33;
            key = key.wrapping_mul(factor);
        }
        Self(key ^ (key >> 33))
    }

    /// Every key of an entry.
    pub(crate) fn each_of(entry: &Entry<'_>, mut each: impl FnMut(Self)) {
        if let Some(exchange) = entry.exchange() {
            each(Self::id(exchange));
        }
        match entry {
            Entry::Intent(intent) => {
                let all = [intent.officer, intent.dossier, intent.correlation];
                all.into_iter().flatten().for_each(|digest| each(Self::digest(digest)));
                intent.subjects.iter().for_each(|subject| each(Self::digest(subject.digest)));
                intent.consents.iter().for_each(|id| each(Self::id(*id)));
            }
            Entry::Refusal(refusal) => {
                let all = [refusal.officer, refusal.dossier, refusal.correlation];
                all.into_iter().flatten().for_each(|digest| each(Self::digest(digest)));
                refusal.subjects.iter().for_each(|subject| each(Self::digest(subject.digest)));
            }
            Entry::Outcome(outcome) => {
                outcome.subjects.iter().for_each(|subject| each(Self::digest(subject.digest)));
            }
            Entry::Interrupted(_) => each(Self::INTERRUPTED),
            Entry::Loss(_) => each(Self::LOSS),
            Entry::Administration(done) => {
                each(Self::ADMINISTRATION);
                done.subject.into_iter().for_each(|digest| each(Self::digest(digest)));
                done.exchange.into_iter().for_each(|id| each(Self::id(id)));
            }
            Entry::Consent(entry) => {
                each(Self::CHANGE);
                each(Self::id(entry.consent));
                each(Self::digest(entry.subject));
                entry.representative.into_iter().for_each(|digest| each(Self::digest(digest)));
            }
            Entry::Right(entry) => {
                each(Self::CHANGE);
                each(Self::id(entry.request));
                each(Self::digest(entry.subject));
                entry.consent.into_iter().for_each(|id| each(Self::id(id)));
            }
            Entry::Progress(_) | Entry::Refusals(_) => {}
        }
    }
}
