//! A refused session as a response: status, body and headers (wire §5).

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, COOKIE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};

use crate::{
    config::{SessionConfig, defaults},
    error::{DuplicateCookies, SessionError},
    http::{Exchange, RequestView, TransferMethod},
};

/// A session error on its way to the client.
///
/// An application that looks at [`error`](Self::error) and answers by itself has the last word:
/// only [`into_response`](Self::into_response) clears a client's tokens.
#[derive(Debug)]
#[must_use = "a refusal that is not answered lets the request pass"]
pub struct Refusal {
    error: SessionError,
    exchange: Option<Exchange>,
}

impl Refusal {
    /// The refusal of a request whose exchange is known.
    pub(crate) fn new(error: SessionError, exchange: Exchange) -> Self {
        Self {
            error,
            exchange: Some(exchange),
        }
    }

    /// The refusal of a request that no layer of ours has seen; `line` is what to add to the
    /// application.
    pub fn missing_layer(line: &'static str) -> Self {
        Self::from(SessionError::MissingLayer { line })
    }

    /// Why.
    pub fn error(&self) -> &SessionError {
        &self.error
    }

    /// Why, taken out.
    pub fn into_error(self) -> SessionError {
        self.error
    }

    /// The response. Tokens are cleared when the error says so.
    pub fn into_response(self) -> Response<Bytes> {
        if let Some(exchange) = self.exchange {
            return exchange.refuse(&self.error);
        }
        let mut response = render(&self.error, Statuses::DEFAULT, Challenge::None);
        response
            .extensions_mut()
            .insert(Unanswered(Arc::new(self.error)));
        response
    }
}

/// An error that came out of a handler, so its exchange is not at hand: the layer completes the
/// response when it passes.
impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Self {
            error,
            exchange: None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// Left in a response that was rendered without its exchange.
#[derive(Clone)]
pub(super) struct Unanswered(pub(super) Arc<SessionError>);

/// The statuses that are settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statuses {
    session_expired: StatusCode,
    invalid_claim: StatusCode,
}

impl Statuses {
    const DEFAULT: Self = Self {
        session_expired: defaults::SESSION_EXPIRED_STATUS,
        invalid_claim: defaults::INVALID_CLAIM_STATUS,
    };

    pub(super) fn of(config: &SessionConfig) -> Self {
        Self {
            session_expired: config.session_expired_status(),
            invalid_claim: config.invalid_claim_status(),
        }
    }
}

/// What a 401 asks a client for (RFC 6750 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Nothing: the client keeps its tokens in cookies, which no scheme names.
    None,
    /// A bearer token.
    Bearer,
    /// Another bearer token than the one it sent.
    InvalidToken,
}

impl Challenge {
    /// What to ask the client of this request for.
    pub(super) fn of(config: &SessionConfig, view: &RequestView<'_>) -> Self {
        let headers = TransferMethod::allowed_by(config.token_transfer());
        if !headers.contains(&TransferMethod::Header) {
            return Self::None;
        }
        if view.headers.contains_key(AUTHORIZATION) {
            return Self::InvalidToken;
        }
        match view.auth_mode() {
            Some(TransferMethod::Cookie) => Self::None,
            None if view.headers.contains_key(COOKIE) => Self::None,
            Some(TransferMethod::Header) | None => Self::Bearer,
        }
    }
}

/// The response to an error.
pub(super) fn render(
    error: &SessionError,
    statuses: Statuses,
    challenge: Challenge,
) -> Response<Bytes> {
    let (status, body) = status_and_body(error, statuses);
    let mut response = json(status, &body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = match challenge {
            Challenge::None => None,
            Challenge::Bearer => Some("Bearer"),
            Challenge::InvalidToken => Some("Bearer error=\"invalid_token\""),
        };
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A response with a JSON body.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// The table of wire §5. A body names no cause beyond it, so that nobody can tell a revoked session
/// from an expired one (security E21).
fn status_and_body(error: &SessionError, statuses: Statuses) -> (StatusCode, Value) {
    let message = |text: &str| json!({ "message": text });
    match error {
        SessionError::TryRefreshToken(_) => {
            (statuses.session_expired, message("try refresh token"))
        }
        SessionError::Unauthorised(_) => (statuses.session_expired, message("unauthorised")),
        SessionError::TokenTheftDetected { .. } => {
            (statuses.session_expired, message("token theft detected"))
        }
        SessionError::InvalidClaims(errors) => (
            statuses.invalid_claim,
            json!({ "message": "invalid claim", "claimValidationErrors": errors }),
        ),
        SessionError::DuplicateCookies(DuplicateCookies::Cleared) => (
            StatusCode::OK,
            message("session cookies of an older domain were removed, please try again"),
        ),
        SessionError::DuplicateCookies(DuplicateCookies::Unresolved) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            message("a session cookie was sent more than once: set `older_cookie_domain`"),
        ),
        SessionError::InvalidPayload(invalid) => {
            (StatusCode::BAD_REQUEST, message(&invalid.to_string()))
        }
        SessionError::DataTooLong { .. } => (StatusCode::BAD_REQUEST, message(&error.to_string())),
        SessionError::InvalidId(invalid) => {
            (StatusCode::BAD_REQUEST, message(&invalid.to_string()))
        }
        SessionError::ClaimFetch(_) | SessionError::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, message(&error.to_string()))
        }
        SessionError::ResponseStarted | SessionError::MissingLayer { .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            message(&error.to_string()),
        ),
    }
}
