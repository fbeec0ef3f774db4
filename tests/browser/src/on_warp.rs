//! The application on warp.

use std::{convert::Infallible, io, sync::Mutex};

use futures_util::{SinkExt as _, StreamExt as _, stream};
use serde_json::{Map, Value};
use session_warp::{
    CheckBlacklist, CheckDatabase, Policy, Session, SessionRejection, SessionRequest, Stateless,
    request, session,
};
use tokio::{net::TcpListener, task::JoinSet};
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    http::StatusCode,
    path,
    reply::{Json, json},
    sse::Event,
    ws::{Message, WebSocket, Ws},
};

use crate::{
    application::{AdminsOnly, Application, Login, Role, cors, described, events},
    server::Server,
};

pub(crate) async fn serve(application: Application) -> io::Result<Server> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let cors = cors(&application.website)?;
    let server = session_warp::serve(application.sessions, routes()).layer(cors);
    let mut tasks = JoinSet::new();
    tasks.spawn(server.incoming(listener));
    Ok(Server::new(address, tasks))
}

fn routes() -> BoxedFilter<(impl Reply,)> {
    let login = path!("login")
        .and(warp::post())
        .and(request())
        .and(warp::body::json())
        .then(login);
    let stateless = path!("stateless")
        .and(warp::get().or(warp::post()).unify())
        .and(whoami::<Stateless>());
    let merge = path!("payload")
        .and(warp::post())
        .and(session::<Stateless>())
        .and(warp::body::json())
        .then(merge);
    let role = path!("role")
        .and(warp::post())
        .and(session::<Stateless>())
        .then(role);
    let event_stream = path!("events")
        .and(warp::get())
        .and(session::<CheckBlacklist>())
        .map(event_stream);
    let socket = path!("socket")
        .and(session::<CheckBlacklist>())
        .and(warp::ws())
        .map(socket);
    login
        .or(stateless)
        .or(path!("blacklist").and(whoami::<CheckBlacklist>()))
        .or(path!("database").and(whoami::<CheckDatabase>()))
        .or(path!("admin").and(whoami::<AdminsOnly>()))
        .or(merge)
        .or(role)
        .or(path!("always-401").map(|| StatusCode::UNAUTHORIZED))
        .or(event_stream)
        .or(socket)
        .boxed()
}

fn whoami<P: Policy>() -> impl Filter<Extract = (Json,), Error = Rejection> + Copy {
    session::<P>().map(|session: Session<P>| json(&described(&session)))
}

async fn login(request: SessionRequest, login: Login) -> Answer {
    let session = request.create_session(login.try_into()?).await?;
    Ok(json(&described(&session)))
}

async fn merge(session: Session<Stateless>, update: Map<String, Value>) -> Answer {
    session.merge_payload(update).await?;
    Ok(json(&described(&session)))
}

async fn role(session: Session<Stateless>) -> Answer {
    session.fetch_and_set_claim::<Role>().await?;
    Ok(json(&described(&session)))
}

fn event_stream(session: Session<CheckBlacklist>) -> impl Reply {
    let events =
        events(session.into_inner()).map(|event| Ok::<_, Infallible>(Event::default().data(event)));
    // warp wants streams that threads could share, though none do.
    let mut events = Mutex::new(Box::pin(events));
    warp::sse::reply(stream::poll_fn(move |context| {
        events
            .get_mut()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .poll_next_unpin(context)
    }))
}

fn socket(session: Session<CheckBlacklist>, upgrade: Ws) -> impl Reply {
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        if socket.send(Message::text("open")).await.is_ok() {
            session.revoked().await;
            // The browser may have gone meanwhile.
            let _closed = socket.close().await;
        }
    })
}

type Answer = Result<Json, SessionRejection>;
