//! Packages that are not what they should be. After each: no folder, no row, a reason.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use lienthong_signature::{
    cms::{self, Cipher},
    signer::{Recipient, Signer},
};
use serde_json::{Value, json};

use super::*;

type Members = Vec<(String, Vec<u8>)>;
/// What is done to a manifest before it is signed.
type Change<'a> = &'a dyn Fn(&mut Value);

/// The members of a package.
fn members(file: &Path) -> Members {
    let mut archive = tar::Archive::new(fs::File::open(file).unwrap());
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            (entry.path().unwrap().display().to_string(), bytes)
        })
        .collect()
}

/// An archive of these members.
fn archive(members: &Members) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

fn signer(world: &World, name: &str) -> Signer {
    let [certificate, key] =
        ["pem", "key"].map(|kind| fs::read(world.path(&format!("{name}.{kind}"))).unwrap());
    Signer::from_pem(&certificate, &key).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    part::sha256(bytes)
}

/// A package whose manifest is changed and signed anew.
fn signed_anew(
    world: &World,
    members: &Members,
    by: &str,
    change: impl FnOnce(&mut Value),
) -> Members {
    let mut members = members.clone();
    let mut manifest: Value = serde_json::from_slice(&members[0].1).unwrap();
    change(&mut manifest);
    members[0].1 = serde_json::to_vec(&manifest).unwrap();
    let signer = signer(world, by);
    members[1].1 = cms::sign_detached(&members[0].1, &signer, world.clock.now()).unwrap();
    members
}

/// A package whose only part holds this text, of which the manifest tells the truth and, by
/// `change`, something else.
fn with_part(
    world: &World,
    members: &Members,
    plain: &[u8],
    gzip: &[u8],
    change: impl FnOnce(&mut Value),
) -> Members {
    let pem = fs::read(world.path("city-open.pem")).unwrap();
    let recipient = [Recipient::from_pem(&pem).unwrap()];
    let part = cms::encrypt(gzip, &recipient, Cipher::Aes256Gcm, world.clock.now()).unwrap();
    let records = plain.iter().filter(|byte| **byte == b'\n').count().saturating_sub(1);
    let mut members = members.clone();
    let stated = json!({
        "name": "data-0001.p7m", "records": records, "bytes": part.len(), "sha256": hex(&part),
        "gzip_bytes": gzip.len(), "plain_bytes": plain.len(), "plain_sha256": hex(plain),
    });
    members[3].1 = part;
    signed_anew(world, &members, "province-sign", |manifest| {
        manifest["records"] = json!(records);
        manifest["parts"] = json!([stated]);
        change(manifest);
    })
}

fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(plain).unwrap();
    gzip.finish().unwrap()
}

fn head(members: &Members) -> String {
    let manifest: Value = serde_json::from_slice(&members[0].1).unwrap();
    let id = manifest["package"].as_str().unwrap();
    format!("{{\"package\":\"{id}\",\"part\":1,\"salt\":\"{}\"}}\n", "5a".repeat(32))
}

async fn refused(world: &World, bytes: &[u8]) -> Refused {
    let file = world.path("bad.tar");
    fs::write(&file, bytes).unwrap();
    world.refused_without_a_trace(&world.city(), &file).await
}

#[tokio::test]
async fn refuses_a_byte_that_was_changed_wherever_it_stands() {
    let world = World::new().await;
    let whole = fs::read(world.package().await).unwrap();
    let city = world.city();
    let file = world.path("bad.tar");
    let mut at = 0;
    let mut places = Vec::new();
    // Of each header what is read of it, of each member its ends and its middle, and the end.
    for (name, bytes) in members(&world.path("cases.tar")) {
        places.extend([0, 3, 124, 130, 148, 150, 156, 157, 257, 263, 345].map(|place| at + place));
        let begin = at + 512;
        places.extend(
            [0, 1, 4, bytes.len() / 3, bytes.len() / 2, bytes.len() - 2, bytes.len() - 1]
                .map(|place| begin + place),
        );
        let padded = bytes.len().next_multiple_of(512);
        if padded > bytes.len() {
            places.extend([begin + bytes.len(), begin + padded - 1]);
        }
        at = begin + padded;
        assert!(at < whole.len(), "{name}");
    }
    places.extend([at, at + 511, at + 1_023]);
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&file, bytes).unwrap();
        let refused = world.refused(&city, &file).await;
        assert!(!refused.to_string().is_empty(), "{place}");
    }
    assert_eq!(list(&city, true, 10, world.clock.now()).await.unwrap(), []);
    world.receive(&world.path("cases.tar")).await.unwrap();
}

