//! Drives a stream: takes chunks, gives what may leave, and remembers how it ended.

use std::sync::Arc;

use lienthong_model::field::Pointer;

use super::{
    Judge, Judgement, Stop, StopCause, StreamTally, StreamView, array::ArrayStream, judge::Judged,
    lines::Lines, located::Located,
};
use crate::{Locator, Pseudonymiser, Tally, Violation, ViolationKind};

/// The disclosure of one stream, of one answer to one consumer.
///
/// What [`Self::push`] and [`Self::finish`] append to `out` may be sent at once: it ends after a
/// whole element, or is what belongs to a complete answer. After a [`Stop`] nothing is written any
/// more, so that what was sent can be told from a complete answer: the document is not closed, the
/// closing line is missing.
#[derive(Debug)]
pub struct StreamDisclosure {
    passing: Passing,
    shape: Shape,
    state: State,
}

#[derive(Debug)]
enum Shape {
    Lines(Lines),
    Array(Box<ArrayStream>),
}

#[derive(Debug)]
enum State {
    Open,
    Finished,
    Stopped(Stop),
}

impl StreamDisclosure {
    /// Begins a stream. One consumer and key period make the pseudonyms of all of it.
    #[must_use]
    pub fn new(view: Arc<StreamView>, pseudonyms: Pseudonymiser) -> Self {
        let shape = if view.array.is_some() {
            Shape::Array(Box::new(ArrayStream::new(&view)))
        } else {
            Shape::Lines(Lines::new(&view))
        };
        let passing = Passing {
            view,
            pseudonyms,
            tally: StreamTally::default(),
            allowance: u64::MAX,
            located: Located::default(),
            judged: None,
        };
        Self { passing, shape, state: State::Open }
    }

    /// Lets no more than `elements` pass, those that have passed among them. Without a call as many
    /// pass as the bounds allow.
    pub fn set_allowance(&mut self, elements: u64) {
        self.passing.allowance = elements;
    }

    /// Looks in each element that passes for the values at these places, as the provider wrote
    /// them. What is found waits for [`Self::take_located`].
    pub fn locate(&mut self, places: Arc<Locator>) {
        self.passing.located = Located::at(places);
    }

    /// Lets a judge say of each element whether it leaves, by the values at these places. Without a
    /// call all leave that pass.
    pub fn judge(&mut self, places: Arc<Locator>, judge: Box<dyn Judge>) {
        self.passing.judged = Some(Judged { places, judge });
    }

    /// Gives what was found in the elements that have passed since the last call: which of the
    /// pointers led there, and the value.
    pub fn take_located(&mut self, each: &mut impl FnMut(usize, &str)) {
        self.passing.located.take(each);
    }

    /// Takes the next bytes, cut anywhere, and appends the elements that are whole by now.
    ///
    /// # Errors
    /// When an element or what stands around the array does not pass; then again at each call. The
    /// elements before it are in `out`.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        self.check_open()?;
        let outcome = match &mut self.shape {
            Shape::Lines(lines) => lines.push(chunk, &mut self.passing, out),
            Shape::Array(array) => array.push(chunk, &mut self.passing, out),
        };
        outcome.inspect_err(|stop| self.state = State::Stopped(stop.clone()))
    }

    /// Ends the stream: appends what makes the answer complete.
    ///
    /// # Errors
    /// When the stream has stopped, was cut, or lacks what is required.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<StreamTally, Stop> {
        self.check_open()?;
        let outcome = match &mut self.shape {
            Shape::Lines(lines) => lines.finish(&self.passing, out),
            Shape::Array(array) => array.finish(&mut self.passing, out),
        };
        self.state = match &outcome {
            Ok(()) => State::Finished,
            Err(stop) => State::Stopped(stop.clone()),
        };
        outcome.map(|()| self.passing.tally.clone())
    }

    /// What was disclosed so far.
    #[must_use]
    pub fn tally(&self) -> &StreamTally {
        &self.passing.tally
    }

    /// How many elements were disclosed so far.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.passing.tally.elements
    }

    fn check_open(&self) -> Result<(), Stop> {
        match &self.state {
            State::Open => Ok(()),
            State::Finished => Err(self.passing.stop(
                StopCause::AfterTheEnd,
                ViolationKind::Malformed,
                &Pointer::root(),
            )),
            State::Stopped(stop) => Err(stop.clone()),
        }
    }

    /// The bytes set aside to keep what is not whole yet.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        match &self.shape {
            Shape::Lines(lines) => lines.capacity(),
            Shape::Array(array) => array.capacity(),
        }
    }
}

