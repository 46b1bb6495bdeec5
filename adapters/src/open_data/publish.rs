//! Putting a record set and its description where everyone may read them: both at once, or neither.
//!
//! They are written into a folder that nobody looks at, made durable and renamed. `current` leads to the
//! newest; older ones stay as they were.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    RecordSetReport, csv,
    gate::Published,
    record_set::{Column, RecordSet, Role},
};

/// Ending of a folder that is not finished.
const PART: &str = ".part";
/// What leads to the newest.
const CURRENT: &str = "current";

/// Publishes; gives the folder with both files.
pub(super) fn publish(
    set: &RecordSet,
    records: &Published,
    report: &RecordSetReport,
    folder: &Path,
    now: Timestamp,
) -> io::Result<PathBuf> {
    let home = folder.join(set.id.as_str());
    fs::create_dir_all(&home)?;
    clear(&home)?;
    let version = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let (part, place) = (home.join(format!("{version}{PART}")), home.join(&version));
    if place.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let data = format!("{}.csv", set.id);
    let text = csv::write(set.published().map(|column| column.name.as_str()), records);
    fs::create_dir(&part)?;
    durable(&part.join(&data), text.as_bytes())?;
    let description = describe(set, report, &data, text.as_bytes(), now);
    durable(&part.join("metadata.json"), format!("{description:#}\n").as_bytes())?;
    File::open(&part)?.sync_all()?;
    fs::rename(&part, &place)?;
    let link = home.join(format!("{CURRENT}{PART}"));
    symlink(&version, &link)?;
    fs::rename(&link, home.join(CURRENT))?;
    File::open(&home)?.sync_all()?;
    Ok(place)
}

/// Removes what an earlier run left unfinished.
fn clear(home: &Path) -> io::Result<()> {
    for entry in fs::read_dir(home)? {
        let path = entry?.path();
        let is_part = path.to_str().is_some_and(|name| name.ends_with(PART));
        match (is_part, fs::symlink_metadata(&path)?.is_dir()) {
            (true, true) => fs::remove_dir_all(&path)?,
            (true, false) => fs::remove_file(&path)?,
            (false, _) => {}
        }
    }
    Ok(())
}

fn durable(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The description, in words of DCAT where it has some.
fn describe(
    set: &RecordSet,
    report: &RecordSetReport,
    data: &str,
    bytes: &[u8],
    now: Timestamp,
) -> Value {
    let hash: String =
        digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let l = set.criteria.diversity.map(|diversity| match diversity {
        lienthong_statistics::anonymity::Diversity::Distinct(l) => json!({ "distinct": l }),
        lienthong_statistics::anonymity::Diversity::Entropy(l) => json!({ "entropy": l }),
    });
    json!({
        "@context": "https://www.w3.org/ns/dcat.jsonld",
        "@type": "dcat:Dataset",
        "dct:identifier": set.id,
        "dct:title": [
            { "@value": set.title.vi, "@language": "vi" },
            { "@value": set.title.en, "@language": "en" },
        ],
        "dct:license": set.licence,
        "dct:publisher": set.steward,
        "dct:temporal": set.period,
        "dct:issued": now.to_string(),
        "dcat:distribution": {
            "@type": "dcat:Distribution",
            "dcat:mediaType": "text/csv",
            "dcat:downloadURL": data,
            "dcat:byteSize": bytes.len(),
            "spdx:checksum": { "spdx:algorithm": "sha256", "spdx:checksumValue": hash },
        },
        "columns": set.published().map(column).collect::<Vec<_>>(),
        "anonymity": { "k": set.criteria.k, "l": l, "records": report.records },
    })
}

fn column(column: &Column) -> Value {
    let (role, level) = match &column.role {
        Role::Quasi { level, .. } => ("quasi_identifier", Some(*level)),
        Role::Sensitive => ("sensitive", None),
        Role::Identifier | Role::Plain => ("plain", None),
    };
    json!({ "name": column.name, "title": column.title, "role": role, "level": level })
}
