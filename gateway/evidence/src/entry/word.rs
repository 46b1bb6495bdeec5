//! Fields of an entry that say one of a few words, or always the same.

use super::{
    form::Cursor,
    value::{Value, put_text},
};

/// Declares values of which there are only these.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub enum $name {
                $($(#[$word_doc])* $word,)*
            }

            impl $name {
                /// Every one, as it is written.
                pub const ALL: &'static [&'static str] = &[$($text,)*];

                /// This one, as it is written.
                #[must_use]
                pub fn as_str(self) -> &'static str {
                    match self { $(Self::$word => $text,)* }
                }
            }

            impl<'a> Value<'a> for $name {
                fn write(&self, out: &mut Vec<u8>) {
                    put_text(out, self.as_str());
                }

                fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
                    match cursor.text()? {
                        $($text => Some(Self::$word),)*
                        _ => None,
                    }
                }
            }
        )*
    };
}

words! {
    /// What a person is to an exchange.
    Role {
        /// The data is about this person.
        Owner = "owner",
        /// The data mentions this person.
        Related = "related",
        /// The person acts in office.
        Officer = "officer",
    }
    /// How an exchange ended.
    End {
        /// All of the answer left.
        Complete = "complete",
        /// The answer was refused: nothing of it left.
        Refused = "refused",
        /// The answer ended before its end: a part of it left.
        Cut = "cut",
        /// Nobody took the answer, or the rest of it.
        Abandoned = "abandoned",
    }
    /// What an operator did.
    Action {
        /// Read policies and keys anew.
        Reload = "reload",
        /// Let the gateway finish and take nothing new.
        Drain = "drain",
        /// Asked why an exchange was decided as it was.
        Why = "why",
        /// Searched the log.
        Search = "search",
        /// Exported entries.
        Export = "export",
        /// Made proofs.
        Prove = "prove",
        /// Archived entries.
        Archive = "archive",
        /// Read entries as they are.
        ReadEntries = "read_entries",
        /// Made a key.
        KeyNew = "key_new",
        /// Put a new key in place of an old one.
        KeyRotate = "key_rotate",
        /// Destroyed a key.
        KeyDestroy = "key_destroy",
        /// Brought the registry of consents up to the log.
        Reconcile = "reconcile",
        /// Made a data subject's view of who received what.
        Disclosures = "disclosures",
        /// Gave a receipt of a consent.
        Receipt = "receipt",
        /// Looked at what a message says that needs a person.
        Reveal = "reveal",
        /// Made a data package, which is about to leave.
        PackageCreate = "package_create",
        /// Took the records of a data package.
        PackageReceive = "package_receive",
        /// Refused a data package or a receipt.
        PackageRefuse = "package_refuse",
        /// Closed a data package by its receipt.
        PackageClose = "package_close",
        /// Let a flow go on that is held for the quality of its data.
        QualityRelease = "quality_release",
    }
    /// In which role an operator did it.
    OperatorRole {
        /// Runs the gateway.
        Operator = "operator",
        /// Answers for what it lets pass.
        Compliance = "compliance",
        /// Checks it from outside.
        Auditor = "auditor",
        /// Whoever has the account it runs under.
        Local = "local",
        /// Records what data subjects decide.
        Collector = "collector",
    }
    /// What was done to a record of consent.
    ConsentAction {
        /// The data subject consented.
        Give = "give",
        /// The data subject did not consent.
        Refuse = "refuse",
        /// The consent was withdrawn.
        Withdraw = "withdraw",
        /// The processing was restricted.
        Restrict = "restrict",
        /// The restriction was lifted.
        Release = "release",
        /// The data subject objected to the processing.
        Object = "object",
        /// The consent, given for one time, was used.
        Use = "use",
        /// The record is gone: the registry was put back to an older state.
        Lose = "lose",
    }
    /// How a data subject made a decision known.
    Channel {
        /// In the VNeID application.
        Vneid = "vneid",
        /// On paper.
        Paper = "paper",
        /// Before an official, who recorded it.
        Officer = "officer",
    }
    /// What was done about a data subject's request.
    RightAction {
        /// It came in.
        Receive = "receive",
        /// The data subject was told that it came in.
        Acknowledge = "acknowledge",
        /// It was given more time.
        Extend = "extend",
        /// What was asked for was done.
        Fulfil = "fulfil",
        /// What was asked for was not done.
        Refuse = "refuse",
        /// A participant that received the data was told.
        Notify = "notify",
        /// That participant has confirmed.
        Confirm = "confirm",
    }
    /// Which right a data subject exercises.
    RightKind {
        /// To withdraw a consent.
        Withdraw = "withdraw",
        /// To see the data.
        View = "view",
        /// To have it corrected.
        Correct = "correct",
        /// To have it deleted.
        Delete = "delete",
        /// To have its processing restricted.
        Restrict = "restrict",
        /// To object to its processing.
        Object = "object",
    }
}

/// Declares values of which there is only one, so that a field cannot say anything else.
macro_rules! constants {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
            pub struct $name;

            impl<'a> Value<'a> for $name {
                fn write(&self, out: &mut Vec<u8>) {
                    out.extend_from_slice($text.as_bytes());
                }

                fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
                    cursor.take($text.as_bytes()).then_some(Self)
                }
            }
        )*
    };
}

constants! {
    /// Version 1 of the form of entries.
    Format = "1";
    /// The kind of an [`Intent`](super::Intent).
    IsIntent = "\"intent\"";
    /// The kind of a [`Progress`](super::Progress).
    IsProgress = "\"progress\"";
    /// The kind of an [`Outcome`](super::Outcome).
    IsOutcome = "\"outcome\"";
    /// The kind of a [`Refusal`](super::Refusal).
    IsRefusal = "\"refusal\"";
    /// The kind of [`Refusals`](super::Refusals).
    IsRefusals = "\"refusals\"";
    /// The kind of an [`Interrupted`](super::Interrupted).
    IsInterrupted = "\"interrupted\"";
    /// The kind of a [`Loss`](super::Loss).
    IsLoss = "\"loss\"";
    /// The kind of an [`Administration`](super::Administration).
    IsAdministration = "\"administration\"";
    /// The kind of a [`Consent`](super::Consent).
    IsConsent = "\"consent\"";
    /// The kind of a [`Right`](super::Right).
    IsRight = "\"right\"";
    /// The decision that permits.
    Permitted = "\"permit\"";
    /// The decision that denies.
    Denied = "\"deny\"";
    /// What counts of an exchange without outcome.
    PresumedDisclosed = "\"disclosed\"";
}
