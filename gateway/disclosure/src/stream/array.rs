//! A stream that is one array of a JSON document.
//!
//! The document around it is written in the order it arrives: what stands before the array when
//! the array begins, the rest when the whole document has passed.

use lienthong_model::field::Pointer;

use super::{
    Stop, StopCause, StreamView,
    buffer::Buffer,
    compile::ArrayView,
    disclosure::Passing,
    elements::{Elements, End},
    envelope::{Envelope, Reached},
};
use crate::{Tally, ViolationKind};

/// Where in the document the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Head,
    Elements,
    Tail,
}

/// One document and what is held of it.
#[derive(Debug)]
pub(super) struct ArrayStream {
    phase: Phase,
    envelope: Envelope,
    ends: Elements,
    pending: Buffer,
    /// What the head disclosed, and its length up to the opening bracket.
    head: Tally,
    head_length: usize,
}

impl ArrayStream {
    pub(super) fn new(view: &StreamView) -> Self {
        Self {
            phase: Phase::Head,
            envelope: Envelope::new(view.bounds.envelope_bytes),
            ends: Elements::default(),
            pending: Buffer::new(view.bounds.element_bytes),
            head: Tally::default(),
            head_length: 0,
        }
    }

    pub(super) fn push(
        &mut self,
        chunk: &[u8],
        passing: &mut Passing,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let view = passing.view.clone();
        let Some(array) = &view.array else { return Ok(()) };
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = match self.phase {
                Phase::Head | Phase::Tail => self.around(rest, array, passing, out)?,
                Phase::Elements => self.elements(rest, array, passing, out)?,
            };
        }
        Ok(())
    }

    /// Takes what stands around the array; gives what follows its opening bracket.
    fn around<'c>(
        &mut self,
        bytes: &'c [u8],
        array: &ArrayView,
        passing: &mut Passing,
        out: &mut Vec<u8>,
    ) -> Result<&'c [u8], Stop> {
        let broken = |kind| passing.stop(StopCause::Envelope, kind, &Pointer::root());
        for (at, byte) in bytes.iter().enumerate() {
            if self.envelope.has_ended() && !is_blank(*byte) {
                return Err(broken(ViolationKind::Malformed));
            }
            let reached = self.envelope.take(*byte, array.at.tokens());
            if reached.map_err(|_| broken(ViolationKind::TooLarge))? == Reached::Array {
                self.open(array, passing, out)?;
                return Ok(bytes.get(at + 1..).unwrap_or_default());
            }
        }
        Ok(&[])
    }

    /// Writes what stands before the array, and its opening bracket.
    fn open(
        &mut self,
        array: &ArrayView,
        passing: &mut Passing,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let before = out.len();
        let (text, after) = self.envelope.as_if_closed();
        let head = array.head.disclose(&text, &passing.pseudonyms, out);
        let head = head.map_err(|violation| passing.violated(StopCause::Envelope, violation))?;
        // Of what closes it, only the opening bracket stays.
        let length = out.len().saturating_sub(after + 1);
        out.truncate(length.max(before));
        self.head_length = out.len() - before;
        self.phase = Phase::Elements;
        passing.tally.add(head.clone());
        self.head = head;
        Ok(())
    }

    /// Takes elements; gives what follows the end of the array.
    fn elements<'c>(
        &mut self,
        bytes: &'c [u8],
        array: &ArrayView,
        passing: &mut Passing,
        out: &mut Vec<u8>,
    ) -> Result<&'c [u8], Stop> {
        let mut rest = bytes;
        let mut text = None;
        loop {
            let mut taken = None;
            // PERF: benches/disclose.rs; an element that is all here is read once, not twice.
            if self.pending.is_empty() {
                let text = text.get_or_insert_with(|| readable(rest));
                taken = first_element(text, array, passing, out);
            }
            if taken.is_none() {
                taken = self.cut(rest, array, passing, out)?;
            }
            let Some((at, end)) = taken else { return Ok(&[]) };
            rest = rest.get(at + 1..).unwrap_or_default();
            text = text.map(|text| text.get(at + 1..).unwrap_or_default());
            if end == End::Close {
                self.close(array, passing)?;
                return Ok(rest);
            }
        }
    }

    /// Takes one element; gives the place and kind of its end. None when that has not come yet.
    fn cut(
        &mut self,
        bytes: &[u8],
        array: &ArrayView,
        passing: &mut Passing,
        out: &mut Vec<u8>,
    ) -> Result<Option<(usize, End)>, Stop> {
        let Some((at, end)) = self.ends.next(bytes) else {
            self.pending.append(bytes).map_err(|_| passing.too_large())?;
            return Ok(None);
        };
        let raw = bytes.get(..at).unwrap_or_default();
        if self.pending.is_empty() {
            element(raw, end, array, passing, out)?;
        } else {
            self.pending.append(raw).map_err(|_| passing.too_large())?;
            element(self.pending.bytes(), end, array, passing, out)?;
            self.pending.clear();
        }
        Ok(Some((at, end)))
    }

    fn close(&mut self, array: &ArrayView, passing: &Passing) -> Result<(), Stop> {
        if passing.tally.seen() < array.min {
            let kind = ViolationKind::Schema { keyword: "minItems" };
            return Err(passing.stop(StopCause::Envelope, kind, &array.at));
        }
        self.phase = Phase::Tail;
        self.envelope.close_array().map_err(|_| {
            passing.stop(StopCause::Envelope, ViolationKind::TooLarge, &Pointer::root())
        })
    }

    /// Checks the document without its elements, and writes what follows the array.
    pub(super) fn finish(&self, passing: &mut Passing, out: &mut Vec<u8>) -> Result<(), Stop> {
        let malformed =
            |cause| Err(passing.stop(cause, ViolationKind::Malformed, &Pointer::root()));
        if self.phase == Phase::Elements || self.envelope.is_cut() {
            return malformed(StopCause::Incomplete);
        }
        let mut whole = Vec::new();
        let outcome =
            passing.view.view.disclose(self.envelope.text(), &passing.pseudonyms, &mut whole);
        let tally =
            outcome.map_err(|violation| passing.violated(StopCause::Envelope, violation))?;
        // INVARIANT: the same bytes under the same masks began it the same way.
        let Some(rest) = whole.get(self.head_length..) else {
            return malformed(StopCause::Envelope);
        };
        out.extend_from_slice(rest);
        passing.tally.add_beyond(&self.head, tally);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.pending.capacity() + self.envelope.capacity()
    }
}

