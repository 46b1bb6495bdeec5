//! The consent listener: what collectors may record, see and change, and what they are refused.

mod canary;
mod changes;
mod command;
pub(super) mod desk;
mod disclosures;
mod faults;
mod gives;
mod looks;
mod proofs;
mod refusals;
mod restarts;
mod rights;

use lienthong_model::reason::{ReasonCode, Retry, Side};

/// The codes of this listener, with the status a collector sees.
const CODES: [(ReasonCode, u16); 8] = [
    (ReasonCode::ConsentUnknown, 404),
    (ReasonCode::ConsentState, 409),
    (ReasonCode::ConsentNoAgreement, 422),
    (ReasonCode::ConsentNotice, 422),
    (ReasonCode::ConsentRepresentativeRequired, 422),
    (ReasonCode::ConsentAccountLevel, 422),
    (ReasonCode::ConsentOwnFavour, 403),
    (ReasonCode::ConsentCollector, 403),
];

/// A collector must learn what to mend: nothing is hidden behind a coarser face.
#[test]
fn a_collector_is_told_the_exact_reason() {
    for (code, status) in CODES {
        assert_eq!(code.status(), status, "{code}");
        assert_eq!(code.public(), code);
        assert_eq!((code.side(), code.retry()), (Side::Consumer, Retry::Never), "{code}");
    }
}
