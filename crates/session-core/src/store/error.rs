//! `StoreError`: why a store gave no answer.

/// Why a store gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database did not answer, or not in time; what was asked may have happened.
    #[error("the session store did not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A row cannot be read back.
    #[error("the session store holds an unreadable {0}")]
    Corrupt(&'static str),

    /// More handles than [`MAX_HANDLES`](super::SessionScope::MAX_HANDLES) were named in one call.
    #[error("too many session handles in one call")]
    TooManyHandles,
}
