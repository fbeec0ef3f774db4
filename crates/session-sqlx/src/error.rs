//! `ConnectError`: why a store could not be opened.

use std::path::PathBuf;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not one of a database that this build knows.
    #[error("the address is not that of a supported database, such as sqlite://sessions.db")]
    UnknownAddress,

    /// A setting of [`ConnectOptions`](crate::ConnectOptions) makes no sense.
    #[error("the setting {0} must not be zero")]
    ZeroSetting(&'static str),

    /// The database file could neither be opened nor made.
    #[error("the database file {} cannot be opened or made; does its folder exist?", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },

    /// The file does not take a write-ahead log, as on a network mount, so nothing could be
    /// promised about what is written to it.
    #[error(
        "the database keeps a journal of mode {0} instead of a write-ahead log; is it on a local disk?"
    )]
    NoWriteAheadLog(String),

    /// The pool's connections return from a commit before it is on the disk.
    #[error("the pool's connections must be opened with synchronous = FULL")]
    NotDurable,

    /// The schema was made by a later version of this crate, whose rows this one may not
    /// understand.
    #[error("the schema has version {found}, and this version of session-sqlx knows {known}")]
    SchemaTooNew {
        /// The version in the database.
        found: i64,
        /// The latest version known here.
        known: i64,
    },

    /// The database did not answer, or refused.
    #[error("the database cannot be opened")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<sqlx::Error> for ConnectError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Box::new(error))
    }
}
