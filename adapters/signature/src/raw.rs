//! Signing and judging bytes with a key, without any format around it.
//!
//! Must never be asked about a key or a method that nobody has found strong enough.

use openssl::{
    bn::BigNum,
    ecdsa::EcdsaSig,
    error::ErrorStack,
    pkey::{HasPrivate, HasPublic, PKeyRef},
    rsa::Padding,
    sign::{RsaPssSaltlen, Signer, Verifier},
};

use crate::algorithm::{Curve, Digest};

/// How the bytes of a signature are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// RSA of PKCS #1 version 1.5.
    Rsa,
    /// RSA with PSS, a salt as long as the digest, and the digest in the mask.
    RsaPss,
    /// ECDSA as a sequence in DER (CMS).
    Ecdsa,
    /// ECDSA as two numbers of one width (JWS, XML).
    EcdsaPair(Curve),
}

pub(crate) fn sign<T: HasPrivate>(
    key: &PKeyRef<T>,
    form: Form,
    digest: Digest,
    bytes: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    let mut signer = Signer::new(digest.method(), key)?;
    if form == Form::RsaPss {
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_mgf1_md(digest.method())?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    let signature = signer.sign_oneshot_to_vec(bytes)?;
    let Form::EcdsaPair(curve) = form else { return Ok(signature) };
    let pair = EcdsaSig::from_der(&signature)?;
    let width = i32::try_from(curve.width()).unwrap_or(i32::MAX);
    Ok([pair.r().to_vec_padded(width)?, pair.s().to_vec_padded(width)?].concat())
}

/// Whether the signature is of this key over these bytes. What cannot be read is no signature.
pub(crate) fn verify<T: HasPublic>(
    key: &PKeyRef<T>,
    form: Form,
    digest: Digest,
    (bytes, signature): (&[u8], &[u8]),
) -> bool {
    let judged = || -> Result<bool, ErrorStack> {
        let der;
        let signature = match form {
            Form::EcdsaPair(curve) => {
                let halves = signature.split_at_checked(curve.width());
                let Some((r, s)) = halves.filter(|(r, s)| r.len() == s.len()) else {
                    return Ok(false);
                };
                let (r, s) = (BigNum::from_slice(r)?, BigNum::from_slice(s)?);
                der = EcdsaSig::from_private_components(r, s)?.to_der()?;
                der.as_slice()
            }
            Form::Rsa | Form::RsaPss | Form::Ecdsa => signature,
        };
        let mut verifier = Verifier::new(digest.method(), key)?;
        if form == Form::RsaPss {
            verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
            verifier.set_rsa_mgf1_md(digest.method())?;
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        }
        verifier.verify_oneshot(signature, bytes)
    };
    // OpenSSL calls a signature of a wrong shape an error.
    judged().unwrap_or(false)
}
