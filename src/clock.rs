//! The one real clock. Everything else takes time as an argument.

use std::sync::Arc;

use jiff::Timestamp;
use lienthong_model::clock::Clock;

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time enters the program")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The machine's clock.
pub(crate) fn system() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
