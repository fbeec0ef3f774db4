//! Extractors, and the same as functions.

use std::{fmt, marker::PhantomData, ops::Deref};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, Method, request::Parts},
};
use session_core::{
    Configured, NewSession, Policy, Sessions, VerifyOptions,
    http::{Exchange, RequestView},
};

use crate::{
    SessionRejection,
    layer::{LINE, original_path},
};

/// The session of a request, checked as the policy `P` says; a request without one is refused.
///
/// Without a parameter, the check is the one that the configuration names.
/// `Option<Session<P>>` is the same as [`OptionalSession<P>`].
pub struct Session<P: Policy = Configured>(session_core::Session, PhantomData<fn() -> P>);

impl<P: Policy> Session<P> {
    /// The session itself, for functions that do not care how it was checked.
    pub fn into_inner(self) -> session_core::Session {
        self.0
    }
}

impl<P: Policy> Deref for Session<P> {
    type Target = session_core::Session;

    fn deref(&self) -> &session_core::Session {
        &self.0
    }
}

impl<P: Policy> Clone for Session<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<P: Policy> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S: Send + Sync, P: Policy> FromRequestParts<S> for Session<P> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = exchange(parts)?.verify(&view(parts), &P::options()).await?;
        Ok(Self(session, PhantomData))
    }
}

impl<S: Send + Sync, P: Policy> OptionalFromRequestParts<S> for Session<P> {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        let session = exchange(parts)?
            .verify_optional(&view(parts), &P::options())
            .await?;
        Ok(session.map(|session| Self(session, PhantomData)))
    }
}

/// The session of a request, if it has one. An expired, forged or revoked one is refused all the
/// same, so that the client refreshes it.
pub struct OptionalSession<P: Policy = Configured>(
    Option<session_core::Session>,
    PhantomData<fn() -> P>,
);

impl<P: Policy> OptionalSession<P> {
    /// The session, or `None` for a request without one.
    pub fn into_inner(self) -> Option<session_core::Session> {
        self.0
    }
}

impl<P: Policy> Deref for OptionalSession<P> {
    type Target = Option<session_core::Session>;

    fn deref(&self) -> &Option<session_core::Session> {
        &self.0
    }
}

impl<P: Policy> Clone for OptionalSession<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<P: Policy> fmt::Debug for OptionalSession<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S: Send + Sync, P: Policy> FromRequestParts<S> for OptionalSession<P> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = exchange(parts)?
            .verify_optional(&view(parts), &P::options())
            .await?;
        Ok(Self(session, PhantomData))
    }
}

/// The request itself, for handlers that create a session or decide at run time what to ask of
/// one. Holds a copy of the request's headers.
#[derive(Clone)]
pub struct SessionRequest {
    exchange: Exchange,
    method: Method,
    path: String,
    headers: HeaderMap,
}

impl SessionRequest {
    /// Creates a session; its tokens travel with the response.
    ///
    /// # Errors
    ///
    /// As [`Exchange::create`].
    pub async fn create_session(
        &self,
        new: NewSession,
    ) -> Result<session_core::Session, SessionRejection> {
        Ok(self.exchange.create(&self.view(), new).await?)
    }

    /// The session of the request, if it has one; a request without one is refused unless
    /// `session_required(false)`.
    ///
    /// # Errors
    ///
    /// As [`Exchange::guard`].
    pub async fn get_session(
        &self,
        options: &VerifyOptions,
    ) -> Result<Option<session_core::Session>, SessionRejection> {
        Ok(self.exchange.guard(&self.view(), options).await?)
    }

    /// The sessions of the application.
    pub fn sessions(&self) -> &Sessions {
        self.exchange.sessions()
    }

    fn view(&self) -> RequestView<'_> {
        RequestView::new(&self.method, &self.path, &self.headers)
    }
}

impl fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRequest")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionRequest {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Ok(Self {
            exchange: exchange(parts)?,
            method: parts.method.clone(),
            path: original_path(parts).to_owned(),
            headers: parts.headers.clone(),
        })
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
    Ok(exchange(parts)?.guard(&view(parts), options).await?)
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
    Ok(exchange(parts)?.create(&view(parts), new).await?)
}

fn exchange(parts: &Parts) -> Result<Exchange, SessionRejection> {
    Ok(Exchange::of(&parts.extensions, LINE)?)
}

fn view(parts: &Parts) -> RequestView<'_> {
    RequestView::new(&parts.method, original_path(parts), &parts.headers)
}
