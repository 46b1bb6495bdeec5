//! The rules for a consent that need no policy (PDPL 91/2025 Art. 9 and 24, Decree 356/2025 Art. 6).

use std::fmt;

use jiff::civil::Date;
use lienthong_model::reason::ReasonCode;

use super::{AccountLevel, Channel, Decision, Statement, StatementError};
use crate::vneid::Authentication;

/// From this age on a child agrees beside the representative.
// LAW: PDPL 91/2025 Art. 24.2.
const CHILD_AGREES_FROM: i16 = 7;

/// What a statement is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The civil date.
    pub today: Date,
    /// The longest period.
    pub max_days: u32,
    /// Below which age somebody else consents too. The text of the law that we have is not certain
    /// about it.
    pub child_under: u8,
}

impl Limits {
    /// The age that is taken where nothing else is set.
    pub const CHILD_UNDER: u8 = 16;
}

/// A statement that keeps the rules. The date of birth is no longer in it.
#[derive(Clone)]
pub struct Checked {
    statement: Statement,
    hash: [u8; 32],
    child: bool,
}

impl Checked {
    /// The statement.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// [`Statement::hash`] of the statement as it was made.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Whether the person is a child, or may be one for all that is known.
    #[must_use]
    pub fn is_child(&self) -> bool {
        self.child
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statement.fmt(f)
    }
}

impl Statement {
    /// Checks it.
    ///
    /// A refusal counts whoever makes it and however long it is meant to hold: in doubt it is no.
    ///
    /// # Errors
    /// With the first rule that it breaks.
    pub fn check(mut self, limits: &Limits) -> Result<Checked, StatementError> {
        let hash = self.hash();
        let unmet = self.given.channel == Channel::Vneid && self.account_level.is_none();
        if unmet {
            return Err(StatementError::new(ReasonCode::ConsentAccountLevel, "account_level"));
        }
        let age = self.age(limits.today);
        let child = age.is_none_or(|age| age.at_least < i16::from(limits.child_under));
        if self.decision == Decision::Give {
            self.check_period(limits)?;
            self.check_age(age, child)?;
        }
        self.birth_date = None;
        Ok(Checked { statement: self, hash, child })
    }

    /// Checks a statement that the person made right after logging in. The result of the log-in ends
    /// here.
    ///
    /// # Errors
    /// When somebody else logged in, the account is below the minimum level, or a rule is broken.
    pub fn check_authenticated(
        mut self,
        limits: &Limits,
        authentication: Authentication,
        minimum: u8,
    ) -> Result<Checked, StatementError> {
        self.account_level = None;
        authentication.end(&self.data_subject, minimum)?;
        self.account_level = Some(AccountLevel::Met);
        self.check(limits)
    }

    fn check_period(&self, limits: &Limits) -> Result<(), StatementError> {
        let past = self.period.until < limits.today;
        if past || self.period.days() > i64::from(limits.max_days) {
            return Err(StatementError::schema("period"));
        }
        Ok(())
    }

    fn check_age(&self, age: Option<Age>, child: bool) -> Result<(), StatementError> {
        let required =
            |field| StatementError::new(ReasonCode::ConsentRepresentativeRequired, field);
        // An age that nothing tells could be any.
        let Some(age) = age else { return Err(StatementError::schema("birth_date")) };
        if !child {
            return Ok(());
        }
        let Some(representative) = &self.representative else {
            return Err(required("representative"));
        };
        if representative.identifier == self.data_subject {
            return Err(required("representative"));
        }
        if age.at_most >= CHILD_AGREES_FROM && self.child_agreed != Some(true) {
            return Err(required("child_agreed"));
        }
        Ok(())
    }

    /// By the date of birth, or by the year that a citizen number tells.
    fn age(&self, today: Date) -> Option<Age> {
        if let Some(born) = self.birth_date {
            let had = (today.month(), today.day()) >= (born.month(), born.day());
            let age = today.year() - born.year() - i16::from(!had);
            return (0..=150).contains(&age).then_some(Age { at_least: age, at_most: age });
        }
        let most = today.year().checked_sub(self.data_subject.birth_year()?)?;
        (0..=150).contains(&most).then_some(Age { at_least: most - 1, at_most: most })
    }
}

/// How old somebody is, in full years.
#[derive(Clone, Copy)]
struct Age {
    at_least: i16,
    at_most: i16,
}
