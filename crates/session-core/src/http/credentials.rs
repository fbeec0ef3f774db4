//! Which of a request's tokens counts (wire §4.6).

use crate::{
    config::{SessionConfig, TokenTransfer},
    error::SessionError,
    http::{
        TransferMethod,
        cookies::SessionCookies,
        presented_token::PresentedToken,
        request_headers::{Bearer, RequestHeaders},
    },
    token::{RefreshToken, TokenRejection},
    verify::{CandidateToken, VerifiedTokens},
};

/// The tokens of a request.
pub(super) struct Credentials {
    pub(super) cookies: SessionCookies,
    bearer: Bearer,
}

impl Credentials {
    /// Reads them; `None` when two `Authorization` headers or a cookie bomb leave nobody to believe.
    pub(super) fn read(
        config: &SessionConfig,
        known: &VerifiedTokens,
        headers: RequestHeaders<'_>,
    ) -> Option<Self> {
        let bearer = headers.bearer(known);
        if matches!(bearer, Bearer::Repeated) {
            return None;
        }
        let names = config.cookies();
        let cookies =
            SessionCookies::read(headers.0, names.access_name(), names.refresh_name(), known);
        Some(Self {
            cookies: cookies.ok()?,
            bearer,
        })
    }

    /// Whether the request carries any cookie of ours.
    pub(super) fn has_cookies(&self) -> bool {
        self.cookies.access.is_present() || self.cookies.refresh.is_present()
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
    ) -> Result<Option<(CandidateToken, TransferMethod)>, SessionError> {
        if self.cookies.legacy.is_present() {
            return Err(SessionError::TryRefreshToken(TokenRejection::LegacyCookie));
        }
        let allowed = TransferMethod::allowed_by(transfer);
        if allowed.contains(&TransferMethod::Header)
            && let Bearer::Token(token) = &self.bearer
            && let Some(token) = token.as_access_token()
        {
            return Ok(Some((token, TransferMethod::Header)));
        }
        if allowed.contains(&TransferMethod::Cookie) {
            if self.cookies.access.is_duplicated() {
                return Err(SessionError::TryRefreshToken(
                    TokenRejection::DuplicateCookie,
                ));
            }
            let cookie = self.cookies.access.token();
            if let Some(token) = cookie.and_then(PresentedToken::as_access_token) {
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
            match &self.bearer {
                Bearer::Token(token) => {
                    return Some((
                        RefreshToken::from_text(token.text()),
                        TransferMethod::Header,
                    ));
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
        let cookie = self.cookies.refresh.token()?;
        let token = RefreshToken::from_text(cookie.text());
        Some((token, TransferMethod::Cookie))
    }

    /// Everything in the request that has the form of an access token of ours.
    pub(crate) fn session_tokens(&self) -> impl Iterator<Item = CandidateToken> {
        let bearer = match &self.bearer {
            Bearer::Token(token) => Some(token),
            Bearer::Absent | Bearer::Malformed | Bearer::Repeated => None,
        };
        let presented = bearer.into_iter().chain(self.cookies.access.token());
        presented.filter_map(PresentedToken::as_access_token)
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
