//! Values found in elements that have passed, until somebody asks for them.

use std::{mem, sync::Arc};

use crate::Locator;

/// What was found, in one piece of memory: no more than the elements of a chunk hold.
#[derive(Debug, Default)]
pub(super) struct Located {
    places: Option<Arc<Locator>>,
    texts: String,
    /// Which pointer, and where its value ends.
    ends: Vec<(usize, usize)>,
}

impl Located {
    pub(super) fn at(places: Arc<Locator>) -> Self {
        let places = Some(places).filter(|places| !places.is_empty());
        Self { places, ..Self::default() }
    }

    /// Looks into an element.
    pub(super) fn look(&mut self, element: &[u8]) {
        let Some(places) = &self.places else { return };
        places.values(element, &mut |pointer, value| {
            self.texts.push_str(value);
            self.ends.push((pointer, self.texts.len()));
        });
    }

    pub(super) fn take(&mut self, each: &mut impl FnMut(usize, &str)) {
        let mut from = 0;
        for (pointer, end) in self.ends.drain(..) {
            each(pointer, self.texts.get(mem::replace(&mut from, end)..end).unwrap_or_default());
        }
        self.texts.clear();
    }
}

#[cfg(test)]
mod tests;
