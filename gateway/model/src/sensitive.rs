//! Values that must not be seen: personal data and secrets.

use zeroize::{Zeroize, Zeroizing};

/// A personal or secret value. `Debug` prints `[redacted]`; there is no `Display` and no
/// `Serialize`; the memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Sensitive<T> {
    /// Seals a value.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value. Each call is a place to review: it must not reach a log, metric or error.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> std::fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
