//! `ConnectError`: why a store could not be opened.

use std::path::PathBuf;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not one of a database that this build knows.
    #[error(
        "the address is not that of a supported database, such as sqlite://sessions.db, and its feature is on"
    )]
    UnknownAddress,

    /// A setting of [`ConnectOptions`](crate::ConnectOptions) makes no sense.
    #[error("the setting {0} must not be zero")]
    ZeroSetting(&'static str),

    /// A schema or a table prefix is not made of lower-case letters, digits and underscores, or is
    /// longer than 32 of them.
    #[error("a schema or table prefix may have 32 lower-case letters, digits and underscores")]
    UnusableName,

    /// A setting is for another kind of database than the address.
    #[error("the setting {0} does not exist for this database")]
    ForeignSetting(&'static str),

    /// The server keeps texts in an encoding other than UTF-8.
    #[error("the database keeps texts as {0}; make it with the encoding UTF8")]
    NotUnicode(String),

    /// Another process brings the schema up to date and does not come to an end.
    #[error("another process has been bringing the schema up to date for too long")]
    MigratedByAnother,

    /// The server is a replica, which lets nothing be written and may be behind, or the connection
    /// broke while it was asked.
    #[error("the server is not one that can be written to; name the primary in the address")]
    Replica(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// The pool's connections cut off what is too long instead of refusing it.
    #[error("the pool's connections must be opened with a strict sql_mode")]
    NotStrict,

    /// MySQL replicates the text of statements, which would not do the same on a replica.
    #[error("the server's binlog_format must be ROW or MIXED")]
    LogsStatements,

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

    /// The schema is older than what this version of the crate needs, or is not there, and
    /// [`Migrations::Require`](crate::Migrations::Require) leaves it to somebody else.
    #[error(
        "the schema has version {found} and needs {known}: apply the migrations \
         (ConnectOptions::migration_script, or `sessionctl migrate`)"
    )]
    SchemaBehind {
        /// The version in the database; 0 when there is none.
        found: i64,
        /// The version that is needed.
        known: i64,
    },

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

/// The transaction does not see the present.
#[derive(Debug, thiserror::Error)]
#[error(
    "the transaction is isolated more than READ COMMITTED, and may not see all sessions that it is to end"
)]
pub(crate) struct TooIsolated;

/// The transaction is not one of the store's database.
#[derive(Debug, thiserror::Error)]
#[error("the transaction is on another kind of database than the sessions")]
pub(crate) struct AnotherDatabase;
