//! The rate at which a platform may be asked, shared by everything that is said to it.
//!
//! A message is admitted before it is claimed; an errand (a log-in, a file, a number, a look-up, a
//! page of a list) waits for its turn when it comes to it. Errands stand in one line, and where there
//! is less than both sides want they take turns with the messages, so that neither starves the
//! other: half of the rate is each one's for as long as it asks for it.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::SignedDuration;
use lienthong_model::clock::Clock;

/// Calls per second and at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateConfig {
    /// Calls per second over time.
    pub per_second: NonZeroU32,
    /// Calls at once after a rest.
    pub burst: NonZeroU32,
}

/// Longest wait of an errand for its turn.
pub(crate) const LONGEST_TURN: Duration = Duration::from_secs(30);
/// How long a side that was told to wait may be late, before what is left for it is the other's.
const GRACE: i128 = SECOND;
const SECOND: i128 = 1_000_000_000;

/// An errand waited in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoTurn;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Messages,
    Errands,
}

/// The rate of a platform.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Nanoseconds from one call to the next, and of all calls that may be made at once.
    interval: i128,
    allowance: i128,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Where errands stand: whoever has it is the first.
    line: tokio::sync::Mutex<()>,
}

/// What was given out. Instants are nanoseconds.
#[derive(Debug)]
struct State {
    /// When all that was given out is paid for.
    paid: i128,
    last: Side,
    /// Until when something is left for a side that was told to wait.
    messages: i128,
    errands: i128,
}

impl State {
    fn wants(&mut self, side: Side) -> &mut i128 {
        match side {
            Side::Messages => &mut self.messages,
            Side::Errands => &mut self.errands,
        }
    }
}

impl Rate {
    pub(crate) fn new(config: RateConfig, clock: Arc<dyn Clock>) -> Self {
        let interval = SECOND / i128::from(config.per_second.get());
        let never = i128::MIN;
        let state = State { paid: never, last: Side::Errands, messages: never, errands: never };
        Self {
            interval,
            allowance: interval * i128::from(config.burst.get()),
            clock,
            state: Mutex::new(state),
            line: tokio::sync::Mutex::new(()),
        }
    }

    /// How many of `wanted` messages may be tried now, and how long the next must wait when not all
    /// may.
    pub(crate) fn admit(&self, wanted: u32) -> (u32, Option<Duration>) {
        for admitted in 0..wanted {
            if let Err(wait) = self.take(Side::Messages) {
                return (admitted, Some(wait));
            }
        }
        (wanted, None)
    }

    /// Waits for the turn of an errand, which is one call: at most [`LONGEST_TURN`].
    pub(crate) async fn turn(&self) -> Result<(), NoTurn> {
        let longest = SignedDuration::try_from(LONGEST_TURN).unwrap_or(SignedDuration::MAX);
        let begun = self.clock.now();
        let _first = self.line.lock().await;
        while let Err(wait) = self.take(Side::Errands) {
            let waited = self.clock.now().duration_since(begun);
            if waited >= longest {
                return Err(NoTurn);
            }
            // Short, so that a clock that is set is noticed.
            tokio::time::sleep(wait.clamp(Duration::from_millis(1), Duration::from_secs(1))).await;
        }
        Ok(())
    }

    /// Takes one call for a side, or tells how long it must wait.
    fn take(&self, side: Side) -> Result<(), Duration> {
        let now = self.clock.now().as_nanosecond();
        let most = now + self.allowance;
        let mut state = self.state();
        // Never behind the present, and never so far ahead as only a clock that was set back can be.
        let paid = state.paid.clamp(now, most) + self.interval;
        let other = match side {
            Side::Messages => Side::Errands,
            Side::Errands => Side::Messages,
        };
        let yields = state.last == side && now < *state.wants(other);
        let needed = if yields { paid + self.interval } else { paid };
        if needed > most {
            let wait = needed - most;
            *state.wants(side) = now + wait + GRACE;
            return Err(Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX)));
        }
        *state.wants(side) = i128::MIN;
        (state.paid, state.last) = (paid, side);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
