//! The word of a witness, where a collector records a consent in its own favour.
//!
//! A compact JWS (ES256) over exactly this statement, fresh, and with a nonce that can be used once. Who
//! witnesses is of another participant than the collector and than every recipient.

use jiff::{SignedDuration, Timestamp};
use lienthong_consent::{
    receipt::{MOST_JWS_BYTES, verify_es256},
    registry::Proof,
    statement::{Checked, Decision},
};
use lienthong_model::{id::ParticipantId, reason::ReasonCode};
use lienthong_policy::{ParticipantStatus, PolicySet};
use serde::Deserialize;

use super::call::{decoded, sha256};
use crate::refusal::Refusal;

/// How old a proof may be.
const MOST_AGE: SignedDuration = SignedDuration::from_mins(10);
/// How far the witness's clock may be ahead.
const MOST_AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// What a witness signs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    /// The witness's participant.
    iss: String,
    /// SHA-256 of the canonical statement, in hexadecimal.
    statement_sha256: String,
    /// At least 128 random bits, as text.
    nonce: String,
    /// When it was signed: seconds since 1970.
    iat: i64,
}

/// Checks the proof of a statement; none where none is needed.
///
/// # Errors
/// `consent.own_favour`.
pub(super) fn check(
    policies: &PolicySet,
    collector: &ParticipantId,
    (checked, proof): (&Checked, Option<&str>),
    now: Timestamp,
) -> Result<Option<Proof>, Refusal> {
    let statement = checked.statement();
    let in_favour = statement.scope.recipients.contains(collector);
    // A refusal is in nobody's favour.
    let needed = in_favour && statement.decision == Decision::Give;
    let Some(jws) = proof else {
        return if needed { Err(refused("proof")) } else { Ok(None) };
    };
    let claims = unverified(jws).ok_or_else(|| refused("proof"))?;
    let witness: ParticipantId = claims.iss.parse().map_err(|_| refused("iss"))?;
    if witness == *collector || statement.scope.recipients.contains(&witness) {
        return Err(refused("iss"));
    }
    let known =
        policies.participants.get(&witness).filter(|p| p.status == ParticipantStatus::Active);
    let known = known.ok_or_else(|| refused("iss"))?;
    let signed = |spki: &[u8]| verify_es256(spki, jws).is_ok();
    if !known.witness_keys.iter().any(|key| signed(&key.spki)) {
        return Err(refused("signature"));
    }
    claims.check(checked, now)?;
    let nonce = sha256(&format!("consent proof\0{}\0{}", claims.iss, claims.nonce));
    Ok(Some(Proof { jws: jws.to_owned(), nonce }))
}

fn refused(what: &'static str) -> Refusal {
    Refusal::named(ReasonCode::ConsentOwnFavour, what)
}

impl Claims {
    fn check(&self, checked: &Checked, now: Timestamp) -> Result<(), Refusal> {
        if super::call::hex(checked.hash()) != self.statement_sha256 {
            return Err(refused("statement_sha256"));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        let long = (22..=128).contains(&self.nonce.len());
        if !long || !self.nonce.bytes().all(plain) {
            return Err(refused("nonce"));
        }
        let at = Timestamp::from_second(self.iat).map_err(|_| refused("iat"))?;
        let age = now.duration_since(at);
        (age <= MOST_AGE && age >= -MOST_AHEAD).then_some(()).ok_or_else(|| refused("iat"))
    }
}

/// What a JWS says, before anything vouches for it: it names whose keys to try.
fn unverified(jws: &str) -> Option<Claims> {
    if jws.len() > MOST_JWS_BYTES {
        return None;
    }
    let payload = jws.split('.').nth(1)?;
    serde_json::from_slice(&decoded(payload)?).ok()
}
