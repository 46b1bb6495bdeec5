//! Whom we believe: the chain of a signer's certificate up to an anchor, at an instant.
//!
//! In: anchors, certificates between them and the signers, revocation lists, a [`Policy`]. Out: a
//! [`Trust`], which says of a certificate that it may sign, or why not; a [`Verifier`] is that at
//! one instant.
//!
//! Must never take an anchor or a revocation list from a message, and never let a list that is
//! missing, stale or not of the issuer pass where one is required.

use std::collections::BTreeSet;

use der::asn1::ObjectIdentifier;
use jiff::Timestamp;
use openssl::{
    error::ErrorStack,
    stack::Stack,
    x509::{
        X509, X509KeyUsage, X509PurposeId, X509StoreContext,
        store::{X509Store, X509StoreBuilder},
        verify::{X509VerifyFlags, X509VerifyParam},
    },
};

use crate::{
    algorithm::{Curve, Digest, KeyKind},
    certificate::{Certificate, CertificateError, Validity},
};

mod revocation;

pub use revocation::ListError;
use revocation::RevocationList;

/// Longest message by default, in bytes.
pub const DEFAULT_LIMIT: usize = 64 << 20;
/// Shortest RSA key that a policy may ask for.
const MIN_RSA_BITS: u32 = 2048;
/// Most certificates between a signer and an anchor.
const MAX_DEPTH: i32 = 8;
/// Of OpenSSL: RSA of 2,048 bits, curves of 224, and no SHA-1 in any certificate of the chain.
const SECURITY_LEVEL: i32 = 2;

/// Whether revocation lists are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// A list that holds at the instant asked about, for every certificate below the anchor.
    Required,
    /// No lists, and revoked certificates pass.
    Unchecked,
}

/// What the certificate says its key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUsage {
    /// `digitalSignature`.
    DigitalSignature,
    /// `nonRepudiation`, also called `contentCommitment`.
    NonRepudiation,
}

impl KeyUsage {
    fn flag(self) -> X509KeyUsage {
        match self {
            Self::DigitalSignature => X509KeyUsage::DIGITAL_SIGNATURE,
            Self::NonRepudiation => X509KeyUsage::NON_REPUDIATION,
        }
    }
}

/// What is asked of signers and of the algorithms they use.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether revocation lists are needed.
    pub revocation: Revocation,
    /// A signer's certificate has to have one of these.
    pub key_usages: BTreeSet<KeyUsage>,
    /// And one of these, as identifiers with dots; if there are none, none is asked for.
    pub extended_key_usages: BTreeSet<String>,
    /// Shortest RSA key of a signer, in bits.
    pub min_rsa_bits: u32,
    /// Curves of signers' keys.
    pub curves: BTreeSet<Curve>,
    /// Digests of messages and of certificates below the anchor.
    pub digests: BTreeSet<Digest>,
}

impl Default for Policy {
    /// Lists required, signing of either kind, and the weakest of what is called strong.
    fn default() -> Self {
        Self {
            revocation: Revocation::Required,
            key_usages: [KeyUsage::DigitalSignature, KeyUsage::NonRepudiation].into(),
            extended_key_usages: BTreeSet::new(),
            min_rsa_bits: MIN_RSA_BITS,
            curves: Curve::ALL.into(),
            digests: Digest::ALL.into(),
        }
    }
}

/// Why anchors, certificates, lists and a policy make no trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaterialError {
    /// The anchors cannot be read.
    #[error("the file of anchors {0}")]
    Anchors(CertificateError),
    /// An anchor is not a certificate authority.
    #[error("the file of anchors holds a certificate that is not an authority's")]
    AnchorIsNoAuthority,
    /// The certificates between cannot be read.
    #[error("the file of intermediate certificates {0}")]
    Intermediates(CertificateError),
    /// A list cannot be read, or is of a kind that is not understood.
    #[error("the revocation list {0} {1}")]
    List(usize, ListError),
    /// The policy asks for less than anyone should.
    #[error("the policy permits RSA keys shorter than 2048 bits")]
    ShortKeys,
    /// The policy permits nothing.
    #[error("the policy names no {0}")]
    Nothing(&'static str),
    /// An extended key usage is not an identifier.
    #[error("the extended key usage `{0}` is not an identifier with dots")]
    KeyUsage(String),
}

