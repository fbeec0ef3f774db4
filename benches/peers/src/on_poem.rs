//! The route on poem.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a handler takes its extractors by value"
)]

use poem::{
    Endpoint, EndpointExt as _, IntoResponse as _, Response, Route, get, handler, web::Json,
};
use session_poem::{Session, SessionLayer, Sessions, Stateless};

use crate::answer::Answer;

/// Without sessions.
pub fn bare() -> impl Endpoint {
    Route::new().at("/session", get(nobody))
}

/// With a session whose token alone is looked at.
pub fn with_sessions(sessions: Sessions) -> impl Endpoint {
    let routes = Route::new().at("/session", get(user));
    routes.with(SessionLayer::new(sessions))
}

#[handler]
fn nobody() -> Response {
    Json(Answer::without_session()).into_response()
}

#[handler]
fn user(session: Session<Stateless>) -> Response {
    Json(Answer::to(session.user_id().as_str())).into_response()
}