#[tokio::test]
async fn refuses_a_file_that_was_cut_off_wherever_that_is() {
    let world = World::new().await;
    let whole = fs::read(world.package().await).unwrap();
    let blocks = (0..whole.len()).step_by(512);
    for length in blocks.flat_map(|block| [block, block + 1, block + 511]) {
        if length < whole.len() {
            let refused = refused(&world, &whole[..length]).await;
            assert_eq!(refused.code(), "package.truncated", "{length}: {refused}");
        }
    }
}

#[tokio::test]
async fn refuses_members_that_are_moved_doubled_missing_or_too_many() {
    let world = World::new().await;
    let good = members(&world.package().await);
    let mut all = vec![
        good[..3].to_vec(),
        [&good[..], &good[3..]].concat(),
        [&good[..1], &good[..]].concat(),
        [&good[..], &[("more.txt".to_owned(), b"x".to_vec())]].concat(),
        Vec::new(),
    ];
    for (one, other) in [(0, 1), (1, 2), (2, 3)] {
        let mut moved = good.clone();
        moved.swap(one, other);
        all.push(moved);
    }
    for one in 0..good.len() {
        let mut missing = good.clone();
        missing.remove(one);
        all.push(missing);
    }
    for members in all {
        let names: Vec<&String> = members.iter().map(|(name, _)| name).collect();
        let code = refused(&world, &archive(&members)).await.code();
        assert!(["package.container", "package.truncated"].contains(&code), "{names:?} {code}");
    }
    let trailing = [archive(&good), b"and more".to_vec()].concat();
    assert_eq!(refused(&world, &trailing).await.code(), "package.container");
    let endless = [archive(&good), vec![0; 1 << 16]].concat();
    assert_eq!(refused(&world, &endless).await.code(), "package.container");
}

#[tokio::test]
async fn refuses_members_that_are_no_plain_files_or_lead_elsewhere() {
    let world = World::new().await;
    let good = members(&world.package().await);
    let strange = |kind: tar::EntryType, name: &[u8], link: Option<&str>| {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        if let Some(link) = link {
            header.set_link_name(link).unwrap();
        }
        header.set_size(good[0].1.len() as u64);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(&good[0].1);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend_from_slice(&archive(&good[1..].to_vec()));
        bytes
    };
    use tar::EntryType as Kind;
    for (kind, name, link) in [
        (Kind::Symlink, &b"manifest.json"[..], Some("/etc/passwd")),
        (Kind::Link, b"manifest.json", Some("manifest.p7s")),
        (Kind::Directory, b"manifest.json", None),
        (Kind::Fifo, b"manifest.json", None),
        (Kind::GNULongName, b"manifest.json", None),
        (Kind::XHeader, b"manifest.json", None),
        (Kind::GNUSparse, b"manifest.json", None),
        (Kind::Regular, b"../manifest.json", None),
        (Kind::Regular, b"/manifest.json", None),
        (Kind::Regular, b"./manifest.json", None),
        (Kind::Regular, b"manifest.json", Some("elsewhere")),
    ] {
        let refused = refused(&world, &strange(kind, name, link)).await;
        assert_eq!(refused.code(), "package.container", "{kind:?} {refused}");
    }
    let mut header = strange(Kind::Regular, b"manifest.json", None);
    header[124..136].copy_from_slice(b"77777777777\0");
    let mut sum: u32 = header[..512].iter().map(|byte| u32::from(*byte)).sum();
    sum = sum - header[148..156].iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert!(refused(&world, &header).await.to_string().contains("larger than it may be"));
}

