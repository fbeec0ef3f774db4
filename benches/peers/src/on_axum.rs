//! The route on axum.

use std::io;

use axum::{
    Json, Router,
    response::{IntoResponse as _, Response},
    routing::get,
};
use session_axum::{
    CheckBlacklist, CheckDatabase, Policy, Session, SessionLayer, Sessions, Stateless,
};

use crate::{answer::Answer, listening, service::Check};

/// Without sessions.
pub fn bare() -> Router {
    Router::new().route("/session", get(async || Json(Answer::without_session())))
}

/// With a session that is checked as far as this.
pub fn with_sessions(check: Check, sessions: Sessions) -> Router {
    let route = match check {
        Check::Stateless => get(user::<Stateless>),
        Check::Blacklist => get(user::<CheckBlacklist>),
        Check::Database => get(user::<CheckDatabase>),
    };
    let routes = Router::new().route("/session", route);
    routes.layer(SessionLayer::new(sessions))
}

/// Serves until the process ends.
pub async fn serve(app: Router) -> io::Result<()> {
    axum::serve(listening::listen().await?, app).await
}

async fn user<P: Policy>(session: Session<P>) -> Response {
    Json(Answer::to(session.user_id().as_str())).into_response()
}
