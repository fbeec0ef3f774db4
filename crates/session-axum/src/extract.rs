//! Extractors, and the same as functions.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use session_core::{
    NewSession, Policy, VerifyOptions,
    http::{Exchange, Refusal},
};

use crate::layer::LINE;

session_core::adapter_types! {
    /// The session of a request, checked as the policy `P` says; a request without one is refused.
    ///
    /// Without a parameter, the check is the one that the configuration names.
    /// `Option<Session<P>>` is the same as [`OptionalSession<P>`].
    Session;

    /// The session of a request, if it has one. An expired, forged or revoked one is refused all the
    /// same, so that the client refreshes it.
    OptionalSession;

    /// The request itself, for handlers that create a session or decide at run time what to ask of
    /// one.
    SessionRequest;

    /// A refused session. As a response it is what the browser SDK expects, and clears the client's
    /// tokens where they are of no more use.
    ///
    /// A handler that takes `Result<Session, SessionRejection>` can look at [`error`](Self::error)
    /// and answer by itself. Errors of operations on a session turn into it with `?`.
    SessionRejection = Refusal::from;
}

impl<S: Send + Sync, P: Policy> FromRequestParts<S> for Session<P> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Self::of(&exchange(parts)?).await
    }
}

impl<S: Send + Sync, P: Policy> OptionalFromRequestParts<S> for Session<P> {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        let found = OptionalSession::<P>::of(&exchange(parts)?).await?;
        Ok(found.0.map(|session| Self(session, PhantomData)))
    }
}

impl<S: Send + Sync, P: Policy> FromRequestParts<S> for OptionalSession<P> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Self::of(&exchange(parts)?).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionRequest {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self(exchange(parts)?))
    }
}

/// The session of a request, if it has one: for middleware that has the request's head at hand. A
/// request without a session is refused unless `session_required(false)`.
///
/// # Errors
///
/// As [`Exchange::guard`].
///
/// # Examples
///
/// ```
/// use axum::{extract::Request, middleware::Next, response::Response};
/// use session_axum::{SessionRejection, VerifyOptions, get_session};
///
/// async fn tag_user(request: Request, next: Next) -> Result<Response, SessionRejection> {
///     let (mut parts, body) = request.into_parts();
///     let options = VerifyOptions::new().session_required(false);
///     if let Some(session) = get_session(&parts, &options).await? {
///         parts.extensions.insert(session.user_id().clone());
///     }
///     Ok(next.run(Request::from_parts(parts, body)).await)
/// }
/// ```
pub async fn get_session(
    parts: &Parts,
    options: &VerifyOptions,
) -> Result<Option<session_core::Session>, SessionRejection> {
    Ok(exchange(parts)?.guard(options).await?)
}

/// Creates a session; its tokens travel with the response.
///
/// # Errors
///
/// As [`Exchange::create`].
pub async fn create_session(
    parts: &Parts,
    new: NewSession,
) -> Result<session_core::Session, SessionRejection> {
    Ok(exchange(parts)?.create(new).await?)
}

fn exchange(parts: &Parts) -> Result<Exchange, Refusal> {
    Exchange::of(&parts.extensions, LINE)
}
