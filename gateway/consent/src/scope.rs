//! What a consent is about, besides the person and the fields.

use std::collections::BTreeSet;

use lienthong_model::id::{ParticipantId, PurposeId, ServiceId};
use serde::{Deserialize, Serialize};

/// Most recipients of one consent.
pub const MOST_RECIPIENTS: usize = 100;

/// Who decides, who receives, what, and what for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Who decides about the processing: the provider.
    pub controller: ParticipantId,
    /// Who may receive; sorted, each once.
    pub recipients: Vec<ParticipantId>,
    /// Of which service.
    pub service: ServiceId,
    /// For which one purpose.
    pub purpose: PurposeId,
}

/// What somebody asks for on the strength of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Who would receive.
    pub recipient: &'a ParticipantId,
    /// Who would give.
    pub controller: &'a ParticipantId,
    /// Of which service.
    pub service: &'a ServiceId,
    /// For which purpose.
    pub purpose: &'a PurposeId,
}

impl Scope {
    /// A scope of these, the recipients in any order.
    #[must_use]
    pub fn new(
        controller: ParticipantId,
        recipients: impl IntoIterator<Item = ParticipantId>,
        service: ServiceId,
        purpose: PurposeId,
    ) -> Self {
        let sorted: BTreeSet<ParticipantId> = recipients.into_iter().collect();
        Self { controller, recipients: sorted.into_iter().collect(), service, purpose }
    }

    /// Whether what is asked for is within it.
    #[must_use]
    pub fn covers(&self, asked: &Asked<'_>) -> bool {
        self.service == *asked.service
            && self.purpose == *asked.purpose
            && self.controller == *asked.controller
            && self.recipients.binary_search(asked.recipient).is_ok()
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let names = [self.controller.as_str(), self.service.as_str(), self.purpose.as_str()];
        let recipients = self.recipients.iter().map(|id| id.as_str().len() + 48);
        names.iter().map(|name| name.len() + 48).chain(recipients).sum()
    }
}

#[cfg(test)]
mod tests;
