//! A refused session as a reply, and as a rejection.

use std::future::{Ready, ready};

use warp::{Rejection, Reply, reject::Reject, reply::Response};

use crate::SessionRejection;

impl Reply for SessionRejection {
    fn into_response(self) -> Response {
        self.0.to_response().into_response()
    }
}

impl Reject for SessionRejection {}

/// Answers a rejection that was made of a [`SessionRejection`], for
/// [`Filter::recover`](warp::Filter::recover); leaves all others as they are. Done around all routes
/// that [`serve`](crate::serve) and [`service`](crate::service) are given.
///
/// # Errors
///
/// The rejection, when it is another one.
///
/// # Examples
///
/// ```
/// use session_warp::{Session, SessionRejection, Stateless, session};
/// use warp::{Filter, Rejection};
///
/// async fn leave(session: Session<Stateless>) -> Result<String, Rejection> {
///     session.revoke().await.map_err(SessionRejection::from)?;
///     Ok("goodbye".to_owned())
/// }
///
/// let route = warp::path!("leave")
///     .and(session::<Stateless>())
///     .and_then(leave)
///     .recover(session_warp::recover);
/// # let _ = route;
/// ```
pub fn recover(rejection: Rejection) -> Ready<Result<Response, Rejection>> {
    ready(match rejection.find::<SessionRejection>() {
        Some(refused) => Ok(refused.clone().into_response()),
        None => Err(rejection),
    })
}
