//! A refused session as a response: status, body and headers (wire §5).

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, COOKIE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};

use crate::{
    config::{SessionConfig, defaults},
    error::{ClientTokens, DuplicateCookies, SessionError},
    http::{Exchange, TransferMethod, request_headers::RequestHeaders},
};

/// A session error on its way to the client.
///
/// An application that looks at [`error`](Self::error) and answers by itself has the last word:
/// only a response made of the refusal clears a client's tokens.
#[derive(Clone)]
#[must_use = "a refusal that is not answered lets the request pass"]
pub struct Refusal {
    error: Arc<SessionError>,
    exchange: Option<Exchange>,
}

impl Refusal {
    /// The refusal of a request whose exchange is known.
    pub(crate) fn new(error: SessionError, exchange: Exchange) -> Self {
        Self {
            error: Arc::new(error),
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

    /// The same as a refusal of this request: for one that was made of an error in a handler, where
    /// the framework knows the request when it asks for the response.
    pub fn within(&self, exchange: &Exchange) -> Self {
        Self {
            error: Arc::clone(&self.error),
            exchange: Some(exchange.clone()),
        }
    }

    /// The response. Tokens are cleared when the error says so.
    pub fn to_response(&self) -> Response<Bytes> {
        if let Some(exchange) = &self.exchange {
            return exchange.refuse(&self.error);
        }
        let mut response = render(&self.error, Statuses::DEFAULT, Challenge::None);
        if let SessionError::MissingLayer { .. } = *self.error {
            // No layer of ours will see this response.
            log(&self.error, response.status());
        }
        let unsettled = Unsettled(Arc::clone(&self.error));
        response.extensions_mut().insert(unsettled);
        response
    }

    /// The response's status, for frameworks that log it. Clears nothing.
    pub fn status(&self) -> StatusCode {
        let statuses = self.exchange.as_ref().map(Exchange::statuses);
        Verdict::of(&self.error).status(statuses.unwrap_or(Statuses::DEFAULT))
    }
}

/// An error that came out of a handler, so its exchange is not at hand: the layer completes the
/// response when it passes.
impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Self {
            error: Arc::new(error),
            exchange: None,
        }
    }
}

/// Frameworks log this.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refusal").field(&self.error).finish()
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
pub(super) struct Unsettled(pub(super) Arc<SessionError>);

/// What an error means for a response, apart from its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdict {
    kind: Kind,
    /// Whether the client's tokens are of no more use.
    pub(super) clears_tokens: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    SessionExpired,
    InvalidClaim,
    Other(StatusCode),
}

impl Verdict {
    pub(super) fn of(error: &SessionError) -> Self {
        Self {
            kind: kind_and_body(error).0,
            clears_tokens: matches!(
                error,
                SessionError::Unauthorised(ClientTokens::Clear)
                    | SessionError::TokenTheftDetected { .. }
            ),
        }
    }

    pub(super) fn status(self, statuses: Statuses) -> StatusCode {
        self.kind.status(statuses)
    }
}

impl Kind {
    fn status(self, statuses: Statuses) -> StatusCode {
        match self {
            Self::SessionExpired => statuses.session_expired,
            Self::InvalidClaim => statuses.invalid_claim,
            Self::Other(status) => status,
        }
    }
}

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
    pub(super) fn of(config: &SessionConfig, request: RequestHeaders<'_>) -> Self {
        let allowed = TransferMethod::allowed_by(config.token_transfer());
        if !allowed.contains(&TransferMethod::Header) {
            return Self::None;
        }
        if request.has(&AUTHORIZATION) {
            return Self::InvalidToken;
        }
        match request.auth_mode() {
            Some(TransferMethod::Cookie) => Self::None,
            None if request.has(&COOKIE) => Self::None,
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
    let (kind, body) = kind_and_body(error);
    let status = kind.status(statuses);
    let mut response = json(status, &body);
    write_headers(status, challenge, response.headers_mut());
    response
}

/// Logs an error that is answered with this status.
pub(super) fn log(error: &SessionError, status: StatusCode) {
    if status.is_server_error() {
        tracing::warn!(
            status = status.as_u16(),
            error = error as &dyn std::error::Error,
            "session request failed"
        );
    } else {
        tracing::debug!(status = status.as_u16(), %error, "session refused");
    }
}

/// The headers of a refusal besides those of its body.
pub(super) fn write_headers(status: StatusCode, challenge: Challenge, headers: &mut HeaderMap) {
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
fn kind_and_body(error: &SessionError) -> (Kind, Value) {
    let message = |text: &str| json!({ "message": text });
    match error {
        SessionError::TryRefreshToken(_) => (Kind::SessionExpired, message("try refresh token")),
        SessionError::Unauthorised(_) => (Kind::SessionExpired, message("unauthorised")),
        SessionError::TokenTheftDetected { .. } => {
            (Kind::SessionExpired, message("token theft detected"))
        }
        SessionError::InvalidClaims(errors) => (
            Kind::InvalidClaim,
            json!({ "message": "invalid claim", "claimValidationErrors": errors }),
        ),
        SessionError::DuplicateCookies(DuplicateCookies::Cleared) => (
            Kind::Other(StatusCode::OK),
            message("session cookies of an older domain were removed, please try again"),
        ),
        SessionError::DuplicateCookies(DuplicateCookies::Unresolved) => (
            Kind::Other(StatusCode::INTERNAL_SERVER_ERROR),
            message("a session cookie was sent more than once: set `older_cookie_domain`"),
        ),
        SessionError::InvalidPayload(invalid) => (
            Kind::Other(StatusCode::BAD_REQUEST),
            message(&invalid.to_string()),
        ),
        SessionError::DataTooLong { .. } => (
            Kind::Other(StatusCode::BAD_REQUEST),
            message(&error.to_string()),
        ),
        SessionError::InvalidId(invalid) => (
            Kind::Other(StatusCode::BAD_REQUEST),
            message(&invalid.to_string()),
        ),
        SessionError::ClaimFetch(_) | SessionError::Unavailable(_) => (
            Kind::Other(StatusCode::SERVICE_UNAVAILABLE),
            message(&error.to_string()),
        ),
        SessionError::ResponseStarted | SessionError::MissingLayer { .. } => (
            Kind::Other(StatusCode::INTERNAL_SERVER_ERROR),
            message(&error.to_string()),
        ),
    }
}
