//! Answers of any length: elements made one by one, as fast as they are taken.
//!
//! A body asks for the next piece when the one before it was taken, so nothing piles up when nobody
//! reads. Faults spoil elements, or break the answer off in the midst of one.

use bytes::Bytes;
use serde_json::Value;

use crate::fault::{self, Fault};

/// About so many bytes are sent at once.
const PIECE: usize = 16 << 10;
/// Elements before the end, of faults that name no number.
const SOME: u32 = 100;

/// Appends the next element and gives true, or gives false at the end.
pub(crate) type Make = Box<dyn FnMut(&mut String) -> bool + Send>;

/// A change to an element.
type Change = fn(&mut Value);

/// How elements stand in an answer.
#[derive(Debug)]
enum Framing {
    /// One a line.
    Lines,
    /// In one array of a document.
    Array { tail: String },
}

/// An answer that is sent while it is made.
pub(crate) struct Elements {
    make: Make,
    framing: Framing,
    /// What is ready to be sent.
    ready: String,
    made: u32,
    ended: bool,
    spoiled_from: Option<(u32, Change)>,
    breaks_after: Option<u32>,
    garbage: bool,
}

impl std::fmt::Debug for Elements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elements").field("made", &self.made).finish_non_exhaustive()
    }
}

/// The next of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// So many bytes.
    Bytes(Bytes),
    /// All has been sent.
    End,
    /// The connection breaks here.
    Broken,
}

impl Elements {
    /// NDJSON.
    pub(crate) fn lines(make: Make) -> Self {
        Self::new(make, Framing::Lines, String::new())
    }

    /// A document: what stands before the first element, and what after the last.
    pub(crate) fn array(head: String, make: Make, tail: String) -> Self {
        Self::new(make, Framing::Array { tail }, head)
    }

    fn new(make: Make, framing: Framing, ready: String) -> Self {
        Self {
            make,
            framing,
            ready,
            made: 0,
            ended: false,
            spoiled_from: None,
            breaks_after: None,
            garbage: false,
        }
    }

    /// Breaks the answer on purpose.
    pub(crate) fn spoil(&mut self, fault: Fault) {
        match fault {
            Fault::Drift => self.spoiled_from = Some((0, fault::add_field)),
            Fault::DriftAfter(n) => self.spoiled_from = Some((n, fault::add_field)),
            Fault::Breakage => self.spoiled_from = Some((0, fault::change_types)),
            Fault::BreakAfter(n) => self.breaks_after = Some(n),
            Fault::ResetMidBody | Fault::WrongLength => self.breaks_after = Some(SOME),
            Fault::Garbage => self.garbage = true,
            _ => {}
        }
    }

    /// What is sent next.
    pub(crate) fn next(&mut self) -> Piece {
        while !self.ended && self.ready.len() < PIECE {
            self.element();
        }
        if !self.ready.is_empty() {
            return Piece::Bytes(Bytes::from(std::mem::take(&mut self.ready)));
        }
        match self.breaks_after {
            Some(n) if self.made > n => Piece::Broken,
            _ => Piece::End,
        }
    }

    fn element(&mut self) {
        let mut element = String::new();
        if self.garbage || !(self.make)(&mut element) {
            self.ended = true;
            match (&self.framing, self.garbage) {
                (_, true) => self.ready.push_str("{\"SoDinhDanh\": \"0"),
                (Framing::Array { tail }, false) => self.ready.push_str(tail),
                (Framing::Lines, false) => {}
            }
            return;
        }
        if let Some((from, change)) = self.spoiled_from
            && self.made >= from
            && let Ok(mut value) = serde_json::from_str::<Value>(&element)
        {
            change(&mut value);
            element = value.to_string();
        }
        if matches!(self.framing, Framing::Array { .. }) && self.made > 0 {
            self.ready.push(',');
        }
        let breaks = self.breaks_after == Some(self.made);
        self.made += 1;
        if breaks {
            // In the midst of the element, where a broken connection ends as well.
            let half = element.len() / 2;
            self.ready.extend(element.char_indices().take_while(|(at, _)| *at < half).map(|c| c.1));
            self.ended = true;
            return;
        }
        self.ready.push_str(&element);
        if matches!(self.framing, Framing::Lines) {
            self.ready.push('\n');
        }
    }
}

#[cfg(test)]
mod tests;
