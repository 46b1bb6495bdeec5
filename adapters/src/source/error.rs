//! Why a source cannot be read. Names files, tables and columns, never a value: what a database says
//! of a failure may quote one, so only its code is told.

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("file `{0}` does not exist")]
    Missing(String),
    #[error("table `{0}` does not exist, or may not be read")]
    NoTable(String),
    #[error("table `{table}` has no column `{column}`, or it may not be read")]
    NoColumn { table: String, column: String },
    #[error("column `{column}` of table `{table}` was `{was}` and is now `{is}`")]
    Changed { table: String, column: String, was: String, is: String },
    #[error("column `{column}` of table `{table}` is of type `{kind}`, which is not read")]
    Unreadable { table: String, column: String, kind: String },
    #[error("column `{column}` of table `{table}` {problem}")]
    Unfit { table: String, column: String, problem: &'static str },
    #[error("the mark of this flow is not one of this source; `adapters backfill` makes a new one")]
    Mark,
    #[error("{0}")]
    Replaced(&'static str),
    #[error("file `{file}` {problem}")]
    File { file: String, problem: String },
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("durable state: {0}")]
    Store(lienthong_store::StoreError),
}

impl SourceError {
    /// Whether the same may succeed later without anybody doing something.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if error.transient)
    }
}

impl From<sqlx::Error> for SourceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// What a database did not do, in our words.
#[derive(Debug, thiserror::Error)]
#[error("database {problem}")]
pub(crate) struct DatabaseError {
    problem: String,
    transient: bool,
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        let (problem, transient) = match &error {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                let (words, transient) = words(&code);
                (format!("{words} (code `{code}`)"), transient)
            }
            sqlx::Error::Io(error) => {
                match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                    Some(error) => {
                        // A session that broke off is not one that was refused.
                        let refused = matches!(error, rustls::Error::InvalidCertificate(_));
                        (tls(error).to_owned(), !refused)
                    }
                    None => (format!("cannot be reached: {}", error.kind()), true),
                }
            }
            sqlx::Error::Tls(error) if error.to_string().contains("does not support TLS") => {
                ("speaks no TLS, which is asked for".to_owned(), false)
            }
            sqlx::Error::Tls(_) => ("is not who it should be: TLS failed".to_owned(), false),
            sqlx::Error::PoolTimedOut => ("gave no connection in time".to_owned(), true),
            sqlx::Error::Configuration(_) => ("cannot be connected to as set".to_owned(), false),
            sqlx::Error::Protocol(_) => ("answered out of turn".to_owned(), true),
            sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
                ("gave fewer columns than asked for".to_owned(), false)
            }
            _ => ("failed".to_owned(), false),
        };
        Self { problem, transient }
    }
}

/// Why a server was not believed.
fn tls(error: &rustls::Error) -> &'static str {
    use rustls::{CertificateError as Bad, Error::InvalidCertificate};
    match error {
        // One of an anchor's own name that it has not signed has a bad signature.
        InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => {
            "is not who it should be: no anchor that is trusted has signed its certificate"
        }
        InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "is not who it should be: its certificate is for another name"
        }
        InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            "is not who it should be: its certificate has expired"
        }
        _ => "is not who it should be: TLS failed",
    }
}

impl DatabaseError {
    /// Whether the same may succeed later without anybody doing something.
    pub(crate) fn is_transient(&self) -> bool {
        self.transient
    }
}

/// What a code means; whether it may pass. SQLSTATE, and the numbers that SQLite has instead.
fn words(code: &str) -> (&'static str, bool) {
    match code {
        "42501" | "42000" => ("does not permit it", false),
        "25006" | "8" | "1290" => ("is open for reading only", false),
        "57014" | "70100" => ("took too long over a statement", true),
        "13" => ("has no space left", true),
        "5" | "6" => ("is locked", true),
        "10" | "14" => ("cannot read its file", true),
        code if code.starts_with("28") => ("refuses the user or the password", false),
        code if code.starts_with("08") || code.starts_with("57P") => ("is going away", true),
        code if code.starts_with("53") => ("has no room left", true),
        code if code.starts_with("40") => ("gave up because of others at work", true),
        code if code.starts_with("3D") => ("does not have what is named", false),
        _ => ("failed", false),
    }
}
