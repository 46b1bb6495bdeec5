use std::fs;

use tempfile::TempDir;

use super::*;

const ADAPTERS: &str = "
data_dir: state
seal_key_file: keys/seal.key
previous_seal_key_files: [keys/older.key, keys/oldest.key]
gateway: {url: 'https://gateway.example', client: a/b/c/d, key_file: tls.key, certificate_file: tls.pem}
ndc: {signature: {kind: jws, certificate_file: sign.pem, key_file: keys/sign.key}}
flows: []
";

const PACKAGES: &str = "
own: H29.20
signing: {certificate_file: sign.pem, key_file: sign.key}
decryption: {certificate_file: open.pem, key_file: open.key}
";

type Read = fn(&Path) -> Result<Vec<SecretFile>, Diagnostics>;

/// What is found, with paths as they were written.
fn found(read: Read, text: &str) -> Result<Vec<(SecretUse, String, String, String)>, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file.yaml");
    fs::write(&path, text).unwrap();
    let keys = read(&path).map_err(|found| found.to_string())?;
    let name = |path: PathBuf| {
        path.strip_prefix(folder.path()).expect("relative to the file").display().to_string()
    };
    let all = keys.into_iter().map(|key| {
        let certificate = key.certificate_file.map(name).unwrap_or_default();
        (key.used_for, key.setting, name(key.file), certificate)
    });
    Ok(all.collect())
}

fn key(used_for: SecretUse, of: [&str; 3]) -> (SecretUse, String, String, String) {
    let [setting, file, certificate] = of.map(str::to_owned);
    (used_for, setting, file, certificate)
}

#[test]
fn a_file_of_another_kind_is_not_one_without_keys() {
    for (read, text) in [(of_adapters as Read, PACKAGES), (of_packages, ADAPTERS)] {
        let told = found(read, text).unwrap_err();
        assert!(told.contains("unknown key"), "{told}");
    }
    for text in ["", "[1]", "data_dir: [", "data_dir: a\ndata_dir: b"] {
        assert!(found(of_adapters, text).is_err() && found(of_packages, text).is_err(), "{text}");
    }
}

#[test]
fn a_key_without_its_certificate_and_a_name_that_is_none_are_told() {
    let told = found(of_packages, "signing: {key_file: sign.key}").unwrap_err();
    assert!(told.contains("`signing` has a key and no `certificate_file`"), "{told}");
    let told = found(of_adapters, "seal_key_file: [a, b]").unwrap_err();
    assert!(told.contains("text"), "{told}");
}

#[test]
fn every_key_is_found_although_none_is_there() {
    let previous = |file| key(SecretUse::PreviousOutboxSeal, ["previous_seal_key_files", file, ""]);
    let expected = [
        key(SecretUse::Gateway, ["gateway.key_file", "tls.key", "tls.pem"]),
        key(SecretUse::OutboxSeal, ["seal_key_file", "keys/seal.key", ""]),
        previous("keys/older.key"),
        previous("keys/oldest.key"),
        key(SecretUse::NdcSignature, ["ndc.signature.key_file", "keys/sign.key", "sign.pem"]),
    ];
    assert_eq!(found(of_adapters, ADAPTERS).unwrap(), expected);
    let expected = [
        key(SecretUse::PackageSignature, ["signing.key_file", "sign.key", "sign.pem"]),
        key(SecretUse::PackageDecryption, ["decryption.key_file", "open.key", "open.pem"]),
    ];
    assert_eq!(found(of_packages, PACKAGES).unwrap(), expected);
    assert_eq!(found(of_packages, "own: H29.20").unwrap(), []);
}
