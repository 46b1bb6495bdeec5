//! Why the Agent Node does not take a message. The codes are the stand-in's own.

/// Why not, as the code of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    /// A member is missing or not what it must be.
    Malformed,
    /// The time in it is too far from the Agent Node's.
    Time,
    /// The signature is not the sender's over what came.
    Signature,
    /// No agreement covers it.
    Agreement,
    /// A message of this id had another record.
    OtherContent,
    /// A release of its period that is as new or newer came before.
    Revision,
    /// There is no message of this id.
    UnknownMessage,
    /// An identifier in the record is wrong, or a release contradicts itself.
    Identifier,
    /// Too many of the data set's records were bad.
    Quality,
    /// The recipient of an earlier package has given no receipt.
    ReceiptMissing,
    /// It holds as much as it can.
    Full,
    /// The quota is used up.
    Quota,
}

impl Refusal {
    /// The code in the answer.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Malformed => "11",
            Self::Time => "12",
            Self::Signature => "21",
            Self::Agreement => "31",
            Self::OtherContent => "41",
            Self::Revision => "42",
            Self::UnknownMessage => "44",
            Self::Identifier => "51",
            Self::Quality => "52",
            Self::ReceiptMissing => "61",
            Self::Full => "70",
            Self::Quota => "71",
        }
    }
}
