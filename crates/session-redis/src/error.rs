//! `ConnectError`: why a server could not be used, and the errors that a store wraps.

/// Why a server could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not one of Redis, or asks for TLS without the feature `tls`.
    #[error("the address is not that of a Redis server, such as redis://localhost:6379")]
    Address(#[source] Box<dyn std::error::Error + Send + Sync>),

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
