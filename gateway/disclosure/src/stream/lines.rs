//! A stream of lines (NDJSON): each is one element and ends with LF or CRLF, the last one too.

use lienthong_model::field::Pointer;
use memchr::memchr;

use super::{
    Stop, StopCause, StreamView, buffer::Buffer, compile::CLOSING_NAME, disclosure::Passing,
};
use crate::ViolationKind;

/// The lines of a stream, and the part of one that has come so far.
#[derive(Debug)]
pub(super) struct Lines {
    pending: Buffer,
}

impl Lines {
    pub(super) fn new(view: &StreamView) -> Self {
        // One more for the CR before the end of a line.
        Self { pending: Buffer::new(view.bounds.element_bytes.saturating_add(1)) }
    }

    pub(super) fn push(
        &mut self,
        chunk: &[u8],
        passing: &mut Passing,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let mut rest = chunk;
        while let Some((line, after)) = memchr(b'\n', rest).and_then(|at| split_after(rest, at)) {
            rest = after;
            if self.pending.is_empty() {
                Self::line(line, passing, out)?;
            } else {
                self.pending.append(line).map_err(|_| passing.too_large())?;
                Self::line(self.pending.bytes(), passing, out)?;
                self.pending.clear();
            }
        }
        self.pending.append(rest).map_err(|_| passing.too_large())
    }

    fn line(line: &[u8], passing: &mut Passing, out: &mut Vec<u8>) -> Result<(), Stop> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            let kind = ViolationKind::Malformed;
            return Err(passing.stop(StopCause::EmptyLine, kind, &Pointer::root()));
        }
        if passing.element(b"", line, out)? {
            out.push(b'\n');
        }
        Ok(())
    }

    pub(super) fn finish(&self, passing: &Passing, out: &mut Vec<u8>) -> Result<(), Stop> {
        if !self.pending.is_empty() {
            let kind = ViolationKind::Malformed;
            return Err(passing.stop(StopCause::LineWithoutEnd, kind, &Pointer::root()));
        }
        let (elements, withheld) = (passing.tally.elements, passing.tally.withheld);
        let counts = format!("\"elements\":{elements},\"withheld\":{withheld}");
        let closing = format!("{{\"{CLOSING_NAME}\":{{\"complete\":true,{counts}}}}}\n");
        out.extend_from_slice(closing.as_bytes());
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.pending.capacity()
    }
}

/// What stands before and after the byte at `at`.
fn split_after(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let (before, rest) = bytes.split_at_checked(at)?;
    Some((before, rest.get(1..)?))
}
