//! Reading certificate, key and revocation files, with bounds.
//!
//! Takes paths; gives bytes or DER, and tells what is wrong. It must never read a key that others
//! may read too.

use std::{fs::File, io::Read, os::unix::fs::MetadataExt as _, path::Path};

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    secret_file::is_private,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use zeroize::Zeroizing;

/// A mistake about a file as a whole.
pub(super) const WHOLE: Position = Position { line: 0, column: 0 };

/// Longest certificate or key file.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// Reads a file of at most `max` bytes.
pub(super) fn read(path: &Path, max: u64, found: &mut Diagnostics) -> Option<Vec<u8>> {
    let name = path.display().to_string();
    match open(path).and_then(|file| read_bounded(&file, max)) {
        Ok(Some(bytes)) => Some(bytes),
        Ok(None) => {
            found.add(&name, WHOLE, format!("file is longer than {max} bytes"));
            None
        }
        Err(error) => {
            found.add(&name, WHOLE, format!("cannot be read: {}", error.kind()));
            None
        }
    }
}

/// Every certificate of a PEM file, in order; none is a mistake.
pub(super) fn certificates(
    path: &Path,
    found: &mut Diagnostics,
) -> Option<Vec<CertificateDer<'static>>> {
    let bytes = read(path, MAX_PEM_BYTES, found)?;
    let name = path.display().to_string();
    match CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>() {
        Ok(all) if !all.is_empty() => Some(all),
        Ok(_) => {
            found.add_with_help(
                &name,
                WHOLE,
                "file holds no certificate",
                "expected PEM, beginning with `-----BEGIN CERTIFICATE-----`",
            );
            None
        }
        Err(_) => {
            found.add(&name, WHOLE, "file is not valid PEM");
            None
        }
    }
}

/// The one private key of a PEM file that only its owner may read.
pub(super) fn private_key(path: &Path, found: &mut Diagnostics) -> Option<PrivateKeyDer<'static>> {
    let name = path.display().to_string();
    let opened = open(path).and_then(|file| {
        let metadata = file.metadata()?;
        let private = is_private(metadata.mode(), metadata.uid(), metadata.gid());
        let readers = (!private).then_some(metadata.mode());
        Ok((readers, read_bounded(&file, MAX_PEM_BYTES)?.map(Zeroizing::new)))
    });
    let (readers, bytes) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            found.add(&name, WHOLE, format!("cannot be read: {}", error.kind()));
            return None;
        }
    };
    if let Some(mode) = readers {
        let message =
            format!("key may be read by others than its owner (mode {:04o})", mode & 0o7777);
        found.add_with_help(&name, WHOLE, message, format!("run `chmod 600 {name}`"));
    }
    let Some(bytes) = bytes else {
        found.add(&name, WHOLE, "file is too long for a key");
        return None;
    };
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => Some(key),
        Err(_) => {
            found.add_with_help(
                &name,
                WHOLE,
                "file holds no private key",
                "expected PEM, PKCS#8, not encrypted",
            );
            None
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        // SECURITY: reading a pipe or a device might never end.
        Err(std::io::ErrorKind::InvalidInput.into())
    }
}

fn read_bounded(file: &File, max: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes)?;
    Ok((u64::try_from(bytes.len()).unwrap_or(u64::MAX) <= max).then_some(bytes))
}