#[tokio::test]
async fn refuses_whom_it_does_not_believe() {
    let world = World::new().await;
    let good = members(&world.package().await);
    // Trusted, and not the sender's.
    let other = archive(&signed_anew(&world, &good, "other-sign", |_| ()));
    assert!(refused(&world, &other).await.to_string().contains("not its sender's"));
    let as_city = signed_anew(&world, &good, "province-sign", |m| m["sender"] = json!("H29.20"));
    assert_eq!(refused(&world, &archive(&as_city)).await.code(), "package.foreign");
    // The sender's name, and an authority that nobody knows.
    let (stranger, _) = authority("Example authority");
    let usage = KeyUsagePurpose::DigitalSignature;
    let wanted = Wanted { name: "fake-sign", usage, until: 2030, serial: 99 };
    world.issue_by(wanted, &stranger);
    let fake = archive(&signed_anew(&world, &good, "fake-sign", |_| ()));
    assert_eq!(refused(&world, &fake).await.code(), "package.signature");
    // A signature that is somebody's over something else.
    let mut moved = good.clone();
    moved[1].1 =
        signed_anew(&world, &good, "province-sign", |m| m["title"] = json!("x"))[1].1.clone();
    assert_eq!(refused(&world, &archive(&moved)).await.code(), "package.signature");
    // Revoked since, and expired since.
    let whole = archive(&good);
    world.revoke(&[11]);
    assert!(refused(&world, &whole).await.to_string().contains("revoked"));
    world.revoke(&[]);
    world.clock.advance(jiff::SignedDuration::from_hours(24 * 365 * 4));
    assert!(refused(&world, &whole).await.to_string().contains("expired"));
}

