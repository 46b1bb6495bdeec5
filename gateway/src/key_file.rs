//! Keys of 32 bytes that come by file: 64 hexadecimal digits, readable by their owner only.

use std::{fs, path::Path};

pub(crate) use lienthong_model::secret_file::hexadecimal;
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
        "must hold 64 hexadecimal digits; make one with `lienthong keys new`".to_owned()
    })
}
