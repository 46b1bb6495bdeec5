//! The last exchanges, for `lienthong why`. Bounded; the oldest goes first.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::Exchange;

/// The last exchanges.
#[derive(Debug)]
pub struct Recent {
    most: usize,
    exchanges: Mutex<VecDeque<Exchange>>,
}

impl Recent {
    /// Keeps at most `most` exchanges.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, exchanges: Mutex::new(VecDeque::new()) }
    }

    /// Adds a finished exchange.
    pub fn push(&self, exchange: Exchange) {
        if self.most == 0 {
            return;
        }
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if exchanges.len() >= self.most { exchanges.pop_front() } else { None };
        exchanges.push_back(exchange);
        drop(exchanges);
        // Its texts are freed outside the lock.
        drop(oldest);
    }

    /// Finds an exchange by its id.
    #[must_use]
    pub fn find(&self, request_id: &str) -> Option<Exchange> {
        let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.iter().rev().find(|e| e.request_id.as_str() == request_id).cloned()
    }
}
