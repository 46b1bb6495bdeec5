//! One turn of an event loop: what its exchanges have queued is written together.
//!
//! PERF: an entry that wakes the writer at once is written alone, for the writer runs before the next
//! exchange does. So the writer is woken when the loop has nothing more to do, or by whoever waits,
//! once the others that are ready have run. On other threads it is woken at once.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use lienthong_evidence::log::{AppendError, Log, Queued};
use tokio::runtime::Builder;

thread_local! {
    static HAS_TURNS: Cell<bool> = const { Cell::new(false) };
    static QUEUED_IN: RefCell<Option<Arc<Log>>> = const { RefCell::new(None) };
}

/// Has the loops of a runtime end their turns.
pub(crate) fn hear(runtime: &mut Builder) -> &mut Builder {
    runtime.on_thread_park(|| {
        HAS_TURNS.set(true);
        end();
    })
}

/// Has what was queued in this turn written.
pub(super) fn end() {
    if let Some(log) = QUEUED_IN.take() {
        log.wake();
    }
}

/// Queues an entry, to be written at the end of the turn.
pub(super) fn append(log: &Arc<Log>, entry: &[u8]) -> Result<Queued, AppendError> {
    if !HAS_TURNS.get() {
        return log.append(entry);
    }
    let queued = log.append_asleep(entry)?;
    QUEUED_IN.with_borrow_mut(|queued_in| match queued_in {
        Some(known) if Arc::ptr_eq(known, log) => {}
        // Another log, which happens in tests only.
        other => {
            if let Some(other) = other.replace(Arc::clone(log)) {
                other.wake();
            }
        }
    });
    Ok(queued)
}
