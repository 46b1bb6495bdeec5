//! Packages that are not what they should be, given to the command. After each: exit code 1, a reason,
//! an entry of the refusal, and nothing of the package.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::*;

/// A province's package of ten records, taken apart so that it can be put together wrongly.
struct Apart {
    sides: Sides,
}

impl Apart {
    fn new() -> Self {
        let sides = Sides::new();
        keys::begin_log(&sides.node);
        sides.export(10);
        let create = ["create", "--dataset", "cases", "--out", "cases.tar"];
        let (code, told, error) = sides.run("province", &create, true);
        assert_eq!(code, 0, "{told} {error}");
        fs::create_dir(sides.path("apart")).expect("made");
        sides.unpack("cases.tar", "apart");
        Self { sides }
    }

    fn manifest(&self) -> Value {
        let bytes = fs::read(self.sides.path("apart/manifest.json")).expect("a manifest");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// Writes a manifest, signs it as the province does, and packs the members.
    fn pack(&self, manifest: &Value) -> PathBuf {
        let apart = self.sides.path("apart");
        fs::write(apart.join("manifest.json"), manifest.to_string()).expect("written");
        openssl(
            &apart,
            "cms -sign -binary -outform DER -md sha256 -in manifest.json -out manifest.p7s -signer \
             ../province.pem -inkey ../province.key",
        );
        let done = Command::new("tar")
            .args(["cf", "../bad.tar", "manifest.json", "manifest.p7s", "schema.json"])
            .arg("data-0001.p7m")
            .current_dir(&apart)
            .status();
        assert!(done.expect("tar runs").success());
        self.sides.path("bad.tar")
    }

    /// The manifest of a package whose only part has this text behind its first line.
    fn part(&self, text: &[u8]) -> Value {
        let mut manifest = self.manifest();
        let id = manifest["package"].as_str().expect("an id");
        let salt = "5a".repeat(32);
        let head = format!("{{\"package\":\"{id}\",\"part\":1,\"salt\":\"{salt}\"}}\n");
        let plain = [head.as_bytes(), text].concat();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&plain).expect("compressed");
        let gzip = gzip.finish().expect("compressed");
        let apart = self.sides.path("apart");
        fs::write(apart.join("plain"), &plain).expect("written");
        fs::write(apart.join("part.gz"), &gzip).expect("written");
        openssl(
            &apart,
            "cms -encrypt -binary -aes-256-cbc -outform DER -in part.gz -out data-0001.p7m \
             ../city-open.pem",
        );
        let records = text.iter().filter(|byte| **byte == b'\n').count();
        manifest["records"] = json!(records);
        manifest["parts"] = json!([{
            "name": "data-0001.p7m", "records": records,
            "bytes": fs::metadata(apart.join("data-0001.p7m")).expect("a part").len(),
            "sha256": self.sha256("data-0001.p7m"), "gzip_bytes": gzip.len(),
            "plain_bytes": plain.len(), "plain_sha256": self.sha256("plain"),
        }]);
        manifest
    }

    fn sha256(&self, name: &str) -> String {
        let arguments = ["dgst", "-sha256", "-r", name];
        let mut command = Command::new("openssl");
        let told = command.args(arguments).current_dir(self.sides.path("apart")).output();
        let told = String::from_utf8(told.expect("openssl runs").stdout).expect("a text");
        told.split(' ').next().expect("a digest").to_owned()
    }

    /// That the command refuses it for this reason, and that nothing of it is left.
    fn refused(&self, side: &str, file: &Path, reason: &str) {
        let sides = &self.sides;
        let file = file.display().to_string();
        let receive = ["receive", &file, "--into", "inbox"];
        let (code, told, error) = sides.run(side, &receive, true);
        assert_eq!((code, told["refused"].as_str()), (1, Some(reason)), "{told} {error}");
        for folder in ["inbox", "csv"] {
            let left = fs::read_dir(sides.path(folder)).expect("a folder").count();
            assert_eq!(left, 0, "{reason}: {folder}");
        }
        let (action, _, why) = newest(&sides.node);
        assert!(action == Action::PackageRefuse && why.starts_with(reason), "{reason}: {why}");
        assert!(!why.contains("BD-"), "{why}");
        let listed = sides.run("city", &["list", "--all"], false).1;
        assert_eq!(listed, Value::Array(Vec::new()), "{reason}");
    }
}

