//! Filters that find the session of a request, and what they extract.

use std::{future::ready, sync::Arc};

use session_core::{Policy, VerifyOptions, http::Refusal};
use warp::{Filter, Rejection};

use crate::layer::Running;

session_core::adapter_types! {
    /// The session of a request, checked as the policy `P` says: what the filter [`session()`]
    /// extracts.
    ///
    /// Without a parameter, the check is the one that the configuration names.
    Session;

    /// The session of a request, if it has one: what the filter [`optional_session`] extracts.
    OptionalSession;

    /// The request itself, for handlers that create a session or decide at run time what to ask of
    /// one: what the filter [`request`] extracts.
    SessionRequest;

    /// A refused session. As a reply it is what the browser SDK expects, and clears the client's
    /// tokens where they are of no more use.
    ///
    /// A handler that takes it from [`try_session`] can look at [`error`](Self::error) and answer by
    /// itself. Errors of operations on a session turn into it with `?`, and it turns into a
    /// [`Rejection`], where [`find`](Rejection::find) finds it.
    SessionRejection = Refusal::from;
}

/// A filter that extracts the [`Session<P>`](Session) of a request. A request without one that
/// passes is refused, and with that ended: no other route is tried.
pub fn session<P: Policy>() -> impl Filter<Extract = (Session<P>,), Error = Rejection> + Copy {
    running().and_then(async |running: Running| {
        let found = Session::of(running.exchange()).await;
        running.settle(found).await
    })
}

/// A filter that extracts the [`OptionalSession<P>`](OptionalSession) of a request. An expired,
/// forged or revoked session is refused all the same, so that the client refreshes it.
pub fn optional_session<P: Policy>()
-> impl Filter<Extract = (OptionalSession<P>,), Error = Rejection> + Copy {
    running().and_then(async |running: Running| {
        let found = OptionalSession::of(running.exchange()).await;
        running.settle(found).await
    })
}

/// A filter that extracts the [`Session<P>`](Session) of a request, or its refusal, and leaves it to
/// the application what comes of that.
pub fn try_session<P: Policy>()
-> impl Filter<Extract = (Result<Session<P>, SessionRejection>,), Error = Rejection> + Copy {
    running().then(async |running: Running| Session::of(running.exchange()).await)
}

/// A filter that guards the routes behind it: a request whose session does not pass `options` is
/// refused, and with that ended.
///
/// # Examples
///
/// ```
/// use session_warp::{Configured, Session, VerifyOptions, session, verify_session};
/// use warp::Filter;
///
/// let feed = warp::path!("feed")
///     .and(verify_session(VerifyOptions::new().check_blacklist(true)))
///     .and(session::<Configured>())
///     .map(|session: Session| session.user_id().to_string());
/// # let _ = feed;
/// ```
pub fn verify_session(
    options: VerifyOptions,
) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    let options = Arc::new(options);
    let guard = move |running: Running| {
        let options = Arc::clone(&options);
        async move {
            let passed = running.exchange().guard(&options).await;
            running.settle(passed.map(drop)).await
        }
    };
    running().and_then(guard).untuple_one()
}

/// A filter that extracts the [`SessionRequest`], for handlers that create a session or decide at run
/// time what to ask of one.
pub fn request() -> impl Filter<Extract = (SessionRequest,), Error = Rejection> + Copy {
    running().map(|running: Running| SessionRequest(running.exchange().clone()))
}

fn running() -> impl Filter<Extract = (Running,), Error = Rejection> + Copy {
    const LINE: &str = "session_warp::serve(sessions, routes)";
    warp::ext::optional().and_then(|running: Option<Running>| {
        let missing = || SessionRejection::from(Refusal::missing_layer(LINE));
        ready(running.ok_or_else(|| Rejection::from(missing())))
    })
}
