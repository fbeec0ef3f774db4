//! The node on axum.

use std::{convert::Infallible, io};

use axum::response::{Sse, sse::Event};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use futures_util::{Stream, StreamExt as _};
use session_axum::{
    CheckBlacklist, CheckDatabase, NewSession, Session, SessionError, SessionLayer,
    SessionRejection, SessionRequest, Sessions, UserId,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::node::{self, Login};

pub(crate) async fn serve(
    listener: std::net::TcpListener,
    sessions: Sessions,
    stop: CancellationToken,
) -> io::Result<()> {
    let app = Router::new()
        .route("/login", post(login))
        .route("/news", get(news))
        .route("/end", post(end))
        .route("/events", get(events))
        .layer(Extension(stop.clone()))
        .layer(SessionLayer::new(sessions));
    axum::serve(TcpListener::from_std(listener)?, app)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

/// A real application asks for a password.
async fn login(
    request: SessionRequest,
    Json(login): Json<Login>,
) -> Result<String, SessionRejection> {
    let user = UserId::try_from(login.user).map_err(SessionError::from)?;
    let session = request.create_session(NewSession::new(user)).await?;
    Ok(format!("hello, {}", session.user_id()))
}

/// Asks the set of ended sessions in this node's memory.
async fn news(session: Session<CheckBlacklist>) -> String {
    format!("news for {}", session.user_id())
}

/// When this answers, the database has it, and no node can miss it.
async fn end(session: Session<CheckDatabase>) -> Result<&'static str, SessionRejection> {
    session.revoke().await?;
    Ok("ended")
}

async fn events(
    session: Session<CheckBlacklist>,
    Extension(stop): Extension<CancellationToken>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = node::events(&session, stop);
    Sse::new(events.map(|name| Ok(Event::default().event(name).data(name))))
}
