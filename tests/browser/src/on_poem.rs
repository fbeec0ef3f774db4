//! The application on poem.
#![expect(clippy::needless_pass_by_value, reason = "poem's way")]

use std::io;

use futures_util::{SinkExt as _, StreamExt as _};
use poem::{
    Endpoint, EndpointExt as _, IntoResponse, Request, Route, Server as PoemServer, get, handler,
    http::{Method, StatusCode, header::CONTENT_TYPE},
    listener::{Acceptor as _, Listener as _, TcpListener},
    middleware::Cors,
    post,
    web::{
        Json,
        sse::{Event, SSE},
        websocket::{Message, WebSocket},
    },
};
use serde_json::{Map, Value};
use session_poem::{
    CORS_REQUEST_HEADERS, CheckBlacklist, CheckDatabase, Policy, Session, SessionLayer,
    SessionRejection, Stateless, create_session,
};
use tokio::task::JoinSet;

use crate::{
    application::{AdminsOnly, Application, Login, Role, described, events},
    server::Server,
};

pub(crate) async fn serve(application: Application) -> io::Result<Server> {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    let address = acceptor
        .local_addr()
        .iter()
        .find_map(|address| address.as_socket_addr().copied())
        .ok_or_else(|| io::Error::other("poem does not listen on a socket"))?;
    let mut tasks = JoinSet::new();
    tasks.spawn(PoemServer::new_with_acceptor(acceptor).run(app(application)));
    Ok(Server::new(address, tasks))
}

fn app(application: Application) -> impl Endpoint {
    Route::new()
        .at("/login", post(login))
        .at(
            "/stateless",
            get(whoami::<Stateless>::default()).post(whoami::<Stateless>::default()),
        )
        .at("/blacklist", get(whoami::<CheckBlacklist>::default()))
        .at("/database", get(whoami::<CheckDatabase>::default()))
        .at("/admin", get(whoami::<AdminsOnly>::default()))
        .at("/payload", post(merge))
        .at("/role", post(role))
        .at("/always-401", get(always_401))
        .at("/events", get(event_stream))
        .at("/socket", get(socket))
        .with(SessionLayer::new(application.sessions))
        .with(
            Cors::new()
                .allow_origin(application.website)
                .allow_methods([Method::GET, Method::POST])
                .allow_headers(CORS_REQUEST_HEADERS)
                .allow_header(CONTENT_TYPE)
                .allow_credentials(true),
        )
}

#[handler]
async fn login(request: &Request, Json(login): Json<Login>) -> Answer {
    let session = create_session(request, login.try_into()?).await?;
    Ok(Json(described(&session)))
}

#[handler]
fn whoami<P: Policy + Send + Sync>(session: Session<P>) -> Json<Value> {
    Json(described(&session))
}

#[handler]
async fn merge(session: Session<Stateless>, Json(update): Json<Map<String, Value>>) -> Answer {
    session.merge_payload(update).await?;
    Ok(Json(described(&session)))
}

#[handler]
async fn role(session: Session<Stateless>) -> Answer {
    session.fetch_and_set_claim::<Role>().await?;
    Ok(Json(described(&session)))
}

#[handler]
fn always_401() -> StatusCode {
    StatusCode::UNAUTHORIZED
}

#[handler]
fn event_stream(session: Session<CheckBlacklist>) -> SSE {
    SSE::new(events(session.into_inner()).map(Event::message))
}

#[handler]
fn socket(session: Session<CheckBlacklist>, upgrade: WebSocket) -> impl IntoResponse {
    upgrade.on_upgrade(async move |mut socket| {
        if socket.send(Message::text("open")).await.is_ok() {
            session.revoked().await;
            // The browser may have gone meanwhile.
            let _closed = socket.send(Message::close()).await;
        }
    })
}

type Answer = Result<Json<Value>, SessionRejection>;
