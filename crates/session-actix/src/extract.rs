//! Extractors, and the same as functions.

use std::pin::Pin;

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload};
use session_core::http::{Exchange, Refusal};
use session_core::{NewSession, Policy, VerifyOptions};

session_core::adapter_types! {
    /// The session of a request, checked as the policy `P` says; a request without one is refused.
    ///
    /// Without a parameter, the check is the one that the configuration names.
    ///
    /// Not as `Option<Session<P>>`: actix-web makes `None` of every refusal, so that a client whose
    /// token has expired would never hear that it should refresh. Take [`OptionalSession<P>`].
    Session;

    /// The session of a request, if it has one. An expired, forged or revoked one is refused all the
    /// same, so that the client refreshes it.
    OptionalSession;

    /// A refused session. As a response it is what the browser SDK expects, and clears the client's
    /// tokens where they are of no more use.
    ///
    /// A handler that takes `Result<Session, SessionRejection>` can look at [`error`](Self::error) and
    /// answer by itself. Errors of operations on a session turn into it with `?`.
    SessionRejection = Refusal::from;
}

impl<P: Policy> FromRequest for Session<P> {
    type Error = SessionRejection;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let exchange = exchange(request);
        Box::pin(async move { Self::of(&exchange?).await })
    }
}

impl<P: Policy> FromRequest for OptionalSession<P> {
    type Error = SessionRejection;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let exchange = exchange(request);
        Box::pin(async move { Self::of(&exchange?).await })
    }
}

type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, SessionRejection>>>>;

/// The session of a request, if it has one: for middleware, and for handlers that decide at run
/// time what to ask of a session. A request without one is refused unless `session_required(false)`.
///
/// # Errors
///
/// As [`Exchange::guard`].
///
/// # Examples
///
/// ```
/// use actix_web::{
///     Error, HttpMessage as _,
///     body::MessageBody,
///     dev::{ServiceRequest, ServiceResponse},
///     middleware::Next,
/// };
/// use session_actix::{VerifyOptions, get_session};
///
/// /// For `.wrap(middleware::from_fn(tag_user))`, inside the session middleware.
/// async fn tag_user(
///     request: ServiceRequest,
///     next: Next<impl MessageBody>,
/// ) -> Result<ServiceResponse<impl MessageBody>, Error> {
///     let options = VerifyOptions::new().session_required(false);
///     if let Some(session) = get_session(request.request(), &options).await? {
///         request.extensions_mut().insert(session.user_id().clone());
///     }
///     next.call(request).await
/// }
/// # let _ = actix_web::App::new().wrap(actix_web::middleware::from_fn(tag_user));
/// ```
pub async fn get_session(
    request: &HttpRequest,
    options: &VerifyOptions,
) -> Result<Option<session_core::Session>, SessionRejection> {
    Ok(exchange(request)?.guard(options).await?)
}

/// Creates a session; its tokens travel with the response.
///
/// # Errors
///
/// As [`Exchange::create`].
pub async fn create_session(
    request: &HttpRequest,
    new: NewSession,
) -> Result<session_core::Session, SessionRejection> {
    Ok(exchange(request)?.create(new).await?)
}

fn exchange(request: &HttpRequest) -> Result<Exchange, Refusal> {
    let exchange = request.extensions().get::<Exchange>().cloned();
    exchange.ok_or_else(|| Refusal::missing_layer(LINE))
}

const LINE: &str = ".wrap(session_actix::SessionMiddleware::new(sessions))";