/// What both shapes of a stream share: the way of an element, and the counts.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) view: Arc<StreamView>,
    pub(super) pseudonyms: Pseudonymiser,
    pub(super) tally: StreamTally,
    /// How many elements may pass by what the caller knows.
    allowance: u64,
    located: Located,
    judged: Option<Judged>,
}

impl Passing {
    /// Appends `opening` and the disclosed part of the element `raw`, or nothing; gives whether
    /// it left.
    pub(super) fn element(
        &mut self,
        opening: &[u8],
        raw: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<bool, Stop> {
        let view = &self.view;
        if self.tally.seen() >= view.bounds.max_elements {
            let at = view.array.as_ref().map_or(&view.element_at, |array| &array.at);
            return Err(self.stop(StopCause::TooManyElements, ViolationKind::TooLarge, at));
        }
        if self.judged.is_none() {
            self.check_allowance()?;
        }
        let before = out.len();
        out.extend_from_slice(opening);
        let passed = self.passed(raw, out).inspect_err(|_| out.truncate(before))?;
        let Some(tally) = passed else {
            out.truncate(before);
            self.tally.withheld = self.tally.withheld.saturating_add(1);
            return Ok(false);
        };
        self.tally.add(tally);
        self.tally.elements = self.tally.elements.saturating_add(1);
        self.located.look(raw);
        Ok(true)
    }

    /// Appends the disclosed part of an element; none of one that is withheld.
    fn passed(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Option<Tally>, Stop> {
        let before = out.len();
        let mut tally = self.part(&self.view, raw, out)?;
        let Some(judged) = &mut self.judged else { return Ok(Some(tally)) };
        match judged.judgement(raw) {
            Judgement::Passes => {}
            Judgement::Narrowed(view) => {
                out.truncate(before);
                tally = self.part(&view, raw, out)?;
            }
            Judgement::Withheld => return Ok(None),
            Judgement::Unknown => {
                let at = &self.view.element_at;
                return Err(self.stop(StopCause::Unjudged, ViolationKind::Malformed, at));
            }
        }
        self.check_allowance()?;
        Ok(Some(tally))
    }

    fn part(&self, view: &StreamView, raw: &[u8], out: &mut Vec<u8>) -> Result<Tally, Stop> {
        let part = view.view.disclose_part(view.element, raw, &self.pseudonyms, out);
        part.map_err(|violation| self.violated(StopCause::Element, violation))
    }

    fn check_allowance(&self) -> Result<(), Stop> {
        if self.tally.elements < self.allowance {
            return Ok(());
        }
        let at = &self.view.element_at;
        Err(self.stop(StopCause::Allowance, ViolationKind::TooLarge, at))
    }

    /// Appends `opening` and the disclosed part of the element that `text` begins with; gives the
    /// place of its end. None, with nothing appended, when that is for [`Self::element`] to judge.
    pub(super) fn first_element(
        &mut self,
        opening: &[u8],
        text: &str,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let view = &self.view;
        let most = view.bounds.max_elements.min(self.allowance);
        if self.judged.is_some() || self.tally.elements >= most {
            return None;
        }
        let before = out.len();
        out.extend_from_slice(opening);
        let first = view.view.disclose_first(view.element, text, &self.pseudonyms, out);
        let Some((tally, length)) = first else {
            out.truncate(before);
            return None;
        };
        self.tally.add(tally);
        self.tally.elements = self.tally.elements.saturating_add(1);
        self.located.look(text.as_bytes().get(..length).unwrap_or_default());
        Some(length)
    }

    /// An element that is larger than its bound.
    pub(super) fn too_large(&self) -> Stop {
        self.stop(StopCause::Element, ViolationKind::TooLarge, &self.view.element_at)
    }

    pub(super) fn stop(&self, cause: StopCause, kind: ViolationKind, at: &Pointer) -> Stop {
        self.violated(cause, Violation { kind, at: at.clone() })
    }

    pub(super) fn violated(&self, cause: StopCause, violation: Violation) -> Stop {
        Stop { violation, cause, elements: self.tally.elements }
    }
}
