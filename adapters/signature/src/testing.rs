//! Authorities and people made for a test, and the `openssl` program as the other side.

use std::{fs, path::PathBuf, process::Command};

use jiff::Timestamp;
use openssl::rsa::Rsa;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, RevokedCertParams,
    SerialNumber,
};
use tempfile::TempDir;

use crate::{
    signer::{Opener, Recipient, Signer},
    trust::{Policy, Revocation, Trust},
};

/// The instant at which everything is judged unless a test says otherwise.
pub(crate) fn at() -> Timestamp {
    "2026-06-15T00:00:00Z".parse().unwrap()
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rsa,
    P256,
    P384,
}

/// Whoever issues certificates.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) key: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) pem: String,
    pub(crate) key: String,
    pub(crate) serial: u64,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "VN");
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    params
}

pub(crate) fn key(kind: Kind) -> KeyPair {
    match kind {
        Kind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
        Kind::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
        Kind::Rsa => {
            let key = openssl::pkey::PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
            let pem = key.private_key_to_pem_pkcs8().unwrap();
            KeyPair::from_pem(std::str::from_utf8(&pem).unwrap()).unwrap()
        }
    }
}

impl Authority {
    pub(crate) fn root(name: &str) -> Self {
        let (key, params) = (key(Kind::P256), authority(name));
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, key: key.serialize_pem(), issuer: Issuer::new(params, key) }
    }

    /// One that issues certificates below this one; its number is 7.
    pub(crate) fn below(&self, name: &str) -> Self {
        let (key, mut params) = (key(Kind::P256), authority(name));
        params.serial_number = Some(SerialNumber::from(7_u64));
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { pem, key: key.serialize_pem(), issuer: Issuer::new(params, key) }
    }

    pub(crate) fn person(&self, name: &str) -> Person {
        self.person_with(name, Kind::P256, |_| {})
    }

    pub(crate) fn person_with(
        &self,
        name: &str,
        kind: Kind,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Person {
        let (key, mut params) = (key(kind), params(name));
        let serial = name.bytes().fold(1000, |sum, byte| sum * 3 + u64::from(byte));
        params.serial_number = Some(SerialNumber::from(serial));
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyAgreement,
        ];
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 12, 31);
        change(&mut params);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Person { pem, key: key.serialize_pem(), serial }
    }

    /// A list of 2026-06-01 to 2026-07-01.
    pub(crate) fn list(&self, revoked: &[u64]) -> Vec<u8> {
        self.list_with(revoked, |_| {})
    }

    pub(crate) fn list_with(
        &self,
        revoked: &[u64],
        change: impl FnOnce(&mut CertificateRevocationListParams),
    ) -> Vec<u8> {
        let entry = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: rcgen::date_time_ymd(2026, 5, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let mut params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 6, 1),
            next_update: rcgen::date_time_ymd(2026, 7, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        change(&mut params);
        params.signed_by(&self.issuer).unwrap().pem().unwrap().into_bytes()
    }

    /// A list that says to be of a part.
    pub(crate) fn partial_list(&self) -> Vec<u8> {
        self.list_with(&[], |params| {
            params.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
                distribution_point: CrlDistributionPoint {
                    uris: vec!["http://lists.example/a.crl".to_owned()],
                },
                scope: Some(CrlScope::UserCertsOnly),
            });
        })
    }
}

impl Person {
    pub(crate) fn signer(&self) -> Signer {
        Signer::from_pem(self.pem.as_bytes(), self.key.as_bytes()).unwrap()
    }

    pub(crate) fn opener(&self) -> Opener {
        Opener::from_pem(self.pem.as_bytes(), self.key.as_bytes()).unwrap()
    }

    pub(crate) fn recipient(&self) -> Recipient {
        Recipient::from_pem(self.pem.as_bytes()).unwrap()
    }
}

pub(crate) fn unchecked() -> Policy {
    Policy { revocation: Revocation::Unchecked, ..Policy::default() }
}

/// A trust in one authority, without revocation lists.
pub(crate) fn trust(authority: &Authority) -> Trust {
    Trust::new(authority.pem.as_bytes(), b"", &[], unchecked()).unwrap()
}

/// A folder in which the `openssl` program works.
pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        bench.put("request.cnf", "[req]\ndistinguished_name = name\n[name]\n");
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub(crate) fn put_person(&self, name: &str, person: &Person) -> &Self {
        self.put(&format!("{name}.pem"), &person.pem).put(&format!("{name}.key"), &person.key)
    }

    pub(crate) fn take(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Whether the program says yes, and what it says.
    pub(crate) fn try_run(&self, arguments: &str) -> Result<String, String> {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .expect("the program `openssl`");
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(told) } else { Err(told) }
    }

    pub(crate) fn run(&self, arguments: &str) {
        self.try_run(arguments).unwrap_or_else(|told| panic!("{arguments}: {told}"));
    }

    /// A certificate that `rcgen` would not make, valid from now on, by `ca.pem`.
    pub(crate) fn odd_person(&self, options: &str) -> Person {
        self.run(&format!(
            "req -x509 -config request.cnf -nodes -days 20000 -subj /CN=odd -CA ca.pem \
             -CAkey ca.key -addext keyUsage=digitalSignature -keyout odd.key -out odd.pem {options}"
        ));
        let text = |name| String::from_utf8(self.take(name)).unwrap();
        Person { pem: text("odd.pem"), key: text("odd.key"), serial: 0 }
    }
}
