//! What a login or a refresh hands out.

use std::{fmt, time::SystemTime};

use crate::{
    Session,
    clock::from_unix_ms,
    token::{AccessToken, RefreshToken},
};

/// The tokens that a client should hold from now on.
#[derive(Clone)]
pub struct Tokens {
    pub(crate) access_token: AccessToken,
    pub(crate) access_token_expires_at_ms: i64,
    pub(crate) front_token: String,
    pub(crate) refresh: Option<(RefreshToken, i64)>,
    pub(crate) anti_csrf_token: Option<String>,
}

impl Tokens {
    /// The access token.
    pub fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    /// When the access token expires.
    pub fn access_token_expires_at(&self) -> SystemTime {
        from_unix_ms(self.access_token_expires_at_ms)
    }

    /// What a front end may know: the value of the `front-token` header (wire §4.3).
    pub fn front_token(&self) -> &str {
        &self.front_token
    }

    /// The refresh token; `None` when only the access token was replaced.
    pub fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh.as_ref().map(|(token, _)| token)
    }

    /// When the refresh token expires, and the session with it.
    pub fn refresh_token_expires_at(&self) -> Option<SystemTime> {
        self.refresh_token_expires_at_ms().map(from_unix_ms)
    }

    pub(crate) fn refresh_token_expires_at_ms(&self) -> Option<i64> {
        self.refresh
            .as_ref()
            .map(|(_, expires_at_ms)| *expires_at_ms)
    }

    /// The anti-CSRF token, when the session has one.
    pub fn anti_csrf_token(&self) -> Option<&str> {
        self.anti_csrf_token.as_deref()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field(
                "access_token_expires_at_ms",
                &self.access_token_expires_at_ms,
            )
            .finish_non_exhaustive()
    }
}

/// A session that was just created or refreshed, with the tokens that its client must get.
#[derive(Debug, Clone)]
#[must_use = "without these tokens the client cannot use the session"]
pub struct IssuedSession {
    pub(crate) session: Session,
    pub(crate) tokens: Tokens,
}

impl IssuedSession {
    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Both.
    pub fn into_parts(self) -> (Session, Tokens) {
        (self.session, self.tokens)
    }
}
