//! One part of the data: lines of JSON, compressed, as it is before it is encrypted.
//!
//! The first line is the [`Head`]; every other one is a record. Writing: records until the part is
//! large enough. Reading: never more than the manifest declares, line by line.

use std::io::{self, BufRead, BufReader, Read, Write as _};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::{
    PackageId, Refused,
    manifest::{Digested, Part},
};

/// Longest first line.
const MAX_HEAD: u64 = 1_024;

/// The first line of a part: what it belongs to, and a text that nobody can guess.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    package: PackageId,
    part: u64,
    /// 32 random bytes in hexadecimal.
    salt: String,
}

/// The SHA-256 of bytes, in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref())
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A member's length and digest.
pub(super) fn digested(bytes: &[u8]) -> Digested {
    Digested { bytes: length(bytes), sha256: sha256(bytes) }
}

pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// A part that is written.
pub(super) struct PartWriter {
    gzip: GzEncoder<Vec<u8>>,
    digest: Context,
    plain_bytes: u64,
    records: u64,
}

/// A part that is written, and what the manifest says of it.
pub(super) struct Written {
    pub(super) gzip: Vec<u8>,
    pub(super) records: u64,
    pub(super) plain_bytes: u64,
    pub(super) plain_sha256: String,
}

impl PartWriter {
    pub(super) fn new(package: PackageId, part: u64) -> io::Result<Self> {
        let mut salt = [0; 32];
        rand::rng().fill_bytes(&mut salt);
        let head = Head { package, part, salt: hexadecimal(&salt) };
        let mut writer = Self {
            gzip: GzEncoder::new(Vec::new(), Compression::default()),
            digest: Context::new(&SHA256),
            plain_bytes: 0,
            records: 0,
        };
        writer.line(&serde_json::to_vec(&head)?)?;
        Ok(writer)
    }

    pub(super) fn record(&mut self, line: &[u8]) -> io::Result<()> {
        self.records = self.records.saturating_add(1);
        self.line(line)
    }

    /// Whether a record of so many bytes still goes in.
    pub(super) fn holds(&self, line: &[u8], limit: u64) -> bool {
        self.plain_bytes.saturating_add(length(line)) < limit
    }

    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        for bytes in [line, b"\n"] {
            self.gzip.write_all(bytes)?;
            self.digest.update(bytes);
        }
        self.plain_bytes = self.plain_bytes.saturating_add(length(line)).saturating_add(1);
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<Written> {
        Ok(Written {
            gzip: self.gzip.finish()?,
            records: self.records,
            plain_bytes: self.plain_bytes,
            plain_sha256: hexadecimal(self.digest.finish().as_ref()),
        })
    }
}

/// What inflates a part: it counts, and stops one byte behind what the manifest declares.
struct Inflating<'a> {
    gzip: io::Take<GzDecoder<&'a [u8]>>,
    digest: Context,
    plain_bytes: u64,
}

impl Read for Inflating<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.gzip.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        self.digest.update(bytes);
        self.plain_bytes = self.plain_bytes.saturating_add(length(bytes));
        Ok(read)
    }
}

/// A part that is read: as the manifest of a package has it, and its number there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) package: PackageId,
    pub(super) number: u64,
    pub(super) part: &'a Part,
    pub(super) record_bytes: u64,
}

impl Expected<'_> {
    /// Reads every line of what was decrypted. Whether the records may be believed is known only
    /// when this has returned.
    pub(super) fn read<E: From<Refused>>(
        &self,
        gzip: &[u8],
        mut each: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if length(gzip) != self.part.gzip_bytes {
            return Err(self.wrong("has another length when it is decrypted").into());
        }
        let most = self.part.plain_bytes.saturating_add(1);
        let inflating = Inflating {
            gzip: GzDecoder::new(gzip).take(most),
            digest: Context::new(&SHA256),
            plain_bytes: 0,
        };
        let mut lines = BufReader::new(inflating);
        let mut line = Vec::new();
        if !self.line(&mut lines, &mut line, MAX_HEAD)? || !self.is_head(&line) {
            return Err(self.wrong("does not begin with the line of this package and part").into());
        }
        let mut records = 0_u64;
        while self.line(&mut lines, &mut line, self.record_bytes)? {
            records = records.saturating_add(1);
            if records > self.part.records {
                break;
            }
            each(records, &line)?;
        }
        if records != self.part.records {
            return Err(self.wrong("has another number of records than the manifest says").into());
        }
        self.end(lines.into_inner()).map_err(E::from)
    }

    /// The next line without its end; nothing at the end of all.
    fn line(
        &self,
        lines: &mut impl BufRead,
        line: &mut Vec<u8>,
        limit: u64,
    ) -> Result<bool, Refused> {
        line.clear();
        let read = lines.by_ref().take(limit.saturating_add(1)).read_until(b'\n', line);
        if read.map_err(|_| self.wrong("cannot be inflated"))? == 0 {
            return Ok(false);
        }
        match line.pop() {
            Some(b'\n') => Ok(true),
            _ if length(line) >= limit => Err(self.wrong("has a line that is too long")),
            _ => Err(self.wrong("does not end with the end of a line, or is longer than declared")),
        }
    }

    fn is_head(&self, line: &[u8]) -> bool {
        let Ok(head) = serde_json::from_slice::<Head>(line) else { return false };
        let salt = head.salt.len() == 64 && head.salt.bytes().all(|b| b.is_ascii_hexdigit());
        salt && head.package == self.package && head.part == self.number
    }

    fn end(&self, inflated: Inflating<'_>) -> Result<(), Refused> {
        let Inflating { gzip, digest, plain_bytes } = inflated;
        if plain_bytes != self.part.plain_bytes {
            return Err(self.wrong("has another length when it is inflated"));
        }
        // One stream and nothing behind it: programs differ in what they make of a second one.
        if !gzip.into_inner().get_ref().is_empty() {
            return Err(self.wrong("holds something behind the compressed data"));
        }
        match hexadecimal(digest.finish().as_ref()) == self.part.plain_sha256 {
            true => Ok(()),
            false => Err(self.wrong("has another digest when it is inflated")),
        }
    }

    fn wrong(&self, problem: &'static str) -> Refused {
        Refused::Member { member: self.part.name.clone(), problem }
    }
}
