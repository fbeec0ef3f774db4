//! Request guards, and the same as functions.

use rocket::request::{FromRequest, Outcome};
use rocket::{Ignite, Request, Rocket, Sentinel};
use session_core::{NewSession, Policy, VerifyOptions, http::Refusal};

use crate::kept::{Managed, exchange};

session_core::adapter_types! {
    /// The session of a request, checked as the policy `P` says; a request without one is refused.
    ///
    /// Without a parameter, the check is the one that the configuration names. A refusal never
    /// forwards to another route. `Result<Session<P>, SessionRejection>` gives the refusal to the
    /// handler; `Option<Session<P>>` is Rocket's own and makes a stranger of an expired session,
    /// too: [`OptionalSession<P>`] does not.
    Session;

    /// The session of a request, if it has one. An expired, forged or revoked one is refused all
    /// the same, so that the client refreshes it.
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

#[rocket::async_trait]
impl<'r, P: Policy> FromRequest<'r> for Session<P> {
    type Error = SessionRejection;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionRejection> {
        outcome(async { Self::of(&exchange(request)?).await }.await, request)
    }
}

#[rocket::async_trait]
impl<'r, P: Policy> FromRequest<'r> for OptionalSession<P> {
    type Error = SessionRejection;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionRejection> {
        outcome(async { Self::of(&exchange(request)?).await }.await, request)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SessionRequest {
    type Error = SessionRejection;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionRejection> {
        outcome(exchange(request).map(Self), request)
    }
}

fn outcome<T>(
    result: Result<T, SessionRejection>,
    request: &Request<'_>,
) -> Outcome<T, SessionRejection> {
    match result {
        Ok(value) => Outcome::Success(value),
        Err(rejection) => rejection.into_outcome(request),
    }
}

/// A route that needs the fairing does not start without it.
impl Sentinel for SessionRequest {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        rocket.state::<Managed>().is_none()
    }
}

impl<P: Policy> Sentinel for Session<P> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        SessionRequest::abort(rocket)
    }
}

impl<P: Policy> Sentinel for OptionalSession<P> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        SessionRequest::abort(rocket)
    }
}

/// The session of a request, if it has one: for guards, fairings and handlers of one's own. A
/// request without a session is refused unless `session_required(false)`.
///
/// # Errors
///
/// As [`Exchange::guard`](session_core::http::Exchange::guard).
///
/// # Examples
///
/// ```
/// use rocket::{Request, outcome::Outcome, request::{self, FromRequest}};
/// use session_rocket::{SessionRejection, VerifyOptions, get_session, session_core::Session};
///
/// struct Visitor(Option<Session>);
///
/// #[rocket::async_trait]
/// impl<'r> FromRequest<'r> for Visitor {
///     type Error = SessionRejection;
///
///     async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionRejection> {
///         let options = VerifyOptions::new().session_required(false);
///         match get_session(request, &options).await {
///             Ok(session) => Outcome::Success(Self(session)),
///             Err(rejection) => rejection.into_outcome(request),
///         }
///     }
/// }
/// ```
pub async fn get_session(
    request: &Request<'_>,
    options: &VerifyOptions,
) -> Result<Option<session_core::Session>, SessionRejection> {
    Ok(exchange(request)?.guard(options).await?)
}

/// Creates a session; its tokens travel with the response.
///
/// # Errors
///
/// As [`Exchange::create`](session_core::http::Exchange::create).
pub async fn create_session(
    request: &Request<'_>,
    new: NewSession,
) -> Result<session_core::Session, SessionRejection> {
    Ok(exchange(request)?.create(new).await?)
}
