//! `ConnectError`: why a server could not be used, and the errors that a store wraps.

/// Why a server could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not one of Redis, or asks for TLS without the feature `tls`.
    #[error("the address is not that of a Redis server, such as redis://localhost:6379")]
    Address(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A cluster was named without any of its nodes.
    #[error("a cluster is known by the address of one of its nodes, or of several")]
    NoNode,

    /// A certificate was given for a connection that shows and asks for none.
    #[error("certificates take an address of TLS, such as rediss://localhost:6379")]
    NotOverTls,

    /// There is no certificate in what was given as one.
    #[error("the {0} has no certificate in it: it is to be PEM")]
    NoCertificate(&'static str),

    /// A certificate, or the key of one, cannot be used.
    #[error("the certificates cannot be used")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A setting of [`ConnectOptions`](crate::ConnectOptions) makes no sense.
    #[error("the setting {0} must not be zero")]
    ZeroSetting(&'static str),

    /// A prefix is empty, longer than 32 characters, or has others than lower-case letters, digits,
    /// `_`, `-`, `.` and `:`.
    #[error("a prefix has 1 to 32 lower-case letters, digits, '_', '-', '.' and ':'")]
    UnusablePrefix,

    /// The server did not answer, or refused.
    #[error("the Redis server cannot be used")]
    Server(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The server did not answer within the store's own timeout.
#[derive(Debug, thiserror::Error)]
#[error("no answer in time")]
pub(crate) struct TimedOut;

/// The server's memory is another than a moment ago.
#[derive(Debug, thiserror::Error)]
#[error("the server has lost what it held; revocations may be missing that nobody can name")]
pub(crate) struct MemoryLost;
