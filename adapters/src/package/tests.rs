//! Two sides and a medium between them: a former province and the city.

mod announcements;
mod bad;
mod crash;
mod example;
mod large;
mod made;
mod openssl;
mod receipts;
mod travel;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use lienthong_model::clock::{Clock, ManualClock};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;

use super::*;

/// A value that must not be told anywhere.
const CANARY: &str = "Canary Thị Gói";

/// Rows of the province: old codes, of which one was split, one is unknown, and one has no date.
const ROWS: &str = "
    CREATE TABLE cases (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT, ward TEXT, day TEXT,
        name TEXT, note TEXT);
    INSERT INTO cases (code, ward, day, name, note) VALUES
        ('BD-1', '25747', '2025-03-01', 'Canary Thị Gói', 'a, \"quoted\" note'),
        ('BD-2', '25744', '2025-06-30', 'Trần Văn Mẫu', NULL),
        ('BD-3', '25741', '2024-01-09', 'Lê Thị Mẫu', 'split'),
        ('BD-4', '99999', '2024-01-09', 'Phạm Văn Mẫu', 'unknown'),
        ('BD-5', '25750', '2026-02-01', 'Hồ Thị Mẫu', 'of after the merger'),
        ('BD-6', '25750', NULL, 'Vũ Thị Mẫu', 'without a day');";

const SCHEMA: &str = r#"{
  "type": "object", "additionalProperties": false, "required": ["code", "ward"],
  "properties": {
    "code": {"type": "string", "minLength": 1, "maxLength": 40},
    "ward": {"type": "string", "pattern": "^[0-9]{5}$"},
    "day": {"type": "string", "format": "date"},
    "name": {"type": "string", "maxLength": 200},
    "note": {"type": "string", "maxLength": 100000}
  }
}"#;

struct World {
    folder: TempDir,
    clock: ManualClock,
    issuer: Issuer<'static, KeyPair>,
    acts: Mutex<Vec<Act>>,
}

/// What a certificate is for, and until when.
#[derive(Clone, Copy)]
struct Wanted {
    name: &'static str,
    usage: KeyUsagePurpose,
    until: i32,
    serial: u64,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2035, 1, 1);
    params
}

fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

