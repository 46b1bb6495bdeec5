//! A throw-away PKI for demonstrations and tests.
//!
//! Takes a directory, the time and names; gives an authority `city` with an empty revocation list,
//! a certificate for the gateway and for a provider on loopback, and one for each client, signer and
//! opener, all ECDSA P-256. It must never overwrite a file, and nothing real may rest on it: the authority's
//! key lies beside the certificates it signs.

use std::{
    collections::BTreeSet,
    fmt,
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, RevocationReason, RevokedCertParams, SerialNumber,
};
use zeroize::Zeroizing;

/// The authority's name: the trust anchor of the example configuration.
pub const AUTHORITY: &str = "city";
/// The domain of the example clients' DNS names.
pub const DOMAIN: &str = "gov.example";

/// Names a server certificate on loopback is valid for.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// File stems that clients may not take.
const RESERVED: [&str; 3] = [AUTHORITY, "gateway", "provider"];
/// Clocks on one desk differ a little.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
const SERIAL_BYTES: usize = 16;

/// The instant in rcgen's type, whose crate is not ours to name.
macro_rules! date_time {
    ($instant:expr) => {
        rcgen::date_time_ymd(1970, 1, 1) + since_1970($instant)?
    };
}

/// Why the example PKI could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A certificate or list could not be built or signed.
    #[error("cannot make a certificate")]
    Generate(#[from] rcgen::Error),
    /// The system gives no randomness.
    #[error("no random numbers from the system")]
    Random,
    /// A time that a certificate cannot hold.
    #[error("time is out of range for a certificate")]
    Time,
    /// A client name that cannot be a DNS label, or is taken.
    #[error(
        "`{0}` cannot be the name of a client: expected a lower-case DNS label that is not taken"
    )]
    Name(String),
    /// Files are there already; nothing was written.
    #[error("`{}` exists already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("cannot write `{}`", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

/// A certificate with its key.
pub struct Issued {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The certificate, DER.
    pub certificate_der: Vec<u8>,
    /// Its private key, PEM (PKCS#8).
    pub key_pem: Zeroizing<String>,
    /// Its serial number: big-endian, without leading zeros.
    pub serial: Box<[u8]>,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// An authority that issues and revokes.
pub struct ExamplePki {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    certificate_der: Vec<u8>,
    revoked: Vec<(Box<[u8]>, Timestamp)>,
    lists: u64,
}

impl fmt::Debug for ExamplePki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExamplePki").field("revoked", &self.revoked.len()).finish_non_exhaustive()
    }
}

impl ExamplePki {
    /// A new authority, valid for five years from `now`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &str, now: Timestamp) -> Result<Self, PkiError> {
        let mut params =
            params(&format!("Example authority {name}"), earlier(now)?, later(now, YEAR * 5)?)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate_pem: certificate.pem(),
            certificate_der: certificate.der().to_vec(),
            revoked: Vec::new(),
            lists: 0,
        })
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The authority's certificate, DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate_der
    }

    /// The authority's private key, PEM.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// A client certificate with the DNS name `<name>.gov.example`.
    ///
    /// # Errors
    /// When the name cannot be one, or the certificate cannot be made.
    pub fn issue(
        &self,
        name: &str,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Issued, PkiError> {
        check_name(name)?;
        let dns = format!("{name}.{DOMAIN}");
        let mut params = params(&dns, not_before, not_after)?;
        params.subject_alt_names = CertificateParams::new(vec![dns])?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    /// A certificate for signing documents, receipts and packages.
    ///
    /// # Errors
    /// When the name cannot be one, or the certificate cannot be made.
    pub fn issue_signer(
        &self,
        name: &str,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Issued, PkiError> {
        check_name(name)?;
        self.sign(params(&format!("{name}.{DOMAIN}"), not_before, not_after)?)
    }

    /// A certificate whose owner opens what is encrypted for him.
    ///
    /// # Errors
    /// When the name cannot be one, or the certificate cannot be made.
    pub fn issue_opener(
        &self,
        name: &str,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Issued, PkiError> {
        check_name(name)?;
        let params = params(&format!("{name}.{DOMAIN}"), not_before, not_after)?;
        self.certify(params, KeyUsagePurpose::KeyAgreement)
    }

    /// A server certificate for `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn issue_server(
        &self,
        name: &str,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Issued, PkiError> {
        let mut params = params(name, not_before, not_after)?;
        let names: Vec<String> = LOOPBACK_NAMES.map(str::to_owned).into();
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// Revokes a certificate: it stands on every list from now on.
    pub fn revoke(&mut self, serial: &[u8], at: Timestamp) {
        self.revoked.push((serial.into(), at));
    }

    /// A new revocation list, PEM.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn revocation_list(
        &mut self,
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Result<String, PkiError> {
        self.lists += 1;
        let mut revoked_certs = Vec::with_capacity(self.revoked.len());
        for (serial, at) in &self.revoked {
            revoked_certs.push(RevokedCertParams {
                serial_number: SerialNumber::from_slice(serial),
                revocation_time: date_time!(*at),
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            });
        }
        let list = CertificateRevocationListParams {
            this_update: date_time!(this_update),
            next_update: date_time!(next_update),
            crl_number: SerialNumber::from(self.lists),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }

    fn sign(&self, params: CertificateParams) -> Result<Issued, PkiError> {
        self.certify(params, KeyUsagePurpose::DigitalSignature)
    }

    fn certify(
        &self,
        mut params: CertificateParams,
        usage: KeyUsagePurpose,
    ) -> Result<Issued, PkiError> {
        let serial = serial()?;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            certificate_der: certificate.der().to_vec(),
            key_pem: Zeroizing::new(key.serialize_pem()),
            serial,
        })
    }
}

/// Whom an example PKI has certificates for, by what each is for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// Who opens connections.
    pub clients: &'a [&'a str],
    /// Who signs documents, receipts and packages.
    pub signers: &'a [&'a str],
    /// Who opens what is encrypted for him.
    pub openers: &'a [&'a str],
}

