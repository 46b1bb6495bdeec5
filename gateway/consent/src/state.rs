//! What may happen to a consent, and what it is afterwards.
//!
//! Pure. Expiry is not here: it follows from the period and the time, and is no event. What is
//! final stays so: a new will of the person is a new record, never an edit of an old one.

use lienthong_model::reason::ReasonCode;
use serde::{Deserialize, Serialize};

/// What a consent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The person said yes.
    Given,
    /// The person said no. Final.
    Refused,
    /// The person says no longer. Final.
    Withdrawn,
    /// The person says not for now.
    Restricted,
    /// The person objected. Final.
    Objected,
    /// It was for one exchange, and that has been. Final.
    Used,
    /// Known only from the evidence, after the store was restored from a backup. Final.
    Lost,
}

/// What happens to a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The person says yes.
    Give,
    /// The person says no.
    Refuse,
    /// The person withdraws it.
    Withdraw,
    /// The person restricts it.
    Restrict,
    /// The person ends a restriction.
    Release,
    /// The person objects.
    Object,
    /// An exchange takes a consent that is for one exchange.
    Use,
    /// The evidence knows it otherwise than the store.
    Lose,
}

/// The state does not allow the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not possible while the consent is `{}`", action.as_str(), state.as_str())]
pub struct StateError {
    /// What the consent is.
    pub state: State,
    /// What was asked.
    pub action: Action,
}

impl StateError {
    /// The reason it is refused with.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        ReasonCode::ConsentState
    }
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Given,
        Self::Refused,
        Self::Withdrawn,
        Self::Restricted,
        Self::Objected,
        Self::Used,
        Self::Lost,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Restricted => "restricted",
            Self::Objected => "objected",
            Self::Used => "used",
            Self::Lost => "lost",
        }
    }

    /// Whether nothing can happen to it any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Given | Self::Restricted)
    }

    /// What a record is with which something begins.
    #[must_use]
    pub fn beginning(action: Action) -> Option<Self> {
        match action {
            Action::Give => Some(Self::Given),
            Action::Refuse => Some(Self::Refused),
            Action::Lose => Some(Self::Lost),
            Action::Withdraw
            | Action::Restrict
            | Action::Release
            | Action::Object
            | Action::Use => None,
        }
    }

    /// What it is after the action.
    ///
    /// # Errors
    /// When it does not allow the action.
    pub fn after(self, action: Action) -> Result<Self, StateError> {
        match (self, action) {
            (Self::Given, Action::Restrict) => Ok(Self::Restricted),
            (Self::Given, Action::Use) => Ok(Self::Used),
            (Self::Restricted, Action::Release) => Ok(Self::Given),
            (Self::Given | Self::Restricted, Action::Withdraw) => Ok(Self::Withdrawn),
            (Self::Given | Self::Restricted, Action::Object) => Ok(Self::Objected),
            (Self::Given | Self::Restricted, Action::Lose) => Ok(Self::Lost),
            (state, action) => Err(StateError { state, action }),
        }
    }
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 8] = [
        Self::Give,
        Self::Refuse,
        Self::Withdraw,
        Self::Restrict,
        Self::Release,
        Self::Object,
        Self::Use,
        Self::Lose,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Give => "give",
            Self::Refuse => "refuse",
            Self::Withdraw => "withdraw",
            Self::Restrict => "restrict",
            Self::Release => "release",
            Self::Object => "object",
            Self::Use => "use",
            Self::Lose => "lose",
        }
    }
}

#[cfg(test)]
mod tests;