impl World {
    async fn new() -> Self {
        let (issuer, anchor) = authority("Example authority");
        let now = "2026-11-30T02:00:00Z".parse().unwrap();
        let folder = TempDir::new().unwrap();
        let world =
            Self { folder, clock: ManualClock::at(now), issuer, acts: Mutex::new(Vec::new()) };
        world.write("ca.pem", &anchor);
        world.revoke(&[]);
        world.write("schema.json", SCHEMA);
        let (sign, open) = (KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement);
        let certificate = |name, usage, serial| Wanted { name, usage, until: 2030, serial };
        for wanted in [
            certificate("province-sign", sign, 11),
            certificate("province-open", open, 12),
            certificate("city-sign", sign, 13),
            certificate("city-open", open, 14),
            certificate("other-sign", sign, 15),
            certificate("other-open", open, 16),
        ] {
            world.issue(wanted);
        }
        world.database("province.db", ROWS).await;
        for name in ["inbox", "csv"] {
            fs::create_dir(world.path(name)).unwrap();
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A certificate and its key, in files.
    fn issue(&self, wanted: Wanted) {
        self.issue_by(wanted, &self.issuer);
    }

    fn issue_by(&self, wanted: Wanted, issuer: &Issuer<'static, KeyPair>) {
        let mut params = params(wanted.name);
        params.not_after = date_time_ymd(wanted.until, 1, 1);
        params.key_usages = vec![wanted.usage];
        params.serial_number = Some(SerialNumber::from(wanted.serial));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        self.write(&format!("{}.pem", wanted.name), &certificate.pem());
        self.write(&format!("{}.key", wanted.name), &key.serialize_pem());
    }

    /// A new revocation list with these numbers on it.
    fn revoke(&self, serials: &[u64]) {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 2, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2032, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        self.write("crl.pem", &list.signed_by(&self.issuer).unwrap().pem().unwrap());
    }

    async fn database(&self, name: &str, statements: &str) {
        let url = format!("sqlite://{}?mode=rwc", self.path(name).display());
        let mut link = SqliteConnection::connect(&url).await.unwrap();
        link.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
        link.close().await.unwrap();
    }

    fn fingerprint(&self, name: &str) -> String {
        let pem = fs::read(self.path(&format!("{name}.pem"))).unwrap();
        let all = lienthong_signature::certificate::Certificate::all_from_pem(&pem).unwrap();
        all[0].fingerprint().to_string()
    }

    /// The configuration of one side; `change` has the last word on its text.
    fn config(&self, side: &str, change: impl Fn(String) -> String) -> Arc<PackagesConfig> {
        let (own, dataset) = match side {
            "province" => ("H09.12", SEND),
            _ => ("H29.20", RECEIVE),
        };
        let mut text = TEMPLATE.replace("DATASET", dataset).replace("OWN", own);
        for name in ["province", "city", "other"] {
            text = text.replace(&format!("<{name}>"), &self.fingerprint(&format!("{name}-sign")));
        }
        let text = change(text.replace("SIDE", side));
        let name = format!("{side}.yaml");
        self.write(&name, &text);
        let config = PackagesConfig::read(&self.path(&name));
        Arc::new(config.unwrap_or_else(|mistakes| panic!("{mistakes}")))
    }

    fn province(&self) -> Arc<PackagesConfig> {
        self.config("province", |text| text)
    }

    fn city(&self) -> Arc<PackagesConfig> {
        self.config("city", |text| text)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    async fn record(&self, act: Act) -> Result<(), String> {
        self.acts.lock().unwrap().push(act);
        Ok(())
    }

    fn acts(&self) -> Vec<ActKind> {
        self.acts.lock().unwrap().iter().map(|act| act.kind).collect()
    }

    async fn create(
        &self,
        config: &Arc<PackagesConfig>,
        out: &str,
    ) -> Result<Created, PackageError> {
        let what = ("cases", &*self.path(out));
        let record = async |act| self.record(act).await;
        create(config, what, None, &self.clock(), record, nothing()).await
    }

    /// A package of the province, as it leaves it.
    async fn package(&self) -> PathBuf {
        self.create(&self.province(), "cases.tar").await.unwrap();
        self.path("cases.tar")
    }

    async fn receive(&self, file: &Path) -> Result<Received, PackageError> {
        self.receive_with(&self.city(), file, None).await
    }

    async fn receive_with(
        &self,
        config: &Arc<PackagesConfig>,
        file: &Path,
        again: Option<&str>,
    ) -> Result<Received, PackageError> {
        let into = self.path("inbox");
        let order = Order { file: file.to_owned(), into, again: again.map(str::to_owned) };
        let record = async |act| self.record(act).await;
        receive(config, &order, &self.clock(), record, nothing()).await
    }

    /// What stands in a folder.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Receives a package that must be refused, and makes sure that nothing is left of it.
    async fn refused(&self, config: &Arc<PackagesConfig>, file: &Path) -> Refused {
        self.acts.lock().unwrap().clear();
        let refused = match self.receive_with(config, file, None).await {
            Err(PackageError::Refused(refused)) => refused,
            other => panic!("{other:?}"),
        };
        assert_eq!(self.names("inbox"), [""; 0], "{refused}");
        assert_eq!(self.names("csv"), [""; 0], "{refused}");
        assert_eq!(self.acts(), [ActKind::Refuse], "{refused}");
        let told = format!("{refused} {:?}", self.acts.lock().unwrap());
        assert!(!told.contains("Canary") && !told.contains("BD-1"), "{told}");
        refused
    }

    /// As [`Self::refused`], and not even its id is remembered.
    async fn refused_without_a_trace(&self, config: &Arc<PackagesConfig>, file: &Path) -> Refused {
        let refused = self.refused(config, file).await;
        let kept = list(config, true, 10, self.clock.now()).await.unwrap();
        assert_eq!(kept, [], "{refused}");
        refused
    }
}

fn nothing() -> Progress {
    Arc::new(|_, _| ())
}

const TEMPLATE: &str = r#"
data_dir: state-SIDE
own: OWN
signing: {certificate_file: SIDE-sign.pem, key_file: SIDE-sign.key}
decryption: {certificate_file: SIDE-open.pem, key_file: SIDE-open.key}
trust: {trust_anchor_file: ca.pem, revocation_lists: [crl.pem]}
participants:
  H09.12: {certificate_file: province-open.pem, signers: ["<province>"]}
  H29.20: {certificate_file: city-open.pem, signers: ["<city>"]}
datasets:
  - id: cases
    title: Hồ sơ đã số hóa
    agreement: bd-cases
    legal_basis: Luật 91/2025/QH15, Điều 17
    purpose: reorganisation
    classes: [basic]
    schema: schema.json
    key: code
    wards: dated
DATASET"#;

const SEND: &str = "    send:
      to: [H29.20]
      source:
        sqlite: {file: province.db, table: cases, position: id, key: code, mode: watermark}
      map:
        code: {column: code}
        ward: {column: ward}
        day: {column: day}
        name: {column: name, text: {clean: true}}
        note: {column: note}
";

const RECEIVE: &str = "    receive:
      from: [H09.12]
      wards: [{field: ward, as_of: day, keep: old_ward}]
      csv_folder: csv
";
