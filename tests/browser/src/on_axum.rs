//! The application on axum.

use std::{convert::Infallible, io};

use axum::{
    Json, Router,
    extract::{
        WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::StatusCode,
    response::{
        Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::{Stream, StreamExt as _};
use serde_json::{Map, Value};
use session_axum::{
    CheckBlacklist, CheckDatabase, Policy, Session, SessionLayer, SessionRejection, SessionRequest,
    Stateless,
};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    application::{AdminsOnly, Application, Login, Role, cors, described, events},
    server::Server,
};

pub(crate) async fn serve(application: Application) -> io::Result<Server> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let cors = cors(&application.website)?;
    let app = routes()
        .layer(SessionLayer::new(application.sessions))
        .layer(cors);
    let mut tasks = JoinSet::new();
    tasks.spawn(async { axum::serve(listener, app).await });
    Ok(Server::new(address, tasks))
}

fn routes() -> Router {
    Router::new()
        .route("/login", post(login))
        .route(
            "/stateless",
            get(whoami::<Stateless>).post(whoami::<Stateless>),
        )
        .route("/blacklist", get(whoami::<CheckBlacklist>))
        .route("/database", get(whoami::<CheckDatabase>))
        .route("/admin", get(whoami::<AdminsOnly>))
        .route("/payload", post(merge))
        .route("/role", post(role))
        .route("/always-401", get(StatusCode::UNAUTHORIZED))
        .route("/events", get(event_stream))
        .route("/socket", get(socket))
}

async fn login(request: SessionRequest, Json(login): Json<Login>) -> Answer {
    let session = request.create_session(login.try_into()?).await?;
    Ok(Json(described(&session)))
}

async fn whoami<P: Policy>(session: Session<P>) -> Json<Value> {
    Json(described(&session))
}

async fn merge(session: Session<Stateless>, Json(update): Json<Map<String, Value>>) -> Answer {
    session.merge_payload(update).await?;
    Ok(Json(described(&session)))
}

async fn role(session: Session<Stateless>) -> Answer {
    session.fetch_and_set_claim::<Role>().await?;
    Ok(Json(described(&session)))
}

async fn event_stream(
    session: Session<CheckBlacklist>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = events(session.into_inner()).map(|event| Ok(Event::default().data(event)));
    Sse::new(events).keep_alive(KeepAlive::default())
}

async fn socket(session: Session<CheckBlacklist>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        if socket.send(Message::text("open")).await.is_ok() {
            session.revoked().await;
            // The browser may have gone meanwhile.
            let _closed = socket.send(Message::Close(None)).await;
        }
    })
}

type Answer = Result<Json<Value>, SessionRejection>;