/// Why a certificate may not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Its chain does not end at an anchor.
    #[error("the certificate does not lead to an anchor")]
    NotTrusted,
    /// It, or one above it, is not valid yet.
    #[error("a certificate of the chain is not valid yet")]
    NotYetValid,
    /// It, or one above it, is not valid any more.
    #[error("a certificate of the chain has expired")]
    Expired,
    /// It, or one above it, has been revoked.
    #[error("a certificate of the chain has been revoked")]
    Revoked,
    /// There is no list of an issuer.
    #[error("there is no revocation list of an issuer of the chain")]
    ListMissing,
    /// The lists of an issuer do not hold at this instant.
    #[error("no revocation list of an issuer of the chain holds at this instant")]
    ListStale,
    /// The certificate is for something else.
    #[error("the certificate is not for signing documents")]
    WrongUse,
    /// A key or an algorithm is too weak, or unknown.
    #[error("a key or an algorithm of the chain is not accepted")]
    Weak,
    /// OpenSSL could not do its work.
    #[error("the chain could not be judged")]
    Failed,
}

impl From<ErrorStack> for TrustError {
    fn from(_: ErrorStack) -> Self {
        Self::Failed
    }
}

/// Whom we believe.
#[derive(Clone)]
pub struct Trust {
    anchors: Vec<Certificate>,
    between: Vec<Certificate>,
    lists: Vec<RevocationList>,
    usages: Vec<ObjectIdentifier>,
    policy: Policy,
}

impl Trust {
    /// Reads anchors and certificates between (PEM, the latter may be empty), and revocation lists
    /// (PEM or DER, each of these may hold several in PEM).
    ///
    /// # Errors
    ///
    /// Whatever of it cannot be read or makes no sense.
    pub fn new(
        anchors: &[u8],
        intermediates: &[u8],
        lists: &[Vec<u8>],
        policy: Policy,
    ) -> Result<Self, MaterialError> {
        let usages = checked(&policy)?;
        let anchors = Certificate::all_from_pem(anchors).map_err(MaterialError::Anchors)?;
        // SECURITY: a signer's own certificate as an anchor would never be found revoked.
        if !anchors.iter().all(Certificate::is_authority) {
            return Err(MaterialError::AnchorIsNoAuthority);
        }
        let between = match intermediates.trim_ascii() {
            [] => Vec::new(),
            pem => Certificate::all_from_pem(pem).map_err(MaterialError::Intermediates)?,
        };
        let mut read = Vec::new();
        for (number, bytes) in (1..).zip(lists) {
            let found = RevocationList::all(bytes, &policy.digests);
            read.extend(found.map_err(|error| MaterialError::List(number, error))?);
        }
        Ok(Self { anchors, between, lists: read, usages, policy })
    }

    /// What is asked of signers.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether this certificate may sign at an instant. `above` are certificates that came with it
    /// and may be of the chain; none of them is believed for that.
    ///
    /// # Errors
    ///
    /// Why it may not.
    pub fn check(
        &self,
        signer: &Certificate,
        above: &[Certificate],
        at: Timestamp,
    ) -> Result<(), TrustError> {
        self.accepts_key(signer)?;
        let chain = self.chain(signer, above, at)?;
        self.accepts_use(signer)?;
        let pairs = chain.iter().zip(chain.iter().skip(1));
        for (certificate, issuer) in pairs {
            let digest = certificate.signed_by().and_then(|method| method.digest());
            if !digest.is_some_and(|digest| self.policy.digests.contains(&digest)) {
                return Err(TrustError::Weak);
            }
            if !issuer.is_authority() {
                return Err(TrustError::NotTrusted);
            }
            if self.policy.revocation == Revocation::Required {
                revocation::check(certificate, issuer, &self.lists, at.as_second())?;
            }
        }
        Ok(())
    }

    fn accepts_key(&self, signer: &Certificate) -> Result<(), TrustError> {
        let strong = match signer.kind() {
            Some(KeyKind::Rsa(bits)) => bits >= self.policy.min_rsa_bits,
            Some(KeyKind::Elliptic(curve)) => self.policy.curves.contains(&curve),
            None => false,
        };
        strong.then_some(()).ok_or(TrustError::Weak)
    }

