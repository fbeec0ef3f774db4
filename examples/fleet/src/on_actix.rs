//! The node on actix-web.

use std::{convert::Infallible, io, net::TcpListener};

use actix_web::web::{Bytes, Data, Json, get, post};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::StreamExt as _;
use session_actix::{
    CheckBlacklist, CheckDatabase, NewSession, Session, SessionError, SessionMiddleware,
    SessionRejection, Sessions, UserId, create_session,
};
use tokio_util::sync::CancellationToken;

use crate::node::{self, Login};

pub(crate) async fn serve(
    listener: TcpListener,
    sessions: Sessions,
    stop: CancellationToken,
) -> io::Result<()> {
    let stopped = Data::new(stop.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(stopped.clone())
            .route("/login", post().to(login))
            .route("/news", get().to(news))
            .route("/end", post().to(end))
            .route("/events", get().to(events))
            .wrap(SessionMiddleware::new(sessions.clone()))
    });
    let server = server.shutdown_signal(stop.cancelled_owned());
    server.listen(listener)?.run().await
}

/// A real application asks for a password.
async fn login(request: HttpRequest, login: Json<Login>) -> Result<String, SessionRejection> {
    let user = UserId::try_from(login.into_inner().user).map_err(SessionError::from)?;
    let session = create_session(&request, NewSession::new(user)).await?;
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

async fn events(session: Session<CheckBlacklist>, stop: Data<CancellationToken>) -> HttpResponse {
    let events = node::events(&session, stop.get_ref().clone());
    let events = events.map(|name| format!("event: {name}\ndata: {name}\n\n"));
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .streaming(events.map(|event| Ok::<_, Infallible>(Bytes::from(event))))
}
