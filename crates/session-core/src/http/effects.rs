//! What a request does to its client's tokens, collected until the head of the response is made
//! (wire §4.4).
//!
//! One slot per cookie and per header, so a response never has two of a name (security E13); what
//! was asked for last holds.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::HeaderMap;

use crate::{
    clock::Clock,
    config::SessionConfig,
    error::SessionError,
    http::{TransferMethod, limits, response_head},
    issued::Tokens,
    token::{AccessToken, RefreshToken},
};

/// What will be done to the client's tokens when the head of the response is made.
#[derive(Default)]
pub(super) struct Effects(Mutex<Pending>);

/// Which session of a request somebody speaks for; see [`Effects::supersede`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Login(u64);

/// Which of the client's tokens to clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClearTokens {
    /// Those in cookies.
    Cookie,
    /// Those that the client keeps itself.
    Header,
    /// All there may be.
    Both,
}

impl ClearTokens {
    /// Those of the other method.
    pub(super) fn besides(method: TransferMethod) -> Self {
        match method {
            TransferMethod::Cookie => Self::Header,
            TransferMethod::Header => Self::Cookie,
        }
    }
}

impl From<TransferMethod> for ClearTokens {
    fn from(method: TransferMethod) -> Self {
        match method {
            TransferMethod::Cookie => Self::Cookie,
            TransferMethod::Header => Self::Header,
        }
    }
}

impl Effects {
    /// For a session that takes the place of the request's: what earlier sessions still do to the
    /// client's tokens no longer counts, so that ending the old session after a login does not take
    /// the new one's tokens away.
    pub(super) fn supersede(&self) -> Login {
        let mut pending = self.lock();
        pending.login.0 += 1;
        pending.login
    }

    /// Whether the client's tokens can still change.
    pub(super) fn ensure_open(&self) -> Result<(), SessionError> {
        if self.lock().sealed {
            Err(SessionError::ResponseStarted)
        } else {
            Ok(())
        }
    }

    /// Gives the client these tokens. A refresh or anti-CSRF token given earlier stays when there
    /// is no new one.
    pub(super) fn attach(
        &self,
        login: Login,
        tokens: &Tokens,
        method: TransferMethod,
        config: &SessionConfig,
    ) -> Result<(), SessionError> {
        limits::ensure_fits(config, tokens, method)?;
        let mut pending = self.lock();
        if pending.sealed {
            return Err(SessionError::ResponseStarted);
        }
        if pending.login != login {
            return Ok(());
        }
        if pending.is_cleared_by(login, method) {
            // The session has been ended meanwhile: that stands (security E13).
            return Ok(());
        }
        let slot = pending.slot(method);
        let earlier = match slot.take() {
            Some(Change::Set { refresh, .. }) => refresh,
            Some(Change::Clear) | None => None,
        };
        let refresh = tokens
            .refresh_token()
            .cloned()
            .zip(tokens.refresh_token_expires_at_ms());
        *slot = Some(Change::Set {
            access: tokens.access_token().clone(),
            refresh: refresh.or(earlier),
        });
        pending.front_token = Some(Front::Token(tokens.front_token().to_owned()));
        if let Some(anti_csrf) = tokens.anti_csrf_token() {
            pending.anti_csrf = Some(anti_csrf.to_owned());
        }
        Ok(())
    }

    /// Takes tokens away from the client, those given earlier in this request included.
    pub(super) fn clear(&self, login: Login, which: ClearTokens) -> Result<(), SessionError> {
        let mut pending = self.lock();
        if pending.sealed {
            return Err(SessionError::ResponseStarted);
        }
        if pending.login == login {
            pending.clear(which);
            pending.cleared_by = Some(login);
        }
        Ok(())
    }

    /// Takes all tokens away, whichever session gave them: for a refusal.
    pub(super) fn clear_for_refusal(&self) {
        let mut pending = self.lock();
        if !pending.sealed {
            pending.clear(ClearTokens::Both);
        }
    }

    /// Removes the cookie of an older protocol (wire case 43).
    pub(super) fn clear_legacy_cookie(&self) {
        self.lock().legacy = true;
    }

    /// Removes cookies that were set for the older cookie domain (wire §4.7).
    pub(super) fn clear_older_cookies(&self, older: OlderCookies) {
        self.lock().older = older;
    }

    /// Writes what was collected into the head of a response; from then on nothing can change.
    pub(super) fn write(&self, headers: &mut HeaderMap, config: &SessionConfig, clock: &dyn Clock) {
        let mut pending = self.lock();
        if pending.sealed || pending.is_empty() {
            pending.sealed = true;
            return;
        }
        response_head::write(&pending, config, clock.now(), headers);
        *pending = Pending {
            sealed: true,
            ..Pending::default()
        };
    }

    /// Ends the collecting when there is nothing to write; whether there is nothing.
    pub(super) fn seal_if_nothing_is_pending(&self) -> bool {
        let mut pending = self.lock();
        pending.sealed |= pending.is_empty();
        pending.sealed
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects").finish_non_exhaustive()
    }
}

/// What was asked for so far.
#[derive(Default)]
pub(super) struct Pending {
    sealed: bool,
    login: Login,
    cleared_by: Option<Login>,
    pub(super) cookies: Option<Change>,
    pub(super) headers: Option<Change>,
    pub(super) front_token: Option<Front>,
    pub(super) anti_csrf: Option<String>,
    pub(super) legacy: bool,
    pub(super) older: OlderCookies,
}

impl Pending {
    fn slot(&mut self, method: TransferMethod) -> &mut Option<Change> {
        match method {
            TransferMethod::Cookie => &mut self.cookies,
            TransferMethod::Header => &mut self.headers,
        }
    }

    fn is_empty(&self) -> bool {
        let Self {
            sealed: _,
            login: _,
            cleared_by: _,
            cookies,
            headers,
            front_token,
            anti_csrf,
            legacy,
            older,
        } = self;
        cookies.is_none()
            && headers.is_none()
            && front_token.is_none()
            && anti_csrf.is_none()
            && !legacy
            && !older.access
            && !older.refresh
    }

    fn is_cleared_by(&self, login: Login, method: TransferMethod) -> bool {
        let change = match method {
            TransferMethod::Cookie => &self.cookies,
            TransferMethod::Header => &self.headers,
        };
        self.cleared_by == Some(login) && matches!(change, Some(Change::Clear))
    }

    fn clear(&mut self, which: ClearTokens) {
        if matches!(which, ClearTokens::Cookie | ClearTokens::Both) {
            self.cookies = Some(Change::Clear);
        }
        if matches!(which, ClearTokens::Header | ClearTokens::Both) {
            self.headers = Some(Change::Clear);
        }
        self.front_token = Some(Front::Remove);
        self.anti_csrf = None;
    }
}

/// What becomes of the tokens of one transfer method.
pub(super) enum Change {
    Clear,
    Set {
        access: AccessToken,
        refresh: Option<(RefreshToken, i64)>,
    },
}

/// What the front end is told.
pub(super) enum Front {
    Remove,
    Token(String),
}

/// Cookies to be cleared at the older cookie domain.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OlderCookies {
    pub(super) access: bool,
    pub(super) refresh: bool,
}
