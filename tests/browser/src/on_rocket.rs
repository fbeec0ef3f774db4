//! The application on Rocket.
#![expect(clippy::needless_pass_by_value, reason = "Rocket's way")]

use std::io;

use futures_util::{SinkExt as _, StreamExt as _};
use rocket::{
    Build, Config, Rocket, Shutdown,
    config::{LogLevel, Shutdown as ShutdownConfig},
    fairing::AdHoc,
    get,
    http::{Header, Status},
    options, post,
    response::stream::{Event, EventStream},
    routes,
    serde::json::Json,
};
use rocket_ws::{Channel, Message, WebSocket};
use serde_json::{Map, Value};
use session_rocket::{
    CORS_REQUEST_HEADERS, CheckBlacklist, CheckDatabase, Session, SessionFairing, SessionRejection,
    SessionRequest, Stateless,
};
use tokio::{sync::oneshot, task::JoinSet};

use crate::{
    application::{AdminsOnly, Application, Login, Role, described, events},
    server::Server,
};

pub(crate) async fn serve(application: Application) -> io::Result<Server> {
    let (tell, port) = oneshot::channel();
    let rocket = app(application).attach(AdHoc::on_liftoff("port", |rocket| {
        Box::pin(async move {
            // Whoever asked may have given up.
            let _told = tell.send(rocket.config().port);
        })
    }));
    let rocket = rocket.ignite().await.map_err(io::Error::other)?;
    let stop = Stop(rocket.shutdown());
    let mut tasks = JoinSet::new();
    tasks.spawn(async { drop(rocket.launch().await) });
    let port = port.await.map_err(io::Error::other)?;
    Ok(Server::new(([127, 0, 0, 1], port).into(), (stop, tasks)))
}

/// Stops a server without waiting for those that it serves.
struct Stop(Shutdown);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.clone().notify();
    }
}

fn app(application: Application) -> Rocket<Build> {
    let config = Config {
        port: 0,
        log_level: LogLevel::Off,
        shutdown: ShutdownConfig {
            ctrlc: false,
            signals: std::collections::HashSet::new(),
            ..ShutdownConfig::default()
        },
        ..Config::debug_default()
    };
    rocket::custom(config)
        .mount("/", routes![login, stateless, post_stateless, blacklist])
        .mount("/", routes![database, admin, merge, role, always_401])
        .mount("/", routes![event_stream, socket, preflight])
        .attach(cors(application.website))
        .attach(SessionFairing::new(application.sessions))
}

/// Rocket has no CORS middleware; this is the one of the documentation.
fn cors(website: String) -> AdHoc {
    AdHoc::on_response("CORS", move |_, response| {
        let website = website.clone();
        Box::pin(async move {
            let ours = CORS_REQUEST_HEADERS.map(|name| name.to_string()).join(", ");
            let headers = [
                ("Access-Control-Allow-Origin", website),
                ("Access-Control-Allow-Credentials", "true".to_owned()),
                ("Access-Control-Allow-Methods", "GET, POST".to_owned()),
                (
                    "Access-Control-Allow-Headers",
                    format!("content-type, {ours}"),
                ),
            ];
            for (name, value) in headers {
                response.set_header(Header::new(name, value));
            }
        })
    })
}

#[options("/<_..>")]
fn preflight() {}

#[post("/login", data = "<login>")]
async fn login(request: SessionRequest, login: Json<Login>) -> Answer {
    let new = login.into_inner().try_into()?;
    let session = request.create_session(new).await?;
    Ok(Json(described(&session)))
}

#[get("/stateless")]
fn stateless(session: Session<Stateless>) -> Json<Value> {
    Json(described(&session))
}

#[post("/stateless")]
fn post_stateless(session: Session<Stateless>) -> Json<Value> {
    Json(described(&session))
}

#[get("/blacklist")]
fn blacklist(session: Session<CheckBlacklist>) -> Json<Value> {
    Json(described(&session))
}

#[get("/database")]
fn database(session: Session<CheckDatabase>) -> Json<Value> {
    Json(described(&session))
}

#[get("/admin")]
fn admin(session: Session<AdminsOnly>) -> Json<Value> {
    Json(described(&session))
}

#[post("/payload", data = "<update>")]
async fn merge(session: Session<Stateless>, update: Json<Map<String, Value>>) -> Answer {
    session.merge_payload(update.into_inner()).await?;
    Ok(Json(described(&session)))
}

#[post("/role")]
async fn role(session: Session<Stateless>) -> Answer {
    session.fetch_and_set_claim::<Role>().await?;
    Ok(Json(described(&session)))
}

#[get("/always-401")]
fn always_401() -> (Status, ()) {
    (Status::Unauthorized, ())
}

#[get("/events")]
fn event_stream(session: Session<CheckBlacklist>) -> EventStream![] {
    EventStream::from(events(session.into_inner()).map(Event::data))
}

#[get("/socket")]
fn socket(session: Session<CheckBlacklist>, upgrade: WebSocket) -> Channel<'static> {
    upgrade.channel(move |mut socket| {
        Box::pin(async move {
            socket.send(Message::text("open")).await?;
            session.revoked().await;
            socket.close(None).await
        })
    })
}

type Answer = Result<Json<Value>, SessionRejection>;
