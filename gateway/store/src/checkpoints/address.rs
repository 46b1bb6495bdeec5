//! Where a database of checkpoints is. An address has no secret in it: a password comes by file.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr as _};

use lienthong_model::sensitive::Sensitive;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither of the forms.
    #[error("must be `sqlite:FILE` or `postgres://USER@HOST/DATABASE`")]
    Form,
    /// It has a password in it.
    #[error("must not have a password in it: a password comes by file")]
    Password,
    /// The connection would go over a network in the clear, or to whoever answers.
    #[error("a database on another machine needs `sslmode=verify-full` and `sslrootcert=FILE`")]
    Clear,
}

#[derive(Clone)]
enum Kind {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

/// Where a database of checkpoints is.
#[derive(Clone)]
pub struct Address {
    text: String,
    kind: Kind,
}

impl Address {
    /// Whether this text is meant as an address of a database.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| text.starts_with(scheme))
    }

    /// Reads `sqlite:FILE`, the file as it stands, or `postgres://…`.
    ///
    /// # Errors
    /// When it is neither, has a password, or leads to another machine unprotected.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let kind = match text.strip_prefix("sqlite:") {
            Some("") => return Err(AddressError::Form),
            Some(file) => Kind::Sqlite(PathBuf::from(file)),
            None => Kind::Postgres(Box::new(postgres(text)?)),
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    /// The same, with a password.
    #[must_use]
    pub fn with_password(self, password: &Sensitive<String>) -> Self {
        let kind = match self.kind {
            Kind::Postgres(options) => {
                Kind::Postgres(Box::new(options.password(password.expose().trim_end())))
            }
            file => file,
        };
        Self { kind, ..self }
    }

    /// The file, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        match &self.kind {
            Kind::Sqlite(file) => Some(file),
            Kind::Postgres(_) => None,
        }
    }

    /// How to connect, where it is a server.
    pub(super) fn server(&self) -> Option<&PgConnectOptions> {
        match &self.kind {
            Kind::Postgres(options) => Some(options),
            Kind::Sqlite(_) => None,
        }
    }
}

/// As it was written.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.text).finish()
    }
}

fn postgres(text: &str) -> Result<PgConnectOptions, AddressError> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let rest = rest.ok_or(AddressError::Form)?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    // A key that is written in another way than plainly may be the one.
    let hides = |pair: &str| {
        let key = pair.split('=').next().unwrap_or_default();
        key == "password" || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let secret = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
        || query.split('&').any(hides);
    if secret {
        return Err(AddressError::Password);
    }
    let options = PgConnectOptions::from_str(text).map_err(|_| AddressError::Form)?;
    let host = options.get_host();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let here = options.get_socket().is_some()
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback());
    if !here && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        return Err(AddressError::Clear);
    }
    Ok(options)
}
