//! Where a database is. An address has no secret in it: a password comes by file.

use std::{
    fmt, fs,
    net::IpAddr,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use lienthong_model::{secret_file::is_private, sensitive::Sensitive};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither of the forms.
    #[error("must be `sqlite:FILE` or `postgres://USER@HOST/DATABASE`")]
    Form,
    /// Not the form of a server's.
    #[error("must be `postgres://USER@HOST/DATABASE`")]
    Server,
    /// It has a password in it.
    #[error("must not have a password in it: a password comes by file")]
    Password,
    /// The connection would go over a network in the clear, or to whoever answers.
    #[error("a database on another machine needs `sslmode=verify-full` and `sslrootcert=FILE`")]
    Clear,
}

/// Why a password cannot be had from its file. Says nothing about what is in it.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The file cannot be read.
    #[error("`{file}` cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("`{file}` lets others read a secret; run `chmod 600` on it")]
    Open {
        /// The file.
        file: PathBuf,
    },
}

/// Where a database is: SQLite in a file, or PostgreSQL.
#[derive(Debug, Clone)]
pub enum Address {
    /// A file, as it stands.
    Sqlite(PathBuf),
    /// A server.
    Postgres(ServerAddress),
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
        match text.strip_prefix("sqlite:") {
            Some("") => Err(AddressError::Form),
            Some(file) => Ok(Self::Sqlite(PathBuf::from(file))),
            None => match text.parse() {
                Ok(server) => Ok(Self::Postgres(server)),
                Err(AddressError::Server) => Err(AddressError::Form),
                Err(error) => Err(error),
            },
        }
    }

    /// The same, with a password.
    #[must_use]
    pub fn with_password(self, password: &Sensitive<String>) -> Self {
        match self {
            Self::Postgres(server) => Self::Postgres(server.with_password(password)),
            file @ Self::Sqlite(_) => file,
        }
    }

    /// The same, with the password in this file.
    ///
    /// # Errors
    /// When the file cannot be read, or by others than its owner.
    pub fn with_password_file(self, file: &Path) -> Result<Self, PasswordError> {
        Ok(self.with_password(&password(file)?))
    }
}

/// As it was written.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(server) => server.fmt(f),
        }
    }
}

/// A database on a PostgreSQL server.
#[derive(Clone)]
pub struct ServerAddress {
    text: String,
    options: Box<PgConnectOptions>,
}

impl ServerAddress {
    /// The same, with a password.
    #[must_use]
    pub fn with_password(self, password: &Sensitive<String>) -> Self {
        Self { options: Box::new(self.options.password(password.expose().trim_end())), ..self }
    }

    /// The same, with the password in this file.
    ///
    /// # Errors
    /// When the file cannot be read, or by others than its owner.
    pub fn with_password_file(self, file: &Path) -> Result<Self, PasswordError> {
        Ok(self.with_password(&password(file)?))
    }

    /// How to connect.
    pub fn options(&self) -> PgConnectOptions {
        (*self.options).clone()
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    /// Reads `postgres://…`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Ok(Self { text: text.to_owned(), options: Box::new(postgres(text)?) })
    }
}

/// As it was written.
impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerAddress").field(&self.text).finish()
    }
}

fn password(file: &Path) -> Result<Sensitive<String>, PasswordError> {
    let unreadable = |source| PasswordError::Unreadable { file: file.to_owned(), source };
    let metadata = fs::metadata(file).map_err(unreadable)?;
    if !is_private(metadata.mode(), metadata.uid(), metadata.gid()) {
        return Err(PasswordError::Open { file: file.to_owned() });
    }
    fs::read_to_string(file).map(Sensitive::new).map_err(unreadable)
}

fn postgres(text: &str) -> Result<PgConnectOptions, AddressError> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let rest = rest.ok_or(AddressError::Server)?;
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
    let options = PgConnectOptions::from_str(text).map_err(|_| AddressError::Server)?;
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
