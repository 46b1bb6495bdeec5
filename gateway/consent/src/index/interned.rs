//! Values that are kept once, however many records have them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, PoisonError, RwLock},
};

use super::IndexFull;

pub(super) struct Interned<T>(RwLock<Known<T>>);

struct Known<T> {
    values: Vec<Arc<T>>,
    places: HashMap<Arc<T>, u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self(RwLock::new(Known { values: Vec::new(), places: HashMap::new() }))
    }
}

impl<T: Eq + Hash + Clone> Interned<T> {
    /// The place of a value.
    pub(super) fn intern(&self, value: &T) -> Result<u32, IndexFull> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.places.get(value) {
            return Ok(*place);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.places.get(value) {
            return Ok(*place);
        }
        let place = u32::try_from(known.values.len()).map_err(|_| IndexFull)?;
        let value = Arc::new(value.clone());
        known.values.push(Arc::clone(&value));
        known.places.insert(value, place);
        Ok(place)
    }

    pub(super) fn get(&self, place: u32) -> Option<Arc<T>> {
        self.look(|values| values.get(place as usize).cloned())
    }

    /// Looks at all values.
    pub(super) fn look<R>(&self, look: impl FnOnce(&[Arc<T>]) -> R) -> R {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner).values)
    }

    pub(super) fn all(&self) -> Vec<Arc<T>> {
        self.look(<[Arc<T>]>::to_vec)
    }

    pub(super) fn heap_bytes(&self, of_one: impl Fn(&T) -> usize) -> usize {
        // The value and its counts, and a place for it in the list and in the map.
        let around = size_of::<T>() + 64;
        self.look(|values| values.iter().map(|value| around + of_one(value)).sum())
    }
}
