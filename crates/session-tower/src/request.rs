//! Functions that find the session of a request, or create one for it.

use http::{Request, request::Parts};
use session_core::{
    NewSession, Policy, Session, VerifyOptions,
    http::{Exchange, Refusal},
};

use crate::framework::LINE;

/// The session of a request, checked as the policy `P` says; a request without one is refused.
///
/// # Errors
///
/// As [`Exchange::verify`].
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use session_tower::{CheckDatabase, Refusal, session};
///
/// async fn like_comment<B>(request: Request<B>) -> Result<Response<Bytes>, Refusal> {
///     let session = session::<CheckDatabase>(&request).await?;
///     Ok(Response::new(format!("liked by {}", session.user_id()).into()))
/// }
/// # let _ = like_comment::<()>;
/// ```
pub fn session<P: Policy>(
    request: impl Into<RequestHead>,
) -> impl Future<Output = Result<Session, Refusal>> + Send {
    let RequestHead(exchange) = request.into();
    async move { exchange?.verify(&P::options()).await }
}

/// The session of a request, if it has one. An expired, forged or revoked one is refused all the
/// same, so that the client refreshes it.
///
/// # Errors
///
/// As [`Exchange::verify_optional`].
pub fn optional_session<P: Policy>(
    request: impl Into<RequestHead>,
) -> impl Future<Output = Result<Option<Session>, Refusal>> + Send {
    let RequestHead(exchange) = request.into();
    async move { exchange?.verify_optional(&P::options()).await }
}

/// The session of a request, if it has one, where it depends on the request what is asked of it. A
/// request without a session is refused unless `session_required(false)`.
///
/// # Errors
///
/// As [`Exchange::guard`].
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use session_tower::{Refusal, VerifyOptions, get_session};
///
/// async fn hello<B>(request: Request<B>) -> Result<Response<Bytes>, Refusal> {
///     let options = VerifyOptions::new().session_required(false);
///     Ok(Response::new(match get_session(&request, &options).await? {
///         Some(session) => format!("hello, {}", session.user_id()).into(),
///         None => "hello, stranger".into(),
///     }))
/// }
/// # let _ = hello::<()>;
/// ```
pub fn get_session(
    request: impl Into<RequestHead>,
    options: &VerifyOptions,
) -> impl Future<Output = Result<Option<Session>, Refusal>> + Send {
    let RequestHead(exchange) = request.into();
    async move { exchange?.guard(options).await }
}

/// Creates a session; its tokens travel with the response.
///
/// # Errors
///
/// As [`Exchange::create`].
///
/// # Examples
///
/// A body is read first, which leaves the head of its request:
///
/// ```
/// use bytes::Bytes;
/// use http::{Response, request::Parts};
/// use session_tower::{NewSession, Refusal, SessionError, UserId, create_session};
///
/// async fn login(head: Parts, user: String) -> Result<Response<Bytes>, Refusal> {
///     let user = UserId::try_from(user).map_err(SessionError::from)?;
///     let session = create_session(&head, NewSession::new(user)).await?;
///     Ok(Response::new(session.handle().to_string().into()))
/// }
/// # let _ = login;
/// ```
pub fn create_session(
    request: impl Into<RequestHead>,
    new: NewSession,
) -> impl Future<Output = Result<Session, Refusal>> + Send {
    let RequestHead(exchange) = request.into();
    async move { exchange?.create(new).await }
}

/// The head of a request that has passed a [`SessionLayer`](crate::SessionLayer): of the request
/// itself, whatever its body is, or of what [`into_parts`](Request::into_parts) left of it.
#[derive(Debug)]
pub struct RequestHead(Result<Exchange, Refusal>);

impl<B> From<&Request<B>> for RequestHead {
    fn from(request: &Request<B>) -> Self {
        Self(Exchange::of(request.extensions(), LINE))
    }
}

impl From<&Parts> for RequestHead {
    fn from(parts: &Parts) -> Self {
        Self(Exchange::of(&parts.extensions, LINE))
    }
}
