//! Partner secrets, which exist here only as salted slow hashes.
//!
//! Takes a PHC string (Argon2id); gives a [`SecretHash`] that a shown secret is held against. The
//! secret itself is in no policy file, and neither it nor its hash is in any message or `Debug`.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use lienthong_model::sensitive::Sensitive;

/// Least memory, in KiB (OWASP Password Storage Cheat Sheet, the smallest equivalent setting).
const LEAST_MEMORY: u32 = 7_168;
/// Least memory times passes: what every setting on that list comes to.
const LEAST_WORK: u32 = 35_840;
/// SECURITY: a policy file decides how much a check costs the gateway; these are the most.
const MOST_MEMORY: u32 = 65_536;
const MOST_PASSES: u32 = 10;
const MOST_LANES: u32 = 4;
const HASH_BYTES: usize = 32;
const SALT_BYTES: std::ops::RangeInclusive<usize> = 16..=48;

/// A salted slow hash of a partner secret (Argon2id, PHC string format).
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash {
    text: Sensitive<String>,
    salt: Sensitive<Vec<u8>>,
    hash: Sensitive<Vec<u8>>,
    /// Memory in KiB, passes, lanes.
    costs: (u32, u32, u32),
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash")
    }
}

/// Why a text is no usable hash; never tells the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretHashError {
    /// No PHC string: most likely the secret itself.
    #[error("must be a salted hash (an Argon2id PHC string), never the secret itself")]
    NotAHash,
    /// Another algorithm or version.
    #[error("must be hashed by Argon2id, version 19")]
    Algorithm,
    /// Cheaper to guess, or dearer to check, than is allowed.
    #[error(
        "needs m from 7168 to 65536 and m times t of at least 35840, t to 10, p to 4, a salt of at least 16 bytes and a hash of 32"
    )]
    Costs,
}

impl std::str::FromStr for SecretHash {
    type Err = SecretHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = PasswordHash::new(text).map_err(|_| SecretHashError::NotAHash)?;
        let (Some(salt), Some(hash)) = (parsed.salt.as_ref(), parsed.hash.as_ref()) else {
            return Err(SecretHashError::NotAHash);
        };
        let known = parsed.algorithm == Algorithm::Argon2id.ident()
            && parsed.version == Some(u32::from(Version::V0x13));
        if !known {
            return Err(SecretHashError::Algorithm);
        }
        let cost = |name: &str| parsed.params.get_decimal(name).ok_or(SecretHashError::Costs);
        let (memory, passes, lanes) = (cost("m")?, cost("t")?, cost("p")?);
        let bounded = parsed.params.iter().count() == 3
            && (LEAST_MEMORY..=MOST_MEMORY).contains(&memory)
            && (1..=MOST_PASSES).contains(&passes)
            && memory.saturating_mul(passes) >= LEAST_WORK
            && (1..=MOST_LANES).contains(&lanes)
            && SALT_BYTES.contains(&salt.len())
            && hash.len() == HASH_BYTES;
        if !bounded {
            return Err(SecretHashError::Costs);
        }
        Ok(Self {
            text: Sensitive::new(text.to_owned()),
            salt: Sensitive::new(salt.as_ref().to_vec()),
            hash: Sensitive::new(hash.as_bytes().to_vec()),
            costs: (memory, passes, lanes),
        })
    }
}

impl SecretHash {
    /// Hashes a secret with a salt that was never used before, at the crate's default cost
    /// (19 MiB, two passes, one lane).
    #[must_use]
    pub fn of(secret: &Sensitive<String>, salt: &[u8; 16]) -> Option<Self> {
        let costs = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
        let hash = derive(secret, salt, costs)?;
        let mut params = ParamsString::new();
        for (name, cost) in [("m", costs.0), ("t", costs.1), ("p", costs.2)] {
            params.add_decimal(name, cost).ok()?;
        }
        let text = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(u32::from(Version::V0x13)),
            params,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(Output::new(hash.expose()).ok()?),
        };
        text.to_string().parse().ok()
    }

    /// Whether `secret` is the one that was hashed. Slow on purpose (tens of milliseconds and the
    /// memory that the hash names): never on an event loop.
    #[must_use]
    pub fn is_of(&self, secret: &Sensitive<String>) -> bool {
        derive(secret, self.salt.expose(), self.costs)
            .is_some_and(|hash| verify_slices_are_equal(hash.expose(), self.hash.expose()).is_ok())
    }

    /// The PHC string, for the policy file.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

fn derive(
    secret: &Sensitive<String>,
    salt: &[u8],
    (memory, passes, lanes): (u32, u32, u32),
) -> Option<Sensitive<Vec<u8>>> {
    let params = Params::new(memory, passes, lanes, Some(HASH_BYTES)).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = vec![0; HASH_BYTES];
    argon2.hash_password_into(secret.expose().as_bytes(), salt, &mut hash).ok()?;
    Some(Sensitive::new(hash))
}

#[cfg(test)]
mod tests;