#[tokio::test]
async fn refuses_what_is_for_others_or_was_not_agreed() {
    let world = World::new().await;
    let good = members(&world.package().await);
    let changes: [(&str, Change<'_>); 12] = [
        ("is not for us", &|m| m["recipients"][0]["participant"] = json!("H29.30")),
        ("another certificate", &|m| m["recipients"][0]["certificate"] = json!("00")),
        ("another agreement", &|m| m["agreement"] = json!("another")),
        ("another purpose", &|m| m["purpose"] = json!("another")),
        ("other classes", &|m| m["classes"] = json!(["none"])),
        ("ward codes of another time", &|m| m["wards"] = json!("new")),
        ("not configured here", &|m| m["dataset"] = json!("land")),
        ("of the future", &|m| m["created_at"] = json!("2027-01-01T00:00:00Z")),
        ("another version", &|m| m["format"] = json!(2)),
        ("not one of this format", &|m| m["more"] = json!(true)),
        ("not one of this format", &|m| m["package"] = json!("../../../etc")),
        ("names no recipient", &|m| m["recipients"] = json!([])),
    ];
    for (told, change) in changes {
        let bytes = archive(&signed_anew(&world, &good, "province-sign", change));
        let refused = refused(&world, &bytes).await.to_string();
        assert!(refused.contains(told), "{told}: {refused}");
    }
    // Encrypted for another while the manifest says that it is for us.
    let pem = fs::read(world.path("other-open.pem")).unwrap();
    let recipient = [Recipient::from_pem(&pem).unwrap()];
    let part = cms::encrypt(b"x", &recipient, Cipher::Aes256Gcm, world.clock.now()).unwrap();
    let mut members = good.clone();
    members[3].1 = part.clone();
    let bytes = archive(&signed_anew(&world, &members, "province-sign", |m| {
        m["parts"][0]["sha256"] = json!(hex(&part));
        m["parts"][0]["bytes"] = json!(part.len());
        m["parts"][0]["gzip_bytes"] = json!(part.len());
    }));
    assert_eq!(refused(&world, &bytes).await.code(), "package.encryption");
    // A schema that is signed, and not the one that was agreed.
    let mut members = good.clone();
    members[2].1 = SCHEMA.replace("200", "201").into_bytes();
    let schema = json!({ "bytes": members[2].1.len(), "sha256": hex(&members[2].1) });
    let bytes = archive(&signed_anew(&world, &members, "province-sign", |m| m["schema"] = schema));
    assert!(refused(&world, &bytes).await.to_string().contains("another schema"));
}

#[tokio::test]
async fn refuses_a_manifest_that_lies_although_its_signer_is_believed() {
    let world = World::new().await;
    let good = members(&world.package().await);
    let lies: [(&str, Change<'_>); 13] = [
        ("number of records than its parts", &|m| m["records"] = json!(7)),
        ("number of records than the manifest", &|m| {
            m["records"] = json!(7);
            m["parts"][0]["records"] = json!(7);
        }),
        ("number of records than the manifest", &|m| {
            m["records"] = json!(5);
            m["parts"][0]["records"] = json!(5);
        }),
        ("number of records than its parts", &|m| m["parts"][0]["records"] = json!(u64::MAX)),
        ("not the one that was signed", &|m| m["parts"][0]["sha256"] = json!(hex(b""))),
        ("not the one that was signed", &|m| m["parts"][0]["bytes"] = json!(5_000)),
        ("larger than it may be", &|m| lower(&mut m["parts"][0]["bytes"])),
        ("another length when it is decrypted", &|m| lower(&mut m["parts"][0]["gzip_bytes"])),
        ("longer than declared", &|m| m["parts"][0]["plain_bytes"] = json!(200)),
        ("another length when it is inflated", &|m| m["parts"][0]["plain_bytes"] = json!(5_000)),
        ("another digest when it is inflated", &|m| {
            m["parts"][0]["plain_sha256"] = json!(hex(b""))
        }),
        ("does not number its parts", &|m| m["parts"][0]["name"] = json!("data-0002.p7m")),
        ("does not number its parts", &|m| m["parts"] = json!([])),
    ];
    for (told, lie) in lies {
        let bytes = archive(&signed_anew(&world, &good, "province-sign", lie));
        let refused = refused(&world, &bytes).await.to_string();
        assert!(refused.contains(told), "{told}: {refused}");
    }
    let schema = |m: &mut Value| m["schema"]["sha256"] = json!(hex(b"x"));
    let bytes = archive(&signed_anew(&world, &good, "province-sign", schema));
    assert!(refused(&world, &bytes).await.to_string().contains("`schema.json` is not the one"));
}

fn lower(number: &mut Value) {
    *number = json!(number.as_u64().unwrap() - 1);
}

#[tokio::test]
async fn refuses_bombs_before_they_are_inflated() {
    let world = World::new().await;
    let good = members(&world.package().await);
    let bomb = [head(&good).as_bytes(), &vec![b' '; 8 << 20], b"\n"].concat();
    let gzip = compressed(&bomb);
    let honest = archive(&with_part(&world, &good, &bomb, &gzip, |_| ()));
    assert!(refused(&world, &honest).await.to_string().contains("sizes do not fit"));
    // It says to be small, and is inflated no further than it says.
    let liar =
        with_part(&world, &good, &bomb, &gzip, |m| m["parts"][0]["plain_bytes"] = json!(500));
    assert!(refused(&world, &archive(&liar)).await.to_string().contains("longer than declared"));
    // Within the ratio, and more than is allowed here.
    let small =
        world.config("city", |text| format!("{text}limits: {{megabytes: 1, part_megabytes: 1}}\n"));
    let rows = format!(
        "INSERT INTO cases (code, ward, note) SELECT 'M' || n, '25747', hex(randomblob(30000)) FROM ({})",
        (1..=30).map(|n| format!("SELECT {n} AS n")).collect::<Vec<_>>().join(" UNION ALL ")
    );
    world.database("province.db", &rows).await;
    world.create(&world.province(), "large.tar").await.unwrap();
    let refused = world.refused_without_a_trace(&small, &world.path("large.tar")).await;
    assert_eq!(refused.code(), "package.too_large", "{refused}");
    let few = world.config("city", |text| format!("{text}limits: {{records: 5}}\n"));
    let refused = world.refused_without_a_trace(&few, &world.path("cases.tar")).await;
    assert!(refused.to_string().contains("more records"), "{refused}");
    let mut large = good.clone();
    large[0].1 = vec![b' '; (1 << 20) + 1];
    assert!(self::refused(&world, &archive(&large)).await.to_string().contains("larger"));
}

#[tokio::test]
async fn refuses_records_that_are_not_fit() {
    let world = World::new().await;
    let good = members(&world.package().await);
    let fit = r#"{"code":"BD-1","ward":"25747"}"#;
    let long = format!(r#"{{"code":"BD-1","ward":"25747","note":"{}"}}"#, noise());
    for (line, told) in [
        (long.as_bytes(), "a line that is too long"),
        (b"{\"code\":\"\xff\",\"ward\":\"25747\"}", "record 2 of `data-0001.p7m` is not UTF-8"),
        (br#"{"code":"BD-1","ward":"2574"}"#, "`ward` breaks `pattern`"),
        (br#"{"code":"BD-1"}"#, "breaks `required`"),
        (br#"{"code":"BD-1","ward":"25747","more":1}"#, "breaks `additionalProperties`"),
        (br#"{"code":"BD-1","ward":"25747","code":"BD-2"}"#, "names a field twice"),
        (br#"{"code":"BD-1","ward":"25747"} {}"#, "is not JSON"),
        (b"[1]", "is not an object"),
        (b"", "is not JSON"),
    ] {
        let plain = [head(&good).as_bytes(), fit.as_bytes(), b"\n", line, b"\n"].concat();
        let bytes = archive(&with_part(&world, &good, &plain, &compressed(&plain), |_| ()));
        let refused = refused(&world, &bytes).await.to_string();
        assert!(refused.contains(told), "{told}: {refused}");
    }
    let plain = format!("{}{fit}\n", head(&good));
    let bytes = with_part(&world, &good, plain.as_bytes(), &compressed(plain.as_bytes()), |_| ());
    fs::write(world.path("fit.tar"), archive(&bytes)).unwrap();
    // A record without a day goes to a person; the package itself is in order.
    let received = world.receive(&world.path("fit.tar")).await.unwrap();
    assert_eq!((received.records, received.for_a_person), (1, 1));
}

#[tokio::test]
async fn refuses_a_key_that_stands_twice_in_one_part_or_in_two() {
    let world = World::new().await;
    let good = members(&world.package().await);
    let [one, other] =
        ["BD-1", "BD-2"].map(|code| format!("{{\"code\":\"{code}\",\"ward\":\"25747\"}}\n"));
    let plain = format!("{}{one}{other}{one}", head(&good));
    let gzip = compressed(plain.as_bytes());
    let bytes = archive(&with_part(&world, &good, plain.as_bytes(), &gzip, |_| ()));
    let repeated = refused(&world, &bytes).await;
    assert_eq!(repeated.code(), "package.repeated");
    assert_eq!(
        repeated.to_string(),
        "record 3 of `data-0001.p7m` has the key of an earlier record"
    );
    let file = world.path("bad.tar");
    let looked = verify(&world.city(), &file, &world.clock(), &nothing()).unwrap_err();
    assert!(matches!(looked, PackageError::Refused(Refused::Repeated { .. })), "{looked}");
    // The second part repeats the first, under a head of its own.
    let pem = fs::read(world.path("city-open.pem")).unwrap();
    let recipient = [Recipient::from_pem(&pem).unwrap()];
    let plain = format!("{}{other}", head(&good));
    let gzip = compressed(plain.as_bytes());
    let mut two = with_part(&world, &good, plain.as_bytes(), &gzip, |_| ());
    let plain = plain.replace("\"part\":1", "\"part\":2");
    let gzip = compressed(plain.as_bytes());
    let part = cms::encrypt(&gzip, &recipient, Cipher::Aes256Gcm, world.clock.now()).unwrap();
    let stated = json!({
        "name": "data-0002.p7m", "records": 1, "bytes": part.len(), "sha256": hex(&part),
        "gzip_bytes": gzip.len(), "plain_bytes": plain.len(), "plain_sha256": hex(plain.as_bytes()),
    });
    two.push(("data-0002.p7m".to_owned(), part));
    let two = signed_anew(&world, &two, "province-sign", |manifest| {
        manifest["records"] = json!(2);
        manifest["parts"].as_array_mut().unwrap().push(stated);
    });
    let repeated = refused(&world, &archive(&two)).await.to_string();
    assert_eq!(repeated, "record 1 of `data-0002.p7m` has the key of an earlier record");
}

/// A long text that does not compress well.
fn noise() -> String {
    let mut text = hex(b"noise");
    while text.len() < 70_000 {
        let next = hex(text.as_bytes());
        text.push_str(&next);
    }
    text
}

#[tokio::test]
async fn refuses_parts_of_another_package_and_what_stands_behind_the_data() {
    let world = World::new().await;
    let good = members(&world.package().await);
    let fit = "{\"code\":\"BD-1\",\"ward\":\"25747\"}\n";
    let own = head(&good);
    for (begin, told) in [
        (own.replace("\"part\":1", "\"part\":2"), "does not begin with the line of this package"),
        (own.replace("5a5a", "5a"), "does not begin with the line"),
        (own.replace("5a5a", "zzzz"), "does not begin with the line"),
        (String::new(), "does not begin with the line"),
        (own.replace('-', ""), "does not begin with the line"),
    ] {
        let plain = format!("{begin}{fit}");
        let gzip = compressed(plain.as_bytes());
        let bytes = with_part(&world, &good, plain.as_bytes(), &gzip, |_| ());
        let refused = refused(&world, &archive(&bytes)).await.to_string();
        assert!(refused.contains(told), "{told}: {refused}");
    }
    let plain = format!("{own}{fit}");
    let gzip = compressed(plain.as_bytes());
    let second = [&gzip[..], &compressed(fit.as_bytes())].concat();
    let cut = &gzip[..gzip.len() - 9];
    for (gzip, told) in [(&second[..], "behind the compressed data"), (cut, "cannot be inflated")] {
        let bytes = with_part(&world, &good, plain.as_bytes(), gzip, |_| ());
        let refused = refused(&world, &archive(&bytes)).await.to_string();
        assert!(refused.contains(told), "{told}: {refused}");
    }
    let open = format!("{own}{}", fit.trim_end());
    let gzip = compressed(open.as_bytes());
    let bytes = with_part(&world, &good, open.as_bytes(), &gzip, |m| {
        m["records"] = json!(1);
        m["parts"][0]["records"] = json!(1);
    });
    assert!(refused(&world, &archive(&bytes)).await.to_string().contains("the end of a line"));
}

#[tokio::test]
async fn refuses_another_package_under_an_id_that_was_received() {
    let world = World::new().await;
    let file = world.package().await;
    world.receive(&file).await.unwrap();
    let other = signed_anew(&world, &members(&file), "province-sign", |m| m["title"] = json!("x"));
    fs::write(world.path("other.tar"), archive(&other)).unwrap();
    for again in [None, Some("why not")] {
        let other = world.path("other.tar");
        let error = world.receive_with(&world.city(), &other, again).await.unwrap_err();
        assert!(matches!(error, PackageError::Refused(Refused::SameId)), "{error}");
    }
    assert_eq!(world.names("inbox").len(), 1);
}
