mod change;
mod check;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use jiff::Timestamp;
use lienthong_model::quarter::Quarter;
use tempfile::TempDir;

use super::*;
use crate::{config::Config, pki};

const CONFIG: &str = r#"
listen: {address: 127.0.0.1:0}
tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors: [{id: city, certificate_file: pki/city.pem, revocation: none}]
policies: {directory: policies, schemas: schemas}
providers:
  civil-status:
    url: https://localhost:9/
    trust_anchor_file: pki/city.pem
    client_certificate_file: pki/client.pem
    client_key_file: pki/client.key
  health-records:
    url: https://localhost:9/
    trust_anchor_file: pki/city.pem
    client_certificate_file: pki/client.pem
    client_key_file: pki/client.key
pseudonyms: {key_file: keys/pseudonym.key, period: "2026"}
admin: {socket: admin.sock}
data: {directory: data}
lgsp: {key_file: keys/lgsp.key, previous_key_file: keys/lgsp.previous.key}
evidence:
  node: node-1
  key_file: keys/evidence.key
  previous_key_file: keys/evidence.previous.key
  digest_keys: keys/digest
  second_place: copy/checkpoint
"#;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn quarter(text: &str) -> Quarter {
    text.parse().expect("a quarter")
}

/// A node with every key, made on 1 October 2026.
struct Node {
    folder: TempDir,
    config: Config,
}

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();

        let config = Config::parse("gateway.yaml", CONFIG, path).expect("good");
        pki::write_example(
            &path.join("pki"),
            at("2026-10-01T00:00:00Z"),
            &pki::Names::clients(&["client"]),
        )
        .expect("certificates");
        evidence("node-1.example", &path.join("keys/evidence.key")).expect("made");
        for (purpose, name) in [(Purpose::Pseudonym, "pseudonym"), (Purpose::Lgsp, "lgsp")] {
            symmetric(purpose, &path.join(format!("keys/{name}.key"))).expect("made");
        }
        digest(&path.join("keys/digest"), quarter("2026-q4")).expect("made");
        Self { folder, config }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
        self.mode(name, 0o600);
    }

    fn mode(&self, name: &str, mode: u32) {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.path(name), permissions).expect("set");
    }

    fn look(&self, now: &str) -> Inventory {
        Inventory::take(&self.config, at(now))
    }

    /// What is wrong, by the file's name.
    fn problems(&self, now: &str) -> Vec<(String, Problem)> {
        let findings = self.look(now).findings.into_iter();
        let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
        findings.map(|found| (name(&found.file).unwrap_or_default(), found.problem)).collect()
    }

    /// State of each digest key.
    fn quarters(&self, now: &str) -> Vec<(String, State)> {
        let secrets = self.look(now).secrets.into_iter();
        let digests = secrets.filter(|secret| secret.purpose == Purpose::Digest);
        digests.map(|secret| (secret.period.unwrap_or_default(), secret.state)).collect()
    }
}
