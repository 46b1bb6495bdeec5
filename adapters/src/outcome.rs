//! What one attempt to deliver can end in: the one taxonomy that every platform's answers map to.
//!
//! What is about the message goes to a person or is kept back; what is about us, the agreement or
//! the platform pauses the flow and costs no message an attempt.

mod refusal;

use jiff::SignedDuration;

use lienthong_store::outbox::Receipt;
pub(crate) use refusal::of_refusal;

/// The end of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The platform has the message.
    Delivered,
    /// The platform has the message and gave a receipt for it, which was found good.
    Receipted(Box<Receipt>),
    /// The platform or the gateway will never take it as it is.
    Refused(Reason),
    /// The data subject's consent is not in force: it was not sent, and may not be kept to be sent.
    Withheld(Reason),
    /// It was not taken; another attempt may help.
    Failed(Reason),
    /// Nobody can tell whether it was taken.
    Unknown(Reason),
    /// Nothing can be sent at present, whatever the message; it was not taken.
    Unavailable(Reason, Option<SignedDuration>),
    /// Nothing can be sent at present, and nobody can tell whether this message was taken before
    /// that was noticed.
    Uncertain(Reason, Option<SignedDuration>),
}

/// Why: our words, reason codes of the gateway, error codes of a platform; never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason(String);

impl Reason {
    /// A reason of our own.
    pub(crate) fn new(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// A code from outside, kept only as far as it looks like a code.
    pub(crate) fn code(side: &'static str, code: &str) -> Self {
        let harmless = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
        let code: String = code.chars().filter(harmless).take(64).collect();
        Self(if side.is_empty() { code } else { format!("{side} {code}") })
    }

    /// This reason, with what to do about it.
    pub(crate) fn with(self, words: &'static str) -> Self {
        Self(format!("{}: {words}", self.0))
    }

    /// This reason, met during an errand for the message.
    pub(crate) fn during(self, errand: &'static str) -> Self {
        Self(format!("{errand}: {}", self.0))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
