//! `Failure`: why a command did not do what it was told to, and the code that the process ends with.

use std::{io, path::PathBuf, process::ExitCode};

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No database was named.
    #[error(
        "which database? Set SESSION_DATABASE_URL, or name it with --database or --database-file"
    )]
    NoDatabase,

    /// A password in an argument is there for every user of the machine to see.
    #[error(
        "an address with a password belongs into SESSION_DATABASE_URL or a file \
         (--database-file): every user of this machine can read a program's arguments"
    )]
    PasswordInArguments,

    /// An at-rest secret was not given as a name and a value.
    #[error("an at-rest secret is given as NAME={0}")]
    SecretForm(&'static str),

    /// A secret that is said to be Base64 is not.
    #[error("the at-rest secret {0} begins with \"base64:\" and is not Base64")]
    NotBase64(String),

    /// A certificate was named without its key, or a key without its certificate.
    #[error("SESSION_REDIS_CLIENT_CERTIFICATE and SESSION_REDIS_CLIENT_KEY go together")]
    HalfACertificate,

    /// Something would happen that cannot be taken back, and nobody can be asked.
    #[error("{0} Say so with --yes, for there is no terminal to ask on.")]
    Unconfirmed(String),

    /// A schema was named where there are none.
    #[error("Redis has no schema: --schema has no meaning there")]
    NoSchema,

    /// A schema was to be brought up to date where there are none.
    #[error("Redis has no schema: there is nothing to migrate")]
    NothingToMigrate,

    /// A file with an address, a secret or a certificate cannot be read.
    #[error("the file {} cannot be read", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// Somebody was asked and did not agree.
    #[error("nothing was done")]
    Declined,

    /// There is no such session.
    #[error("there is no live session with this handle")]
    NoSession,

    /// There is no such key.
    #[error("there is no key with this id")]
    NoKey,

    /// There is no key that a new one could be made like.
    #[error("no signing key tells how large the new one has to be: say so with --bits")]
    NoKeySize,

    /// The database cannot be opened.
    #[error("the sessions cannot be opened")]
    Sql(#[from] session_sqlx::ConnectError),

    /// The Redis server cannot be used.
    #[error("the sessions cannot be opened")]
    Redis(#[from] session_redis::ConnectError),

    /// The settings, such as an at-rest secret, cannot be used.
    #[error("the settings cannot be used")]
    Settings(#[from] session_core::BuildError),

    /// The operation failed; whether it was done is unknown where it says so.
    #[error("the operation failed, or was not confirmed")]
    Operation(#[from] session_core::SessionError),

    /// The system let nothing be printed or run.
    #[error("the result cannot be written")]
    Output(#[from] io::Error),
}

impl Failure {
    /// The process's own verdict.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoDatabase
            | Self::PasswordInArguments
            | Self::SecretForm(_)
            | Self::NotBase64(_)
            | Self::HalfACertificate
            | Self::Unconfirmed(_)
            | Self::NoSchema
            | Self::NothingToMigrate => ExitCode::from(USAGE),
            Self::File { .. }
            | Self::Declined
            | Self::NoSession
            | Self::NoKey
            | Self::NoKeySize
            | Self::Sql(_)
            | Self::Redis(_)
            | Self::Settings(_)
            | Self::Operation(_)
            | Self::Output(_) => ExitCode::FAILURE,
        }
    }
}

/// As clap's own.
const USAGE: u8 = 2;
