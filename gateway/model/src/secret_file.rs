//! What a file of a secret must be like: who may read it, told from its mode and owner, and how a key
//! stands in it.

/// Bits that let anybody but the owner do something.
const OTHERS: u32 = 0o077;

/// Whether only the owner may use a file of this mode, user and group.
///
/// A credential that systemd hands to a service counts too: it belongs to root and root's group,
/// has mode 0440, and an access list lets the service read it.
#[must_use]
pub fn is_private(mode: u32, user: u32, group: u32) -> bool {
    let credential = mode & 0o777 == 0o440 && user == 0 && group == 0;
    mode & OTHERS == 0 || credential
}

/// The key that 64 hexadecimal digits stand for.
#[must_use]
pub fn hexadecimal(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|d| d.len() == 64)?;
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests;
