//! A refused session as an axum response.

use std::fmt;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use session_core::{SessionError, http::Refusal};

/// A refused session. As a response it is what the browser SDK expects, and clears the client's
/// tokens where they are of no more use.
///
/// A handler that takes `Result<Session, SessionRejection>` can look at [`error`](Self::error) and
/// answer by itself. Errors of operations on a session turn into it with `?`.
#[derive(Debug)]
pub struct SessionRejection(Refusal);

impl SessionRejection {
    /// Why.
    pub fn error(&self) -> &SessionError {
        self.0.error()
    }

    /// Why, taken out.
    pub fn into_error(self) -> SessionError {
        self.0.into_error()
    }
}

impl From<Refusal> for SessionRejection {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<SessionError> for SessionRejection {
    fn from(error: SessionError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        self.0.into_response().map(Body::from)
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
