//! Bytes kept from one chunk to the next, up to a limit.

use std::fmt;

/// There are more bytes than the limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// A buffer that never holds, or sets aside memory for, more than its limit.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    limit: usize,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SECURITY: the bytes are a payload.
        write!(f, "Buffer({} bytes)", self.bytes.len())
    }
}

impl Buffer {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit }
    }

    pub(super) fn append(&mut self, more: &[u8]) -> Result<(), Full> {
        let needed = self.bytes.len().saturating_add(more.len());
        if needed > self.limit {
            return Err(Full);
        }
        if needed > self.bytes.capacity() {
            let doubled = self.bytes.capacity().saturating_mul(2).min(self.limit);
            self.bytes.reserve_exact(doubled.max(needed) - self.bytes.len());
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}
