//! What the service says when it cannot say yes.

use std::{borrow::Cow, time::Duration};

use crate::{
    claims::{ClaimError, ClaimFetchError},
    ids::{InvalidId, SessionHandle, UserId},
    keys::{InvalidAtRestSecret, KeyError},
    payload::{InvalidPayload, Payload},
    random::NoRandomness,
    store::StoreError,
    token::{MintError, TokenRejection},
};

/// What a client should do with the tokens it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum ClientTokens {
    /// Drop them: the session they belong to is over.
    Clear,
    /// Keep them: they were not looked at, and another request may be using them (wire §6, row 3).
    Keep,
}

/// What was done about cookies of ours that a browser sent twice (wire §4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum DuplicateCookies {
    /// Nothing: which domain the older ones were set for is not configured. 500, wire case 42.
    Unresolved,
    /// The ones of the older domain are cleared by this answer; the next refresh will work. 200.
    Cleared,
}

/// Why a session was refused, could not be judged or could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The access token no longer serves; a refresh may help. 401 `try refresh token`; tokens are
    /// never cleared.
    #[error("the access token must be refreshed")]
    TryRefreshToken(#[source] TokenRejection),

    /// There is no session. 401 `unauthorised`.
    #[error("there is no valid session")]
    Unauthorised(ClientTokens),

    /// A refresh token was used again after its time, so two parties hold the session's tokens.
    /// The session is already revoked. 401 `token theft detected`; tokens are cleared.
    #[error("a refresh token was used again: the session has been revoked")]
    TokenTheftDetected {
        /// Whose session it was.
        user: UserId,
        /// The session that was revoked.
        handle: SessionHandle,
    },

    /// The session is valid but its claims do not meet what the route asks for. 403.
    #[error("the session's claims do not meet what is asked for")]
    InvalidClaims(Vec<ClaimError>),

    /// The client sent one of our cookies twice with its refresh.
    #[error("a session cookie was sent more than once")]
    DuplicateCookies(DuplicateCookies),

    /// The application's claims cannot be put into a token. 400.
    #[error("the payload is not acceptable")]
    InvalidPayload(#[from] InvalidPayload),

    /// The application's own data about a session has too many bytes. 400.
    #[error("the session data has {length} bytes, more than the {limit} allowed", limit = Payload::MAX_BYTES)]
    DataTooLong {
        /// The length of the JSON text in bytes.
        length: usize,
    },

    /// A text is no identifier. 400.
    #[error("an identifier is not acceptable")]
    InvalidId(#[from] InvalidId),

    /// The value of a claim could not be fetched, so nothing is known. 503.
    #[error("the value of a claim could not be fetched")]
    ClaimFetch(#[source] ClaimFetchError),

    /// The backend did not answer, so nothing is known. 503 with `Retry-After`, never 401: a 401
    /// would make clients throw their session away.
    #[error("the session backend did not answer")]
    Unavailable(#[source] BackendError),

    /// The head of the response has been sent, so its cookies and headers can no longer change.
    #[error("the response has been started: the session's tokens can no longer change")]
    ResponseStarted,

    /// The adapter's layer is not there.
    #[error("the session layer is missing: add `{line}`")]
    MissingLayer {
        /// The line to add to the application.
        line: &'static str,
    },
}

impl SessionError {
    /// A name for metrics: what kind of refusal this is.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::TryRefreshToken(_) => "try_refresh_token",
            Self::Unauthorised(_) => "unauthorised",
            Self::TokenTheftDetected { .. } => "token_theft_detected",
            Self::InvalidClaims(_) => "invalid_claims",
            Self::DuplicateCookies(_) => "duplicate_cookies",
            Self::InvalidPayload(_) | Self::DataTooLong { .. } | Self::InvalidId(_) => "bad_input",
            Self::ClaimFetch(_) | Self::Unavailable(_) => "unavailable",
            Self::ResponseStarted | Self::MissingLayer { .. } => "misuse",
        }
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(BackendError::Store(error))
    }
}

impl From<NoRandomness> for SessionError {
    fn from(error: NoRandomness) -> Self {
        Self::Unavailable(BackendError::Randomness(error))
    }
}

impl From<MintError> for SessionError {
    fn from(error: MintError) -> Self {
        match error {
            MintError::TooLong { .. } => Self::InvalidPayload(InvalidPayload::TokenTooLong),
            error => Self::Unavailable(BackendError::Signing(error)),
        }
    }
}

impl From<KeyError> for SessionError {
    fn from(error: KeyError) -> Self {
        Self::Unavailable(BackendError::Keys(error))
    }
}

/// Why whoever owns the sessions gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// The session store did not answer.
    #[error("the session store did not answer")]
    Store(#[source] StoreError),

    /// The keys could not be read or made.
    #[error("the keys are not available")]
    Keys(#[source] KeyError),

    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Randomness(#[source] NoRandomness),

    /// An access token could not be made.
    #[error("the access token could not be made")]
    Signing(#[source] MintError),

    /// A change was tried as often as is reasonable and somebody else was faster each time.
    #[error("the session was changed by others {attempts} times in a row")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },

    /// The node is not in the registry of its store, so it is not known which nodes there are.
    #[error("this node has no place in the registry of nodes")]
    Unregistered,

    /// Sessions are ended some at a time where there are many, and a later part was not confirmed.
    #[error("{} sessions were ended, and no others are known to be", ended.len())]
    RevokedInPart {
        /// What this call ended for good, and no later one reports again.
        ended: Vec<SessionHandle>,
        /// Why it could not go on.
        #[source]
        cause: Box<BackendError>,
    },

    /// This machine's clock and the database's differ, so that what is written or deleted by this
    /// one would be wrong.
    #[error("this machine's clock and the database's are {offset:?} apart")]
    ClocksDiffer {
        /// How far.
        offset: Duration,
    },

    /// The blacklist has not heard from its feed for longer than allowed and the store does not
    /// answer either.
    #[error("the blacklist {} and the session store does not answer", in_words(*age))]
    BlacklistStale {
        /// How old the blacklist is; `None` when it has never been complete.
        age: Option<Duration>,
        /// Why the store did not answer.
        #[source]
        store: Box<BackendError>,
    },
}

/// Why [`Sessions`](crate::Sessions) could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting is missing, malformed or contradicts another.
    #[error("the configuration is not acceptable")]
    Config(#[from] crate::config::ConfigError),

    /// The claims that were registered contradict each other.
    #[error("the registered claims are not acceptable")]
    Claims(#[from] crate::claims::ClaimRegistrationError),

    /// No session store was given.
    #[error("no session store was given: call `.store(…)` on the builder")]
    NoStore,

    /// The keys could not be read or made.
    #[error("the keys are not available")]
    Keys(#[from] KeyError),

    /// An at-rest secret cannot be used.
    #[error("an at-rest secret cannot be used")]
    AtRestSecret(#[from] InvalidAtRestSecret),

    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Randomness(#[from] NoRandomness),
}

/// How old the blacklist is, after "the blacklist".
pub(crate) fn in_words(age: Option<Duration>) -> Cow<'static, str> {
    match age {
        Some(age) => format!("is {age:?} old").into(),
        None => "was never complete".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Design §7: a set that no feed has filled yet has no age, not that of the universe.
    #[test]
    fn a_blacklist_that_was_never_complete_has_no_age() {
        let stale = |age| {
            let store = Box::new(BackendError::Contended { attempts: 4 });
            BackendError::BlacklistStale { age, store }.to_string()
        };
        assert_eq!(
            stale(None),
            "the blacklist was never complete and the session store does not answer"
        );
        assert_eq!(
            stale(Some(Duration::from_secs(6))),
            "the blacklist is 6s old and the session store does not answer"
        );
    }
}
