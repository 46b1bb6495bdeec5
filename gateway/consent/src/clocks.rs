//! Until when a request of a data subject has to be acknowledged and answered.
//!
//! Pure: a kind of request, the day it came, and the holidays go in; civil dates of Ho Chi Minh City
//! come out. The day a request comes does not count, and a deadline ends with its day. The decree
//! does not say whether its days of an answer are working days: calendar days are counted, which is
//! the stricter reading.

use jiff::{Timestamp, ToSpan as _, civil::Date};
use lienthong_model::clock::civil_date;
pub use lienthong_model::working_days::{Holidays, HolidaysError, end_of, is_over};
use serde::{Deserialize, Serialize};

use crate::rights::{Involved, RightKind};

/// Working days in which a request has to be acknowledged.
// LAW: Decree 356/2025/NĐ-CP Art. 5; the only clock of it that says working days.
pub const ACKNOWLEDGE_WORKING_DAYS: u32 = 2;

/// How long an answer to one kind of request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerClock {
    /// The kind.
    pub kind: RightKind,
    /// Days, where the controller acts alone.
    pub days: i32,
    /// Days, where a processor or third party has to act too.
    pub days_with_others: i32,
    /// Days of the one extension.
    pub extension: i32,
    /// Where it stands.
    pub cites: &'static str,
}

const fn clock(
    kind: RightKind,
    days: i32,
    days_with_others: i32,
    cites: &'static str,
) -> AnswerClock {
    // The one extension is as long as the time of a controller alone, for every kind.
    AnswerClock { kind, days, days_with_others, extension: days, cites }
}

const WITHDRAW: AnswerClock = clock(RightKind::Withdraw, 15, 20, "decree-356-2025#5");
const VIEW: AnswerClock = clock(RightKind::View, 10, 15, "decree-356-2025#5");
const CORRECT: AnswerClock = clock(RightKind::Correct, 10, 15, "decree-356-2025#5");
const DELETE: AnswerClock = clock(RightKind::Delete, 20, 30, "decree-356-2025#5");
const RESTRICT: AnswerClock = clock(RightKind::Restrict, 15, 20, "decree-356-2025#5");
const OBJECT: AnswerClock = clock(RightKind::Object, 15, 20, "decree-356-2025#5");

/// The clocks of all kinds.
// LAW: Decree 356/2025/NĐ-CP Art. 5.
pub const ANSWER_CLOCKS: [AnswerClock; 6] = [WITHDRAW, VIEW, CORRECT, DELETE, RESTRICT, OBJECT];

impl AnswerClock {
    /// The clock of a kind.
    #[must_use]
    pub fn of(kind: RightKind) -> Self {
        match kind {
            RightKind::Withdraw => WITHDRAW,
            RightKind::View => VIEW,
            RightKind::Correct => CORRECT,
            RightKind::Delete => DELETE,
            RightKind::Restrict => RESTRICT,
            RightKind::Object => OBJECT,
        }
    }

    /// Days of an answer, before any extension.
    #[must_use]
    pub fn days(&self, involved: Involved) -> i32 {
        match involved {
            Involved::ControllerAlone => self.days,
            Involved::OthersToo => self.days_with_others,
        }
    }
}

/// The last days on which something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// To acknowledge.
    pub acknowledge_by: Date,
    /// To answer.
    pub answer_by: Date,
}

impl Due {
    /// The deadlines of a request of this kind that came at this time.
    #[must_use]
    pub fn new(kind: RightKind, involved: Involved, at: Timestamp, holidays: &Holidays) -> Self {
        let came = civil_date(at);
        Self {
            acknowledge_by: holidays.after(came, ACKNOWLEDGE_WORKING_DAYS),
            answer_by: days_after(came, AnswerClock::of(kind).days(involved)),
        }
    }

    /// The same with the extension.
    #[must_use]
    pub fn extended(self, kind: RightKind) -> Self {
        Self { answer_by: days_after(self.answer_by, AnswerClock::of(kind).extension), ..self }
    }
}

/// So many calendar days after a day.
#[must_use]
pub fn days_after(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

#[cfg(test)]
mod tests;
