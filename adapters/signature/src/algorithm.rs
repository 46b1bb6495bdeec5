//! The algorithms of signatures: which there are, and which one an identifier in DER means.
//!
//! Must never know one that is weaker than SHA-256, RSA of 2,048 bits or P-256.

use der::{
    Any, Sequence,
    asn1::{ObjectIdentifier, UintRef},
};
use openssl::{
    error::ErrorStack,
    hash::{self, MessageDigest},
    nid::Nid,
    pkey::{HasPublic, Id, PKeyRef},
};
use x509_cert::spki::AlgorithmIdentifierOwned;

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

/// What a message is reduced to before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    pub(crate) fn named(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|digest| digest.oid() == *oid)
    }

    pub(crate) fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha256 => SHA256,
            Self::Sha384 => SHA384,
            Self::Sha512 => SHA512,
        }
    }

    pub(crate) fn method(self) -> MessageDigest {
        match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        hash::hash(self.method(), bytes).map(|digest| digest.to_vec())
    }
}

/// A curve of elliptic keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Curve {
    /// P-256, also called prime256v1.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// Bytes of each half of a signature.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// What kind of key a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// RSA, with its length in bits.
    Rsa(u32),
    Elliptic(Curve),
}

impl KeyKind {
    /// None if it is of a kind that is not known here.
    pub(crate) fn of<T: HasPublic>(key: &PKeyRef<T>) -> Option<Self> {
        match key.id() {
            Id::RSA => Some(Self::Rsa(key.bits())),
            Id::EC => match key.ec_key().ok()?.group().curve_name()? {
                Nid::X9_62_PRIME256V1 => Some(Self::Elliptic(Curve::P256)),
                Nid::SECP384R1 => Some(Self::Elliptic(Curve::P384)),
                Nid::SECP521R1 => Some(Self::Elliptic(Curve::P521)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The digest that is as strong as the key.
    pub(crate) fn digest(self) -> Digest {
        match self {
            Self::Rsa(_) | Self::Elliptic(Curve::P256) => Digest::Sha256,
            Self::Elliptic(Curve::P384) => Digest::Sha384,
            Self::Elliptic(Curve::P521) => Digest::Sha512,
        }
    }
}

/// How a signature is made, and the digest if the identifier of the method names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Rsa(Option<Digest>),
    RsaPss(Digest),
    Ecdsa(Digest),
}

/// RFC 4055, without what follows the digest.
#[derive(Sequence)]
struct PssParameters<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    digest: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<Any>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt: Option<UintRef<'a>>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer: Option<UintRef<'a>>,
}

impl Method {
    /// None if it is not known here, or weak.
    pub(crate) fn named(identifier: &AlgorithmIdentifierOwned) -> Option<Self> {
        match identifier.oid {
            RSA => Some(Self::Rsa(None)),
            RSA_SHA256 => Some(Self::Rsa(Some(Digest::Sha256))),
            RSA_SHA384 => Some(Self::Rsa(Some(Digest::Sha384))),
            RSA_SHA512 => Some(Self::Rsa(Some(Digest::Sha512))),
            ECDSA_SHA256 => Some(Self::Ecdsa(Digest::Sha256)),
            ECDSA_SHA384 => Some(Self::Ecdsa(Digest::Sha384)),
            ECDSA_SHA512 => Some(Self::Ecdsa(Digest::Sha512)),
            RSA_PSS => {
                let parameters = identifier.parameters.as_ref()?;
                // A digest that is not named is SHA-1.
                let digest = parameters.decode_as::<PssParameters<'_>>().ok()?.digest?;
                Digest::named(&digest.oid).map(Self::RsaPss)
            }
            _ => None,
        }
    }

    /// What a key of this kind signs CMS with.
    pub(crate) fn identifier(kind: KeyKind, digest: Digest) -> AlgorithmIdentifierOwned {
        match (kind, digest) {
            (KeyKind::Rsa(_), _) => {
                AlgorithmIdentifierOwned { oid: RSA, parameters: Some(Any::null()) }
            }
            (KeyKind::Elliptic(_), Digest::Sha256) => plain(ECDSA_SHA256),
            (KeyKind::Elliptic(_), Digest::Sha384) => plain(ECDSA_SHA384),
            (KeyKind::Elliptic(_), Digest::Sha512) => plain(ECDSA_SHA512),
        }
    }

    /// The digest, where the identifier names one.
    pub(crate) fn digest(self) -> Option<Digest> {
        match self {
            Self::Rsa(digest) => digest,
            Self::RsaPss(digest) | Self::Ecdsa(digest) => Some(digest),
        }
    }
}

/// An identifier without parameters.
pub(crate) fn plain(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters: None }
}
