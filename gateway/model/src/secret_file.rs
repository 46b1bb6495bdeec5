//! Who may read the file of a secret, told from its mode and owner.

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

#[cfg(test)]
mod tests;