/// One element, or the nothing of an empty array.
fn element(
    raw: &[u8],
    end: End,
    array: &ArrayView,
    passing: &mut Passing,
    out: &mut Vec<u8>,
) -> Result<(), Stop> {
    let first = passing.tally.seen() == 0;
    if raw.len() > passing.view.bounds.element_bytes {
        return Err(passing.too_large());
    }
    if end == End::Stray {
        let at = &passing.view.element_at;
        return Err(passing.stop(StopCause::Element, ViolationKind::Malformed, at));
    }
    if first && end == End::Close && raw.iter().copied().all(is_blank) {
        return Ok(());
    }
    if passing.tally.seen() >= array.max {
        let kind = ViolationKind::Schema { keyword: "maxItems" };
        return Err(passing.stop(StopCause::Envelope, kind, &array.at));
    }
    // Of those withheld not even a comma stays.
    passing.element(if passing.tally.elements == 0 { b"" } else { b"," }, raw, out).map(drop)
}

/// The element that `text` begins with, when it is all there and passes.
fn first_element(
    text: &str,
    array: &ArrayView,
    passing: &mut Passing,
    out: &mut Vec<u8>,
) -> Option<(usize, End)> {
    let elements = passing.tally.elements;
    if elements >= array.max {
        return None;
    }
    let at = passing.first_element(if elements == 0 { b"" } else { b"," }, text, out)?;
    let end = if text.as_bytes().get(at) == Some(&b']') { End::Close } else { End::Comma };
    Some((at, end))
}

/// `bytes` as text but for a character that may be cut at its end; empty when there is no such.
fn readable(bytes: &[u8]) -> &str {
    let cut = bytes.iter().rev().take(3).take_while(|byte| (0x80..0xc0).contains(*byte)).count();
    let mut end = bytes.len() - cut;
    if end > 0 && bytes.get(end - 1).is_some_and(|byte| *byte >= 0xc0) {
        end -= 1;
    }
    bytes.get(..end).and_then(|bytes| simdutf8::basic::from_utf8(bytes).ok()).unwrap_or_default()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