impl<'a> Names<'a> {
    /// Clients alone.
    #[must_use]
    pub const fn clients(clients: &'a [&'a str]) -> Self {
        Self { clients, signers: &[], openers: &[] }
    }

    fn check(&self) -> Result<(), PkiError> {
        let mut seen = BTreeSet::from(RESERVED);
        for name in [self.clients, self.signers, self.openers].into_iter().flatten() {
            check_name(name)?;
            if !seen.insert(name) {
                return Err(PkiError::Name((*name).to_owned()));
            }
        }
        Ok(())
    }
}

/// Writes an example PKI into `dir` (made if it is missing): the authority, the gateway, the
/// provider, and a pair for each of `names`. Gives the files, in the order written.
///
/// # Errors
/// When a name cannot be one, a file exists already (then nothing is written), or one cannot be
/// written.
pub fn write_example(
    dir: &Path,
    now: Timestamp,
    names: &Names<'_>,
) -> Result<Vec<PathBuf>, PkiError> {
    names.check()?;
    let mut pki = ExamplePki::new(AUTHORITY, now)?;
    let (not_before, not_after) = (earlier(now)?, later(now, YEAR)?);
    let list = pki.revocation_list(not_before, not_after)?;
    let mut files = vec![
        Contents::public(format!("{AUTHORITY}.pem"), pki.certificate_pem()),
        Contents::secret(format!("{AUTHORITY}.key"), &pki.key_pem()),
        Contents::public(format!("{AUTHORITY}.crl.pem"), &list),
    ];
    for name in ["gateway", "provider"] {
        files.extend(pair(name, &pki.issue_server(name, not_before, not_after)?));
    }
    for name in names.clients {
        files.extend(pair(name, &pki.issue(name, not_before, not_after)?));
    }
    for name in names.signers {
        files.extend(pair(name, &pki.issue_signer(name, not_before, not_after)?));
    }
    for name in names.openers {
        files.extend(pair(name, &pki.issue_opener(name, not_before, not_after)?));
    }
    std::fs::create_dir_all(dir).map_err(|error| PkiError::Write(dir.to_owned(), error))?;
    if let Some(taken) = files.iter().map(|file| dir.join(&file.name)).find(|path| path.exists()) {
        return Err(PkiError::Exists(taken));
    }
    files.iter().map(|file| file.write(dir)).collect()
}

struct Contents {
    name: String,
    text: Zeroizing<String>,
    mode: u32,
}

impl Contents {
    fn public(name: String, text: &str) -> Self {
        Self { name, text: Zeroizing::new(text.to_owned()), mode: 0o644 }
    }

    fn secret(name: String, text: &str) -> Self {
        Self { name, text: Zeroizing::new(text.to_owned()), mode: 0o600 }
    }

    fn write(&self, dir: &Path) -> Result<PathBuf, PkiError> {
        let path = dir.join(&self.name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, self.mode);
        let written = options.open(&path).and_then(|mut file| file.write_all(self.text.as_bytes()));
        match written {
            Ok(()) => Ok(path),
            Err(error) => Err(PkiError::Write(path, error)),
        }
    }
}

fn pair(name: &str, issued: &Issued) -> [Contents; 2] {
    [
        Contents::public(format!("{name}.pem"), &issued.certificate_pem),
        Contents::secret(format!("{name}.key"), &issued.key_pem),
    ]
}

fn params(
    common_name: &str,
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    let mut name = rcgen::DistinguishedName::new();
    name.push(DnType::CountryName, "VN");
    name.push(DnType::OrganizationName, "Example City");
    name.push(DnType::CommonName, common_name);
    params.distinguished_name = name;
    params.not_before = date_time!(not_before);
    params.not_after = date_time!(not_after);
    Ok(params)
}

fn check_name(name: &str) -> Result<(), PkiError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let good = (1..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-');
    if good { Ok(()) } else { Err(PkiError::Name(name.to_owned())) }
}

/// A random serial number: positive, and of one length in every encoding.
fn serial() -> Result<Box<[u8]>, PkiError> {
    let mut bytes = [0; SERIAL_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| PkiError::Random)?;
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(bytes.into())
}

fn earlier(now: Timestamp) -> Result<Timestamp, PkiError> {
    now.checked_sub(SKEW).map_err(|_| PkiError::Time)
}

fn later(now: Timestamp, by: SignedDuration) -> Result<Timestamp, PkiError> {
    now.checked_add(by).map_err(|_| PkiError::Time)
}

/// Seconds since 1970; certificates hold no time before.
fn since_1970(instant: Timestamp) -> Result<Duration, PkiError> {
    u64::try_from(instant.as_second()).map(Duration::from_secs).map_err(|_| PkiError::Time)
}

#[cfg(test)]
mod tests;
