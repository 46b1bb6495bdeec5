//! The result of a log-in with VNeID, which lives as long as the one transaction it was made for.

use std::fmt;

use lienthong_model::{reason::ReasonCode, sensitive::Sensitive};

use crate::{
    identifier::{CITIZEN_NUMBER, Identifier},
    statement::StatementError,
};

/// The result of a log-in. Whoever looks at it uses it up; what remains is that the minimum was met.
///
/// It cannot be copied, stored or sent on, and shows nothing.
///
/// It cannot be copied:
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<lienthong_consent::vneid::Authentication>();
/// ```
/// It cannot be serialised:
/// ```compile_fail,E0277
/// fn serialised<T: serde::Serialize>() {}
/// serialised::<lienthong_consent::vneid::Authentication>();
/// ```
/// It cannot be read from where somebody stored it:
/// ```compile_fail,E0277
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<lienthong_consent::vneid::Authentication>();
/// ```
/// What stands in it cannot be reached:
/// ```compile_fail,E0616
/// # use lienthong_model::sensitive::Sensitive;
/// # use lienthong_consent::vneid::Authentication;
/// let authentication = Authentication::new(Sensitive::new("079200000001".to_owned()), 2);
/// let kept = authentication.citizen;
/// ```
/// It ends when a statement is checked:
/// ```compile_fail,E0382
/// # use lienthong_consent::{statement::{Limits, Statement}, vneid::Authentication};
/// fn twice(one: Statement, other: Statement, limits: &Limits, authentication: Authentication) {
///     let _first = one.check_authenticated(limits, authentication, 2);
///     let _second = other.check_authenticated(limits, authentication, 2);
/// }
/// ```
// LAW: Decree 69/2024/ND-CP Art. 19.4, as we read it: the result of an authentication is neither
// given to another organisation nor used in another transaction.
pub struct Authentication {
    citizen: Sensitive<String>,
    level: u8,
}

impl Authentication {
    /// What VNeID said: who logged in, with an account of which level.
    #[must_use]
    pub fn new(citizen: Sensitive<String>, level: u8) -> Self {
        Self { citizen, level }
    }

    /// Ends it: was it this person, with an account of at least this level?
    pub(crate) fn end(self, person: &Identifier, minimum: u8) -> Result<(), StatementError> {
        let same = person.kind() == CITIZEN_NUMBER && person.expose() == self.citizen.expose();
        if !same {
            return Err(StatementError::schema("data_subject"));
        }
        if self.level < minimum {
            return Err(StatementError::new(ReasonCode::ConsentAccountLevel, "account_level"));
        }
        Ok(())
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication").finish_non_exhaustive()
    }
}
