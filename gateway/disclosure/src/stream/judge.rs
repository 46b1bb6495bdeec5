//! Who says of each element whether it may leave: by whom it is about, not by its form.
//!
//! An element comes here after it has passed its view, so that one that is withheld was read as
//! strictly as one that leaves.

use std::{fmt, sync::Arc};

use super::StreamView;
use crate::Locator;

/// What is said of an element.
#[derive(Debug, Clone)]
pub enum Judgement {
    /// It leaves as the view says.
    Passes,
    /// It leaves as this view says, which lets less pass of the same stream.
    Narrowed(Arc<StreamView>),
    /// Nothing of it leaves; the stream goes on.
    Withheld,
    /// It cannot be said: the stream ends before it.
    Unknown,
}

/// Judges elements, one after the other.
pub trait Judge: Send + Sync {
    /// An element begins.
    fn begin(&mut self);

    /// Which of the pointers led to a value of the element, and the value as the provider wrote it.
    fn value(&mut self, place: usize, value: &str);

    /// What is said of the element.
    fn judgement(&mut self) -> Judgement;
}

/// A judge, and the places whose values it is given.
pub(super) struct Judged {
    pub(super) places: Arc<Locator>,
    pub(super) judge: Box<dyn Judge>,
}

impl Judged {
    /// What is said of an element that has passed its view.
    pub(super) fn judgement(&mut self, raw: &[u8]) -> Judgement {
        let Self { places, judge } = self;
        judge.begin();
        places.values(raw, &mut |place, value| judge.value(place, value));
        judge.judgement()
    }
}

impl fmt::Debug for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judged")
    }
}
