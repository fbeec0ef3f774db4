//! How tokens travel, and which of a request's tokens counts (wire §4.6).

use crate::{
    config::{SessionConfig, TokenTransfer},
    error::{ClientTokens, SessionError},
    http::{
        RequestView,
        cookies::{SessionCookies, TooManyCookies},
        request::Bearer,
    },
    token::{
        RefreshToken, TokenRejection,
        access::{self, ParsedAccessToken},
    },
};

/// How a client holds its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum TransferMethod {
    /// The browser keeps them in cookies that no script can read.
    Cookie,
    /// The client keeps them itself and sends them in the `Authorization` header.
    Header,
}

impl TransferMethod {
    /// The methods that a configuration allows.
    pub(crate) fn allowed_by(transfer: TokenTransfer) -> &'static [Self] {
        match transfer {
            TokenTransfer::Any => &[Self::Cookie, Self::Header],
            TokenTransfer::Cookie => &[Self::Cookie],
            TokenTransfer::Header => &[Self::Header],
        }
    }

    /// How the tokens of a new session travel: as configured, else as the client asks, else in
    /// headers (wire case 32).
    pub(crate) fn of_new_session(transfer: TokenTransfer, view: &RequestView<'_>) -> Self {
        match transfer {
            TokenTransfer::Any => view.auth_mode().unwrap_or(Self::Header),
            TokenTransfer::Cookie => Self::Cookie,
            TokenTransfer::Header => Self::Header,
        }
    }
}

/// The credentials of a request, read once.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) cookies: SessionCookies<'a>,
    pub(crate) bearer: Bearer<'a>,
}

impl<'a> Credentials<'a> {
    /// Reads them. Two `Authorization` headers or a cookie bomb leave nobody to believe, so the
    /// request is refused; the client keeps its tokens, which were not looked at.
    pub(crate) fn read(
        config: &SessionConfig,
        view: &RequestView<'a>,
    ) -> Result<Self, SessionError> {
        let refused = || SessionError::Unauthorised(ClientTokens::Keep);
        let bearer = view.bearer();
        if bearer == Bearer::Repeated {
            return Err(refused());
        }
        let names = config.cookies();
        let cookies = SessionCookies::read(view.headers, names.access_name(), names.refresh_name())
            .map_err(|TooManyCookies| refused())?;
        Ok(Self { cookies, bearer })
    }

    /// The access token that counts, and how it came: header before cookie; what is no session
    /// token at all is as if it were not there (wire §4.6, cases 36, 37, 46).
    ///
    /// # Errors
    ///
    /// [`SessionError::TryRefreshToken`] for the cookie of an older protocol (case 43), and for
    /// several access cookies where none came in a header (case 41): whichever stands first, and
    /// whatever they hold, nobody can say which of them is the browser's own.
    pub(crate) fn access_token(
        &self,
        transfer: TokenTransfer,
    ) -> Result<Option<(ParsedAccessToken, TransferMethod)>, SessionError> {
        if self.cookies.legacy.is_present() {
            return Err(SessionError::TryRefreshToken(TokenRejection::LegacyCookie));
        }
        let allowed = TransferMethod::allowed_by(transfer);
        if allowed.contains(&TransferMethod::Header)
            && let Bearer::Token(token) = self.bearer
            && let Ok(token) = access::parse(token)
        {
            return Ok(Some((token, TransferMethod::Header)));
        }
        if allowed.contains(&TransferMethod::Cookie) {
            if self.cookies.access.is_duplicated() {
                return Err(SessionError::TryRefreshToken(
                    TokenRejection::DuplicateCookie,
                ));
            }
            if let Some(value) = self.cookies.access.value()
                && let Ok(token) = access::parse(&value)
            {
                return Ok(Some((token, TransferMethod::Cookie)));
            }
        }
        Ok(None)
    }

    /// The refresh token that counts, and how it came: any bearer token, ours or not, before the
    /// cookie (wire §4.6, case 39).
    pub(crate) fn refresh_token(
        &self,
        transfer: TokenTransfer,
    ) -> Option<(RefreshToken, TransferMethod)> {
        let allowed = TransferMethod::allowed_by(transfer);
        if allowed.contains(&TransferMethod::Header) {
            match self.bearer {
                Bearer::Token(token) => {
                    return Some((RefreshToken::from_text(token), TransferMethod::Header));
                }
                // No token of ours has this form; the empty one is refused like any other.
                Bearer::Malformed => {
                    return Some((RefreshToken::from_text(""), TransferMethod::Header));
                }
                Bearer::Absent | Bearer::Repeated => {}
            }
        }
        if !allowed.contains(&TransferMethod::Cookie) {
            return None;
        }
        let value = self.cookies.refresh.value()?;
        Some((RefreshToken::from_text(value), TransferMethod::Cookie))
    }

    /// Everything in the request that has the form of an access token of ours.
    pub(crate) fn session_tokens(&self) -> impl Iterator<Item = ParsedAccessToken> {
        let bearer = match self.bearer {
            Bearer::Token(token) => access::parse(token).ok(),
            Bearer::Absent | Bearer::Malformed | Bearer::Repeated => None,
        };
        let cookie = self
            .cookies
            .access
            .value()
            .and_then(|value| access::parse(&value).ok());
        bearer.into_iter().chain(cookie)
    }

    /// Whether the request carries an access token, ours or not, the other way than `method`.
    pub(crate) fn has_access_token_besides(&self, method: TransferMethod) -> bool {
        match method {
            TransferMethod::Cookie => self.bearer.is_present(),
            TransferMethod::Header => self.cookies.access.is_present(),
        }
    }

    /// Whether the request carries a refresh token, ours or not, the other way than `method`.
    pub(crate) fn has_refresh_token_besides(&self, method: TransferMethod) -> bool {
        match method {
            TransferMethod::Cookie => self.bearer.is_present(),
            TransferMethod::Header => self.cookies.refresh.is_present(),
        }
    }
}
