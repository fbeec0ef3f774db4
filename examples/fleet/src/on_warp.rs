//! The node on warp.

use std::{convert::Infallible, io};

use futures_util::{StreamExt as _, stream};
use session_warp::{
    CheckBlacklist, CheckDatabase, NewSession, Session, SessionError, SessionRejection,
    SessionRequest, Sessions, UserId, request, session,
};
use tokio::{net::TcpListener, sync::Mutex};
use tokio_util::sync::CancellationToken;
use warp::{Filter as _, Reply, path, sse::Event};

use crate::node::{self, Login};

pub(crate) async fn serve(
    listener: std::net::TcpListener,
    sessions: Sessions,
    stop: CancellationToken,
) -> io::Result<()> {
    let (get, post, stopped) = (warp::get(), warp::post(), stop.clone());
    let body = warp::body::content_length_limit(16 * 1024).and(warp::body::json());
    let login = path!("login")
        .and(post)
        .and(request())
        .and(body)
        .then(login);
    let news = path!("news").and(get).and(session()).then(news);
    let end = path!("end").and(post).and(session()).then(end);
    let stopping = warp::any().map(move || stopped.clone());
    let events = path!("events")
        .and(get)
        .and(session())
        .and(stopping)
        .then(events);
    session_warp::serve(sessions, login.or(news).or(end).or(events))
        .graceful(stop.cancelled_owned())
        .incoming(TcpListener::from_std(listener)?)
        .await;
    Ok(())
}

/// A real application asks for a password.
async fn login(request: SessionRequest, login: Login) -> Result<String, SessionRejection> {
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

async fn events(session: Session<CheckBlacklist>, stop: CancellationToken) -> impl Reply {
    let events = node::events(&session, stop);
    let events = events.map(|name| Ok::<_, Infallible>(Event::default().event(name).data(name)));
    // warp wants streams that threads could share, though none do.
    let mut events = Mutex::new(Box::pin(events));
    let events = stream::poll_fn(move |context| events.get_mut().poll_next_unpin(context));
    warp::sse::reply(events)
}