    fn accepts_use(&self, signer: &Certificate) -> Result<(), TrustError> {
        // A certificate that does not say what it is for is not for this.
        let usage = signer.key_usage().unwrap_or_else(X509KeyUsage::empty);
        let signs = self.policy.key_usages.iter().any(|wanted| usage.contains(wanted.flag()));
        let extended = signer.extended_key_usages();
        let fits = self.usages.is_empty() || self.usages.iter().any(|u| extended.contains(u));
        (signs && fits && !signer.is_authority()).then_some(()).ok_or(TrustError::WrongUse)
    }

    /// From the signer to the anchor, both included.
    fn chain(
        &self,
        signer: &Certificate,
        above: &[Certificate],
        at: Timestamp,
    ) -> Result<Vec<Certificate>, TrustError> {
        let mut others = Stack::new()?;
        for certificate in self.between.iter().chain(above) {
            others.push(certificate.x509.clone())?;
        }
        let store = self.store(at)?;
        let mut context = X509StoreContext::new()?;
        let (good, code, chain) = context.init(&store, &signer.x509, &others, |context| {
            let good = context.verify_cert()?;
            let chain: Vec<X509> =
                context.chain().into_iter().flatten().map(ToOwned::to_owned).collect();
            Ok((good, context.error().as_raw(), chain))
        })?;
        if !good {
            return Err(reason(code));
        }
        let read =
            |x509: &X509| x509.to_der().ok().and_then(|der| Certificate::from_der(&der).ok());
        let chain: Vec<_> =
            chain.iter().map(read).collect::<Option<_>>().ok_or(TrustError::Failed)?;
        // INVARIANT: an anchor is an authority and a signer is not, so there are two.
        (chain.len() > 1).then_some(chain).ok_or(TrustError::WrongUse)
    }

    fn store(&self, at: Timestamp) -> Result<X509Store, ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        for anchor in &self.anchors {
            store.add_cert(anchor.x509.clone())?;
        }
        let mut how = X509VerifyParam::new()?;
        how.set_purpose(X509PurposeId::ANY)?;
        how.set_time(at.as_second());
        how.set_depth(MAX_DEPTH);
        how.set_auth_level(SECURITY_LEVEL);
        // An anchor need not be signed by itself: a city may believe one issuing authority only.
        how.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
        store.set_param(&how)?;
        Ok(store.build())
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust")
            .field("anchors", &self.anchors)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A trust at an instant, and how much it is asked to look at.
#[derive(Debug, Clone, Copy)]
pub struct Verifier<'a> {
    pub(crate) trust: &'a Trust,
    pub(crate) at: Timestamp,
    pub(crate) limit: usize,
}

impl<'a> Verifier<'a> {
    /// Judges as of an instant, messages of up to [`DEFAULT_LIMIT`].
    #[must_use]
    pub fn new(trust: &'a Trust, at: Timestamp) -> Self {
        Self { trust, at, limit: DEFAULT_LIMIT }
    }

    /// Messages of up to so many bytes.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    pub(crate) fn accepts(&self, digest: Digest) -> bool {
        self.trust.policy.digests.contains(&digest)
    }
}

/// Looks at a policy, and reads its identifiers.
fn checked(policy: &Policy) -> Result<Vec<ObjectIdentifier>, MaterialError> {
    if policy.min_rsa_bits < MIN_RSA_BITS {
        return Err(MaterialError::ShortKeys);
    }
    if policy.key_usages.is_empty() {
        return Err(MaterialError::Nothing("key usage"));
    }
    if policy.digests.is_empty() {
        return Err(MaterialError::Nothing("digest"));
    }
    let read = |text: &String| {
        ObjectIdentifier::new(text).map_err(|_| MaterialError::KeyUsage(text.clone()))
    };
    policy.extended_key_usages.iter().map(read).collect()
}

/// What the codes of OpenSSL mean that are not about the chain as such.
fn reason(code: i32) -> TrustError {
    match code {
        9 => TrustError::NotYetValid,
        10 => TrustError::Expired,
        66..=68 => TrustError::Weak,
        _ => TrustError::NotTrusted,
    }
}

/// Whether a certificate is valid by itself at an instant.
pub(crate) fn valid(certificate: &Certificate, at: Timestamp) -> Result<(), TrustError> {
    match certificate.validity(at.as_second()) {
        Some(Validity::Now) => Ok(()),
        Some(Validity::NotYet) => Err(TrustError::NotYetValid),
        Some(Validity::Over) => Err(TrustError::Expired),
        None => Err(TrustError::Failed),
    }
}

#[cfg(test)]
mod tests;
