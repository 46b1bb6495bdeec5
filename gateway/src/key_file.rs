//! Keys of 32 bytes that come by file: 64 hexadecimal digits, readable by their owner only.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use lienthong_model::sensitive::Sensitive;

use crate::provider::owner_only;

/// Reads a key.
///
/// # Errors
/// What is wrong with the file and what to do; never anything of what it holds.
pub fn read(file: &Path) -> Result<Sensitive<[u8; 32]>, String> {
    owner_only(file)?;
    let text = fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    let text = Sensitive::new(text);
    hexadecimal(text.expose().trim()).map(Sensitive::new).ok_or_else(|| {
        "must hold 64 hexadecimal digits; make one with `openssl rand -hex 32`".to_owned()
    })
}

/// Makes a key, for its owner only. A file that is there stays as it is.
///
/// # Errors
/// When there is one, it cannot be written, or the system gives no randomness.
pub fn create(file: &Path) -> Result<(), String> {
    let mut key = [0; 32];
    let random: &dyn SecureRandom = &SystemRandom::new();
    random.fill(&mut key).map_err(|_| "the system gives no randomness".to_owned())?;
    let key = Sensitive::new(key);
    let digits: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    write_secret(file, &Sensitive::new(digits))
}

/// Writes a secret that was not there before, for its owner only.
///
/// # Errors
/// When the file is there or cannot be written.
pub fn write_secret(file: &Path, text: &Sensitive<String>) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot be written: {error}");
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut new = new.map_err(cannot)?;
    writeln!(new, "{}", text.expose()).and_then(|()| new.sync_all()).map_err(cannot)
}

fn hexadecimal(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|d| d.len() == 64)?;
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(key)
}