#[test]
fn the_command_refuses_what_was_changed_cut_off_or_is_for_others() {
    let apart = Apart::new();
    let whole = fs::read(apart.sides.path("cases.tar")).expect("a package");
    let bad = apart.sides.path("bad.tar");
    let part = fs::read(apart.sides.path("apart/data-0001.p7m")).expect("a part");
    let begin = whole.windows(part.len()).position(|bytes| bytes == part).expect("the part");
    for (at, reason) in [
        (512 + 40, "package.signature"),
        (begin + part.len() / 2, "package.tampered"),
        (257, "package.container"),
    ] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&bad, bytes).expect("written");
        apart.refused("city", &bad, reason);
    }
    fs::write(&bad, &whole[..whole.len() / 2]).expect("written");
    apart.refused("city", &bad, "package.truncated");
    // Its own package is not for the province.
    apart.refused("province", &apart.sides.path("cases.tar"), "package.foreign");
    let mut manifest = apart.manifest();
    manifest["recipients"][0]["participant"] = json!("H29.30");
    apart.refused("city", &apart.pack(&manifest), "package.foreign");
    // Signed by one who is trusted, and not the sender.
    let mut manifest = apart.manifest();
    manifest["sender"] = json!("H29.20");
    apart.refused("city", &apart.pack(&manifest), "package.foreign");
}

#[test]
fn the_command_refuses_a_manifest_that_lies_about_counts() {
    let apart = Apart::new();
    let mut manifest = apart.manifest();
    manifest["records"] = json!(11);
    apart.refused("city", &apart.pack(&manifest), "package.manifest");
    manifest["parts"][0]["records"] = json!(11);
    apart.refused("city", &apart.pack(&manifest), "package.tampered");
    manifest["records"] = json!(9);
    manifest["parts"][0]["records"] = json!(9);
    apart.refused("city", &apart.pack(&manifest), "package.tampered");
    manifest["records"] = json!(1_000_000_000_u64);
    manifest["parts"][0]["records"] = json!(1_000_000_000_u64);
    apart.refused("city", &apart.pack(&manifest), "package.too_large");
}

#[test]
fn the_command_refuses_a_bomb_whether_it_admits_its_size_or_not() {
    let apart = Apart::new();
    let mut manifest = apart.part(&[&vec![b' '; 16 << 20][..], b"\n"].concat());
    apart.refused("city", &apart.pack(&manifest), "package.manifest");
    manifest["parts"][0]["plain_bytes"] = json!(1_000);
    apart.refused("city", &apart.pack(&manifest), "package.tampered");
}

#[test]
fn the_command_refuses_a_key_that_stands_twice_and_makes_no_package_of_one() {
    let apart = Apart::new();
    let line = "{\"code\":\"BD-1\",\"ward\":\"25744\"}\n";
    let manifest = apart.part(line.repeat(2).as_bytes());
    apart.refused("city", &apart.pack(&manifest), "package.repeated");
    let manifest = apart.part(b"{\"code\":\"BD-1\",\"ward\":\"257440\"}\n");
    apart.refused("city", &apart.pack(&manifest), "package.record");

    let sides = &apart.sides;
    let rows = "code,ward\nBD-1,25744\nBD-2,25744\nBD-1,25747\n";
    fs::write(sides.path("export/all.csv"), rows).expect("written");
    let create = ["create", "--dataset", "cases", "--out", "twice.tar"];
    let (code, told, error) = sides.run("province", &create, true);
    assert_eq!((code, &told["refused"]), (1, &"package.unfit".into()), "{told} {error}");
    let unfit = fs::read_to_string(sides.path("twice.tar.unfit.ndjson")).expect("a text");
    assert_eq!(unfit, "{\"key\":\"BD-1\",\"reason\":\"`code` is that of an earlier row\"}\n");
    assert!(!sides.path("twice.tar").exists());
}
