//! The application of the HTTP suite on Rocket.
#![expect(
    clippy::needless_pass_by_value,
    reason = "Rocket hands guards over by value"
)]

use std::{
    collections::HashSet,
    io,
    net::{Ipv4Addr, TcpListener},
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use rocket::{
    Build, Config, Data, Request, Response, Rocket, Route,
    config::{Ident, LogLevel, Shutdown},
    data::{Limits, ToByteUnit as _},
    fairing::AdHoc,
    get, post,
    response::{self, Responder, stream::ReaderStream},
    route::{Handler, Outcome},
    routes,
    shield::Shield,
};
use session_rocket::{
    CheckBlacklist, CheckDatabase, OptionalSession, Session, SessionFairing, SessionRejection,
    SessionRequest, Sessions, Stateless, get_session, session_core, session_core::async_trait,
    verify_session,
};
use session_testkit::http::{
    Adapter, ServerGuard,
    application::{self, Admin, Login},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener as AsyncListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

/// Serves the application of the HTTP suite.
pub(crate) struct OnRocket;

#[async_trait]
impl Adapter for OnRocket {
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
        let (tell, port) = oneshot::channel();
        let rocket = app(sessions).attach(AdHoc::on_liftoff("port", |rocket| {
            Box::pin(async move { tell.send(rocket.config().port).unwrap() })
        }));
        let rocket = rocket.ignite().await.unwrap();
        let shutdown = rocket.shutdown();
        let mut tasks = JoinSet::new();
        tasks.spawn(async { drop(rocket.launch().await) });
        tasks.spawn(relay(listener, port.await.unwrap()));
        ServerGuard::new(move || {
            shutdown.notify();
            drop(tasks);
        })
    }
}

/// Rocket binds its port itself and takes no listener, and a port that is given up for it may be
/// somebody else's before it is bound again. So Rocket has a port of its own choice, and what comes
/// to the listener goes there byte by byte.
async fn relay(listener: TcpListener, port: u16) {
    let listener = AsyncListener::from_std(listener).unwrap();
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        connections.spawn(async move {
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
            // An error is a client or a server that hung up.
            copy_bidirectional(&mut client, &mut server.unwrap())
                .await
                .ok();
        });
    }
}

/// A port of the system's choice and no log. Signals are for the test and not for Rocket.
pub(crate) fn config() -> Config {
    Config {
        port: 0,
        log_level: LogLevel::Off,
        shutdown: Shutdown {
            ctrlc: false,
            signals: HashSet::new(),
            ..Shutdown::default()
        },
        ..Config::debug_default()
    }
}

fn app(sessions: Sessions) -> Rocket<Build> {
    let config = Config {
        ident: Ident::none(),
        limits: Limits::new().limit("bytes", 4.mebibytes()),
        ..config()
    };
    let nested = verify_session(application::nested_guard());
    let rocket = rocket::custom(config)
        .mount("/", routes![login, act, configured::get, configured::post])
        .mount("/", routes![stateless::get, stateless::post])
        .mount("/", routes![blacklist::get, blacklist::post])
        .mount("/", routes![database::get, database::post])
        .mount("/", routes![optional::get, optional::post])
        .mount("/", routes![admin, twice, value, stream])
        .mount(
            "/nested",
            nested.guard(routes![stateless::get, database::get, act]),
        )
        // The suite compares headers; those of Rocket's own are not its business.
        .attach(Shield::new())
        .attach(SessionFairing::new(sessions.clone()))
        .attach(SessionFairing::new(sessions));
    application::guards()
        .into_iter()
        .fold(rocket, |rocket, guard| {
            let route = |method: &http::Method| {
                let method = method.as_str().parse().unwrap();
                Route::new(method, guard.path, Guarded)
            };
            let routes: Vec<Route> = guard.methods.iter().map(route).collect();
            rocket.mount("/", verify_session(guard.options).guard(routes))
        })
}

#[post("/login", data = "<body>")]
async fn login(request: SessionRequest, body: Vec<u8>) -> Result<Answer, SessionRejection> {
    let mut last = None;
    for new in Login::parse(&body)?.sessions {
        last = Some(request.create_session(new).await?);
    }
    Ok(Answer(application::act(&last.unwrap(), &body).await?))
}

#[post("/act", data = "<body>")]
async fn act(session: Session<Stateless>, body: Vec<u8>) -> Result<Answer, SessionRejection> {
    Ok(Answer(application::act(&session, &body).await?))
}

macro_rules! described {
    ($($name:ident $path:tt $guard:ty, $session:ident => $found:expr;)*) => {
        $(mod $name {
            use super::*;

            #[get($path)]
            pub(super) fn get($session: $guard) -> Answer {
                describe($found)
            }

            #[post($path)]
            pub(super) fn post($session: $guard) -> Answer {
                describe($found)
            }
        })*
    };
}

described! {
    configured "/session" Session, session => Some(&session);
    stateless "/stateless" Session<Stateless>, session => Some(&session);
    blacklist "/blacklist" Session<CheckBlacklist>, session => Some(&session);
    database "/database" Session<CheckDatabase>, session => Some(&session);
    optional "/optional" OptionalSession<Stateless>, session => session.as_ref();
}

#[get("/admin")]
fn admin(session: Session<Admin>) -> Answer {
    describe(Some(&session))
}

#[get("/twice")]
fn twice(_first: Session<Stateless>, second: Session<CheckDatabase>) -> Answer {
    describe(Some(&second))
}

#[get("/value")]
fn value(session: Result<Session<CheckDatabase>, SessionRejection>) -> Answer {
    match session {
        Ok(session) => describe(Some(&session)),
        Err(refused) => Answer(application::describe_refused(refused.error())),
    }
}

#[get("/stream")]
fn stream(session: Session<CheckBlacklist>) -> Streamed {
    Streamed(session)
}

/// `ByteStream` would name a type, which the application of no other framework does.
struct Streamed(Session<CheckBlacklist>);

impl<'r> Responder<'r, 'static> for Streamed {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let events = application::events(self.0.into_inner());
        let events = Box::pin(events.map(|event| io::Cursor::new(event.unwrap())));
        Response::build()
            .streamed_body(ReaderStream::from(events))
            .ok()
    }
}

#[derive(Clone)]
struct Guarded;

#[async_trait]
impl Handler for Guarded {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let session = get_session(request, &application::ask_nothing()).await;
        Outcome::from(request, session.map(|session| describe(session.as_ref())))
    }
}

fn describe(session: Option<&session_core::Session>) -> Answer {
    Answer(application::describe(session))
}

/// A response of the testkit's.
struct Answer(http::Response<Bytes>);

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let (head, body) = self.0.into_parts();
        let mut response = Response::build();
        response.status(rocket::http::Status::new(head.status.as_u16()));
        for (name, value) in &head.headers {
            response.raw_header_adjoin(name.to_string(), value.to_str().unwrap().to_owned());
        }
        response.sized_body(body.len(), io::Cursor::new(body)).ok()
    }
}
